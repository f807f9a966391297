// What the reader can change about what is pinned. Each change is one event for the server, see attnviz.changes; the
// picture shows it when the new weights come.

const NUDGE = 0.05; // what a key adds to a weight
const LONGEST_WORD = 60;

class Changes {
  constructor(picture) {
    this.picture = picture;
    this.steering = new Steering(
      (place, weight, gesture) => this.send({ what: "edit", ...place, weight, gesture }),
      () => picture.paint(false),
    );
    this.build();
    this.listen();
  }

  build() {
    this.hint = element("span");
    this.mask = makeAct();
    this.swapText = element("span");
    this.swapWord = element("input", {
      type: "text", maxlength: String(LONGEST_WORD), placeholder: WORDS.swapHint, title: WORDS.swapTitle,
      autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    });
    this.swap = element("form", { class: "swap" }, element("label", {}, this.swapText, this.swapWord));
    this.switches = element("span", { class: "switches" });
    [this.weightLabel, this.weight, this.weightValue] = slider(WORDS.weight);
    this.weight.step = "0.5";
    this.weight.setAttribute("aria-label", WORDS.weight);
    this.weightLabel.title = WORDS.weightTitle;
    this.wayBack = new WayBack((event) => this.send(event));
    const { hint, mask, swap, switches, weightLabel, wayBack } = this;
    const acts = element("div", { class: "acts" }, hint, mask, swap, switches, weightLabel, wayBack.back);
    this.node = element("div", { class: "changes" }, acts, wayBack.said, wayBack.problem);
  }

  listen() {
    const { picture } = this;
    this.mask.addEventListener("click", () => this.toggleMask());
    this.swap.addEventListener("submit", (event) => this.submitSwap(event));
    this.swapWord.addEventListener("keydown", (event) => {
      event.stopPropagation(); // letters are shortcuts on the picture and on the page
      if (event.key === "Escape") picture.stage.focus();
    });
    this.switches.addEventListener("click", ({ target }) => {
      if (target.dataset.axis) this.toggleSwitch(Number(target.dataset.axis));
    });
    this.weight.addEventListener("input", () => {
      if (!this.steering.held) this.steering.begin(this.place);
      this.steerTo((this.total * this.weight.value) / 100);
    });
    this.weight.addEventListener("keydown", () => (this.keyIsHeld = true));
    this.weight.addEventListener("change", () => this.keyIsHeld || this.steering.release());
    for (const end of ["keyup", "focusout"]) picture.root.addEventListener(end, () => this.letGo());
  }

  // A key that is held down is one gesture, however often it repeats.
  letGo() {
    this.keyIsHeld = false;
    if (!this.picture.dragging.isOn) this.steering.release();
  }

  get change() {
    const { frame } = this.picture;
    return (frame?.groups.length && frame.meta.change) || null;
  }

  // A change shows in the weights as they are; who looks at those before would see nothing happen.
  send(event) {
    if (this.picture.selection.show === "before") this.picture.choose({ show: null });
    this.picture.emit(event);
  }

  // Where the pinned weight stands for the server; null where map or query is not definite or it cannot be changed.
  get place() {
    const { pinned, after, marks } = this.picture;
    const { map, query, key } = pinned;
    const definite = [map, query, key].every((part) => part !== null);
    if (!this.change || !definite || marks.masked.has(key) || marks.switchedOff(after, map)) return null;
    return this.totalAt(pinned) > 0 ? { map: after.name, at: after.indexOf(map, query, key) } : null;
  }

  get total() {
    return this.totalAt(this.picture.pinned);
  }

  totalAt({ map, query, key }) {
    return this.picture.after.totalAround(map, query, key);
  }

  // The pinned weight: under the reader's hand, or as it was computed.
  get pinnedWeight() {
    const { pinned, after } = this.picture;
    return this.steering.weight ?? after.at(pinned.map, pinned.query, pinned.key);
  }

  steerTo(weight) {
    this.steering.to(Math.max(0, Math.min(this.total, weight)));
    this.showWeight();
  }

  toggleMask() {
    const { item } = this.picture.pinned;
    this.send({ what: "mask", key: item, on: !this.isMasked(item) });
  }

  isMasked(item) {
    return (this.change.masked ?? []).includes(item);
  }

  submitSwap(event) {
    event.preventDefault();
    const word = this.swapWord.value.trim();
    const { item } = this.picture.pinned;
    if (!word && !(item in (this.change.swapped ?? {}))) return;
    this.send({ what: "swap", key: item, word: word || null });
  }

