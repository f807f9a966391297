// What a person gives besides a line of text. The server holds the value. An editor shows a change at once and sends it
// with a number, so that the answer to an older one, which comes while someone types on, changes nothing.

const REST = 800; // milliseconds without a change after which a value goes into the link: each time a step of the history
const EDITORS = { longtext: LongText, marking: Marking, facts: Facts, drawing: Drawing };

class Input {
  constructor(root, send) {
    this.root = root;
    root.input = this; // for tests, and a reader's console
    this.send = send;
    this.sent = 0;
    root.addEventListener("focusout", ({ relatedTarget }) => {
      if (!root.contains(relatedTarget)) this.rest();
    });
  }

  destroy() {
    clearTimeout(this.resting);
    this.editor?.destroy?.();
  }

  update(meta) {
    this.theme = stampTheme(this.root);
    if (!this.editor) this.build(meta);
    setLine(this.label, meta.seen ? meta.label : "");
    setAttribute(this.label, "title", meta.help);
    this.linked = meta.linked;
    this.editor.meet(meta);
    if (this.value === undefined || (meta.sent >= this.sent && meta.value !== this.value)) {
      this.value = meta.value;
      this.editor.show(meta.value);
    }
    this.sent = Math.max(this.sent, meta.sent);
  }

  build(meta) {
    this.label = element("div", { class: "name" });
    this.editor = new EDITORS[meta.kind](this);
    this.root.replaceChildren(this.label, this.editor.node);
  }

  write(value) {
    if (value === this.value) return;
    this.value = value;
    this.sent += 1;
    this.send({ value, sent: this.sent });
    clearTimeout(this.resting);
    if (this.linked) this.resting = setTimeout(() => this.rest(), REST);
  }

  // Nobody writes: at once when the editor is left, as what is done elsewhere may change its value.
  rest() {
    clearTimeout(this.resting);
    if (this.resting) this.send({ value: this.value, sent: this.sent, rests: true });
    this.resting = undefined;
  }
}

offered.input = mountInto(".attnviz-input", (root, send) => new Input(root, send));
