// The picture that a computation is about, with the patch that is looked at; a click looks at another.

class WorksheetPatches {
  constructor(sheet) {
    this.sheet = sheet;
    this.image = element("img", { alt: "" });
    this.key = element("span", { class: "ws-patch" });
    this.query = element("span", { class: "ws-patch ws-asking" });
    this.node = element("div", { class: "ws-picture" }, this.image, this.query, this.key);
    this.node.addEventListener("click", (event) => this.click(event));
  }

  show() {
    const { grid, picture } = this.sheet.meta;
    setShown(this.node, Boolean(grid && picture));
    if (!grid || !picture) return;
    setAttribute(this.image, "src", picture);
    setAttribute(this.node, "title", LINE_WORDS.patch);
    this.mark(this.key, this.sheet.key);
    const asks = this.sheet.meta.places.some(({ kind }) => kind === "query");
    setShown(this.query, asks);
    if (asks) this.mark(this.query, this.sheet.place.query);
  }

  mark(node, index) {
    const [rows, columns] = this.sheet.meta.grid;
    const across = index % columns;
    const down = Math.floor(index / columns);
    const place = [["left", across / columns], ["top", down / rows], ["width", 1 / columns], ["height", 1 / rows]];
    for (const [name, share] of place) node.style[name] = `${100 * share}%`;
  }

  // With Shift it is the query.
  click(event) {
    const [rows, columns] = this.sheet.meta.grid;
    const box = this.node.getBoundingClientRect();
    const within = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    const across = within((event.clientX - box.left) / box.width, columns);
    const down = within((event.clientY - box.top) / box.height, rows);
    const asks = event.shiftKey && this.sheet.meta.places.some(({ kind }) => kind === "query");
    this.sheet.choose(asks ? "query" : "", down * columns + across);
  }
}
