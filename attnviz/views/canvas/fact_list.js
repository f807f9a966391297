// Facts one below another, in their order, with a column for each map; where maps follow one another, a line goes from
// the largest weight of each to that of the next: the query moving.

const MANY_FACTS = 12; // from here on facts without weight are thin
const OUTSTANDING = 1.1; // times the mean, what the largest weight is at least where a line begins or ends
const LEAST_TEXT = 110; // pixels; with less beside the cells a fact stands above them

class FactList {
  constructor(picture) {
    this.picture = picture;
    this.finder = new Finder(picture);
    this.largest = element("span", { text: WORDS.largest });
    this.corner = element("div", { class: "factcorner" }, this.finder.node, this.largest);
    this.head = element("div", { class: "facthead" }, this.corner);
    this.rows = element("div", { class: "factrows" });
    this.lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.lines.setAttribute("class", "factlines");
    this.box = element("div", { class: "factbox" }, this.head, element("div", { class: "factbody" }, this.rows, this.lines));
    this.overview = new Overview(this.box);
    this.node = element("div", { class: "factlist" }, this.box, this.overview.node);
  }

  paint() {
    const { picture } = this;
    const { group, selection } = picture;
    this.maps = selection.big === null ? Array.from({ length: group.M }, (_, i) => i) : [selection.big];
    this.strength = picture.strengths(this.maps.filter(picture.on));
    this.layOut();
    this.paintHead();
    const rows = keepChildren(this.rows, group.K, makeFact);
    for (let key = 0; key < group.K; key++) this.paintFact(rows[key].parts, key);
    this.overview.show(picture, rows, this.strength);
    setShown(this.finder.node, this.overview.overflows);
    this.drawLines();
    return this.node.offsetHeight;
  }

  layOut() {
    const { picture, maps, box } = this;
    const { group, width, selection } = picture;
    const room = width - 34 - OVERVIEW; // beside the facts' numbers
    const between = !group.ordered ? 4 : width < 500 ? 14 : 26;
    const cell = Math.min(64, Math.max(30, (room - 260) / maps.length - between));
    this.stacked = room - maps.length * (cell + between) < LEAST_TEXT;
    this.cell = selection.big !== null ? Math.min(320, room * 0.42) : cell;
    if (this.stacked && selection.big === null) this.cell = Math.max(14, Math.min(64, room / maps.length - between));
    box.style.maxHeight = `${picture.mostHeight}px`;
    box.style.setProperty("--cell", `${this.cell}px`);
    box.style.setProperty("--between", `${between}px`);
    box.style.setProperty("--maps", String(maps.length));
    box.classList.toggle("stacked", this.stacked);
  }

  paintHead() {
    const { picture, maps, head, cell } = this;
    const { group } = picture;
    const canEnlarge = maps.length > 1 && cell >= 50;
    const hasNumbers = cell >= 40;
    const names = keepChildren(head, maps.length + 1, makeFactName);
    // Where a name does not fit, what all names begin with stands beside them.
    const begin = `${group.kind} `;
    const cut = cell < 38 && maps.every((map) => group.maps[map].startsWith(begin)) ? begin.length : 0;
    setText(this.largest, cut ? group.kind : WORDS.largest);
    setShown(this.largest, cut > 0 || (hasNumbers && !picture.point && !this.stacked));
    this.corner.classList.toggle("raised", canEnlarge);
    maps.forEach((map, i) => {
      const { parts } = names[i + 1];
      parts.map = map;
      picture.captionFor(parts, map, cell + 8);
      if (cut) setText(parts.name, group.maps[map].slice(cut));
      setShown(parts.number, hasNumbers);
      setShown(parts.enlarge, canEnlarge);
    });
  }

  paintFact(parts, key) {
    const { picture, maps } = this;
    const { group, point, drawnMarks, selection, rowScale } = picture;
    const { row, number, text, cells } = parts;
    const least = Math.max(selection.hide, 0.01 * rowScale);
    row.dataset.key = String(key);
    setText(number, String(key + 1));
    setText(text, group.keys[key] || "␣");
    setAttribute(text, "title", group.keys[key]);
    row.classList.toggle("faint", Math.abs(this.strength[key]) < least);
    row.classList.toggle("thin", group.K > MANY_FACTS);
    row.classList.toggle("masked", drawnMarks.masked.has(key));
    text.classList.toggle("target", drawnMarks.targets.has(key));
    row.classList.toggle("key", point?.key === key);
    const nodes = keepChildren(cells, maps.length, () => element("span", { class: "factcell" }));
    maps.forEach((map, i) => this.paintCell(nodes[i], map, key));
  }

