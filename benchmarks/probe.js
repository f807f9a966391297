// Runs in every measured page before anything else: notes what arrives, and waits for what is to be seen.
// A target is { root, attribute, expected }: the text that an element (also inside open shadow roots) shall show, as an
// attribute or, without one, as its content.

(() => {
  const arrived = []; // of messages from the server: { at, bytes }

  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        arrived.push({ at: performance.now(), bytes: data.byteLength ?? data.size ?? data.length });
      });
    }
  };

  const find = (tree, root) => {
    const found = tree.querySelector(root);
    if (found) return found;
    for (const node of tree.querySelectorAll("*")) {
      const inside = node.shadowRoot && find(node.shadowRoot, root);
      if (inside) return inside;
    }
    return null;
  };
  const shownBy = (node, attribute) => (attribute ? node.getAttribute(attribute) : node.textContent.trim());

  window.probe = {
    arrived,

    // How many nodes the page has, those in shadow roots too.
    nodes(tree = document) {
      const all = [...tree.querySelectorAll("*")];
      return all.reduce((sum, node) => sum + (node.shadowRoot ? window.probe.nodes(node.shadowRoot) : 0), all.length);
    },

    // Whether the target is to be seen now.
    shows({ root, attribute, expected }) {
      const node = find(document, root);
      return !!node && shownBy(node, attribute) === expected;
    },

    // Looks in every frame whether `stands()`; `times` is then [page opened, data there, painted].
    painted(stands, data) {
      const look = () => (stands() ? requestAnimationFrame(drawn) : requestAnimationFrame(look));
      const drawn = () => (window.probe.times = [0, data(), performance.now()]);
      look();
    },

    // From the next keydown: milliseconds until the last message before the picture, and until a frame with the target.
    arm({ root, attribute, expected }) {
      const node = find(document, root);
      if (!node) throw new Error(`there is no ${root} on the page`);
      window.measured = new Promise((resolve) => {
        let pressed = 0;
        window.addEventListener("keydown", () => (pressed = performance.now()), { capture: true, once: true });
        const observer = new MutationObserver(() => {
          if (shownBy(node, attribute) !== expected) return;
          observer.disconnect();
          const answered = arrived.at(-1).at - pressed;
          requestAnimationFrame(() => resolve({ answered, painted: performance.now() - pressed }));
        });
        const texts = { childList: true, characterData: true, subtree: true };
        observer.observe(node, attribute ? { attributes: true, attributeFilter: [attribute] } : texts);
      });
    },
  };
})();
