// What was changed, as chips that take it back, and undo, redo, reset; `send` sends an event to the server.

class WayBack {
  constructor(send) {
    const act = (what) => {
      const button = makeAct(WORDS[what], WORDS[`${what}Title`]);
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
    setLine(this.problem, change?.problem);
    setShown(this.said, said.length > 0);
    const chips = keepChildren(this.said, said.length, () => makeChip("span"));
    said.forEach(({ text }, i) => {
      setChip(chips[i], text);
      chips[i].lastChild.dataset.back = String(i);
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

function makeAct(text = "", title = "") {
  return element("button", { class: "plain act", type: "button", text, title });
}

// A sentence, and a button that takes back what it says.
function makeChip(tag) {
  const back = element("button", { class: "plain", type: "button", text: "×" });
  return element(tag, { class: "chip" }, element("span"), back);
}

function setChip(chip, text) {
  setText(chip.firstChild, text);
  setAttribute(chip.lastChild, "aria-label", `${WORDS.takeBack} ${text}`);
}
