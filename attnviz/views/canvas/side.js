// Beside and below the picture: the prediction, how spread out each map is, and one sentence in words.

const MOST_CLASSES = 10;
const LEAST_GAIN = 0.005; // what is less does not show in two decimals
const LEAST_SPREAD = 0.05;

class Side {
  // `look(word)` is called with the place of a produced word that was clicked.
  constructor(parent, belowParent, look) {
    this.badge = element("span", { class: "badge", text: WORDS.untrained });
    this.note = element("span", { class: "note" });
    this.note.classList.add("line");
    this.was = element("span", { class: "note" });
    const title = element("span", { text: WORDS.prediction });
    this.predictionTitle = element("h3", {}, title, this.badge, this.was, this.note);
    this.prediction = element("div", { class: "bars", role: "list" });
    this.more = element("button", { class: "plain", type: "button" });
    this.spreadNote = element("span", { class: "note" });
    this.spreadTitle = element("h3", {}, element("span", { text: WORDS.spread }), this.spreadNote);
    this.spreadNote.classList.add("line");
    this.spread = element("div", { class: "bars spread", role: "list" });
    this.produced = element("p", { class: "produced", "aria-live": "polite" });
    this.producedBefore = element("p", { class: "predicted" });
    const produced = [this.produced, this.producedBefore];
    this.predictionPart = element("section", {}, this.predictionTitle, ...produced, this.prediction, this.more);
    this.spreadPart = element("section", {}, this.spreadTitle, this.spread);
    parent.append(this.predictionPart, this.spreadPart);
    this.words = element("p", { class: "words" });
    belowParent.append(this.words);
    this.all = false;
    this.listenToProduced(look);
    this.more.addEventListener("click", () => {
      this.all = !this.all;
      this.showPrediction(this.meta);
    });
  }

  show(meta, group, off, family) {
    this.family = family;
    this.meta = meta;
    setShown(this.badge, !meta.trained);
    this.showPrediction(meta);
    this.showSpread(meta, group, off);
    this.showWords(meta.words ?? []);
  }

  showPrediction({ prediction, before }) {
    setShown(this.predictionPart, Boolean(prediction));
    if (!prediction) return;
    const { labels, probabilities, independent, sequence } = prediction;
    setText(this.note, sequence ? WORDS.each : independent ? WORDS.independent : "");
    this.showProduced(prediction, before?.prediction);
    const sameLabels = before?.prediction?.labels.join() === labels.join();
    const earlier = sameLabels ? before.prediction.probabilities : null;
    const best = sequence ? -1 : largestOf(probabilities);
    if (!sequence) this.showWas(labels, earlier, best);
    let order = labels.map((_, i) => i);
    if (labels.length > MOST_CLASSES && !sequence) order.sort((a, b) => probabilities[b] - probabilities[a]);
    if (labels.length > MOST_CLASSES && !this.all) order = order.slice(0, MOST_CLASSES);
    setShown(this.more, labels.length > MOST_CLASSES);
    setText(this.more, this.all ? WORDS.less : `${labels.length - MOST_CLASSES} ${WORDS.more}`);
    const font = `600 ${SMALL}px ${this.family}`;
    const widest = Math.max(0, ...labels.map((label) => textWidth(label, font)));
    this.prediction.style.setProperty("--label", `${Math.min(128, Math.max(64, Math.ceil(widest) + 2))}px`);
    const rows = keepChildren(this.prediction, order.length, () => bar(true));
    order.forEach((i, at) => {
      fillBar(rows[at], labels[i], probabilities[i], probabilities[i].toFixed(2));
      rows[at].classList.toggle("best", i === best);
      const gain = earlier ? probabilities[i] - earlier[i] : 0;
      const gained = Math.abs(gain) >= LEAST_GAIN;
      ghost(rows[at], gained ? earlier[i] : null);
      setText(rows[at].parts.gain, gained ? signedShort(gain) : "");
    });
    this.prediction.classList.toggle("compared", Boolean(earlier));
  }

  // Words that were produced one after the other, as a text; crossed out below it what they were before the changes.
  showProduced(prediction, before) {
    setShown(this.produced, prediction.sequence);
    setShown(this.producedBefore, Boolean(prediction.sequence && before && before.labels.join() !== prediction.labels.join()));
    if (!prediction.sequence) return;
    setShown(this.was, false);
    this.writeProduced(prediction.labels);
    setText(this.producedBefore, `${WORDS.was} ${before?.labels.join(" ") ?? ""}`);
  }

