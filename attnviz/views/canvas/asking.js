// Who asks what: a row for each query with its numbers as a strip, what it found, and how far it moved.

const ASKING_WORDS = {
  query: "query", strip: "its numbers", turned: "turned", found: "found", same: "same direction as before",
  first: "first question", largest: "largest numbers", length: "length", step: "line", cosine: "cosine",
  like: "How alike the queries are", likeHint: "cosine of every two; 1 is the same direction, 0 none in common, −1 the opposite",
  cut: "Only the first 64 queries are shown.", open: "Click a query to see its largest numbers.",
};
const STRIP_HEIGHT = 22;
const LARGEST_NUMBERS = 12;
const MOST_LIKE = 48; // queries that the table of cosines still shows

class Asking {
  constructor(root) {
    this.root = root;
    this.painted = 0;
    this.open = null;
    this.who = element("p", { class: "who" });
    this.made = element("div", { class: "made" });
    this.nobody = element("p", { class: "above" });
    this.list = element("ol", { class: "askings" });
    this.note = element("p", { class: "above" });
    this.like = element("canvas", { role: "img" });
    this.likeTitle = element("h3", { text: ASKING_WORDS.like });
    this.likeNote = element("p", { class: "readout" });
    this.likePart = element("div", { class: "like" }, this.likeTitle, this.like, this.likeNote);
    const body = element("div", { class: "askingbody" }, element("div", { class: "asked" }, this.list, this.note), this.likePart);
    root.replaceChildren(element("div", { class: "card" }, this.who, this.made, this.nobody, body));
    this.resize = new ResizeObserver(() => this.meta && this.paint());
    this.resize.observe(this.list);
    this.like.addEventListener("pointermove", (event) => this.pointLike(event));
    this.like.addEventListener("pointerleave", () => setText(this.likeNote, ASKING_WORDS.likeHint));
    this.follow = () => this.markPinned();
    window.navigation?.addEventListener("currententrychange", this.follow);
  }

  destroy() {
    this.resize.disconnect();
    window.navigation?.removeEventListener("currententrychange", this.follow);
  }

  update(meta, numbers) {
    this.meta = meta;
    this.numbers = numbers;
    this.theme = stampTheme(this.root);
    this.palette = paletteFor(this.theme.name, { signed: true, normalised: null });
    this.scale = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    setLine(this.who, meta.who);
    setLine(this.nobody, meta.nobody);
    setLine(this.note, meta.cut ? ASKING_WORDS.cut : meta.rows.length ? ASKING_WORDS.open : "");
    this.showFormulas();
    if (this.open !== null && this.open >= meta.rows.length) this.open = null;
    const rows = keepChildren(this.list, meta.rows.length, () => this.makeRow());
    meta.rows.forEach((row, i) => this.fillRow(rows[i].parts, row, i));
    setShown(this.likePart, meta.rows.length > 1 && meta.rows.length <= MOST_LIKE);
    setText(this.likeNote, ASKING_WORDS.likeHint);
    this.markPinned();
    this.paint();
    this.root.dataset.text = meta.text;
    this.root.dataset.painted = String(++this.painted);
  }

  showFormulas() {
    const wanted = JSON.stringify(this.meta.formulas);
    if (wanted === this.formulas) return;
    this.formulas = wanted;
    this.made.replaceChildren(
      ...this.meta.formulas.map(([name, parts]) =>
        element("span", { class: "formula" }, element("span", { class: "name", text: name }), ...parts.map(formulaNode)),
      ),
    );
  }

  makeRow() {
    const name = element("button", { type: "button", class: "name" });
    const strip = element("canvas", { role: "img" });
    const turned = element("span", { class: "turned" });
    const found = element("span", { class: "found" });
    const more = element("div", { class: "numbers" });
    const row = element("li", { class: "row" }, name, element("span", { class: "strip" }, strip), turned, found, more);
    row.parts = { row, name, strip, turned, found, more, index: 0 };
    const toggle = () => this.toggle(row.parts.index);
    name.addEventListener("click", toggle);
    strip.addEventListener("click", toggle);
    return row;
  }

