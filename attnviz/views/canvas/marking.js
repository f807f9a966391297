// The words of a text as buttons: one is marked by a click, several by dragging over them or with Shift.

class Marking {
  constructor(input) {
    this.input = input;
    this.node = this.list = element("div", { class: "marking", role: "group" });
    this.at = 0; // the word that the keyboard is at
    this.listen();
  }

  listen() {
    const { list } = this;
    list.addEventListener("click", (event) => {
      const i = this.wordAt(event.target);
      if (i === null || this.dragged) return;
      if (event.shiftKey && this.mark) this.through(i);
      else this.press(i);
    });
    list.addEventListener("pointerdown", ({ target, pointerType }) => {
      this.dragged = false;
      this.from = pointerType === "touch" ? null : this.wordAt(target); // a finger scrolls
    });
    list.addEventListener("pointerover", ({ target, buttons }) => {
      const i = this.wordAt(target);
      if (!(buttons & 1) || i === null || (this.from ?? i) === i) return;
      this.dragged = true;
      this.anchor = this.from;
      this.through(i);
    });
    list.addEventListener("keydown", (event) => this.keyDown(event));
  }

  keyDown(event) {
    const last = this.words.length - 1;
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -last, End: last }[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(last, this.at + step));
    if (event.shiftKey) {
      if (!this.mark) this.anchor = this.at;
      this.through(to);
    }
    this.goTo(to);
    this.list.children[to].focus();
  }

  meet({ label, words, glued }) {
    this.words = words;
    setAttribute(this.list, "aria-label", label);
    const buttons = keepChildren(this.list, words.length, () => element("button", { type: "button", class: "mark" }));
    const without = new Set(glued);
    words.forEach((word, i) => {
      setText(buttons[i], word);
      buttons[i].classList.toggle("glued", without.has(i));
    });
    this.goTo(Math.min(this.at, words.length - 1));
    this.paint();
  }

  // "2 4": the words 2 to 4 are marked, counted from 0. Without a mark the text is empty.
  show(value) {
    const [first, last] = value.split(" ").map(Number);
    this.mark = value && last < this.words.length ? [first, last] : null;
    if (this.mark && !(this.anchor >= first && this.anchor <= last)) this.anchor = first;
    if (this.mark) this.goTo(first);
    this.paint();
  }

  wordAt(target) {
    const i = [...this.list.children].indexOf(target);
    return i < 0 ? null : i;
  }

  press(i) {
    const [first, last] = this.mark ?? [-9, -9];
    if (i === first - 1) this.set(i, last);
    else if (i === last + 1) this.set(first, i);
    else this.set(i, i);
  }

  // From where the mark was begun up to there.
  through(i) {
    this.set(Math.min(this.anchor, i), Math.max(this.anchor, i), this.anchor, i);
  }

  set(first, last, anchor = first, at = last) {
    this.mark = [first, last];
    this.anchor = anchor;
    this.goTo(at);
    this.paint();
    this.input.write(`${first} ${last}`);
  }

  goTo(i) {
    this.at = Math.max(0, i);
    [...this.list.children].forEach((node, j) => setAttribute(node, "tabindex", j === this.at ? "0" : "-1"));
  }

  paint() {
    const [first, last] = this.mark ?? [1, 0];
    [...this.list.children].forEach((node, i) => setAttribute(node, "aria-pressed", String(i >= first && i <= last)));
  }
}
