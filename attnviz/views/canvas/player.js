// A button that goes through steps that follow one another, from the first one when the last is shown.

const PACE = 1100; // milliseconds that a step is shown

class Player {
  // `place()` is { at, count }, and `go(at)` shows a step.
  constructor(title, place, go) {
    Object.assign(this, { place, go, timer: null });
    this.node = element("button", { class: "plain play", type: "button", title });
    this.node.addEventListener("click", () => (this.timer ? this.stop() : this.start()));
    this.show();
  }

  start() {
    const { at, count } = this.place();
    this.timer = setInterval(() => this.step(this.place().at + 1), PACE);
    this.show();
    this.step(at >= count - 1 ? 0 : at + 1);
  }

  step(at) {
    const last = this.place().count - 1;
    if (at <= last) this.go(at);
    if (at >= last) this.stop();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.show();
  }

  show() {
    setText(this.node, this.timer ? WORDS.stop : WORDS.play);
  }
}
