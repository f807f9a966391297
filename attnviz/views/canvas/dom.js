// Small helpers for the page's elements. Text only ever goes in as textContent: a token is never markup.

const WORDS = {
  tokens: "tokens", matrix: "matrix", arcs: "arcs", overlay: "overlay", facts: "facts", reading: "reading",
  views: "view", hide: "hide below", opacity: "opacity", group: "weights", query: "query",
  meanQueries: "mean over queries", prediction: "Prediction", independent: "independent yes/no per class",
  each: "each word's own probability", untrained: "untrained", spread: "How spread out", words: "effective number of words, entropy",
  patches: "effective number of patches, entropy", factNumber: "effective number of facts, entropy", enlarge: "enlarge", close: "close", largest: "largest",
  free: "does not sum to one", more: "more", less: "fewer",
  toggle: "click: hide or show; double click: show only this one",
  hint: "Point at a cell to read its weight; click to pin it.",
  hintSame: "Click a word to look from there; point at a cell to read its weight.",
  hintOverlay: "Point at a patch to read its weight; click to pin it.",
  hintPatch: "Click a patch to look from there; point at one to read its weight.",
  hintWord: "Click a word to look from there; point at one to read its weight.",
  hintReading: "Point at a word to read its weight; click to pin it.",
  tinted: "The sentence shows the", tintedText: "The text shows the",
  find: "find the largest", findTitle: "goes to the largest weight, map by map, and pins it",
  overview: "where the weight is; click to go there", linesUnder: "lines under a word, from the top:",
  noLines: "double click a name to read with it alone", target: "target",
  mean: "mean of",
  masked: "masked", off: "off", hidden: "hidden", was: "was",
  show: "before or after the changes", after: "after", before: "before", difference: "difference",
  afterBefore: "after − before", same: "the same",
  changeWord: "Click a word or a cell to change it.", changePatch: "Click a patch to change it.",
  changeFact: "Click a fact or a cell to change it.", changeText: "Click a word to change it.", fact: "fact",
  forgetTitle: "it is forgotten: no weight goes to it (key m)",
  chooseCell: "Click a cell to change one weight.", chooseQuery: "Choose a query to change one weight.",
  mask: "mask", unmask: "unmask", maskTitle: "gives it no weight (key m)", unmaskTitle: "gives it weight again (key m)",
  swap: "swap", swapFor: "for", swapHint: "another word", swapTitle: "Enter swaps; nothing brings the old word back",
  switchOff: "switch off", switchOn: "switch on", switchTitle: "its weights become zero (key o)",
  weight: "weight", weightTitle: "the rest shares what is left; or drag the cell up and down, or press + and −",
  takeBack: "take back:", undo: "undo", redo: "redo", reset: "reset",
  play: "play", stop: "stop", playTurns: "goes through them one by one",
  upTo: "up to", written: "written so far", playWritten: "writes it word by word", weightsOf: "weights of",
  hintTable: "Click a word on the left to see where it looks; point at a cell to read its weight.",
  undoTitle: "Ctrl+Z", redoTitle: "Ctrl+Y or Ctrl+Shift+Z", resetTitle: "takes back all changes",
};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// Exactly `count` children, made by `make` where missing; those that exist are kept, so typing moves nothing needlessly.
function keepChildren(parent, count, make) {
  while (parent.childElementCount > count) parent.lastElementChild.remove();
  while (parent.childElementCount < count) parent.append(make(parent.childElementCount));
  return parent.children;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function setShown(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

// A line of text that is not there while it has nothing to say.
function setLine(node, text) {
  setShown(node, Boolean(text));
  setText(node, text ?? "");
}

// A canvas of that size in CSS pixels, sharp on any screen; its bitmap is only made anew when the size changes.
function sized(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 3);
  const across = Math.max(1, Math.round(width * ratio));
  const down = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

const measured = new Map();
const ruler = document.createElement("canvas").getContext("2d");

function textWidth(text, font) {
  const name = `${font}|${text}`;
  let width = measured.get(name);
  if (width === undefined) {
    if (measured.size > 5000) measured.clear();
    ruler.font = font;
    width = ruler.measureText(text).width;
    measured.set(name, width);
  }
  return width;
}

// The text cut to a width, with an ellipsis; whole where it fits.
function fitted(text, width, font) {
  if (textWidth(text, font) <= width) return text;
  const letters = Array.from(text);
  let low = 1;
  let high = letters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (textWidth(`${letters.slice(0, middle).join("")}…`, font) <= width) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join("")}…`;
}

// The name of a map of two parts, “very negative · head 3”, cut so that what tells it from its neighbours stays.
function fittedName(name, width, font) {
  const parts = name.split(" · ");
  if (parts.length < 2 || textWidth(name, font) <= width) return name;
  const tail = ` · ${parts.at(-1).split(" ").at(-1)}`;
  const cut = fitted(parts[0], width - textWidth(tail, font), font);
  const number = / (\d+)$/.exec(parts[0])?.[1]; // of “hop 2 · left” only the number tells it from “hop 3 · left”
  return `${number && cut !== parts[0] ? number : cut}${tail}`;
}

// A weight as it stands in a cell: .86, 1, −.12, 2.4
function short(weight) {
  const size = Math.abs(weight);
  if (size >= 9.95) return Math.round(weight).toString().replace("-", "−");
  const digits = size >= 0.995 ? (size < 1.005 ? 0 : 1) : 2;
  return weight.toFixed(digits).replace(/^(-?)0\./, "$1.").replace("-", "−");
}

// A weight in full: four decimals, or two digits where that would show next to nothing.
function full(weight) {
  const tiny = weight !== 0 && Math.abs(weight) < 0.00095;
  return (tiny ? weight.toExponential(1) : weight.toFixed(4)).replaceAll("-", "−");
}

// What a weight has gained or lost, with its sign.
function gained(difference) {
  const size = Math.abs(difference).toFixed(4);
  if (Number(size) === 0) return WORDS.same;
  return (difference < 0 ? "−" : "+") + size;
}

function signedShort(difference) {
  return (difference < 0 ? "−" : "+") + Math.abs(difference).toFixed(2);
}
