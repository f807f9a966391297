// A list of facts, one a row. All that the mouse can do the keyboard can: the line below says how.

const FACTS_WORDS = {
  fact: "Fact", add: "add a fact", undo: "undo", undoTitle: "brings the deleted fact back",
  up: "move up", down: "move down", remove: "delete",
  keys: "Enter: a row below. Alt+↑ and Alt+↓ move it. Backspace in an empty row deletes it.",
  full: (most) => `There is room for ${most} facts.`,
};

class Facts {
  constructor(input) {
    this.input = input;
    this.lines = [""];
    this.removed = []; // [place, text], the last one at the end
    this.list = element("ol", { class: "facts" });
    this.add = element("button", { type: "button", class: "plain act", text: FACTS_WORDS.add });
    const { undo, undoTitle } = FACTS_WORDS;
    this.back = element("button", { type: "button", class: "plain act", text: undo, title: undoTitle });
    this.said = element("span", { role: "status" });
    const keys = element("span", { class: "keys", text: FACTS_WORDS.keys });
    this.node = element("div", {}, this.list, element("div", { class: "below" }, this.add, this.back, this.said, keys));
    this.listen();
  }

  listen() {
    const { list } = this;
    this.add.addEventListener("click", () => this.insert(this.lines.length, [""]));
    this.back.addEventListener("click", () => this.restore());
    list.addEventListener("input", ({ target }) => {
      this.lines[this.rowOf(target)] = target.value;
      this.send();
    });
    list.addEventListener("click", ({ target }) => {
      const { does } = target.dataset;
      const i = this.rowOf(target);
      if (does === "remove") this.remove(i);
      else if (does) this.move(i, does === "up" ? -1 : 1);
    });
    list.addEventListener("keydown", (event) => this.keyDown(event));
    list.addEventListener("paste", (event) => this.paste(event));
  }

  keyDown(event) {
    const { target, key } = event;
    if (target.tagName !== "INPUT" || event.isComposing) return;
    const i = this.rowOf(target);
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (key === "Enter") this.split(i, target, [target.value.slice(0, target.selectionStart), ""]);
    else if (key === "Backspace" && !target.value && this.lines.length > 1) this.remove(i, -1);
    else if (step && event.altKey) this.move(i, step);
    else if (step) this.focus(i + step);
    else return;
    event.preventDefault();
  }

  // Several lines become several rows; a single one is pasted as anywhere.
  paste(event) {
    const { target } = event;
    const lines = event.clipboardData.getData("text/plain").trim().split(/\s*\n\s*/);
    if (target.tagName !== "INPUT" || lines.length < 2) return;
    event.preventDefault();
    lines[0] = target.value.slice(0, target.selectionStart) + lines[0];
    this.split(this.rowOf(target), target, lines);
  }

  meet({ label, most, longest }) {
    this.label = label;
    this.most = most;
    this.longest = longest;
    setAttribute(this.list, "aria-label", label);
    this.paint();
  }

  show(value) {
    this.lines = value.split("\n");
    this.removed = [];
    this.paint();
  }

  rowOf(node) {
    return [...this.list.children].indexOf(node.closest("li"));
  }

  // The row becomes `lines`; what stood behind the selection goes to the end of the last.
  split(i, field, lines) {
    const room = lines.slice(0, this.most - this.lines.length + 1);
    const after = field.value.slice(field.selectionEnd);
    const last = room.length - 1;
    const caret = room[last].length;
    if (last === 0 && lines.length > 1) return;
    this.lines.splice(i, 1, ...room.slice(0, last), room[last] + after);
    this.changed(i + last, caret);
  }

  insert(i, lines) {
    this.lines.splice(i, 0, ...lines);
    this.changed(i);
  }

  remove(i, step = 0) {
    this.removed.push([i, this.lines[i]]);
    this.lines.splice(i, 1);
    if (!this.lines.length) this.lines.push("");
    this.changed(Math.max(0, i + step));
  }

  restore() {
    const [i, text] = this.removed.pop();
    if (this.lines.length === 1 && !this.lines[0]) this.lines = [];
    this.insert(Math.min(i, this.lines.length), [text]);
  }

  move(i, step) {
    const to = i + step;
    if (to < 0 || to >= this.lines.length) return;
    this.lines.splice(to, 0, ...this.lines.splice(i, 1));
    this.changed(to);
  }

  changed(i, caret) {
    this.paint();
    this.focus(i, caret);
    this.send();
  }

  focus(i, caret) {
    const field = this.list.children[Math.max(0, Math.min(i, this.lines.length - 1))].querySelector("input");
    field.focus();
    field.setSelectionRange(caret ?? field.value.length, caret ?? field.value.length);
  }

  send() {
    this.input.write(this.lines.join("\n"));
  }

  paint() {
    const rows = keepChildren(this.list, this.lines.length, () => factRow());
    this.lines.forEach((line, i) => {
      const [number, field, ...buttons] = rows[i].children;
      setText(number, String(i + 1));
      if (field.value !== line) field.value = line;
      setAttribute(field, "aria-label", `${FACTS_WORDS.fact} ${i + 1}`);
      setAttribute(field, "maxlength", String(this.longest));
      for (const button of buttons) {
        setAttribute(button, "aria-label", `${FACTS_WORDS.fact} ${i + 1}: ${FACTS_WORDS[button.dataset.does]}`);
      }
      buttons[0].disabled = i === 0;
      buttons[1].disabled = i === this.lines.length - 1;
    });
    this.add.disabled = this.lines.length >= this.most;
    setShown(this.back, this.removed.length > 0);
    setText(this.said, this.add.disabled ? FACTS_WORDS.full(this.most) : "");
  }
}

function factRow() {
  const field = element("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  const buttons = Object.entries({ up: "↑", down: "↓", remove: "×" }).map(([does, text]) =>
    element("button", { type: "button", "data-does": does, title: FACTS_WORDS[does], text }),
  );
  return element("li", {}, element("span", { class: "number", "aria-hidden": "true" }), field, ...buttons);
}
