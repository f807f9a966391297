// Several pictures beside each other: what is pointed at in one is marked in all, and below stands what differs.

const BOARD_WORDS = {
  pair: "panels", difference: "Difference", more: "Prediction and spread",
  validated: "on validation data", panel: "Panel",
};
const NUMBERS = { float32: Float32Array, uint16: Uint16Array };

// A part of the message's bytes as numbers. A copy: it may begin where numbers cannot be read in place.
function numbersAt(bytes, { start, count, kind }) {
  const Numbers = NUMBERS[kind];
  return new Numbers(bytes.slice(start, start + count * Numbers.BYTES_PER_ELEMENT).buffer);
}

class Board {
  constructor(root, send) {
    this.root = root;
    root.board = this; // for whoever looks into it: tests, and a reader's console
    this.send = send;
    this.panels = [];
    this.points = new Map(); // pictures and where the reader is in them, the newest last
    this.painted = 0;
    this.onEntry = whenHashIsDropped(() => this.meta && this.storeNow());
    window.navigation?.addEventListener("currententrychange", this.onEntry); // before those of the pictures: see there
    this.onHash = () => this.meta && location.hash.includes("=") && this.readHash();
    window.addEventListener("hashchange", this.onHash);
    this.build();
  }

  build() {
    this.above = element("p", { class: "above" });
    this.list = element("div", { class: "panels" });
    this.choice = element("div", { class: "choice", role: "group", "aria-label": BOARD_WORDS.pair });
    this.problem = element("p", { class: "problem" });
    const picture = element("div", { class: "attnviz-picture", role: "group" });
    this.drawn = element("div", { class: "difference" }, this.problem, picture);
    this.table = new PairTable();
    const title = element("h3", { text: BOARD_WORDS.difference });
    const head = element("div", { class: "pairhead" }, title, this.choice);
    this.below = element("section", { class: "pair" }, head, this.drawn, this.table.node);
    this.root.replaceChildren(this.above, this.list, this.below);
    this.difference = new Picture(picture, { emit: () => undefined, compact: true });
    this.difference.onPoint = (point) => this.hear(this.difference, point);
    this.choice.addEventListener("click", ({ target }) => {
      if (target.dataset.pair) this.choose({ pair: target.dataset.pair });
    });
  }

  destroy() {
    window.navigation?.removeEventListener("currententrychange", this.onEntry);
    window.removeEventListener("hashchange", this.onHash);
    for (const picture of this.pictures) picture.destroy();
  }

  get pictures() {
    return [...this.panels.map((panel) => panel.picture), this.difference];
  }

  update(meta, bytes) {
    this.meta = meta;
    this.bytes = bytes;
    this.chosen ??= readBoardLink();
    stampTheme(this.root);
    setText(this.above, meta.hint ?? "");
    setShown(this.above, Boolean(meta.hint));
    while (this.panels.length > meta.panels.length) this.panels.pop().remove();
    while (this.panels.length < meta.panels.length) this.panels.push(new Panel(this, this.panels.length));
    setAttribute(this.root, "aria-label", meta.panels.map(({ number, frame }) => `${number}: ${frame.title}`).join(", "));
    meta.panels.forEach((panel, i) => this.panels[i].update(panel, bytes));
    this.showPair();
    if (this.points.size) this.mark(); // what a picture said before the others were there
    this.root.dataset.text = meta.panels.at(-1)?.frame.text ?? "";
    this.root.dataset.panels = String(meta.panels.length);
    this.root.dataset.painted = String(++this.painted);
  }

  // The chosen pair; the first one where there is no such pair.
  get pair() {
    const { pairs } = this.meta;
    return pairs.find((pair) => this.nameOf(pair) === this.chosen.pair) ?? pairs[0];
  }

  nameOf(pair) {
    return pair.of.map((i) => this.meta.panels[i].number).join(".");
  }

  choose(change) {
    Object.assign(this.chosen, change);
    storeBoardLink(this.chosen);
    this.showPair();
    for (const panel of this.panels) panel.showMore();
  }

  readHash() {
    this.chosen = readBoardLink();
    this.showPair();
    for (const panel of this.panels) panel.showMore();
  }

  // All pictures write what is theirs behind the #, and the board what is its own.
  storeNow() {
    storeBoardLink(this.chosen);
    for (const picture of this.pictures) picture.storeNow();
  }

  showPair() {
    const { meta, pair } = this;
    setShown(this.below, Boolean(pair));
    if (!pair) return;
    const names = meta.pairs.map((p) => [this.nameOf(p), this.nameOf(p).replace(".", " and "), p === pair]);
    choices(this.choice, names, "pair");
    setShown(this.choice, names.length > 1);
    setShown(this.problem, Boolean(pair.problem));
    setText(this.problem, pair.problem ?? "");
    setShown(this.difference.root, !pair.problem);
    if (!pair.problem) this.difference.update(pair.frame, this.subtracted(pair), "d.");
    this.table.show(meta, pair);
  }

  // The numbers of a difference: as they came, or the second panel's map minus the first one's.
  subtracted(pair) {
    if (!pair.minus) return numbersAt(this.bytes, pair.numbers);
    const [of, taken] = pair.minus.map((group, i) => this.panels[pair.of[1 - i]].picture.frame.groups[group]);
    const count = of.M * of.Q * of.K;
    const found = new Float32Array(count);
    for (let i = 0; i < count; i++) found[i] = of.raw[i] * of.unit + of.base - (taken.raw[i] * taken.unit + taken.base);
    return found;
  }