  fillRow(parts, { label, length, found, before, step }, i) {
    parts.index = i;
    setText(parts.name, label);
    setAttribute(parts.name, "aria-expanded", String(this.open === i));
    setAttribute(parts.name, "title", step);
    setText(parts.turned, before === null ? "" : `${ASKING_WORDS.cosine} ${signedShort(before).replace("+", "")}`);
    setAttribute(parts.turned, "title", before === null ? ASKING_WORDS.first : ASKING_WORDS.turned);
    setAttribute(parts.strip, "aria-label", `${label}: ${ASKING_WORDS.length} ${length.toFixed(2)}`);
    const items = keepChildren(parts.found, found.length, () => element("span", {}, element("b"), element("span")));
    found.forEach(([item, weight], k) => {
      setText(items[k].firstChild, item);
      setText(items[k].lastChild, ` ${weight.toFixed(2)}`);
    });
    setShown(parts.more, this.open === i);
    if (this.open === i) this.fillNumbers(parts.more, i);
  }

  fillNumbers(place, i) {
    const { length, step } = this.meta.rows[i];
    const vector = this.vector(i);
    const order = [...vector.keys()].sort((a, b) => Math.abs(vector[b]) - Math.abs(vector[a])).slice(0, LARGEST_NUMBERS);
    const parts = order.map((k) => element("span", { class: "number", text: `${k + 1}: ${full(vector[k])}` }));
    const about = `${ASKING_WORDS.step} “${step}”, ${ASKING_WORDS.length} ${full(length)}; ${ASKING_WORDS.largest}:`;
    place.replaceChildren(element("span", { text: about }), ...parts);
  }

  vector(i) {
    const { offset, size } = this.meta.rows[i];
    return this.numbers.subarray(offset, offset + size);
  }

  toggle(i) {
    this.open = this.open === i ? null : i;
    this.meta.rows.forEach((row, k) => this.fillRow(this.list.children[k].parts, row, k));
  }

  // The query that is chosen in the picture beside this.
  markPinned() {
    const chosen = wholeNumber(valuesInHash().get("query"));
    const several = new Set((this.meta?.rows ?? []).map(({ query }) => query)).size > 1;
    [...this.list.children].forEach(({ parts }, i) => {
      parts.row.classList.toggle("chosen", several && chosen !== null && this.meta.rows[i]?.query === chosen);
    });
  }

  paint() {
    this.meta.rows.forEach((_, i) => this.paintStrip(this.list.children[i].parts.strip, this.vector(i)));
    if (!this.likePart.hidden) this.paintLike();
  }

  paintStrip(canvas, vector) {
    const width = Math.max(40, Math.floor(canvas.parentNode.clientWidth));
    const context = sized(canvas, width, STRIP_HEIGHT);
    const step = width / vector.length;
    vector.forEach((value, k) => {
      context.fillStyle = this.palette.css[stepFor(this.palette, value, this.scale, 0)];
      context.fillRect(k * step, 0, Math.ceil(step), STRIP_HEIGHT);
    });
  }

  paintLike() {
    const { like } = this.meta;
    this.cell = Math.max(5, Math.min(26, Math.floor(220 / like.length)));
    const context = sized(this.like, this.cell * like.length, this.cell * like.length);
    like.forEach((row, i) =>
      row.forEach((value, j) => {
        context.fillStyle = this.palette.css[stepFor(this.palette, value, 1, 0)];
        context.fillRect(j * this.cell, i * this.cell, this.cell - 1, this.cell - 1);
      }),
    );
    setAttribute(this.like, "aria-label", this.likeInWords());
  }

  likeInWords() {
    const { like, rows } = this.meta;
    let least = [0, 1];
    for (let i = 0; i < like.length; i++) {
      for (let j = 0; j < i; j++) if (like[i][j] < like[least[0]][least[1]]) least = [i, j];
    }
    const [i, j] = least;
    return `${ASKING_WORDS.like}: ${rows[i].label}, ${rows[j].label}: ${full(like[i][j])}`;
  }

  pointLike(event) {
    const [i, j] = [Math.floor(event.offsetY / this.cell), Math.floor(event.offsetX / this.cell)];
    const { like, rows } = this.meta;
    if (!rows[i] || !rows[j]) return;
    setText(this.likeNote, `${rows[i].label} · ${rows[j].label}: ${ASKING_WORDS.cosine} ${full(like[i][j])}`);
  }
}

offered.asking = mountInto(".attnviz-asking", (root) => new Asking(root));
