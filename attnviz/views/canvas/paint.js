// How the picture draws itself; one paint is one pass over what is in sight.

const FEW_FIGURES = 6; // more may become as small as those of a compact picture, to be in sight together

Object.defineProperties(
  Picture.prototype,
  Object.getOwnPropertyDescriptors({
    paint(fresh) {
      const { frame, root, stage } = this;
      const { meta } = frame;
      if (frame.groups.length) {
        keepInRange(this.selection, frame, this.views);
        this.paintGroup(fresh);
      }
      setLine(this.above, meta.hint);
      setShown(this.left, frame.groups.length > 0);
      this.side.show(meta, this.group, this.selection.off, this.theme.family);
      const { written } = this.selection;
      this.side.markProduced(this.group?.produced ? { query: this.query, written } : null);
      this.tell();
      setAttribute(root, "aria-label", meta.alt ?? meta.title ?? "");
      setAttribute(stage, "aria-label", meta.alt ?? meta.title ?? "");
      root.dataset.text = meta.text;
      root.dataset.mechanism = meta.mechanism;
      root.dataset.view = this.selection.view ?? "";
      root.dataset.painted = String(++this.painted);
      if (fresh) this.storeHash();
    },

    stampColours() {
      const { root } = this;
      this.theme = stampTheme(root);
      const { css } = paletteFor(this.theme.name, { normalised: "key" });
      root.style.setProperty("--strong", css[240]);
      root.style.setProperty("--weak", css[90]);
    },

    paintGroup(fresh) {
      const { group, selection, stage } = this;
      this.palette = paletteFor(this.theme.name, group);
      this.findMarks();
      const cached = [];
      this.rowOf = (map) => (cached[map] ??= group.row(map, this.query));
      this.rowScale = this.scaleOfRows();
      this.paintSentence();
      this.mode = this.chooseMode();
      this.rowsAreQueries = this.mode === "grid" && group.Q > 1 && selection.view === "matrix";
      setShown(this.grid.scroller, this.mode === "grid");
      setShown(this.figures.box, this.mode === "figures");
      for (const [view, surface] of Object.entries(this.surfaces)) setShown(surface.node, this.mode === view);
      const big = selection.big !== null && selection.view !== "tokens" && !(selection.view === "matrix" && group.Q === 1);
      this.rows = this.rowsAreQueries ? (selection.written ?? group.Q) : group.M;
      setShown(this.bigBar, big);
      if (big) setText(this.bigName, group.maps[selection.big]);
      const height = this.surfaces[this.mode]?.paint() ?? (this.mode === "grid" ? this.paintGrid(fresh) : this.paintFigures());
      this.tallest = Math.max(this.tallest, Math.ceil(height));
      stage.style.minHeight = `${this.tallest}px`;
      this.beside.paint();
      const words = this.describe();
      setText(this.readout, words ?? this.hint());
      this.readout.classList.toggle("pointed", words !== null);
      this.tools.show();
      this.changes.show();
    },

    // The marks of the changes; what stood there before them has none.
    findMarks() {
      const { after, group, frame } = this;
      if (this.marked === group) return;
      this.marked = group;
      const { marked } = frame.meta;
      this.marks = new Marks(frame.marks, after, marked);
      this.drawnMarks = group === after.earlier ? new Marks(null, after, marked) : this.marks;
    },

    // Means over the queries are small beside single weights: they have a scale, and a legend, of their own.
    scaleOfRows() {
      const { group } = this;
      if (this.query !== null || group.meta.common) return group.scale;
      let most = 0;
      for (let map = 0; map < group.M; map++) most = Math.max(most, Math.abs(largestIn(this.rowOf(map))));
      return most || group.scale;
    },

    chooseMode() {
      const { selection, group } = this;
      if (selection.view in this.surfaces) return selection.view;
      if (selection.view === "tokens") return "grid";
      return selection.view === "matrix" && (group.Q === 1 || selection.big !== null || this.isTable) ? "grid" : "figures";
    },

    // The sentence, where it is not the view itself; facts and patches make none.
    paintSentence() {
      const { group, sentence, selection } = this;
      const isText = !["overlay", "facts"].some((view) => this.views.includes(view));
      const isThere = isText && selection.view !== "reading";
      setShown(sentence, isThere);
      this.left.classList.toggle("table", this.isTable && selection.view === "matrix");
      if (!isThere) return;
      sentence.classList.toggle("long", group.K > LONG_TEXT);
      this.tintWords(sentence, this.tintedRow(this.mapsOn()));
    },

    // The weights of the pinned map, or the mean of the maps that are on.
    tintedRow(on) {
      const map = this.point?.map ?? null;
      return map !== null ? this.rowOf(map) : meanRow(on.map(this.rowOf), this.group.K);
    },

    // The largest weight of each key in any of these maps.
    strengths(maps) {
      const strongest = new Float32Array(this.group.K);
      for (const row of maps.map(this.rowOf)) {
        for (let key = 0; key < strongest.length; key++) {
          if (Math.abs(row[key]) > Math.abs(strongest[key])) strongest[key] = row[key];
        }
      }
      return strongest;
    },

    // A word for each key, tinted by its weight; `under` gives backgrounds that lie over the tint.
    tintWords(box, row, under = () => "") {
      const { group, selection, palette, theme, point } = this;
      const words = keepChildren(box, group.K, () => element("span", { class: "word" }));
      const queried = group.same ? this.query : null;
      const { masked, swapped, targets } = this.drawnMarks;
      for (let i = 0; i < group.K; i++) {
        const step = stepFor(palette, row[i], this.rowScale, selection.hide);
        const word = words[i];
        setText(word, group.keys[i] || "␣");
        if (word.dataset.index !== String(i)) word.dataset.index = String(i);
        const colours = `background:${under(i)}${palette.css[step]};color:${theme.inks[palette.onDark[step]]}`;
        setAttribute(word, "style", colours);
        word.classList.toggle("key", Boolean(point) && point.key === i);
        word.classList.toggle("query", queried === i);
        word.classList.toggle("masked", masked.has(i));
        word.classList.toggle("target", targets.has(i));
        markSwapped(word, swapped[i]);
      }
      return words;
    },

    captionFor(parts, map, room) {
      const { group, point } = this;
      const { button, name, number } = parts;
      button.dataset.map = String(map);
      const off = this.drawnMarks.switchedOff(group, map) ? ` ${WORDS.off}` : "";
      const font = `${SMALL}px ${this.theme.family}`;
      const label = room ? fittedName(group.maps[map], room - (off && textWidth(off, font)), font) : group.maps[map];
      setText(name, label + off);
      button.classList.toggle("switched-off", Boolean(off));
      setAttribute(button, "aria-pressed", String(this.on(map)));
      setAttribute(button, "title", `${group.maps[map]} (${WORDS.toggle})`);
      if (room) name.style.maxWidth = `${room}px`;
      const pointed = point && point.key !== null;
      const query = group.Q === 1 ? 0 : (point?.query ?? null);
      if (pointed) setText(number, full(group.at(map, query, point.key)));
      else if (!this.on(map)) setText(number, WORDS.hidden);
      else setText(number, this.mode === "figures" ? "" : full(largestIn(this.rowOf(map))));
      button.classList.toggle("pointed", Boolean(pointed));
    },

    paintGrid(fresh) {
      const { group, selection, grid, theme, palette, width } = this;
      const map = selection.big ?? 0;
      const tokens = selection.view === "tokens";
      const queries = this.rowsAreQueries;
      const font = `${SMALL}px ${theme.family}`;
      const names = queries ? group.queries : group.maps;
      const isOff = (map) => !queries && this.drawnMarks.switchedOff(group, map);
      const named = names.map((label, map) => (isOff(map) ? `${label} ${WORDS.off}` : label));
      const longest = Math.max(0, ...named.map((label) => textWidth(label, font)));
      const nameRoom = Math.min(Math.ceil(longest) + 2, Math.max(64, width * 0.26));
      const numberRoom = Math.ceil(textWidth(full(group.signed ? -group.scale : group.scale), font));
      const labelWidth = queries ? Math.min(Math.ceil(longest) + 16, 140, width * 0.4) : nameRoom + numberRoom + 20;
      const point = this.point ?? { map: null, query: selection.query, key: null };
      const row = queries ? point.query : point.map;
      const spec = {
        width, theme, palette, labelWidth,
        rows: this.rows,
        columns: shortened(group.keys),
        rowLabels: queries ? group.queries : null,
        captions: !queries,
        row: queries ? (query) => group.row(map, query) : this.rowOf,
        on: queries ? () => true : this.on,
        scale: queries ? group.scale : this.rowScale,
        hide: selection.hide,
        gap: tokens ? 3 : 1,
        squeeze: this.compact,
        upright: !tokens,
        cellSize: [14, this.isTable ? 72 : queries ? 46 : 64],
        rowHeight: tokens ? stripHeight(group.M) : queries ? queryHeight(group.Q, this.mostHeight) : 26,
        numbers: true,
        everyRow: !queries,
        point: point.key !== null || (queries && row !== null) ? { row, column: point.key } : null,
        masked: this.drawnMarks.masked,
        writer: (key) => this.drawnMarks.writer(key),
        edited: this.editedCells(),
        most: this.mostHeight,
        fade: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      };
      setAttribute(grid.canvas, "aria-label", this.frame.meta.alt ?? "");
      if (!queries) this.captionRows(nameRoom);
      setText(grid.corner, spec.point ? "" : WORDS.largest);
      grid.show(spec, fresh);
      return grid.height;
    },

    // The cells of the grid that were set by hand; a row that is a mean over the queries has none.
    editedCells() {
      const { drawnMarks, rowsAreQueries, selection, query } = this;
      if (rowsAreQueries) {
        const here = drawnMarks.edited.filter((edit) => edit.map === (selection.big ?? 0));
        return here.map((edit) => ({ row: edit.query, column: edit.key }));
      }
      return drawnMarks.edited.filter((e) => e.query === query).map((edit) => ({ row: edit.map, column: edit.key }));
    },

    captionRows(room) {
      const { group, grid } = this;
      const rows = keepChildren(grid.captions, group.M, makeMapName);
      for (let map = 0; map < group.M; map++) this.captionFor(rows[map].parts, map, room);
    },

    paintFigures() {
      const { group, selection, frame, width, figures } = this;
      const { view, big } = selection;
      const maps = big !== null ? [big] : Array.from({ length: group.M }, (_, i) => i);
      const size = this.sizeFor(view, maps.length, big !== null);
      this.figureSize = size;
      const cache = this.drawingCache();
      const paint = { matrix: paintMatrix, arcs: paintArcs, overlay: paintOverlay }[view];
      const context = {
        palette: this.palette, theme: this.theme, hide: selection.hide, opacity: selection.opacity, on: this.on,
        marks: this.drawnMarks, query: this.query, row: this.rowOf, rowScale: this.rowScale, grid: frame.meta.grid,
        point: this.point ?? (selection.query === null ? null : { map: null, query: selection.query, key: null }),
        heats: cache.heat, arcs: cache.arcs,
        picture: view === "overlay" ? pictureOf(frame.meta.picture, () => this.paint(false)) : null,
      };
      figures.show({
        maps, size, room: width, most: this.mostHeight,
        label: (map) => group.maps[map],
        caption: (parts, map) => {
          setShown(parts.name, big === null);
          this.captionFor(parts, map, size.width < 190 ? size.width : size.width - 115);
          setShown(parts.enlarge, big === null && maps.length > 1);
        },
        paint: (canvas, map, wanted) => paint(canvas, group, map, wanted, context),
      });
      return figures.height;
    },

    // What is costly to work out is kept until the numbers, the threshold or the colours change.
    drawingCache() {
      const { group, palette, selection } = this;
      const name = `${palette.css[10]} ${palette.kind} ${selection.hide}`;
      if (this.drawn?.group !== group || this.drawn.name !== name) this.drawn = { group, name, heats: [], arcs: [] };
      const { heats, arcs } = this.drawn;
      return {
        heat: (map) => (heats[map] ??= group.heat(map, 192, palette, selection.hide)),
        arcs: (map) => (arcs[map] ??= strongestArcs(group, map, selection.hide)),
      };
    },

    sizeFor(view, count, big) {
      const { group, width } = this;
      const room = this.mostHeight - 6;
      if (view === "arcs") return arcSize(group, count, width, room, big, this.theme);
      const least = Math.min(this.compact || count > FEW_FIGURES ? 84 : 130, (width - GAP) / 2);
      if (view === "matrix") {
        const size = fittingWidth(count, width, room, (wide) => wide, least, count === 1 ? 400 : 340);
        return { width: size, height: size };
      }
      const aspect = this.naturalAspect();
      const wide = fittingWidth(count, width, room, (wide) => wide / aspect, least, count === 1 ? 800 : 400);
      return { width: wide, height: Math.round(wide / aspect) };
    },

    naturalAspect() {
      const { meta } = this.frame;
      const picture = pictureOf(meta.picture, () => this.paint(false));
      return picture ? picture.naturalWidth / picture.naturalHeight : meta.grid[1] / meta.grid[0];
    },
  }),
);

function queryHeight(count, room) {
  return Math.max(16, Math.min(34, (room - 70) / count));
}

function stripHeight(count) {
  return count <= 12 ? 29 : count <= 24 ? 24 : 20;
}
