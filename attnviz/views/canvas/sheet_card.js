// One mechanism on the sheet: its weights in small, what it predicts, and its figures.

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
      words[i].classList.toggle("target", card.marked.includes(i));
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