  // A picture says where the reader is in it, or null. The one that spoke last is heard; after it, what is pinned.
  hear(from, point) {
    this.points.delete(from);
    if (point) this.points.set(from, point);
    this.mark();
  }

  mark() {
    const [from, point] = [...this.points].at(-1) ?? [null, null];
    for (const picture of this.pictures) {
      if (!picture.frame?.groups.length) continue;
      picture.markFromOutside(picture === from || !point ? null : samePlace(from, point, picture));
    }
  }
}

class Panel {
  constructor(board, index) {
    this.board = board;
    this.number = element("span", { class: "count" });
    this.title = element("span", { class: "strong" });
    this.badge = element("span", { class: "badge", text: WORDS.untrained });
    this.about = element("span", { class: "about" });
    this.said = element("p", { class: "predicted" });
    this.more = element("button", { class: "plain", type: "button", text: BOARD_WORDS.more });
    const line = element("p", {}, this.number, this.title, this.badge, this.about);
    const head = element("div", { class: "panelhead" }, line, element("div", { class: "predictedline" }, this.said, this.more));
    const root = element("div", { class: "attnviz-picture", role: "group" });
    this.node = element("article", { class: "panel" }, head, root);
    board.list.append(this.node);
    this.picture = new Picture(root, { emit: (event) => board.send({ ...event, panel: index }), compact: true });
    this.picture.onPoint = (point) => board.hear(this.picture, point);
    this.more.addEventListener("click", () => board.choose({ more: !board.chosen.more }));
  }

  remove() {
    this.board.points.delete(this.picture);
    this.picture.destroy();
    this.node.remove();
  }

  update({ number, frame, numbers, options, figures }, bytes) {
    setText(this.number, number);
    setText(this.title, frame.title);
    setAttribute(this.node, "aria-label", `${BOARD_WORDS.panel} ${number}`);
    setShown(this.badge, !frame.trained);
    const { accuracy } = figures;
    const good = accuracy.number === null ? "" : `${accuracy.text} ${BOARD_WORDS.validated}`;
    setText(this.about, [options, good].filter(Boolean).join(" · "));
    this.showPrediction(frame.prediction);
    this.picture.update(frame, numbersAt(bytes, numbers), `p${number}.`);
    this.showMore();
  }

  // The three most probable classes; all of them are one click away.
  showPrediction(prediction) {
    if (!prediction) {
      this.said.replaceChildren();
      return;
    }
    const { labels, probabilities } = prediction;
    const order = labels.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
    const nodes = keepChildren(this.said, Math.min(3, order.length), () => element("span"));
    [...nodes].forEach((node, place) => {
      setText(node, `${labels[order[place]]} ${probabilities[order[place]].toFixed(2)}`);
      node.classList.toggle("strong", place === 0);
    });
  }

  showMore() {
    const { more } = this.board.chosen;
    this.node.classList.toggle("more", more);
    setAttribute(this.more, "aria-expanded", String(more));
  }
}

// The same item in another picture: at the same place where both have as many items, else the one of the same name.
function samePlace(from, point, to) {
  if (!point) return null;
  const { keys, same } = from.group;
  const there = to.group.keys;
  const found = (index) => {
    if (index === null || keys.length === there.length) return index;
    const at = there.indexOf(keys[index]);
    return at < 0 ? null : at;
  };
  const item = { key: found(point.key), query: same ? found(point.query) : null };
  return item.key === null && item.query === null ? null : item;
}

function readBoardLink() {
  const given = new URLSearchParams(location.hash.replace(/^#/, ""));
  return { pair: given.get("pair"), more: given.get("more") === "1" };
}

function storeBoardLink({ pair, more }) {
  keepInHash({ pair: pair === "1.2" ? null : pair, more: more ? "1" : null });
}

// Streamlit drops what is behind the # when it writes the rest of the link; a listener that then stores it again.
function whenHashIsDropped(store) {
  const page = location.pathname;
  return ({ navigationType }) => {
    const byScript = navigationType === "push" || navigationType === "replace";
    if (byScript && !location.hash && location.pathname === page) store();
  };
}

// Writes names and values behind the #, beside what else stands there; null takes a name out.
function keepInHash(values) {
  const kept = new URLSearchParams(location.hash.includes("=") ? location.hash.replace(/^#/, "") : "");
  for (const [name, value] of Object.entries(values)) {
    if (value === null) kept.delete(name);
    else kept.set(name, value);
  }
  const wanted = kept.toString();
  if (wanted === location.hash.replace(/^#/, "")) return;
  history.replaceState(history.state, "", location.pathname + location.search + (wanted ? `#${wanted}` : ""));
}

function stampTheme(root) {
  const theme = readTheme(root);
  root.dataset.theme = theme.name;
  for (const name of ["paper", "ink", "soft", "line", "accent"]) root.style.setProperty(`--${name}`, theme[name]);
  return theme;
}

// A function for Streamlit: draws into the component's element of that class, once made by `make(root, send)`.
function mountInto(selector, make) {
  const made = new WeakMap();
  return ({ data, parentElement, setTriggerValue }) => {
    const root = parentElement.querySelector(selector);
    if (!root || !data) return undefined;
    let shown = made.get(root);
    if (!shown) {
      root.parentNode.insertBefore(element("style", { text: STYLE }), root);
      shown = make(root, (event) => setTriggerValue("event", event));
      made.set(root, shown);
    }
    shown.update(data.meta, data.weights.getChild("w").toArray());
    return () => {
      shown.destroy();
      made.delete(root);
    };
  };
}

(globalThis.attnvizCanvas ??= {}).board = mountInto(".attnviz-board", (root, send) => new Board(root, send));
