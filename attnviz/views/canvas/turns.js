// Which of several turns is shown, such as the iterations of a routing: a number for each, arrow keys, and play.

class Turns {
  constructor(picture) {
    this.picture = picture;
    this.kind = element("span");
    this.numbers = element("div", { class: "choice", role: "group" });
    this.player = new Player(WORDS.playTurns, () => this.place, (turn) => this.choose(turn));
    this.node = element("div", { class: "turns" }, this.kind, this.numbers, this.player.node);
    this.numbers.addEventListener("click", ({ target }) => {
      if (target.dataset.turn) this.choose(Number(target.dataset.turn));
    });
    this.numbers.addEventListener("keydown", (event) => this.key(event));
  }

  get place() {
    const { whole, selection } = this.picture;
    const count = whole.turns?.labels.length ?? 0;
    return { at: selection.turn ?? count - 1, count };
  }

  choose(turn) {
    const { count } = this.place;
    this.picture.pointed = null;
    this.picture.choose({ turn: turn === count - 1 ? null : turn });
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    const { at, count } = this.place;
    const turn = Math.max(0, Math.min(count - 1, at + step));
    this.choose(turn);
    this.numbers.children[turn].focus();
    swallow(event);
  }

  show() {
    const { turns } = this.picture.whole;
    setShown(this.node, Boolean(turns));
    if (!turns) return this.player.stop();
    const { at } = this.place;
    setText(this.kind, turns.kind);
    setAttribute(this.numbers, "aria-label", turns.kind);
    choices(this.numbers, turns.labels.map((label, i) => [String(i), shortTurn(label, turns.kind), i === at]), "turn");
    turns.labels.forEach((label, i) => setAttribute(this.numbers.children[i], "aria-label", label));
  }
}

// Of “iteration 3” the number, since the kind stands before them all.
function shortTurn(label, kind) {
  return label.startsWith(`${kind} `) ? label.slice(kind.length + 1) : label;
}
