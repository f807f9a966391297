// Where Streamlit's components meet what is drawn. They are called again with each change of the data or the theme.

// A function for Streamlit: draws into the component's element of that class, once made by `make(root, send)`.
// Streamlit may say goodbye and call again at once, for the same element: what someone is typing into goes on living.
function mountInto(selector, make) {
  const made = new WeakMap();
  return (component) => {
    const { data, parentElement } = component;
    const root = parentElement.querySelector(selector);
    if (!root || !data) return undefined;
    let mounted = made.get(root);
    if (!mounted) {
      root.parentNode.insertBefore(element("style", { text: STYLE }), root);
      mounted = {};
      mounted.drawing = make(root, (event) => mounted.component.setTriggerValue("event", event));
      made.set(root, mounted);
    }
    mounted.component = component;
    const numbers = data.weights?.getChild("w")?.toArray() ?? new Float32Array(0);
    mounted.drawing.update(data.meta, numbers, data.link);
    return () => {
      setTimeout(() => {
        if (root.isConnected || made.get(root) !== mounted) return;
        mounted.drawing.destroy();
        made.delete(root);
      });
    };
  };
}

// `ready` is heard when the whole module has run: a promise waits for it.
const offered = (globalThis.attnvizCanvas ??= {});
offered.mount = mountInto(".attnviz-picture", (root, emit) => new Picture(root, { emit }));
offered.ready?.();
