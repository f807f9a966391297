// What was changed, as chips that take it back, and undo, redo, reset; `send` sends an event to the server.

class WayBack {
  constructor(send) {
    const act = (what) => {
      const title = WORDS[`${what}Title`];
      const button = element("button", { class: "plain act", type: "button", text: WORDS[what], title });
      button.addEventListener("click", () => send({ what }));
      return button;
    };
    this.send = send;
    this.undo = act("undo");
    this.redo = act("redo");
    this.reset = act("reset");
    this.back = element("span", { class: "back" }, this.undo, this.redo, this.reset);
    this.said = element("div", { class: "said" });
    this.said.addEventListener("click", ({ target }) => {
      if (target.dataset.back) send(this.change.said[Number(target.dataset.back)].event);
    });
    this.problem = element("p", { class: "refused", role: "status" });
  }

  // `change` is meta.change; nothing where the numbers are read-only.
  show(change) {
    this.change = change;
    const said = change?.said ?? [];
    setShown(this.back, Boolean(change));
    this.undo.disabled = !change?.undo;
    this.redo.disabled = !change?.redo;
    setShown(this.reset, said.length > 0);
    setShown(this.said, said.length > 0);
    setShown(this.problem, Boolean(change?.problem));
    setText(this.problem, change?.problem ?? "");
    const chips = keepChildren(this.said, said.length, () => {
      const back = element("button", { class: "plain", type: "button", text: "×" });
      return element("span", { class: "chip" }, element("span"), back);
    });
    said.forEach(({ text }, i) => {
      const [name, back] = chips[i].children;
      setText(name, text);
      back.dataset.back = String(i);
      setAttribute(back, "aria-label", `${WORDS.takeBack} ${text}`);
    });
  }

  // Whether a key meant undo or redo.
  key({ key, ctrlKey, metaKey, shiftKey }) {
    if (!this.change || !(ctrlKey || metaKey)) return false;
    const name = key.toLowerCase();
    const what = name === "z" ? (shiftKey ? "redo" : "undo") : name === "y" ? "redo" : null;
    if (what && this.change[what]) this.send({ what });
    return what !== null;
  }
}
