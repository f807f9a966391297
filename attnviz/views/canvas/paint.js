// How the picture draws itself; one paint is one pass over what is in sight.

Object.defineProperties(
  Picture.prototype,
  Object.getOwnPropertyDescriptors({
    paint(fresh) {
      const { frame, root, stage } = this;
      const { meta } = frame;
      root.dataset.theme = this.theme.name;
      this.stampColours();
      if (frame.groups.length) {
        keepInRange(this.selection, { groups: frame.groups }, this.views);
        this.paintGroup(fresh);
      }
      setShown(this.above, Boolean(meta.hint));
      setText(this.above, meta.hint ?? "");
      setShown(this.left, frame.groups.length > 0);
      this.side.show(meta, this.group, this.selection.off, this.theme.family);
      setAttribute(root, "aria-label", meta.alt ?? meta.title ?? "");
      setAttribute(stage, "aria-label", meta.alt ?? meta.title ?? "");
      root.dataset.text = meta.text;
      root.dataset.mechanism = meta.mechanism;
      root.dataset.view = this.selection.view ?? "";
      root.dataset.painted = String(++this.painted);
      if (fresh) this.storeNow();
    },

    stampColours() {
      const { root, theme } = this;
      if (this.stamped === theme.paper + theme.name) return;
      this.stamped = theme.paper + theme.name;
      for (const name of ["paper", "ink", "soft", "line", "accent"]) root.style.setProperty(`--${name}`, theme[name]);
      const { css } = paletteFor(theme.name, { normalised: "key" });
      root.style.setProperty("--strong", css[240]);
      root.style.setProperty("--weak", css[90]);
      root.style.setProperty("--track", css[0]);
    },

    paintGroup(fresh) {
      const { group, selection, stage } = this;
      this.palette = paletteFor(this.theme.name, group);
      const cached = [];
      this.rowOf = (map) => (cached[map] ??= group.row(map, this.query));
      this.rowScale = this.scaleOfRows();
      this.paintSentence();
      this.mode = this.chooseMode();
      this.rowsAreQueries = this.mode === "grid" && selection.big !== null && group.Q > 1 && selection.view === "matrix";
      setShown(this.grid.scroller, this.mode === "grid");
      setShown(this.figures.box, this.mode === "figures");
      const big = selection.big !== null && selection.view !== "tokens" && !(selection.view === "matrix" && group.Q === 1);
      setShown(this.bigBar, big);
      if (big) setText(this.bigName, group.maps[selection.big]);
      const height = this.mode === "grid" ? this.paintGrid(fresh) : this.paintFigures();
      this.tallest = Math.max(this.tallest, Math.ceil(height));
      stage.style.minHeight = `${this.tallest}px`;
      const words = this.describe();
      setText(this.readout, words ?? this.hint());
      this.readout.classList.toggle("pointed", words !== null);
      this.tools.show();
    },

    // Means over the queries are small beside single weights: they have a scale, and a legend, of their own.
    scaleOfRows() {
      const { group } = this;
      if (this.query !== null) return group.scale;
      let most = 0;
      for (let map = 0; map < group.M; map++) most = Math.max(most, Math.abs(largestIn(this.rowOf(map))));
      return most || group.scale;
    },

    chooseMode() {
      const { selection, group } = this;
      if (selection.view === "tokens") return "grid";
      return selection.view === "matrix" && (group.Q === 1 || selection.big !== null) ? "grid" : "figures";
    },

    // The sentence, tinted by the pinned map or by the mean of the maps that are on.
    paintSentence() {
      const { group, sentence, selection, palette, theme, point } = this;
      const pictorial = this.views[0] === "overlay";
      setShown(sentence, !pictorial);
      if (pictorial) return;
      const map = point && point.map !== null && point.map !== undefined ? point.map : null;
      const row = map !== null ? this.rowOf(map) : meanRow(this.mapsOn().map(this.rowOf), group.K);
      sentence.classList.toggle("long", group.K > 40);
      const words = keepChildren(sentence, group.K, () => element("span", { class: "word" }));
      const queried = group.same ? this.query : null;
      for (let i = 0; i < group.K; i++) {
        const step = stepFor(palette, row[i], this.rowScale, selection.hide);
        const word = words[i];
        setText(word, group.keys[i] || "␣");
        if (word.dataset.index !== String(i)) word.dataset.index = String(i);
        const colours = `background:${palette.css[step]};color:${theme.inks[palette.onDark[step]]}`;
        setAttribute(word, "style", colours);
        word.classList.toggle("key", Boolean(point) && point.key === i);
        word.classList.toggle("query", queried === i);
      }
    },

    captionFor(parts, map, room) {
      const { group, point } = this;
      const { button, name, number } = parts;
      button.dataset.map = String(map);
      setText(name, room ? fittedName(group.maps[map], room, `${SMALL}px ${this.theme.family}`) : group.maps[map]);
      setAttribute(button, "aria-pressed", String(this.on(map)));
      setAttribute(button, "title", `${group.maps[map]} (${WORDS.toggle})`);
      if (room) name.style.maxWidth = `${room}px`;
      const pointed = point && point.key !== null;
      const query = group.Q === 1 ? 0 : (point?.query ?? null);
      if (pointed) setText(number, full(group.at(map, query, point.key)));
      else setText(number, this.mode === "grid" ? full(largestIn(this.rowOf(map))) : "");
      button.classList.toggle("pointed", Boolean(pointed));
    },

    paintGrid(fresh) {
      const { group, selection, grid, theme, palette, width } = this;
      const tokens = selection.view === "tokens";
      const queries = this.rowsAreQueries;
      const font = `${SMALL}px ${theme.family}`;
      const names = queries ? group.queries : group.maps;
      const longest = Math.max(0, ...names.map((label) => textWidth(label, font)));
      const nameRoom = Math.min(Math.ceil(longest) + 2, Math.max(64, width * 0.26));
      const numberRoom = Math.ceil(textWidth(full(group.signed ? -group.scale : group.scale), font));
      const labelWidth = queries ? Math.min(Math.ceil(longest) + 16, 140, width * 0.4) : nameRoom + numberRoom + 20;
      const { point } = this;
      const spec = {
        width, theme, palette, labelWidth,
        rows: queries ? group.Q : group.M,
        columns: group.keys,
        rowLabels: queries ? group.queries : null,
        captions: !queries,
        row: queries ? (query) => group.row(selection.big, query) : this.rowOf,
        on: queries ? () => true : this.on,
        scale: queries ? group.scale : this.rowScale,
        hide: selection.hide,
        gap: tokens ? 3 : 1,
        upright: !tokens,
        cellSize: [14, queries ? 46 : 64],
        rowHeight: tokens ? stripHeight(group.M) : queries ? Math.max(16, Math.min(34, (MOST_HEIGHT - 70) / group.Q)) : 26,
        numbers: true,
        everyRow: !queries,
        point: point && point.key !== null ? { row: queries ? point.query : point.map, column: point.key } : null,
        most: MOST_HEIGHT,
        fade: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      };
      setAttribute(grid.canvas, "aria-label", this.frame.meta.alt ?? "");
      if (!queries) this.captionRows(nameRoom);
      setText(grid.corner, spec.point ? "" : WORDS.largest);
      grid.show(spec, fresh);
      return grid.height;
    },

    captionRows(room) {
      const { group, grid } = this;
      const rows = keepChildren(grid.captions, group.M, () => {
        const name = element("span", { class: "name" });
        const number = element("span", { class: "number" });
        const button = element("button", { class: "map", type: "button" }, name, number);
        button.parts = { button, name, number };
        return button;
      });
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
        point: this.point ?? (selection.query === null ? null : { map: null, query: selection.query, key: null }),
        row: this.rowOf, rowScale: this.rowScale, grid: frame.meta.grid, heats: cache.heat, arcs: cache.arcs,
        picture: view === "overlay" ? pictureOf(frame.meta.picture, () => this.paint(false)) : null,
      };
      figures.show({
        maps, size, room: width, most: MOST_HEIGHT,
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
      const room = MOST_HEIGHT - 6;
      if (view === "arcs") return arcSize(group, count, width, room, big, this.theme);
      const least = Math.min(130, (width - GAP) / 2);
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

function stripHeight(count) {
  return count <= 12 ? 29 : count <= 24 ? 24 : 20;
}
