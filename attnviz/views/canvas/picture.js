// The live picture: takes frames, keeps the reader's selection, and draws. Nothing here asks the server.

const MOST_HEIGHT = 430; // pixels of the drawing area; what is larger scrolls
const COMPACT_HEIGHT = 260; // the same, where several pictures stand on a page

class Picture {
  // `emit` takes the reader's changes, see attnviz.changes. A compact picture is one of several.
  constructor(root, { emit = () => undefined, compact = false } = {}) {
    this.root = root;
    root.picture = this; // for whoever looks into it: tests, and a reader's console
    this.emit = emit;
    this.compact = compact;
    this.onPoint = null; // called with { map, query, key }, each may be null, or with null: where the reader is
    this.painted = 0;
    this.pointed = null; // where the mouse or the keyboard is: { map, query, key }, each may be null
    this.outside = null; // { query, key }: where the reader is in another picture of the same items
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
    this.changes = new Changes(this);
    this.bigName = element("span", { class: "strong" });
    this.bigClose = element("button", { class: "plain", type: "button", text: WORDS.close });
    this.beside = new Beside(this);
    this.bigBar = element("div", { class: "bigbar" }, this.bigName, this.bigClose);
    const left = element("div", { class: "card left" }, this.sentence, this.bigBar, this.stage, this.beside.node, this.readout);
    left.append(this.tools.steps, this.changes.node, this.tools.node, this.live);
    const right = element("div", { class: "card right" });
    this.left = left;
    this.above = element("p", { class: "above" });
    this.root.replaceChildren(this.above, element("div", { class: "cards" }, left, right));
    this.side = new Side(right, this.root, (word) => this.lookFrom(word));
    this.grid = new Grid(this.stage);
    this.figures = new Figures(this.stage);
    this.surfaces = { facts: new FactList(this), reading: new Reading(this) }; // views that are no drawings
    this.stage.append(...Object.values(this.surfaces).map(({ node }) => node));
    this.dragging = new Dragging(this);
  }

