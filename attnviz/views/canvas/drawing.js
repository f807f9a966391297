// A drawing pad of 28 by 28 cells, bright ink on black as MNIST has it, with a soft brush: mouse, finger, pen or keys.

const PAD = 28;
const PAD_LEVELS = 15; // a cell's ink from none to full, four bits in the text that is sent
const PAD_CELL = 8; // CSS pixels
const BRUSH = { full: 0.7, none: 1.75 }; // cells from the middle of the brush: full ink up to there, none beyond
const DRAW_EVERY = 120; // milliseconds between what is sent during a stroke
const DRAWING_WORDS = {
  clear: "clear", undo: "undo", empty: "draw here",
  keys: "Keys: arrows move, Space draws, Ctrl+Z takes back.",
  pad: "drawing pad, 28 by 28. Arrow keys move the brush; it draws while Space is held",
  at: (row, column) => `row ${row + 1}, column ${column + 1}`,
};

class Drawing {
  constructor(input) {
    this.input = input;
    this.ink = new Uint8Array(PAD * PAD);
    this.past = [];
    this.cursor = [PAD / 2, PAD / 2]; // column, row
    this.pad = element("canvas", { class: "pad", tabindex: "0", role: "application" });
    this.clear = element("button", { type: "button", class: "plain act", text: DRAWING_WORDS.clear });
    this.back = element("button", { type: "button", class: "plain act", text: DRAWING_WORDS.undo });
    this.said = element("span", { class: "unseen", role: "status" });
    const keys = element("span", { class: "keys", text: DRAWING_WORDS.keys });
    const below = element("div", { class: "below" }, this.clear, this.back, keys, this.said);
    this.node = element("div", { class: "drawing" }, this.pad, below);
    this.listen();
  }

  listen() {
    const { pad } = this;
    this.clear.addEventListener("click", () => {
      this.begin();
      this.ink.fill(0);
      this.end();
    });
    this.back.addEventListener("click", () => this.undo());
    pad.addEventListener("pointerdown", (event) => {
      if (event.button > 0) return;
      event.preventDefault(); // a finger draws and does not scroll
      pad.focus({ preventScroll: true });
      pad.setPointerCapture(event.pointerId);
      this.begin();
      this.byKeys = false;
      this.last = this.placeOf(event);
      this.stroke(this.last);
    });
    pad.addEventListener("pointermove", (event) => {
      if (!this.drawing || this.byKeys) return;
      const all = event.getCoalescedEvents?.() ?? [];
      for (const one of all.length ? all : [event]) this.stroke(this.placeOf(one));
    });
    for (const name of ["pointerup", "pointercancel", "blur"]) pad.addEventListener(name, () => this.end());
    pad.addEventListener("focus", () => this.paint());
    pad.addEventListener("keydown", (event) => this.keyDown(event));
    pad.addEventListener("keyup", ({ key }) => {
      if (key === " ") this.end();
    });
  }

  destroy() {
    clearTimeout(this.timer);
  }

