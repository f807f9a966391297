// The live picture: takes frames, keeps the reader's selection, and draws. Nothing here asks the server.

const MOST_HEIGHT = 430; // pixels of the drawing area; what is larger scrolls

class Picture {
  constructor(root) {
    this.root = root;
    root.picture = this; // for whoever looks into it: tests, and a reader's console
    this.painted = 0;
    this.pointed = null; // where the mouse or the keyboard is: { map, query, key }, each may be null
    this.tallest = 0;
    this.build();
    this.listen();
  }

  build() {
    this.sentence = element("div", { class: "sentence", dir: "auto" });
    this.stage = element("div", { class: "stage", tabindex: "0", role: "application" });
    this.stage.setAttribute("aria-roledescription", "attention weights");
    this.readout = element("p", { class: "readout" });
    this.live = element("div", { class: "unseen", "aria-live": "polite" });
    this.tools = new Tools(this);
    this.bigName = element("span", { class: "strong" });
    this.bigClose = element("button", { class: "plain", type: "button", text: WORDS.close });
    this.bigBar = element("div", { class: "bigbar" }, this.bigName, this.bigClose);
    const left = element("div", { class: "card left" }, this.sentence, this.bigBar, this.stage, this.readout);
    left.append(this.tools.node, this.live);
    const right = element("div", { class: "card right" });
    this.left = left;
    this.above = element("p", { class: "above" });
    this.root.replaceChildren(this.above, element("div", { class: "cards" }, left, right));
    this.side = new Side(right, this.root);
    this.grid = new Grid(this.stage);
    this.figures = new Figures(this.stage);
  }

