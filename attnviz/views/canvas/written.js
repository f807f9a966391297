// How many words of a translation are written so far: their rows are shown, and where the last of them looks.

class Written {
  constructor(picture) {
    this.picture = picture;
    [this.label, this.input, this.value] = slider(WORDS.written);
    this.input.min = "1";
    this.player = new Player(WORDS.playWritten, () => this.place, (at) => this.choose(at));
    this.node = element("div", { class: "turns" }, this.label, this.player.node);
    this.input.addEventListener("input", () => this.choose(Number(this.input.value) - 1));
  }

  get place() {
    const { picture } = this;
    const count = picture.after.Q;
    return { at: (picture.selection.written ?? count) - 1, count };
  }

  choose(at) {
    const written = at + 1 === this.place.count ? null : at + 1;
    this.picture.pointed = null;
    this.picture.choose({ written, query: at, pin: null });
  }

  show() {
    const { picture } = this;
    const shown = picture.after.produced && picture.isTable;
    setShown(this.node, shown);
    if (!shown) return this.player.stop();
    const { at, count } = this.place;
    this.input.max = String(count);
    this.input.value = String(at + 1);
    setText(this.value, `${at + 1} / ${count}`);
    setAttribute(this.input, "aria-valuetext", `${at + 1} / ${count}: ${picture.after.queries[at]}`);
  }
}
