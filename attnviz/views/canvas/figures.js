// Small multiples: one figure for each map, all of one size, with the point marked in each.

const GAP = 14;
const CAPTION = 30; // the line above each figure

class Figures {
  constructor(parent) {
    this.box = element("div", { class: "figures" });
    parent.append(this.box);
    this.made = [];
    this.box.addEventListener("scroll", () => this.paintVisible && this.paintVisible(), { passive: true });
  }

  // `maps` are the indices shown; `size` is { width, height } of each drawing; `paint(context, map, size)` draws one.
  show({ maps, size, room, most, label, caption, paint }) {
    keepChildren(this.box, maps.length, () => this.makeFigure());
    this.made = [...this.box.children].map((node) => node.parts);
    const perRow = evenly(maps.length, Math.max(1, Math.floor((room + GAP) / (size.width + GAP))));
    const rowHeight = size.height + CAPTION;
    this.height = Math.min(most, Math.ceil(maps.length / perRow) * rowHeight);
    const total = Math.ceil(maps.length / perRow) * rowHeight;
    this.box.classList.toggle("compact", size.width < 190);
    this.box.style.gridTemplateColumns = `repeat(${perRow}, ${size.width}px)`;
    this.box.style.maxHeight = `${most}px`;
    this.box.style.overflowY = total > most + 8 ? "auto" : "hidden";
    maps.forEach((map, i) => {
      const parts = this.made[i];
      parts.map = map;
      caption(parts, map);
      setAttribute(parts.canvas, "aria-label", label(map));
      parts.canvas.style.width = `${size.width}px`;
      parts.canvas.style.height = `${size.height}px`;
    });
    this.paintVisible = () => {
      const from = Math.floor(this.box.scrollTop / rowHeight) - 1;
      const to = Math.ceil((this.box.scrollTop + most) / rowHeight) + 1;
      this.made.forEach((parts, i) => {
        const row = Math.floor(i / perRow);
        if (row >= from && row <= to) paint(sized(parts.canvas, size.width, size.height), parts.map, size);
      });
    };
    this.paintVisible();
  }

  makeFigure() {
    const canvas = element("canvas", { role: "img" });
    const button = makeMapName();
    const enlarge = makeEnlarge();
    const figure = element("figure", {}, element("figcaption", {}, button, enlarge), canvas);
    figure.parts = { figure, canvas, ...button.parts, enlarge, map: 0 };
    return figure;
  }

  // The map under a pointer and the place on its drawing, or null.
  hit(event) {
    const figure = event.composedPath().find((node) => node.parts);
    if (!figure || event.composedPath()[0] !== figure.parts.canvas) return null;
    const box = figure.parts.canvas.getBoundingClientRect();
    return { map: figure.parts.map, x: event.clientX - box.left, y: event.clientY - box.top };
  }
}

// What a map is called, and a number beside it; a click hides the map.
function makeMapName() {
  const name = element("span", { class: "name" });
  const number = element("span", { class: "number" });
  const button = element("button", { class: "map", type: "button" }, name, number);
  button.parts = { button, name, number };
  return button;
}

function makeEnlarge() {
  return element("button", { class: "enlarge plain", type: "button", text: WORDS.enlarge });
}

// So many figures in rows of at most `most`, no row much shorter than the others: four are 2 and 2, never 3 and 1.
function evenly(count, most) {
  return Math.ceil(count / Math.ceil(count / Math.min(count, most)));
}

// The widest figures that fit the room, where `heightOf(width)` is the height of one; at least `least` wide.
function fittingWidth(count, room, height, heightOf, least, most) {
  for (let width = Math.min(most, room); width > least; width -= 2) {
    const perRow = Math.floor((room + GAP) / (width + GAP));
    if (Math.ceil(count / perRow) * (heightOf(width) + CAPTION) <= height) return width;
  }
  return Math.floor(Math.min(least, room));
}
