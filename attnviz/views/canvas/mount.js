// Where Streamlit's component meets the picture. It is called again with each change of the data or the theme.

const shown = new WeakMap();

function mount(component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".attnviz-picture");
  if (!root || !data) return undefined;
  let picture = shown.get(root);
  if (!picture) {
    const style = element("style", { text: STYLE });
    root.parentNode.insertBefore(style, root);
    picture = new Picture(root);
    shown.set(root, picture);
  }
  picture.emit = (event) => component.setTriggerValue("event", event);
  const numbers = data.weights?.getChild("w")?.toArray() ?? new Float32Array(0);
  picture.update(data.meta, numbers, data.link);
  return () => {
    picture.destroy();
    shown.delete(root);
  };
}

const offered = (globalThis.attnvizCanvas ??= {});
offered.mount = mount;
offered.ready?.();
