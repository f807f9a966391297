// The worksheet: a computation line by line, at the place that the reader looks at. A change goes to the server.

const LINE_WORDS = {
  all: "all", rows: "rows", numbers: "numbers", terms: "terms", fewer: "fewer", feature: "feature", key: "key",
  was: "was", power: "exp(e − largest)", sumOfPowers: "The exponentials add up to", total: "the shares to",
  asTheyAre: "Weights set by hand stay as they are; these add up to", gone: "a place that this input does not have",
  newNumber: "new number", noNumber: "This is not a number: write one such as 0.5 or -1.25.",
  tooLarge: "Numbers go from -1,000,000 to 1,000,000.", contents: "Lines", mask: "mask it",
  unmask: "unmask it", ask: "with Shift: ask from here",
  patch: "Click a patch to follow its numbers; with Shift, to ask from there",
};

const TURN = "turn"; // which hop's lines are shown: 0 is all of them

class Worksheet {
  constructor(root, send) {
    this.root = root;
    root.worksheet = this; // for tests, and a reader's console
    this.send = send;
    this.wayBack = new WayBack(send);
    this.bar = new WorksheetBar(this);
    this.cards = element("div", { class: "ws-lines" });
    this.bar.top.insertBefore(this.wayBack.back, this.bar.prediction);
    this.patches = new WorksheetPatches(this);
    this.bar.node.append(this.wayBack.problem);
    root.append(this.patches.node, this.bar.node, this.wayBack.said, this.cards);
    this.listen();
    this.painted = 0;
    this.unfollow = followHash(this);
  }

  listen() {
    const { cards, root } = this;
    cards.addEventListener("click", (event) => this.click(event));
    cards.addEventListener("pointerover", ({ target }) => this.hover(target));
    cards.addEventListener("pointerleave", () => this.hover(null));
    cards.addEventListener("focusin", ({ target }) => this.hover(target));
    root.addEventListener("keydown", (event) => this.keyDown(event));
  }

  destroy() {
    this.unfollow();
  }

  // New numbers from the server, or the same in another theme.
  update(meta, numbers) {
    const another = this.meta?.mechanism !== meta.mechanism;
    this.theme = stampTheme(this.root);
    const { css } = paletteFor(this.theme.name, { normalised: "key" });
    this.root.style.setProperty("--weak", css[40]);
    this.meta = meta;
    const now = numbers.subarray(0, meta.total);
    const was = meta.before ? numbers.subarray(meta.total) : null;
    this.lines = meta.lines.map((line, i) => new WorksheetLine(line, i, meta.labels, now, was));
    if (!this.chosen) this.readPlace();
    else if (another) this.chosen = {};
    this.settle();
  }

  readHash() {
    this.readPlace();
    this.settle();
  }

  readPlace() {
    this.chosen = {};
    for (const [name, value] of valuesInHash()) if (wholeNumber(value) !== null) this.chosen[name] = wholeNumber(value);
    this.key = this.chosen.key ?? 0;
    this.feature = this.chosen.feature ?? 0;
  }

  get turns() {
    return [...new Set(this.lines.map((line) => line.turn).filter(Boolean))];
  }

  // What can be chosen, with the number of choices: heads, queries, and what runs down the lines.
  get sizes() {
    const down = this.lines.filter((line) => line.down >= 0).map((line) => [line.downKind, line.rows]);
    const turns = [TURN, this.turns.length + 1];
    return Object.fromEntries([turns, ...down, ...this.meta.places.map(({ kind, labels }) => [kind, labels.length])]);
  }

  // The place is what was chosen where this trace has it, else the predicted class, else the first.
  settle() {
    const { meta, chosen, key } = this;
    const { labels = [], probabilities } = meta.prediction ?? {};
    const first = (size) => (labels.length === size ? largestOf(probabilities) : 0);
    const at = (kind, size) => (chosen[kind] < size ? chosen[kind] : kind === "class" ? first(size) : 0);
    this.place = Object.fromEntries(Object.entries(this.sizes).map(([kind, size]) => [kind, at(kind, size)]));
    this.turn = this.place[TURN];
    const keys = meta.keys === null ? 1 : meta.labels[meta.keys].length;
    this.key = Math.min(key, Math.max(0, keys - 1));
    const query = this.place.query ?? 0;
    if (meta.query !== null && query !== meta.query) this.send({ what: "look", query });
    this.paint();
  }

  storeHash() {
    const kinds = Object.keys(this.sizes).map((kind) => [kind, kind in this.chosen ? String(this.chosen[kind]) : null]);
    const more = { key: this.key ? String(this.key) : null, feature: this.feature ? String(this.feature) : null };
    keepInHash({ ...Object.fromEntries(kinds), ...more });
  }

  // Another head, class or query; "" is the key.
  choose(kind, index) {
    if (kind === "") this.key = index;
    else this.chosen[kind] = index;
    this.settle();
    this.storeHash();
  }