  listen() {
    const { stage } = this;
    stage.addEventListener("pointermove", (event) => event.pointerType !== "touch" && this.hover(this.hit(event)));
    stage.addEventListener("pointerleave", () => this.hover(null));
    stage.addEventListener("click", (event) => this.click(event));
    stage.addEventListener("dblclick", (event) => this.doubleClick(event));
    stage.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.escape(event));
    this.sentence.addEventListener("pointermove", (event) => event.pointerType !== "touch" && this.hoverWord(event));
    this.sentence.addEventListener("pointerleave", () => this.hover(null));
    this.sentence.addEventListener("click", (event) => this.clickWord(event));
    this.bigClose.addEventListener("click", () => this.choose({ big: null }));
    this.resize = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (width === this.width) return;
      this.width = width;
      this.tallest = 0;
      if (this.frame) this.paint(false);
    });
    this.resize.observe(stage);
    this.onHash = () => {
      const anchor = location.hash && !location.hash.includes("="); // a link to a heading says nothing about us
      if (!this.linked || anchor) return;
      this.selection = readLink(location.hash, this.prefix);
      if (this.frame) this.paint(false);
    };
    window.addEventListener("hashchange", this.onHash);
    this.page = location.pathname;
    this.onEntry = ({ navigationType }) => {
      const byScript = navigationType === "push" || navigationType === "replace";
      if (byScript && !location.hash && location.pathname === this.page) this.storeNow();
    };
    window.navigation?.addEventListener("currententrychange", this.onEntry); // Streamlit drops what is behind the #
  }

  destroy() {
    this.resize.disconnect();
    window.removeEventListener("hashchange", this.onHash);
    window.navigation?.removeEventListener("currententrychange", this.onEntry);
    clearTimeout(this.storing);
    cancelAnimationFrame(this.grid.fading);
  }

  // A new frame from the server (or the same one in another theme): drawn at once.
  update(meta, raw, link) {
    this.linked = link !== null && link !== undefined;
    this.prefix = link ?? "";
    this.selection ??= this.linked ? readLink(location.hash, this.prefix) : freshSelection();
    if (this.frame && this.frame.meta.mechanism !== meta.mechanism) this.forgetMaps();
    this.frame = new Frame(meta, raw);
    this.theme = readTheme(this.root);
    this.pointed = null;
    this.width ??= Math.floor(this.stage.clientWidth);
    this.paint(true);
  }

  // Another mechanism has other maps: what was chosen among the old ones means nothing there.
  forgetMaps() {
    Object.assign(this.selection, { group: 0, query: null, pin: null, big: null });
    this.selection.off.clear();
    this.tallest = 0;
  }

  get group() {
    return this.frame.groups[this.selection.group];
  }

  get views() {
    const { meta } = this.frame;
    const patches = meta.grid ? meta.grid[0] * meta.grid[1] : 0;
    const onPicture = this.group && patches > 0 && this.group.K >= patches && this.group.K - patches <= 8;
    return onPicture ? ["overlay", "matrix"] : ["tokens", "matrix", "arcs"];
  }

  // The point everything is marked at: where the reader points, else what is pinned.
  get point() {
    const { pin, query } = this.selection;
    if (this.pointed) return this.pointed;
    return pin ? { key: pin.key, map: pin.map, query } : null;
  }

  // The query whose row is shown: the one pointed at, else the chosen one; null is the mean over the queries.
  get query() {
    if (this.group.Q === 1) return 0;
    return this.pointed?.query ?? this.selection.query;
  }

  on = (map) => !this.selection.off.has(map);

  choose(change) {
    Object.assign(this.selection, change);
    this.tallest = 0;
    this.paint(false);
    this.store();
  }

  store() {
    clearTimeout(this.storing);
    if (this.linked) this.storing = setTimeout(() => this.storeNow(), 120);
  }

  storeNow() {
    if (this.linked && this.frame?.groups.length) storeLink(this.prefix, this.selection, this.views[0]);
  }

  hover(point) {
    if (!point && !this.pointed) return;
    if (point && this.pointed && ["map", "query", "key"].every((name) => point[name] === this.pointed[name])) return;
    this.pointed = point;
    this.repaintSoon();
  }

  repaintSoon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      if (this.frame) this.paint(false);
    });
  }

  wordUnder(event) {
    const word = event.composedPath().find((node) => node.classList?.contains("word"));
    return word ? Number(word.dataset.index) : null;
  }

  // In a token-by-token map the words of the sentence are the queries; else they are the keys.
  hoverWord(event) {
    const index = this.wordUnder(event);
    if (index === null) this.hover(null);
    else if (this.group.same) this.hover({ map: null, query: index, key: null });
    else this.hover({ map: null, query: null, key: index });
  }

  clickWord(event) {
    const index = this.wordUnder(event);
    if (index === null) return;
    const { query, pin } = this.selection;
    this.pointed = null;
    if (this.group.same) this.choose({ query: query === index ? null : index });
    else this.choose({ pin: pin && pin.key === index ? null : { key: index, map: null } });
    this.speak();
  }

  hit(event) {
    if (!this.group) return null;
    return this.mode === "grid" ? this.hitGrid(event) : this.hitFigure(event);
  }

  hitGrid(event) {
    const cell = this.grid.hit(event);
    if (!cell) return null;
    if (this.rowsAreQueries) return { map: this.selection.big ?? 0, query: cell.row, key: cell.column };
    return { map: cell.row, query: this.selection.query, key: cell.column };
  }

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
  }

  click(event) {
    const path = event.composedPath();
    const figure = path.find((node) => node.parts?.enlarge);
    if (figure && path.includes(figure.parts.enlarge)) {
      this.choose({ big: this.selection.big === null ? figure.parts.map : null });
      return;
    }
    const button = path.find((node) => node.classList?.contains("map"));
    if (button) this.toggle(Number(button.dataset.map));
    else this.pinAt(this.hit(event));
  }

  doubleClick(event) {
    const button = event.composedPath().find((node) => node.classList?.contains("map"));
    if (!button) return;
    const map = Number(button.dataset.map);
    const others = Array.from({ length: this.group.M }, (_, i) => i).filter((i) => i !== map);
    const alone = this.on(map) && others.every((i) => !this.on(i));
    this.choose({ off: new Set(alone ? [] : others) });
  }

  toggle(map) {
    const off = new Set(this.selection.off);
    if (!off.delete(map)) off.add(map);
    this.choose({ off });
  }

  // Pins the point; on a picture whose patches attend to each other it chooses the patch to look from, like a word.
  pinAt(point) {
    if (!point) return;
    const { pin, query, view } = this.selection;
    if (view === "overlay" && this.group.same) {
      this.pointed = null;
      this.choose({ query: query === point.key ? null : point.key });
      return;
    }
    const chosen = this.group.Q > 1 ? point.query : null;
    const again = pin && pin.key === point.key && pin.map === point.map && query === chosen;
    this.pointed = null;
    const withQuery = this.mode === "figures" || this.rowsAreQueries;
    if (again) this.choose({ pin: null, ...(withQuery && { query: null }) });
    else this.choose({ pin: point.key === null ? null : { key: point.key, map: point.map }, query: chosen });
    this.speak();
  }

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
  }

  key(event) {
    if (!this.group || event.composedPath()[0] !== this.stage) return;
    if (event.key === "Enter" || event.key === " ") this.pinAt(this.pointed);
    else if (!this.move(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Left and right go over keys, up and down over maps, over queries in an enlarged matrix, over rows in an enlarged
  // picture. Returns whether the key meant anything.
  move(name) {
    const { group, selection } = this;
    const columns = selection.view === "overlay" && selection.big !== null ? this.frame.meta.grid[1] : 0;
    const across = { ArrowLeft: -1, ArrowRight: 1 }[name] ?? 0;
    const down = { ArrowUp: -1, ArrowDown: 1 }[name] ?? 0;
    if (!across && !down && name !== "Home" && name !== "End") return false;
    const start = this.point ?? { map: null, query: selection.query, key: null };
    const within = (value, count) => Math.max(0, Math.min(count - 1, value));
    const next = { map: start.map ?? selection.big ?? 0, query: start.query, key: start.key ?? (across ? -across : 0) };
    if (start.key === null) next.key = across < 0 ? group.K : across > 0 ? -1 : 0;
    next.key = within(next.key + across + down * columns, group.K);
    if (name === "Home") next.key = 0;
    if (name === "End") next.key = group.K - 1;
    if (down && !columns && start.key !== null) {
      if (this.rowsAreQueries) next.query = within((next.query ?? -1) + down, group.Q);
      else next.map = within(next.map + down, group.M);
    }
    if (this.rowsAreQueries && next.query === null) next.query = 0;
    this.pointed = next;
    this.paint(false);
    if (this.mode === "grid") this.grid.reveal(this.rowsAreQueries ? next.query : next.map, next.key);
    this.speak();
    return true;
  }

  speak() {
    setText(this.live, this.describe() ?? "");
  }

  // What is pointed at, in words: both labels and the exact weight.
  describe() {
    const { point, group } = this;
    if (!point) return null;
    const query = group.Q === 1 ? 0 : point.query;
    const from = query === null || query === undefined ? WORDS.meanQueries : group.queries[query];
    if (point.key === null) return `${from} →`;
    const label = `${from} → ${group.keys[point.key]}`;
    const q = query ?? null;
    if (point.map !== null && point.map !== undefined) {
      return `${group.maps[point.map]}: ${label} ${full(group.at(point.map, q, point.key))}`;
    }
    const maps = this.mapsOn();
    const mean = maps.reduce((sum, map) => sum + group.at(map, q, point.key), 0) / Math.max(1, maps.length);
    return `${this.meanLabel(maps)}: ${label} ${full(mean)}`;
  }

  mapsOn() {
    return Array.from({ length: this.group.M }, (_, i) => i).filter(this.on);
  }

  meanLabel(maps) {
    if (maps.length === 1) return this.group.maps[maps[0]];
    const { kind } = this.group;
    return `${WORDS.mean} ${maps.length} ${kind ? kind + (kind.endsWith("s") ? "es" : "s") : "maps"}`;
  }

  // What stands where nothing is pointed at.
  hint() {
    const { view } = this.selection;
    const same = this.group.same && { tokens: WORDS.hintSame, overlay: WORDS.hintPatch }[view];
    const hint = same || (view === "overlay" ? WORDS.hintOverlay : WORDS.hint);
    return this.sentence.hidden ? hint : `${WORDS.tinted} ${this.meanLabel(this.mapsOn())}. ${hint}`;
  }
}
