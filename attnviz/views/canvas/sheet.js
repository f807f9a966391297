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
    this.onHash = () => {
      if (!this.meta || !location.hash.includes("=")) return;
      this.order = readOrder();
      this.sort();
    };
    window.addEventListener("hashchange", this.onHash);
    this.onEntry = whenHashIsDropped(() => this.order && storeOrder(this.order));
    window.navigation?.addEventListener("currententrychange", this.onEntry);
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
    window.removeEventListener("hashchange", this.onHash);
    window.navigation?.removeEventListener("currententrychange", this.onEntry);
  }

  update(meta, bytes) {
    this.meta = meta;
    this.order ??= readOrder();
    this.theme = stampTheme(this.root);
    setText(this.above, meta.hint ?? "");
    setShown(this.above, Boolean(meta.hint));
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
    storeOrder(this.order);
    this.sort();
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

class Card {
  constructor(sheet) {
    this.sheet = sheet;
    this.title = element("button", { class: "plain title", type: "button" });
    this.badge = element("span", { class: "badge", text: WORDS.untrained });
    this.said = element("p", { class: "predicted" });
    this.words = element("p", { class: "sentence" });
    this.canvas = element("canvas", { role: "img" });
    this.readout = element("p", { class: "readout" });
    this.figures = element("dl");
    const head = element("p", { class: "cardhead" }, this.title, this.badge);
    this.node = element("li", { class: "card" }, head, this.said, this.words, this.canvas, this.readout, this.figures);
    this.listen();
  }

  listen() {
    const { sheet } = this;
    this.title.addEventListener("click", () => sheet.send({ what: "show", mechanism: this.card.mechanism }));
    this.canvas.addEventListener("pointermove", (event) => this.point(this.hit(event)));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.words.addEventListener("pointermove", ({ target }) => {
      this.point(target.dataset.index === undefined ? null : { map: null, key: Number(target.dataset.index) });
    });
    this.words.addEventListener("pointerleave", () => this.point(null));
  }

  update(card, numbers) {
    this.card = card;
    this.M = card.maps.length;
    this.K = this.M ? numbers.length / this.M : 0;
    this.rows = Array.from({ length: this.M }, (_, map) => numbers.subarray(map * this.K, (map + 1) * this.K));
    this.mean = meanRow(this.rows, this.K);
    this.pointed = null;
    setText(this.title, card.title);
    setAttribute(this.title, "title", `${card.options ? `${card.options}; ` : ""}${SHEET_WORDS.put}`);
    setShown(this.badge, !card.trained);
    setText(this.said, card.figures.prediction.text);
    setAttribute(this.canvas, "aria-label", card.alt);
    this.node.dataset.mechanism = card.mechanism;
  }

  // Words over a strip for each map; on a picture, the mean of the maps.
  draw() {
    const { card, sheet } = this;
    const { theme } = sheet;
    this.palette = paletteFor(theme.name, { signed: card.signed, normalised: card.normalised });
    this.width = Math.floor(this.node.clientWidth - 24);
    if (this.width <= 0) return;
    setShown(this.words, !card.grid);
    if (card.grid) this.drawOverlay();
    else this.drawStrips();
    this.node.classList.toggle("reference", card.mechanism === sheet.meta.reference);
    setText(this.readout, this.describe());
    this.showFigures();
  }

  drawStrips() {
    const { card, sheet, palette } = this;
    const { theme } = sheet;
    const most = Math.abs(largestIn(this.mean));
    const words = keepChildren(this.words, this.K, () => element("span", { class: "word" }));
    for (let i = 0; i < this.K; i++) {
      const step = stepFor(palette, this.mean[i], most, 0);
      setText(words[i], card.items[i] || "␣");
      words[i].dataset.index = String(i);
      setAttribute(words[i], "style", `background:${palette.css[step]};color:${theme.inks[palette.onDark[step]]}`);
      words[i].classList.toggle("key", i === sheet.marked);
    }
    const tall = Math.max(3, Math.min(14, STRIP / Math.max(1, this.M)));
    this.cell = { wide: this.width / Math.max(1, this.K), tall };
    const context = sized(this.canvas, this.width, Math.max(1, Math.ceil(tall * this.M)));
    const scale = Math.max(...this.rows.map((row) => Math.abs(largestIn(row))), 0);
    const gap = tall > 6 ? 1 : 0;
    this.rows.forEach((row, map) => {
      for (let key = 0; key < this.K; key++) {
        context.fillStyle = palette.css[stepFor(palette, row[key], scale, 0)];
        context.fillRect(key * this.cell.wide, map * tall, Math.max(1, this.cell.wide - 1), tall - gap);
      }
    });
    if (sheet.marked === null || sheet.marked >= this.K) return;
    context.strokeStyle = theme.accent;
    context.lineWidth = 2;
    context.strokeRect(sheet.marked * this.cell.wide + 1, 1, Math.max(3, this.cell.wide - 3), tall * this.M - 2);
  }

  drawOverlay() {
    const { card, sheet, palette, mean } = this;
    const picture = pictureOf(sheet.meta.picture, () => sheet.drawAll());
    const aspect = picture ? picture.naturalWidth / picture.naturalHeight : card.grid[1] / card.grid[0];
    const wide = Math.round(Math.min(this.width, 220 * aspect));
    const size = { width: wide, height: Math.round(wide / aspect) };
    this.cell = { wide: size.width / card.grid[1], tall: size.height / card.grid[0] };
    const key = sheet.marked;
    paintOverlay(sized(this.canvas, size.width, size.height), { K: this.K, same: false }, 0, size, {
      palette, picture, theme: sheet.theme, hide: 0, opacity: OPACITY, grid: card.grid, on: () => true,
      row: () => mean, rowScale: Math.abs(largestIn(mean)), point: key === null ? null : { key, query: null }, marks: UNMARKED,
    });
  }

  hit(event) {
    const box = this.canvas.getBoundingClientRect();
    const across = Math.floor((event.clientX - box.left) / this.cell.wide);
    const down = Math.floor((event.clientY - box.top) / this.cell.tall);
    const { grid } = this.card;
    if (across < 0 || down < 0 || across >= (grid ? grid[1] : this.K) || down >= (grid ? grid[0] : this.M)) return null;
    return grid ? { map: null, key: down * grid[1] + across } : { map: down, key: across };
  }

  point(place) {
    this.pointed = place;
    this.sheet.mark(place ? place.key : null);
    setText(this.readout, this.describe());
  }

  // The weight of the marked item: in the map that is pointed at, else the mean over the maps.
  describe() {
    const key = this.sheet.marked;
    if (key === null || key >= this.K) return "";
    const map = this.pointed?.map ?? null;
    const name = map === null ? `${WORDS.mean} ${this.M}` : this.card.maps[map];
    return `${name}: ${this.card.items[key]} ${full(map === null ? this.mean[key] : this.rows[map][key])}`;
  }

  showFigures() {
    const { by } = this.sheet.order;
    const wanted = ON_CARD.includes(by) || !by || by === "prediction" ? ON_CARD : [...ON_CARD, by];
    const kinds = this.sheet.meta.figures.filter(({ id }) => wanted.includes(id));
    const nodes = keepChildren(this.figures, 2 * kinds.length, (i) => element(i % 2 ? "dd" : "dt"));
    kinds.forEach(({ id, name, help }, i) => {
      const { text, why } = this.card.figures[id];
      setText(nodes[2 * i], name);
      setAttribute(nodes[2 * i], "title", help);
      setText(nodes[2 * i + 1], text);
      setAttribute(nodes[2 * i + 1], "title", why);
      for (const node of [nodes[2 * i], nodes[2 * i + 1]]) node.classList.toggle("strong", id === by);
    });
  }
}

function readOrder() {
  const given = new URLSearchParams(location.hash.replace(/^#/, ""));
  return { by: given.get("sort") ?? "", up: given.get("order") === "up" };
}

function storeOrder({ by, up }) {
  keepInHash({ sort: by || null, order: by && up ? "up" : null });
}

(globalThis.attnvizCanvas ??= {}).sheet = mountInto(".attnviz-sheet", (root, send) => new Sheet(root, send));