  paint() {
    this.patches.show();
    this.bar.show();
    this.wayBack.show(this.meta.change);
    const made = keepChildren(this.cards, this.lines.length, () => new WorksheetCard(this).node);
    let turn = "";
    this.lines.forEach((line, i) => {
      setAttribute(made[i], "data-turn", line.turn !== turn ? line.turn : "");
      turn = line.turn;
      const shown = !this.turn || !line.turn || line.turn === this.turns[this.turn - 1];
      setShown(made[i], shown);
      if (shown) made[i].card.show(line);
    });
    this.root.dataset.mechanism = this.meta.mechanism;
    this.root.dataset.text = this.meta.text ?? "";
    this.root.dataset.painted = String(++this.painted);
  }

  // Which row of a line is looked at.
  rowOf(line) {
    if (line.rows === 1) return 0;
    return this.isOfKeys(line) ? this.key : Math.min(this.place[line.downKind], line.rows - 1);
  }

  isOfKeys(line) {
    return line.down >= 0 && line.axes[line.down].labels === this.meta.keys;
  }

  // Whether the items of a line are queries too.
  canAsk(line) {
    const queries = this.meta.places.find(({ kind }) => kind === "query");
    return queries?.labels.length === line.rows && this.isOfKeys(line);
  }

  asking(line, row) {
    return line.isVector && this.canAsk(line) && row === this.place.query;
  }

  // What a line of one row is called: the query or the class that it belongs to.
  heldLabel(line) {
    const at = line.at(this.place, 0, 0);
    const held = line.axes.map((_, axis) => axis).filter((axis) => axis !== line.down && axis !== line.across);
    const said = held.filter((axis) => line.allLabels[axis].length > 1).map((axis) => line.allLabels[axis][at[axis]]);
    return said.join(" · ") || line.title;
  }

  hasNegative(line) {
    for (let row = 0; row < line.rows; row++) if (line.number(this.place, row, 0) < 0) return true;
    return false;
  }

  cardOf(node) {
    return node.closest(".ws-line").card;
  }

  reveal(position) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (this.cards.children[position].hidden) this.choose(TURN, 0);
    this.cards.children[position].scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }

  toggleMask() {
    const on = !(this.meta.change?.masked ?? []).includes(this.key);
    this.send({ what: "mask", key: this.key, on });
  }

  setNumber(line, at, value) {
    this.send({ what: "set", step: line.name, at, value });
  }

  click({ target, shiftKey }) {
    const row = Number(target.closest("tr")?.dataset.row);
    if (target.matches(".ws-label")) this.clickLabel(this.cardOf(target).line, row, shiftKey);
    if (target.matches(".ws-n")) this.clickNumber(this.cardOf(target), target);
  }

  // An item becomes the key that is looked at; with Shift it is the one that asks.
  clickLabel(line, row, asks = false) {
    if (this.isOfKeys(line)) this.choose(asks && this.canAsk(line) ? "query" : "", row);
    else this.choose(line.downKind, row);
  }

  // The number becomes the one that the examples are about, and can be changed.
  clickNumber(card, button) {
    const { line } = card;
    const [row, column] = [Number(button.dataset.row), Number(button.dataset.column)];
    if (line.isVector && line.columns > 1) this.feature = column;
    if (line.rows > 1 && row !== this.rowOf(line)) this.clickLabel(line, row);
    else this.choose("", this.key);
    if (!this.meta.change) return;
    const at = line.at(this.place, row, column);
    if (line.switch) this.setNumber(line, at, line.number(this.place, row, column) ? 0 : 1);
    else new WorksheetEdit(card, card.find(row, column)[0], (value) => this.setNumber(line, at, value));
  }

  // Arrows go from number to number, Enter changes one; elsewhere the keys are the page's.
  keyDown(event) {
    const target = event.composedPath()[0];
    if (this.wayBack.key(event)) event.preventDefault();
    else if (target.matches?.(".ws-n") && this.move(target, event.key)) event.preventDefault();
    else return;
    event.stopPropagation();
  }

  move(button, name) {
    const across = { ArrowLeft: -1, ArrowRight: 1 }[name] ?? 0;
    const down = { ArrowUp: -1, ArrowDown: 1 }[name] ?? 0;
    if (!across && !down) return false;
    const card = this.cardOf(button);
    const rows = card.rows;
    const at = rows.indexOf(Number(button.dataset.row)) + down;
    const next = card.find(rows[at] ?? -1, Number(button.dataset.column) + across)[0];
    next?.focus();
    return true;
  }

  // Marks what a number was made from.
  hover(target) {
    for (const node of this.marked ?? []) node.classList.remove("from");
    const number = target?.closest?.(".ws-n, .ws-label");
    this.marked = number ? this.originsOf(number) : [];
    for (const node of this.marked) node.classList.add("from");
  }

  originsOf(node) {
    const card = this.cardOf(node);
    const row = Number(node.closest("tr").dataset.row);
    const column = node.matches(".ws-n") ? Number(node.dataset.column) : null;
    const shown = ({ line }) => !this.cards.children[line.position].hidden;
    const origins = card.working.origins(card.line, row, column);
    const buttons = ({ line, row: r, column: c }) => this.cards.children[line.position].card.find(r, c);
    return origins.filter(shown).flatMap(buttons);
  }
}

offered.worksheet = mountInto(".attnviz-worksheet", (root, send) => new Worksheet(root, send));
