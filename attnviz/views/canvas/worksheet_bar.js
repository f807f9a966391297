// Above the lines: the place that is looked at, the way back, what is predicted, and the lines by name.

class WorksheetBar {
  constructor(sheet) {
    this.sheet = sheet;
    this.places = element("div", { class: "ws-places" });
    this.mask = element("button", { class: "ws-small", type: "button" });
    this.mask.addEventListener("click", () => sheet.toggleMask());
    this.prediction = element("div", { class: "ws-prediction", "aria-live": "polite" });
    this.contents = element("nav", { class: "ws-contents", "aria-label": LINE_WORDS.contents });
    this.contents.addEventListener("click", ({ target }) => {
      if (target.dataset.line) sheet.reveal(Number(target.dataset.line));
    });
    this.top = element("div", { class: "ws-bar" }, this.places, this.mask, this.prediction);
    this.node = element("div", { class: "ws-head" }, this.top, this.contents);
  }

  show() {
    const { sheet } = this;
    const { meta, place } = sheet;
    const keys = meta.keys === null ? [] : meta.labels[meta.keys];
    const offered = meta.places.map(({ kind, labels }) => ({ kind, name: kind, labels, chosen: place[kind] ?? 0 }));
    if (sheet.turns.length > 1) offered.unshift(this.turnPlace(sheet));
    if (keys.length > 1) offered.push({ kind: "", name: LINE_WORDS.key, labels: keys, chosen: sheet.key });
    const made = keepChildren(this.places, offered.length, () => this.makePlace());
    offered.forEach((one, i) => this.paintPlace(made[i], one));
    setShown(this.mask, Boolean(meta.change) && keys.length > 0);
    const masked = (meta.change?.masked ?? []).includes(sheet.key);
    setText(this.mask, masked ? LINE_WORDS.unmask : LINE_WORDS.mask);
    setAttribute(this.mask, "aria-pressed", String(masked));
    this.showPrediction(meta);
    this.showContents(meta.lines);
  }

  // Lines that are repeated, as those of hops are: all of them, or one turn at a time.
  turnPlace({ turns, turn }) {
    const [kind] = turns[0].split(" ");
    return { kind: TURN, name: kind, labels: [LINE_WORDS.all, ...turns], chosen: turn };
  }

  makePlace() {
    const select = element("select");
    const made = element("label", {}, element("span"), select);
    select.addEventListener("change", () => this.sheet.choose(made.kind, Number(select.value)));
    return made;
  }

  paintPlace(node, { kind, name, labels, chosen }) {
    const [title, select] = node.children;
    node.kind = kind;
    setText(title, name);
    const options = keepChildren(select, labels.length, () => element("option"));
    labels.forEach((label, i) => {
      setText(options[i], label);
      options[i].value = String(i);
    });
    select.value = String(chosen);
  }

  showPrediction({ prediction, before }) {
    setShown(this.prediction, Boolean(prediction));
    if (!prediction) return;
    if (prediction.text) {
      const was = before?.prediction && before.prediction.text !== prediction.text;
      setText(this.prediction, `→ ${prediction.text}${was ? ` (${LINE_WORDS.was} ${before.prediction.text})` : ""}`);
      return;
    }
    const best = largestOf(prediction.probabilities);
    const now = full(prediction.probabilities[best]);
    const old = before?.prediction ? full(before.prediction.probabilities[best]) : now;
    setText(this.prediction, `→ ${prediction.labels[best]} ${now}${old === now ? "" : ` (${LINE_WORDS.was} ${old})`}`);
  }

  showContents(lines) {
    const made = keepChildren(this.contents, lines.length, () => element("button", { type: "button" }));
    lines.forEach((line, i) => {
      setText(made[i], `${i + 1} ${line.name}`);
      made[i].dataset.line = String(i);
    });
  }
}
