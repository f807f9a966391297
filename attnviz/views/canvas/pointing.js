// How the reader points, pins and walks about: mouse, finger and keyboard.

Object.defineProperties(
  Picture.prototype,
  Object.getOwnPropertyDescriptors({
    listenToPointer() {
      const { stage, sentence } = this;
      const byMouse = (act) => (event) => event.pointerType !== "touch" && act(event);
      stage.addEventListener("pointermove", byMouse((event) => this.hover(this.hit(event))));
      stage.addEventListener("pointerleave", () => this.hover(null));
      stage.addEventListener("click", (event) => this.click(event));
      stage.addEventListener("dblclick", (event) => this.doubleClick(event));
      sentence.addEventListener("pointermove", byMouse((event) => this.hoverWord(event)));
      sentence.addEventListener("pointerleave", () => this.hover(null));
      sentence.addEventListener("click", (event) => this.clickWord(event));
    },

    listenToKeys() {
      this.stage.addEventListener("keydown", (event) => this.key(event));
      this.root.addEventListener("keydown", (event) => {
        if (event.key === "Escape") this.escape(event);
        else if (this.changes.key(event)) swallow(event);
      });
    },

    hover(point) {
      if (this.dragging.isOn || (!point && !this.pointed)) return;
      if (point && this.pointed && ["map", "query", "key"].every((name) => point[name] === this.pointed[name])) return;
      this.pointed = point;
      this.repaintSoon();
    },

    wordUnder(event) {
      const word = event.composedPath().find((node) => node.classList?.contains("word"));
      return word ? Number(word.dataset.index) : null;
    },

    // In a token-by-token map the words of the sentence are the queries; else they are the keys.
    hoverWord(event) {
      const index = this.wordUnder(event);
      if (index === null) this.hover(null);
      else if (this.group.same) this.hover({ map: null, query: index, key: null });
      else this.hover({ map: null, query: null, key: index });
    },

    clickWord(event) {
      const index = this.wordUnder(event);
      if (index === null) return;
      const { query, pin } = this.selection;
      this.pointed = null;
      if (this.group.same) this.choose({ query: query === index ? null : index });
      else this.choose({ pin: pin && pin.key === index ? null : { key: index, map: null } });
      this.speak();
    },

    hit(event) {
      if (!this.group) return null;
      if (this.surfaces[this.mode]) return this.surfaces[this.mode].hit(event);
      return this.mode === "grid" ? this.hitGrid(event) : this.hitFigure(event);
    },

    hitGrid(event) {
      const cell = this.grid.hit(event);
      if (!cell) return null;
      if (this.rowsAreQueries) return { map: this.selection.big ?? 0, query: cell.row, key: cell.column };
      return { map: cell.row, query: this.selection.query, key: cell.column };
    },

    hitFigure(event) {
      const found = this.figures.hit(event);
      if (!found) return null;
      const { group, figureSize: size, theme } = this;
      const query = this.selection.query;
      const view = this.selection.view;
      const place = {
        matrix: () => hitMatrix(group, found, size, theme.family),
        arcs: () => hitArcs(group, found, size, theme),
        overlay: () => hitOverlay(group, found, size, this.frame.meta.grid),
      }[view]();
      return place && { map: found.map, query, ...place };
    },

    click(event) {
      if (this.dragging.ended) return; // this click is the end of a drag
      const path = event.composedPath();
      const figure = path.find((node) => node.parts?.enlarge);
      if (figure && path.includes(figure.parts.enlarge)) {
        this.choose({ big: this.selection.big === null ? figure.parts.map : null });
        return;
      }
      const button = path.find((node) => node.classList?.contains("map"));
      if (button) this.toggle(Number(button.dataset.map));
      else this.pinAt(this.hit(event));
    },

    doubleClick(event) {
      const button = event.composedPath().find((node) => node.classList?.contains("map"));
      if (!button) return;
      const map = Number(button.dataset.map);
      const others = Array.from({ length: this.group.M }, (_, i) => i).filter((i) => i !== map);
      const alone = this.on(map) && others.every((i) => !this.on(i));
      this.choose({ off: new Set(alone ? [] : others) });
    },

    toggle(map) {
      const off = new Set(this.selection.off);
      if (!off.delete(map)) off.add(map);
      this.choose({ off });
    },

    // Pins the point; where patches, or words that are read, attend to each other it chooses the one to look from.
    pinAt(point) {
      if (!point) return;
      const { pin, query, view } = this.selection;
      if (["overlay", "reading"].includes(view) && this.group.same) {
        this.pointed = null;
        this.choose({ query: query === point.key ? null : point.key });
        return;
      }
      const chosen = this.group.Q > 1 ? point.query : null;
      const samePin = point.key === null ? !pin : pin && pin.key === point.key && pin.map === point.map;
      const again = samePin && query === chosen;
      this.pointed = null;
      const withQuery = this.mode === "figures" || this.rowsAreQueries;
      if (again) this.choose({ pin: null, ...(withQuery && { query: null }) });
      else this.choose({ pin: point.key === null ? null : { key: point.key, map: point.map }, query: chosen });
      this.speak();
    },

    escape(event) {
      if (this.pointed || this.selection.pin || this.selection.query !== null) {
        this.pointed = null;
        this.choose({ pin: null, query: null });
      } else if (this.selection.big !== null) {
        this.choose({ big: null });
      } else {
        return;
      }
      event.stopPropagation();
    },

    key(event) {
      if (!this.group || event.composedPath()[0] !== this.stage) return;
      if (event.key === "Enter" || event.key === " ") this.pinAt(this.pointed);
      else if (!this.move(event.key)) return;
      swallow(event);
    },

    // Left and right go over keys, up and down over maps, over queries in an enlarged matrix, over rows in an enlarged
    // picture; in a list of facts the other way round. Returns whether the key meant anything.
    move(name) {
      const { group, selection } = this;
      const columns = selection.view === "overlay" && selection.big !== null ? this.frame.meta.grid[1] : 0;
      const arrows = [{ ArrowLeft: -1, ArrowRight: 1 }[name] ?? 0, { ArrowUp: -1, ArrowDown: 1 }[name] ?? 0];
      const [across, down] = this.mode === "facts" ? arrows.toReversed() : arrows;
      if (!across && !down && name !== "Home" && name !== "End") return false;
      const start = this.point ?? { map: null, query: selection.query, key: null };
      const within = (value, count) => Math.max(0, Math.min(count - 1, value));
      const next = { map: start.map ?? selection.big ?? 0, query: start.query, key: start.key };
      if (start.key === null) next.key = across < 0 ? group.K : across > 0 ? -1 : 0;
      next.key = within(next.key + across + down * columns, group.K);
      if (name === "Home") next.key = 0;
      if (name === "End") next.key = group.K - 1;
      if (down && !columns && start.key !== null) {
        if (this.rowsAreQueries) next.query = within((next.query ?? -1) + down, this.rows);
        else next.map = within(next.map + down, group.M);
      }
      if (this.rowsAreQueries && next.query === null) next.query = 0;
      this.pointed = next;
      this.paint(false);
      this.surfaces[this.mode]?.reveal(next.key);
      if (this.mode === "grid") this.grid.reveal(this.rowsAreQueries ? next.query : next.map, next.key);
      this.speak();
      return true;
    },
  }),
);

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}