  keyDown(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const takesBack = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey);
    if (!step && !takesBack && event.key !== " ") return;
    event.preventDefault();
    if (takesBack) this.undo();
    else if (step) this.goTo(this.cursor.map((place, i) => Math.max(0, Math.min(PAD - 1, place + step[i]))));
    else if (!this.drawing) this.press();
  }

  press() {
    this.begin();
    this.byKeys = true;
    this.last = this.cursor.map((place) => place + 0.5);
    this.stroke(this.last);
  }

  goTo(cursor) {
    this.cursor = cursor;
    this.byKeys = true;
    if (this.drawing) this.stroke(cursor.map((place) => place + 0.5));
    setText(this.said, DRAWING_WORDS.at(cursor[1], cursor[0]));
    this.paint();
  }

  meet({ label }) {
    setAttribute(this.pad, "aria-label", `${label}: ${DRAWING_WORDS.pad}`);
    this.paint();
  }

  show(value) {
    this.ink = inkOf(value);
    this.past = [];
    this.paint();
  }

  placeOf({ clientX, clientY }) {
    const box = this.pad.getBoundingClientRect();
    return [((clientX - box.left) / box.width) * PAD, ((clientY - box.top) / box.height) * PAD];
  }

  begin() {
    this.end();
    this.past = [...this.past.slice(-49), this.ink.slice()];
    this.drawing = true;
  }

  // Ink from the last place to this one, in steps smaller than a cell.
  stroke(place) {
    const [x, y] = this.last;
    const far = Math.hypot(place[0] - x, place[1] - y);
    const steps = Math.max(1, Math.ceil(far * 3));
    for (let i = 1; i <= steps; i++) this.dab(x + ((place[0] - x) * i) / steps, y + ((place[1] - y) * i) / steps);
    this.last = place;
    this.paint();
    this.timer ??= setTimeout(() => this.send(), DRAW_EVERY);
  }

  dab(x, y) {
    const reach = BRUSH.none + 0.5;
    const [top, bottom] = [Math.max(0, Math.floor(y - reach)), Math.min(PAD - 1, Math.ceil(y + reach))];
    const [left, right] = [Math.max(0, Math.floor(x - reach)), Math.min(PAD - 1, Math.ceil(x + reach))];
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const away = Math.hypot(column + 0.5 - x, row + 0.5 - y);
        const ink = Math.round(PAD_LEVELS * Math.min(1, (BRUSH.none - away) / (BRUSH.none - BRUSH.full)));
        const i = row * PAD + column;
        if (ink > this.ink[i]) this.ink[i] = ink;
      }
    }
  }

  end() {
    if (!this.drawing) return;
    this.drawing = false;
    this.send();
  }

  undo() {
    this.end();
    if (!this.past.length) return;
    this.ink = this.past.pop();
    this.send();
  }

  send() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.paint();
    this.input.write(textOfInk(this.ink));
  }

  paint() {
    const context = sized(this.pad, PAD * PAD_CELL, PAD * PAD_CELL);
    const isEmpty = this.ink.every((ink) => ink === 0);
    context.fillStyle = "#000000";
    context.fillRect(0, 0, PAD * PAD_CELL, PAD * PAD_CELL);
    this.ink.forEach((ink, i) => {
      const grey = Math.round((ink / PAD_LEVELS) * 255);
      if (ink) context.fillStyle = `rgb(${grey},${grey},${grey})`;
      if (ink) context.fillRect((i % PAD) * PAD_CELL, Math.floor(i / PAD) * PAD_CELL, PAD_CELL, PAD_CELL);
    });
    context.strokeStyle = "rgba(255,255,255,0.09)";
    for (let i = 1; i < PAD; i++) {
      context.strokeRect(i * PAD_CELL, -1, 0, PAD * PAD_CELL + 2);
      context.strokeRect(-1, i * PAD_CELL, PAD * PAD_CELL + 2, 0);
    }
    if (isEmpty) this.paintHint(context);
    if (this.byKeys && this.pad.matches(":focus")) this.paintCursor(context);
    this.clear.disabled = isEmpty;
    this.back.disabled = !this.past.length;
    this.pad.dataset.ink = String(this.ink.reduce((sum, ink) => sum + ink, 0));
  }

  paintHint(context) {
    context.fillStyle = "#b8c0cf";
    context.font = `15px ${this.input.theme.family}`;
    context.textAlign = "center";
    context.fillText(DRAWING_WORDS.empty, (PAD * PAD_CELL) / 2, (PAD * PAD_CELL) / 2);
  }

  paintCursor(context) {
    context.strokeStyle = "#ff922b"; // the pad is black in both themes
    context.lineWidth = 2;
    context.strokeRect(this.cursor[0] * PAD_CELL, this.cursor[1] * PAD_CELL, PAD_CELL, PAD_CELL);
  }
}

// The cells row by row, two in a byte, as base64 for links; an empty pad is an empty text.
function textOfInk(ink) {
  if (ink.every((level) => level === 0)) return "";
  let bytes = "";
  for (let i = 0; i < ink.length; i += 2) bytes += String.fromCharCode(ink[i] * 16 + ink[i + 1]);
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function inkOf(text) {
  const ink = new Uint8Array(PAD * PAD);
  if (!text) return ink;
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  for (let i = 0; i < ink.length; i++) ink[i] = (bytes.charCodeAt(i >> 1) >> (i % 2 ? 0 : 4)) & PAD_LEVELS;
  return ink;
}