  listen() {
    this.listenToPointer();
    this.listenToKeys();
    this.bigClose.addEventListener("click", () => this.choose({ big: null }));
    this.resize = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (width === this.width) return;
      this.width = width;
      this.tallest = 0;
      if (this.frame) this.paint(false);
    });
    this.resize.observe(this.stage);
  }

  destroy() {
    this.resize.disconnect();
    this.unfollow?.();
    clearTimeout(this.storing);
    cancelAnimationFrame(this.grid.fading);
    this.changes.steering.stop();
    this.tools.stop();
  }

  // A new frame from the server (or the same one in another theme): drawn at once.
  update(meta, raw, link) {
    this.prefix = link ?? "";
    if (typeof link === "string") this.unfollow ??= followHash(this);
    this.selection ??= this.unfollow ? readLink(this.prefix) : freshSelection();
    if (this.frame && this.frame.meta.mechanism !== meta.mechanism) this.forgetMaps();
    if (this.frame?.groups.length) Object.assign(this.selection, this.unchosenView());
    this.frame = new Frame(meta, raw);
    this.stampColours();
    this.root.toggleAttribute("data-compact", this.compact);
    this.pointed = null;
    this.changes.steering.hear(meta.change?.edits ?? []);
    this.width ??= Math.floor(this.stage.clientWidth);
    this.paint(true);
    if (this.painted === 1 && this.selection.pin) this.surfaces[this.mode]?.reveal(this.selection.pin.key);
  }

  chooseGroup(group) {
    this.pointed = null;
    this.choose({ ...this.unchosenView(), group, query: null, pin: null, big: null, off: new Set() });
  }

  // What nobody chose: the first view, which may be another one for another input or for other weights.
  unchosenView() {
    return this.selection.view === this.views[0] ? { view: null } : {};
  }

  // Another mechanism has other maps: what was chosen among the old ones means nothing there.
  forgetMaps() {
    Object.assign(this.selection, { group: 0, turn: null, query: null, pin: null, big: null, written: null });
    this.selection.off.clear();
    this.tallest = 0;
  }

  // The chosen weights as they are now.
  get after() {
    return this.whole?.turn(this.selection.turn);
  }

  // The same with all turns.
  get whole() {
    return this.frame.groups[this.selection.group];
  }

  // The weights that are drawn: as they are, as they were before the reader's changes, or what the changes did.
  get group() {
    return this.whole && this.shownOf(this.whole);
  }

  shownOf(whole) {
    const { turn, show } = this.selection;
    const after = whole.turn(turn);
    if (!after.earlier || show === null) return after;
    return show === "before" ? after.earlier : whole.difference.turn(turn);
  }

  get mostHeight() {
    return this.compact ? COMPACT_HEIGHT : MOST_HEIGHT;
  }

  get views() {
    const { meta } = this.frame;
    const { isTable } = this;
    if (this.group?.counts === "fact") {
      if (isTable) return ["matrix", "facts", "arcs"];
      return this.group.Q > 1 ? ["facts", "matrix", "arcs"] : ["facts", "matrix"];
    }
    const patches = meta.grid ? meta.grid[0] * meta.grid[1] : 0;
    const onPicture = this.group && patches > 0 && this.group.K >= patches && this.group.K - patches <= 8;
    if (onPicture) return ["overlay", "matrix"];
    const drawn = isTable ? ["matrix", "tokens", "arcs"] : ["tokens", "matrix", "arcs"];
    if (this.group?.counts !== "token") return drawn;
    if (isTable) return [...drawn, "reading"];
    return this.group.K > LONG_TEXT ? ["reading", ...drawn] : [...drawn, "reading"];
  }

  // Whether it is one map of queries that are other things than the keys: a row for each.
  get isTable() {
    const { M, Q, same } = this.group ?? {};
    return M === 1 && Q > 1 && !same;
  }

  // The point everything is marked at: where the reader points, here or in another picture, else what is pinned.
  get point() {
    const { pin, query } = this.selection;
    return this.pointed ?? this.pointOutside ?? (pin ? { key: pin.key, map: pin.map, query } : null);
  }

  // Where the reader points in another picture. What is a query there may only be a key here.
  get pointOutside() {
    if (!this.outside || !this.group?.of_items) return null;
    const { query, key } = this.outside;
    const { same, Q, K } = this.group;
    const found = same ? { map: null, query, key } : { map: null, query: null, key: key ?? query };
    return (found.key ?? 0) < K && (found.query ?? 0) < Q ? found : null;
  }

  // The query whose row is shown: the one pointed at, else the chosen one; null is the mean over the queries.
  get query() {
    if (this.group.Q === 1) return 0;
    return this.pointed?.query ?? this.pointOutside?.query ?? this.selection.query;
  }

  // What a change is about: the pinned item, map and query; each may be null. `item` is a looked-from word as well.
  get pinned() {
    const { pin, query } = this.selection;
    const { same, M, Q } = this.after;
    const key = pin?.key ?? null;
    const map = pin ? (pin.map ?? (M === 1 ? 0 : null)) : null;
    return { key, item: key ?? (same ? query : null), map, query: Q === 1 ? 0 : query };
  }

  // Marks the same item as another picture, in all maps.
  markFromOutside(item) {
    this.outside = item && { query: item.query ?? null, key: item.key ?? null };
    if (this.frame) this.repaintSoon();
  }

  // Says where the reader is, so that pictures of the same items can mark it too.
  tell() {
    if (!this.onPoint || !this.group?.of_items) return;
    const { pin, query } = this.selection;
    const here = this.pointed ?? (pin || query !== null ? { map: pin?.map, query, key: pin?.key } : null);
    const { map = null, key = null } = here ?? {};
    const point = here && { map, query: this.group.Q === 1 ? null : (here.query ?? null), key };
    if (JSON.stringify(point) === this.told) return;
    this.told = JSON.stringify(point);
    this.onPoint(point);
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
    if (this.unfollow) this.storing = setTimeout(() => this.storeHash(), 120);
  }

  storeHash() {
    if (this.unfollow && this.frame?.groups.length) storeLink(this.prefix, this.selection, this.views[0]);
  }

  readHash() {
    this.selection = readLink(this.prefix);
    if (this.frame) this.paint(false);
  }

  repaintSoon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      if (this.frame) this.paint(false);
    });
  }

  speak() {
    setText(this.live, this.describe() ?? "");
  }

  // What is pointed at, in words: both labels and the exact weight, with what it was before the changes.
  describe() {
    const { point, after } = this;
    if (!point) return null;
    const query = after.Q === 1 ? 0 : (point.query ?? null);
    const from = query === null ? WORDS.meanQueries : after.queries[query];
    if (point.key === null) return `${from} →`;
    const masked = this.marks.masked.has(point.key) ? ` (${WORDS.masked})` : "";
    const maps = typeof point.map === "number" ? [point.map] : this.mapsOn();
    const sum = (group) => maps.reduce((total, map) => total + group.at(map, query, point.key), 0);
    const mean = (group) => sum(group) / Math.max(1, maps.length);
    const weight = mean(after);
    const label = `${this.meanLabel(maps)}: ${from} → ${after.keys[point.key]}${masked}`;
    if (!after.earlier) return `${label} ${full(weight)}`;
    const before = mean(after.earlier);
    return `${label} ${full(weight)} (${WORDS.before} ${full(before)}, ${gained(weight - before)})`;
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
    if (this.compact) return "";
    const { view } = this.selection;
    const hints = { tokens: WORDS.hintSame, overlay: WORDS.hintPatch, reading: WORDS.hintWord };
    const same = this.rowsAreQueries ? WORDS.hintTable : this.group.same && hints[view];
    const hint = same || { overlay: WORDS.hintOverlay, reading: WORDS.hintReading }[view] || WORDS.hint;
    if (this.sentence.hidden && view !== "reading") return hint;
    return `${view === "reading" ? WORDS.tintedText : WORDS.tinted} ${this.tintedBy()}. ${hint}`;
  }

  tintedBy() {
    const { isTable, query, group } = this;
    if (!isTable) return this.meanLabel(this.mapsOn());
    return query === null ? WORDS.meanQueries : `${WORDS.weightsOf} “${group.queries[query]}”`;
  }

  // Looks from a word that was produced, also from one that is not written yet.
  lookFrom(word) {
    const { query, written } = this.selection;
    this.pointed = null;
    if (query === word) this.choose({ query: null });
    else this.choose({ query: word, written: written !== null && word >= written ? word + 1 : written });
  }
}