  // The axes that count maps, with where the pinned map stands on each.
  get switchable() {
    const { pinned, after } = this.picture;
    if (pinned.map === null) return [];
    const index = after.indexOf(pinned.map, 0, 0);
    return after.leading.map(([kind, labels], axis) => {
      const name = labels[index[axis]];
      const off = (this.change.off?.[kind] ?? []).includes(index[axis]);
      return { kind, index: index[axis], name: name.startsWith(kind) ? name : `${kind} ${name}`, off };
    });
  }

  toggleSwitch(axis) {
    const { kind, index, off } = this.switchable[axis];
    this.send({ what: "off", kind, index, on: !off });
  }

  show() {
    const { change } = this;
    setShown(this.node, Boolean(change));
    this.wayBack.show(change);
    if (!change) return;
    const { pinned } = this.picture;
    this.showItem(pinned.item);
    this.showSwitches();
    this.showWeight();
    setLine(this.hint, this.hintFor(pinned));
  }

  hintFor({ item, key, map, query }) {
    const { after, compact, frame, selection } = this.picture;
    if (item === null && key === null) {
      if (compact) return "";
      if (frame.meta.kind === "facts") return WORDS.changeFact;
      return frame.meta.grid ? WORDS.changePatch : selection.view === "reading" ? WORDS.changeText : WORDS.changeWord;
    }
    if (key === null || map === null) return WORDS.chooseCell;
    return query === null && after.normalised !== null ? WORDS.chooseQuery : "";
  }

  showItem(item) {
    const { after, frame, theme } = this.picture;
    const offered = item !== null && after.of_items;
    const inText = offered && frame.meta.kind === "text";
    const isFact = offered && frame.meta.kind === "facts";
    setShown(this.mask, offered);
    setShown(this.swap, inText);
    const word = offered ? after.keys[item] : null;
    if (this.item !== item || this.word !== word) this.swapWord.value = ""; // a word that was refused stays
    Object.assign(this, { item, word });
    if (!offered) return;
    const label = isFact ? `${WORDS.fact} ${item + 1}` : fitted(word, 120, `${SMALL}px ${theme.family}`);
    const name = inText ? `“${label}”` : label;
    const masked = this.isMasked(item);
    setText(this.mask, `${masked ? WORDS.unmask : WORDS.mask} ${name}`);
    setAttribute(this.mask, "title", masked ? WORDS.unmaskTitle : isFact ? WORDS.forgetTitle : WORDS.maskTitle);
    setText(this.swapText, `${WORDS.swap} ${name} ${WORDS.swapFor}`);
  }

  showSwitches() {
    const axes = this.switchable;
    const buttons = keepChildren(this.switches, axes.length, () => makeAct("", WORDS.switchTitle));
    setShown(this.switches, axes.length > 0);
    axes.forEach(({ name, off }, axis) => {
      buttons[axis].dataset.axis = String(axis);
      setText(buttons[axis], `${off ? WORDS.switchOn : WORDS.switchOff} ${name}`);
    });
  }

  showWeight() {
    const can = this.place !== null;
    setShown(this.weightLabel, can);
    if (!can) return;
    const weight = this.pinnedWeight;
    this.weight.value = String((100 * weight) / this.total);
    setText(this.weightValue, full(weight));
    setAttribute(this.weight, "aria-valuetext", full(weight));
  }

  // Whether a key meant a change.
  key(event) {
    if (!this.change) return false;
    if (event.ctrlKey || event.metaKey) return this.wayBack.key(event);
    if (event.altKey || /^(INPUT|SELECT)$/.test(event.composedPath()[0].tagName)) return false;
    const name = event.key.toLowerCase();
    const { item } = this.picture.pinned;
    if (name === "m" && item !== null && this.picture.after.of_items) this.toggleMask();
    else if (name === "o" && this.switchable.length) this.toggleSwitch(this.switchable.length - 1);
    else if (["+", "="].includes(name) && this.place) this.nudge(NUDGE);
    else if (name === "-" && this.place) this.nudge(-NUDGE);
    else return false;
    return true;
  }

  // One gesture until the key is let go.
  nudge(by) {
    const weight = this.pinnedWeight;
    if (!this.steering.held) this.steering.begin(this.place);
    this.steerTo(weight + by);
  }
}