  paintCell(node, map, key) {
    const { picture, cell } = this;
    const { palette, theme, rowScale, selection, point, drawnMarks, query } = picture;
    const weight = picture.rowOf(map)[key];
    const step = stepFor(palette, weight, rowScale, selection.hide);
    const here = point?.key === key;
    const shown = cell >= 28 && (here || Math.abs(weight) >= Math.max(selection.hide, 0.005));
    const isBar = selection.big !== null;
    node.dataset.map = String(map);
    setText(node, !shown ? "" : isBar ? full(weight) : short(weight));
    const share = Math.min(1, Math.abs(weight) / (rowScale || 1));
    const ink = isBar ? theme.ink : theme.inks[palette.onDark[step]];
    setAttribute(node, "style", `--fill:${palette.css[step]};--share:${share.toFixed(4)};color:${ink}`);
    node.classList.toggle("bar-cell", isBar);
    node.classList.toggle("off", !picture.on(map));
    node.classList.toggle("pointed", here);
    node.classList.toggle("here", here && point.map === map);
    const edited = drawnMarks.edited.some((edit) => edit.key === key && edit.map === map && edit.query === query);
    node.classList.toggle("edited", edited);
  }

  // From the largest weight of each map to that of the next one; a map that prefers no fact is passed over.
  drawLines() {
    const { picture, rows, maps, lines } = this;
    const { group } = picture;
    const tops = [];
    maps.forEach((map, column) => {
      const row = picture.rowOf(map);
      if (picture.on(map) && standsOut(row)) tops.push({ column, key: largestOf(row) });
    });
    const isPath = group.ordered && !group.isDifference;
    const ends = isPath ? tops.map(({ column, key }) => rows.children[key].parts.cells.children[column]) : [];
    const paths = keepLines(lines, Math.max(0, ends.length - 1));
    const from = rows.getBoundingClientRect();
    const boxes = ends.map((node) => node.getBoundingClientRect());
    boxes.slice(1).forEach((to, i) => paths[i].setAttribute("d", curve(boxes[i], to, from)));
  }

  hit(event) {
    const path = event.composedPath();
    const row = path.find((node) => node.classList?.contains("fact"));
    if (!row) return null;
    const cell = path.find((node) => node.classList?.contains("factcell"));
    const map = cell ? Number(cell.dataset.map) : null;
    return { map, query: this.picture.selection.query, key: Number(row.dataset.key) };
  }

  reveal(key) {
    this.overview.reveal(this.rows.children[key], this.head.offsetHeight);
  }
}

function standsOut(row) {
  const mean = row.reduce((sum, weight) => sum + Math.abs(weight), 0) / row.length;
  return Math.abs(largestIn(row)) > OUTSTANDING * mean;
}

// From the right edge of one cell to the left edge of another, in the coordinates of what holds both.
function curve(one, other, within) {
  const [x, y] = [one.right - within.left, one.top + one.height / 2 - within.top];
  const [toX, toY] = [other.left - within.left, other.top + other.height / 2 - within.top];
  const bend = x + (toX - x) / 2;
  return `M${x} ${y}C${bend + 4} ${y} ${bend - 4} ${toY} ${toX} ${toY}`;
}

function keepLines(parent, count) {
  return keepChildren(parent, count, () => document.createElementNS("http://www.w3.org/2000/svg", "path"));
}

function makeFact() {
  const number = element("span", { class: "factnumber" });
  const text = element("span", { class: "factsaid", dir: "auto" });
  const cells = element("span", { class: "factcells" });
  const row = element("div", { class: "fact" }, element("span", { class: "text" }, number, text), cells);
  row.parts = { row, number, text, cells };
  return row;
}

function makeFactName() {
  const button = makeMapName();
  const enlarge = makeEnlarge();
  const node = element("div", { class: "factname" }, button, enlarge);
  node.parts = { ...button.parts, enlarge, map: 0 };
  return node;
}
