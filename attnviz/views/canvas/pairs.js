// The table of figures of two panels, and what each figure means.

const TABLE_WORDS = { title: "Figures", figure: "Figure", legend: "What the figures mean" };

class PairTable {
  constructor() {
    this.caption = element("caption", { text: TABLE_WORDS.title });
    this.head = element("tr", {}, element("th", { scope: "col", text: TABLE_WORDS.figure }));
    this.body = element("tbody");
    const table = element("table", {}, this.caption, element("thead", {}, this.head), this.body);
    this.terms = element("dl");
    const legend = element("details", {}, element("summary", { text: TABLE_WORDS.legend }), this.terms);
    this.node = element("div", { class: "figuretable" }, table, legend);
  }

  show(meta, pair) {
    const panels = pair.of.map((i) => meta.panels[i]);
    const columns = keepChildren(this.head, 3, () => element("th", { scope: "col" }));
    panels.forEach(({ number, frame }, i) => setText(columns[i + 1], `${number} · ${frame.title}`));
    const rows = keepChildren(this.body, meta.figures.length, () => element("tr"));
    meta.figures.forEach((figure, i) => {
      const values = figure.of === "pair" ? [pair] : panels;
      fillRow(rows[i], figure, values.map(({ figures }) => figures[figure.id]));
    });
    this.explain(meta.figures);
  }

  explain(figures) {
    const nodes = keepChildren(this.terms, 2 * figures.length, (i) => element(i % 2 ? "dd" : "dt"));
    figures.forEach(({ name, help }, i) => {
      setText(nodes[2 * i], name);
      setText(nodes[2 * i + 1], help);
    });
  }
}

// A figure of the pair fills both columns.
function fillRow(row, figure, values) {
  const cells = keepChildren(row, 1 + values.length, (i) => (i ? element("td") : element("th", { scope: "row" })));
  row.dataset.figure = figure.id;
  setText(cells[0], figure.name);
  setAttribute(cells[0], "title", figure.help);
  values.forEach(({ text, why }, i) => {
    const cell = cells[i + 1];
    cell.colSpan = values.length === 1 ? 2 : 1;
    setText(cell, text);
    setAttribute(cell, "title", why);
    if (why) setAttribute(cell, "aria-label", `${text}: ${why}`);
    else cell.removeAttribute("aria-label");
  });
}