  writeProduced(labels) {
    if (this.produced.textContent === labels.join(" ")) return;
    const words = labels.flatMap((label) => [element("span", { role: "button", class: "made", text: label }), " "]);
    this.produced.replaceChildren(...words.slice(0, -1));
  }

  listenToProduced(look) {
    const place = ({ target }) => (target.tabIndex === 0 ? [...this.produced.children].indexOf(target) : -1);
    this.produced.addEventListener("click", (event) => place(event) >= 0 && look(place(event)));
    this.produced.addEventListener("keydown", (event) => {
      if (!["Enter", " "].includes(event.key) || place(event) < 0) return;
      look(place(event));
      swallow(event);
    });
  }

  // Which word is looked from, and how many are written; null where the weights are not those of the words.
  markProduced(place) {
    [...this.produced.children].forEach((word, i) => {
      setAttribute(word, "tabindex", place ? "0" : "-1");
      setAttribute(word, "aria-pressed", String(place?.query === i));
      word.classList.toggle("later", Boolean(place) && place.written !== null && i >= place.written);
    });
  }

  // Where the changes made another class the most probable one, the title says which it was.
  showWas(labels, earlier, best) {
    const was = earlier ? largestOf(earlier) : best;
    setShown(this.was, was !== best);
    setText(this.was, was === best ? "" : `${WORDS.was} ${labels[was]} ${earlier[was].toFixed(2)}`);
  }

  showSpread(meta, group, off) {
    const spread = group?.spread ?? [];
    setShown(this.spreadPart, spread.length > 0);
    const counted = group?.counts === "fact" ? WORDS.factNumber : WORDS.words;
    setText(this.spreadNote, meta.kind === "image" ? WORDS.patches : counted);
    const font = `${SMALL}px ${this.family}`;
    const widest = Math.max(0, ...spread.map(({ label }) => textWidth(label, font)));
    const room = Math.min(128, Math.max(64, Math.ceil(widest) + 2));
    this.spread.style.setProperty("--label", `${room}px`);
    const most = Math.max(group?.K ?? 1, ...spread.map((entry) => entry.effective));
    const rows = keepChildren(this.spread, spread.length, () => bar(false));
    spread.forEach(({ label, effective, entropy }, i) => {
      fillBar(rows[i], label, effective / most, effective.toFixed(1), fittedName(label, room, font));
      setText(rows[i].parts.second, `${entropy.toFixed(2)} bit`);
      setAttribute(rows[i], "title", `${label}: entropy ${entropy.toFixed(4)} bit, 2^entropy = ${effective.toFixed(2)}`);
      const before = group.spread_before?.[i].effective ?? effective;
      ghost(rows[i], Math.abs(before - effective) >= LEAST_SPREAD ? before / most : null);
      rows[i].classList.toggle("off", off.has(i));
    });
  }

  showWords(pieces) {
    const nodes = keepChildren(this.words, pieces.length, () => element("span"));
    pieces.forEach(([text, emphasised], i) => {
      setText(nodes[i], text);
      nodes[i].classList.toggle("strong", Boolean(emphasised));
    });
  }
}

function bar(strong) {
  const label = element("span", { class: "label" });
  const fill = element("span", { class: "fill" });
  const before = element("span", { class: "ghost", title: WORDS.before });
  const value = element("span", { class: "value" });
  const gain = element("span", { class: "gain" });
  const second = element("span", { class: "second" });
  const row = element("div", { class: strong ? "bar" : "bar soft", role: "listitem" });
  row.append(label, element("span", { class: "track" }, fill, before), value, strong ? gain : second);
  row.parts = { label, fill, value, gain, second, before };
  return row;
}

// A thin line where the bar ended before the changes.
function ghost(row, share) {
  setShown(row.parts.before, share !== null);
  if (share !== null) row.parts.before.style.left = `${100 * Math.max(0, Math.min(1, share))}%`;
}

function fillBar(row, label, share, value, shown = label) {
  setText(row.parts.label, shown);
  setAttribute(row.parts.label, "title", label);
  setText(row.parts.value, value);
  row.parts.fill.style.transform = `scaleX(${Math.max(0.006, Math.min(1, share || 0))})`;
}
