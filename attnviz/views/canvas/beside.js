// Below the weights on the items: those on the words that asked, and how well each pair fits, as small grids; or, where
// the items are patches, over the picture, once for each word.

const MOST_BESIDE = 190; // pixels of one grid; what is higher scrolls
const MOST_OVER = 300; // the same of small pictures
const OVER_SIZES = [130, 260]; // pixels that a small picture is wide, at least and at most

class Beside {
  constructor(picture) {
    this.picture = picture;
    this.node = element("div", { class: "beside" });
    this.blocks = [];
    this.node.addEventListener("click", ({ target }) => {
      const block = this.blocks.find(({ title }) => title === target);
      if (block) picture.chooseGroup(block.index);
      else this.enlarge(target);
    });
  }

  paint() {
    const { picture } = this;
    const { groups } = picture.frame;
    const { of_items, Q, asks } = picture.after;
    const isMain = of_items && Q === 1 && !asks;
    const kinds = picture.compact ? ["key", "query"] : ["key", "query", "pair"];
    const those = (kind) => groups.flatMap((group, i) => (group.asks === kind ? [i] : []));
    const shown = isMain ? kinds.flatMap(those) : [];
    setShown(this.node, shown.length > 0);
    const nodes = keepChildren(this.node, shown.length, () => this.makeBlock());
    this.blocks = [...nodes].map(({ block }) => block);
    shown.forEach((index, i) => this.paintBlock(this.blocks[i], index));
  }

  makeBlock() {
    const title = element("button", { type: "button", class: "plain act" });
    const about = element("span");
    const node = element("div", {}, element("p", {}, title, about));
    node.block = { title, about, grid: new Grid(node), over: new Figures(node), pointed: null };
    const point = (event) => this.point(node.block, node.block.grid.hit(event));
    for (const kind of ["pointermove", "click"]) node.block.grid.canvas.addEventListener(kind, point);
    node.block.grid.canvas.addEventListener("pointerleave", () => this.point(node.block, null));
    return node;
  }

  point(block, cell) {
    block.pointed = cell?.row === null || cell?.column === null ? null : cell;
    this.paintBlock(block, block.index);
  }

  paintBlock(block, index) {
    const { picture } = this;
    const group = picture.shownOf(picture.frame.groups[index]);
    const table = tableOf(group);
    Object.assign(block, { index, group });
    setText(block.title, group.title);
    setText(block.about, block.pointed ? wordsFor(table, block.pointed) : legendFor(group, table));
    block.about.classList.toggle("pointed", Boolean(block.pointed));
    const isOver = group.asks === "pair" && picture.views.includes("overlay");
    setShown(block.grid.scroller, !isOver);
    setShown(block.over.box, isOver);
    if (isOver) return this.paintOver(block.over, group, table);
    setAttribute(block.grid.canvas, "aria-label", `${group.title}: ${wordsFor(table, largestCell(table))}`);
    block.grid.show(this.specFor(group, table, block.pointed), false);
  }

  // The picture once for each row of the table.
  paintOver(over, group, { names, row, scale }) {
    const { picture } = this;
    const { theme, width, selection, frame, drawnMarks: marks } = picture;
    const aspect = picture.naturalAspect();
    const wide = fittingWidth(names.length, width, MOST_OVER, (wide) => wide / aspect, ...OVER_SIZES);
    const view = {
      theme, row, marks, palette: paletteFor(theme.name, group), hide: selection.hide, opacity: selection.opacity,
      on: () => true, rowScale: scale, grid: frame.meta.grid, point: null,
      picture: pictureOf(frame.meta.picture, () => picture.paint(false)),
    };
    over.show({
      maps: [...names.keys()], size: { width: wide, height: Math.round(wide / aspect) }, room: width, most: MOST_OVER,
      label: (query) => `${group.title}: ${names[query]}`,
      caption: ({ name, number, enlarge, button }, query) => {
        setText(name, names[query]);
        setAttribute(button, "title", `${WORDS.enlarge} “${names[query]}”`);
        for (const node of [number, enlarge]) setShown(node, false);
      },
      paint: (context, query, size) => paintOverlay(context, group, query, size, view),
    });
  }

  // The affinity of one word, large.
  enlarge(target) {
    for (const { over, index } of this.blocks) {
      const made = over.made.find(({ figure }) => figure.contains(target));
      if (!made) continue;
      this.picture.chooseGroup(index);
      this.picture.choose({ view: "overlay", query: made.map });
    }
  }

  specFor(group, { names, columns, row, scale }, pointed) {
    const { theme, width, selection, drawnMarks } = this.picture;
    const font = `${SMALL}px ${theme.family}`;
    const isPair = group.asks === "pair";
    const longest = Math.max(0, ...names.map((name) => textWidth(name, font)));
    return {
      width, theme, row, columns: shortened(columns), palette: paletteFor(theme.name, group),
      labelWidth: longest ? Math.min(longest + 16, width * 0.3) : 2,
      rows: names.length, rowLabels: names, captions: false, on: () => true, scale, hide: selection.hide,
      gap: isPair ? 1 : 3, squeeze: true, upright: isPair, cellSize: [14, 72], rowHeight: isPair ? 22 : 26,
      numbers: true, everyRow: false, point: pointed, masked: isPair ? drawnMarks.masked : new Set(),
      writer: (key) => (isPair ? drawnMarks.writer(key) : fillPlain), edited: [], most: MOST_BESIDE, fade: false,
    };
  }
}

// What a group says of the asking side as rows and columns: a row for each map over what asks, or for each pair.
function tableOf(group) {
  const { asks, M, keys, queries, maps, scale } = group;
  if (asks === "pair") return { names: queries, columns: keys, scale, row: (query) => group.row(0, query) };
  const names = M > 1 ? maps : [""];
  if (asks === "key") return { names, columns: keys, scale, row: (map) => group.row(map, 0) };
  const means = maps.map((_, map) => meanOverKeys(group, map));
  const most = Math.max(...means.map((mean) => Math.abs(largestIn(mean))));
  return { names, columns: queries, scale: most, row: (map) => means[map] };
}

// Where each key divides itself between the queries: what a query gets of a key that is not masked, on average.
function meanOverKeys(group, map) {
  const column = (key) => group.queries.map((_, query) => group.at(map, query, key));
  const columns = Array.from({ length: group.K }, (_, key) => column(key));
  return meanRow(columns.filter((weights) => weights.some((weight) => weight !== 0)), group.Q);
}

function largestCell({ names, row }) {
  const rows = names.map((_, i) => row(i));
  const best = largestOf(rows.map((weights) => Math.abs(largestIn(weights))));
  return { row: best, column: largestOf(rows[best]) };
}

function wordsFor({ names, columns, row }, cell) {
  const from = names[cell.row] ? `${names[cell.row]} → ` : "";
  return `${from}${columns[cell.column]} ${full(row(cell.row)[cell.column])}`;
}

function legendFor(group, { scale }) {
  const most = `${WORDS.upTo} ${short(scale)}`;
  return group.normalised === null ? `${WORDS.free}, ${most}` : most;
}
