// Several pictures beside each other: what is pointed at in one is marked in all, and below stands what differs.

const BOARD_WORDS = {
  pair: "panels", difference: "Difference", more: "Prediction and spread",
  validated: "on validation data", panel: "Panel",
};

class Board {
  constructor(root, send) {
    this.root = root;
    root.board = this; // for whoever looks into it: tests, and a reader's console
    this.send = send;
    this.panels = [];
    this.points = new Map(); // pictures and where the reader is in them, the newest last
    this.painted = 0;
    this.unfollow = followHash(this);
    this.chosen = readBoardLink();
    this.build();
  }

  build() {
    this.above = element("p", { class: "above" });
    this.list = element("div", { class: "panels" });
    this.choice = element("div", { class: "choice", role: "group", "aria-label": BOARD_WORDS.pair });
    this.problem = element("p", { class: "problem" });
    const picture = element("div", { class: "attnviz-picture", role: "group" });
    this.drawn = element("div", { class: "difference" }, this.problem, picture);
    this.table = new PairTable();
    const title = element("h3", { text: BOARD_WORDS.difference });
    const head = element("div", { class: "pairhead" }, title, this.choice);
    this.below = element("section", { class: "pair" }, head, this.drawn, this.table.node);
    this.root.replaceChildren(this.above, this.list, this.below);
    this.difference = new Picture(picture, { emit: () => undefined, compact: true });
    this.difference.onPoint = (point) => this.hear(this.difference, point);
    this.choice.addEventListener("click", ({ target }) => {
      if (target.dataset.pair) this.choose({ pair: target.dataset.pair });
    });
  }

  destroy() {
    this.unfollow();
    for (const picture of this.pictures) picture.destroy();
  }

  get pictures() {
    return [...this.panels.map((panel) => panel.picture), this.difference];
  }

  update(meta, bytes) {
    this.meta = meta;
    this.bytes = bytes;
    stampTheme(this.root);
    setLine(this.above, meta.hint);
    while (this.panels.length > meta.panels.length) this.panels.pop().remove();
    while (this.panels.length < meta.panels.length) this.panels.push(new Panel(this, this.panels.length));
    setAttribute(this.root, "aria-label", meta.panels.map(({ number, frame }) => `${number}: ${frame.title}`).join(", "));
    meta.panels.forEach((panel, i) => this.panels[i].update(panel, bytes));
    this.showPair();
    if (this.points.size) this.mark(); // what a picture said before the others were there
    this.root.dataset.text = meta.panels.at(-1)?.frame.text ?? "";
    this.root.dataset.panels = String(meta.panels.length);
    this.root.dataset.painted = String(++this.painted);
  }

  // A picture is sent once, however many frames lie over it.
  withPicture(frame) {
    return { ...frame, picture: this.meta.pictures[frame.picture] };
  }

  // The chosen pair; the first one where there is no such pair.
  get pair() {
    const { pairs } = this.meta;
    return pairs.find((pair) => this.nameOf(pair) === this.chosen.pair) ?? pairs[0];
  }

  nameOf(pair) {
    return pair.of.map((i) => this.meta.panels[i].number).join(".");
  }

  choose(change) {
    Object.assign(this.chosen, change);
    this.storeHash();
    this.showChosen();
  }

  readHash() {
    this.chosen = readBoardLink();
    this.showChosen();
  }

  storeHash() {
    const { pair, more } = this.chosen;
    keepInHash({ pair: pair === "1.2" ? null : pair, more: more ? "1" : null });
  }

  showChosen() {
    this.showPair();
    for (const panel of this.panels) panel.showMore();
  }

  showPair() {
    const { meta, pair } = this;
    setShown(this.below, Boolean(pair));
    if (!pair) return;
    const names = meta.pairs.map((p) => [this.nameOf(p), this.nameOf(p).replace(".", " and "), p === pair]);
    choices(this.choice, names, "pair");
    setShown(this.choice, names.length > 1);
    setLine(this.problem, pair.problem);
    setShown(this.difference.root, !pair.problem);
    if (!pair.problem) this.difference.update(this.withPicture(pair.frame), this.subtracted(pair), "d.");
    this.table.show(meta, pair);
  }

  // The numbers of a difference: as they came, or the second panel's map minus the first one's.
  subtracted(pair) {
    if (!pair.minus) return numbersAt(this.bytes, pair.numbers);
    const [of, taken] = pair.minus.map((group, i) => this.panels[pair.of[1 - i]].picture.frame.groups[group]);
    const count = of.M * of.Q * of.K;
    const found = new Float32Array(count);
    for (let i = 0; i < count; i++) found[i] = of.raw[i] * of.unit + of.base - (taken.raw[i] * taken.unit + taken.base);
    return found;
  }

  // A picture says where the reader is in it, or null. The one that spoke last is heard; after it, what is pinned.
  hear(from, point) {
    this.points.delete(from);
    if (point) this.points.set(from, point);
    this.mark();
  }

  mark() {
    const [from, point] = [...this.points].at(-1) ?? [null, null];
    for (const picture of this.pictures) {
      if (!picture.frame?.groups.length) continue;
      picture.markFromOutside(picture === from || !point ? null : samePlace(from, point, picture));
    }
  }
}

// The same item in another picture: at the same place where both have as many items, else the one of the same name.
function samePlace(from, point, to) {
  if (!point) return null;
  const { keys, same } = from.group;
  const there = to.group.keys;
  const found = (index) => {
    if (index === null || keys.length === there.length) return index;
    const at = there.indexOf(keys[index]);
    return at < 0 ? null : at;
  };
  const item = { key: found(point.key), query: same ? found(point.query) : null };
  return item.key === null && item.query === null ? null : item;
}

function readBoardLink() {
  const given = valuesInHash();
  return { pair: given.get("pair"), more: given.get("more") === "1" };
}

offered.board = mountInto(".attnviz-board", (root, send) => new Board(root, send));
