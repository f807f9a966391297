// All mechanisms as small pictures of one input, sorted by any figure in the browser.

const SHEET_WORDS = {
  sort: "Sort by", listed: "as listed", down: "largest first", up: "smallest first", reference: "compared with",
  put: "side by side",
};
const ON_CARD = ["divergence", "overlap", "entropy", "accuracy", "multiplications", "seconds"];
const UNMARKED = { masked: new Set(), edited: [] }; // nothing is changed on the sheet
const STRIP = 64; // pixels: about how high the strips of all maps are together

class Sheet {
  constructor(root, send) {
    this.root = root;
    root.sheet = this;
    this.send = send;
    this.painted = 0;
    this.marked = null; // the number of the item that is pointed at; all cards have the same items
    this.build();
    this.resize = new ResizeObserver(() => this.meta && this.drawAll());
    this.resize.observe(this.list);
    this.unfollow = followHash(this);
    this.order = readOrder();
  }

  build() {
    this.by = element("select");
    this.way = element("button", { class: "plain", type: "button" });
    this.note = element("span", { class: "about" });
    this.above = element("p", { class: "above" });
    const label = element("label", { class: "tool" }, element("span", { text: SHEET_WORDS.sort }), this.by);
    this.list = element("ul", { class: "sheet" });
    this.root.replaceChildren(this.above, element("div", { class: "sheettools" }, label, this.way, this.note), this.list);
    this.by.addEventListener("change", () => this.choose({ by: this.by.value }));
    this.way.addEventListener("click", () => this.choose({ up: !this.order.up }));
    this.cards = new Map();
  }

  destroy() {
    this.resize.disconnect();
    this.unfollow();
  }

  update(meta, bytes) {
    this.meta = meta;
    this.theme = stampTheme(this.root);
    setLine(this.above, meta.hint);
    setAttribute(this.root, "aria-label", `${SHEET_WORDS.reference} ${meta.referenceTitle}`);
    setText(this.note, `${SHEET_WORDS.reference} ${meta.referenceTitle}`);
    const wanted = new Set(meta.cards.map((card) => card.mechanism));
    for (const [name, card] of this.cards) {
      if (wanted.has(name)) continue;
      card.node.remove();
      this.cards.delete(name);
    }
    for (const card of meta.cards) {
      if (!this.cards.has(card.mechanism)) this.cards.set(card.mechanism, new Card(this));
      this.cards.get(card.mechanism).update(card, numbersAt(bytes, card.numbers));
    }
    this.showOrders();
    this.sort();
    this.root.dataset.text = meta.text;
    this.root.dataset.painted = String(++this.painted);
  }

  showOrders() {
    const options = keepChildren(this.by, this.meta.figures.length + 1, () => element("option"));
    setText(options[0], SHEET_WORDS.listed);
    options[0].value = "";
    this.meta.figures.forEach(({ id, name }, i) => {
      setText(options[i + 1], name);
      options[i + 1].value = id;
    });
  }

  choose(change) {
    Object.assign(this.order, change);
    this.storeHash();
    this.sort();
  }

  readHash() {
    this.order = readOrder();
    this.sort();
  }

  storeHash() {
    const { by, up } = this.order;
    keepInHash({ sort: by || null, order: by && up ? "up" : null });
  }

  // The cards in the chosen order; those without the figure come last.
  sort() {
    const known = this.meta.figures.some(({ id }) => id === this.order.by);
    if (!known) this.order.by = "";
    const { by, up } = this.order;
    this.by.value = by;
    setShown(this.way, Boolean(by));
    setText(this.way, up ? SHEET_WORDS.up : SHEET_WORDS.down);
    const value = (card) => (by ? card.figures[by].number : null);
    const cards = [...this.meta.cards];
    const compare = (a, b) => (value(a) === null) - (value(b) === null) || (up ? 1 : -1) * (value(a) - value(b));
    if (by) cards.sort(compare);
    cards.forEach((card, i) => {
      const { node } = this.cards.get(card.mechanism);
      if (this.list.children[i] !== node) this.list.insertBefore(node, this.list.children[i] ?? null);
    });
    this.drawAll();
  }

  drawAll() {
    for (const card of this.cards.values()) card.draw();
  }

  mark(key) {
    if (key === this.marked) return;
    this.marked = key;
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.drawAll();
    });
  }
}

function readOrder() {
  const given = valuesInHash();
  return { by: given.get("sort") ?? "", up: given.get("order") === "up" };
}

offered.sheet = mountInto(".attnviz-sheet", (root, send) => new Sheet(root, send));
