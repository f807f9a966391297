// A grid of weights with a row for each map (or query) and a column for each key. Only what is in sight is drawn: the
// canvas is as large as the window onto the grid and stays where it is while the grid scrolls under it.

const SMALL = 13; // pixels; the smaller of the two font sizes
const SHORTEST = 44; // pixels of a column whose word is cut
const FADE = 120; // milliseconds
const BAR = 12; // room for a sideways scroll bar

class Grid {
  constructor(parent) {
    this.scroller = element("div", { class: "scroller" });
    this.sizer = element("div", { class: "sizer" });
    this.canvas = element("canvas", { class: "cells", role: "img" });
    this.captions = element("div", { class: "captions" });
    this.corner = element("div", { class: "corner" });
    this.side = element("div", { class: "fixed" }, this.corner, this.captions);
    this.sizer.append(this.canvas, this.side);
    this.scroller.append(this.sizer);
    parent.append(this.scroller);
    this.scroller.addEventListener("scroll", () => this.spec && this.draw(), { passive: true });
    this.from = { steps: new Uint8Array(0), columns: 0 };
    this.fading = 0;
  }

  // Takes a description of the grid and draws it. With `fresh`, colours fade from what stood there before.
  show(spec, fresh) {
    const before = this.shown();
    this.spec = spec;
    this.layOut();
    this.computeSteps();
    cancelAnimationFrame(this.fading);
    this.progress = 1;
    if (fresh && spec.fade && this.steps.length <= 1200 && before.steps.length) {
      this.from = before;
      this.startFade();
    }
    this.draw();
  }

  shown() {
    if (!this.spec || !this.steps) return { steps: new Uint8Array(0), columns: 0 };
    return { steps: this.steps, columns: this.spec.columns.length };
  }

  startFade() {
    const begun = performance.now();
    this.progress = 0.4;
    const tick = (now) => {
      this.progress = Math.min(1, 0.4 + (0.6 * (now - begun)) / FADE);
      this.draw();
      if (this.progress < 1) this.fading = requestAnimationFrame(tick);
    };
    this.fading = requestAnimationFrame(tick);
  }

  layOut() {
    const { spec } = this;
    const font = `${SMALL}px ${spec.theme.family}`;
    const count = spec.columns.length;
    const room = Math.max(40, spec.width - spec.labelWidth);
    const lengths = spec.columns.map((label) => textWidth(label, font) + 12);
    const widths = spec.upright ? uprightWidths(count, room, spec.cellSize) : levelWidths(lengths, room, spec.squeeze);
    this.edges = new Float32Array(count + 1);
    for (let k = 0; k < count; k++) this.edges[k + 1] = this.edges[k] + widths[k];
    const longest = Math.max(0, ...lengths);
    this.turned = spec.upright && longest > widths[0];
    this.head = this.turned ? Math.min(longest, 96) + 4 : 24;
    this.rowHeight = spec.rowHeight;
    const across = spec.labelWidth + this.edges[count];
    const down = this.head + spec.rows * this.rowHeight;
    const overflow = across > spec.width + 1;
    this.height = Math.min(down, spec.most);
    this.width = spec.width;
    Object.assign(this.sizer.style, { width: `${Math.max(across, spec.width)}px`, height: `${down}px` });
    Object.assign(this.scroller.style, {
      height: `${this.height + (overflow ? BAR : 0)}px`,
      overflowX: overflow ? "auto" : "hidden",
      overflowY: down > spec.most ? "auto" : "hidden",
    });
    Object.assign(this.side.style, { width: `${spec.labelWidth}px` });
    Object.assign(this.corner.style, { height: `${this.head}px`, lineHeight: `${this.head}px` });
    this.captions.style.setProperty("--row", `${this.rowHeight}px`);
    setShown(this.side, spec.captions);
  }

  // The colour of each cell, as a step of the ramp; for a grid too large to fade they are looked up while drawing.
  computeSteps() {
    const { spec } = this;
    const count = spec.columns.length;
    this.steps = new Uint8Array(0);
    if (spec.rows * count > 1200) return;
    this.steps = new Uint8Array(spec.rows * count);
    for (let r = 0; r < spec.rows; r++) {
      const row = spec.row(r);
      for (let k = 0; k < count; k++) this.steps[r * count + k] = stepFor(spec.palette, row[k], spec.scale, spec.hide);
    }
  }

  stepAt(r, k, weight) {
    const { spec } = this;
    const count = spec.columns.length;
    if (!this.steps.length) return stepFor(spec.palette, weight, spec.scale, spec.hide);
    const now = this.steps[r * count + k];
    if (this.progress >= 1) return now;
    const old = k < this.from.columns ? this.from.steps[r * this.from.columns + k] : undefined;
    return Math.round((old ?? spec.palette.zero) * (1 - this.progress) + now * this.progress);
  }

  inSight() {
    const { scrollLeft, scrollTop } = this.scroller;
    const { spec, edges, rowHeight, head } = this;
    const right = scrollLeft + this.width - spec.labelWidth;
    let first = 0;
    while (first < spec.columns.length - 1 && edges[first + 1] <= scrollLeft) first++;
    let last = first;
    while (last < spec.columns.length - 1 && edges[last + 1] < right) last++;
    const top = Math.max(0, Math.floor(scrollTop / rowHeight));
    const bottom = Math.min(spec.rows - 1, Math.floor((scrollTop + this.height - head) / rowHeight));
    return { scrollLeft, scrollTop, first, last, top, bottom };
  }

  draw() {
    const { spec, canvas } = this;
    const context = sized(canvas, this.width, this.height);
    canvas.style.marginBottom = `${-this.height}px`;
    const sight = this.inSight();
    context.save();
    context.beginPath();
    context.rect(spec.labelWidth - 2, this.head - 2, this.width - spec.labelWidth + 2, this.height - this.head + 2);
    context.clip();
    this.drawCells(context, sight);
    this.drawChanges(context, sight);
    this.drawMarks(context, sight);
    context.restore();
    this.drawColumnLabels(context, sight);
    if (spec.rowLabels) this.drawRowLabels(context, sight);
    this.drawMore(context, sight);
  }

  drawCells(context, { scrollLeft, scrollTop, first, last, top, bottom }) {
    const { spec, edges, rowHeight, head } = this;
    const rounded = (last - first + 1) * (bottom - top + 1) <= 1500 && spec.gap > 1;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `11px ${spec.theme.family}`;
    for (let r = top; r <= bottom; r++) {
      const row = spec.row(r);
      const best = spec.numbers ? largestOf(row) : -1;
      const y = head + r * rowHeight - scrollTop;
      context.globalAlpha = spec.on(r) ? 1 : 0.22;
      for (let k = first; k <= last; k++) {
        const x = spec.labelWidth + edges[k] - scrollLeft;
        const width = edges[k + 1] - edges[k] - spec.gap;
        const step = this.stepAt(r, k, row[k]);
        context.fillStyle = spec.palette.css[step];
        if (rounded) {
          context.beginPath();
          context.roundRect(x, y, width, rowHeight - spec.gap, 4);
          context.fill();
        } else {
          context.fillRect(x, y, width, rowHeight - spec.gap);
        }
        if (this.numbered(r, k, row[k], best, width)) {
          const target = this.steps.length ? this.steps[r * spec.columns.length + k] : step;
          context.fillStyle = spec.theme.inks[spec.palette.onDark[target]];
          context.fillText(short(row[k]), x + width / 2, y + (rowHeight - spec.gap) / 2 + 0.5);
        }
      }
    }
    context.globalAlpha = 1;
  }

  // Numbers stand where they matter: the largest of a row, all above 0.15, and what is pointed at.
  numbered(r, k, weight, best, width) {
    const { spec } = this;
    if (width < 24 || this.rowHeight < 16) return false;
    const pointed = spec.point && spec.point.column === k && (spec.everyRow || spec.point.row === r);
    if (pointed) return true;
    if (!spec.numbers || Math.abs(weight) < Math.max(spec.hide, 0.005)) return false;
    return k === best || Math.abs(weight) > 0.15;
  }

  // Masked columns are hatched, weights that were set by hand have a dashed outline.
  drawChanges(context, { scrollLeft, scrollTop, first, last, top, bottom }) {
    const { spec, edges, rowHeight, head } = this;
    const left = (column) => spec.labelWidth + edges[column] - scrollLeft;
    const wide = (column) => edges[column + 1] - edges[column] - spec.gap;
    const [from, tall] = [head + top * rowHeight - scrollTop, (bottom - top + 1) * rowHeight - spec.gap];
    for (const column of spec.masked) {
      if (column < first || column > last) continue;
      hatch(context, left(column), from, wide(column), tall, spec.theme.soft);
    }
    for (const { row, column } of spec.edited) {
      const place = [left(column) + 1, head + row * rowHeight - scrollTop + 1];
      outlineEdited(context, ...place, wide(column) - 2, rowHeight - spec.gap - 2, spec.theme.ink);
    }
  }

  drawMarks(context, { scrollLeft, scrollTop, top, bottom }) {
    const { spec, edges, rowHeight, head } = this;
    const { point } = spec;
    if (point && point.column === null && point.row !== null) this.drawRowMark(context, point.row, scrollTop);
    if (!point || point.column === null || point.column >= spec.columns.length) return;
    const x = spec.labelWidth + edges[point.column] - scrollLeft;
    const width = edges[point.column + 1] - edges[point.column] - spec.gap;
    context.strokeStyle = spec.theme.accent;
    for (let r = top; r <= bottom; r++) {
      const here = point.row === r;
      if (!here && (!spec.everyRow || !spec.on(r))) continue;
      context.lineWidth = here ? 3 : 1.5;
      context.beginPath();
      context.roundRect(x, head + r * rowHeight - scrollTop, width, rowHeight - spec.gap, spec.gap > 1 ? 4 : 0);
      context.stroke();
    }
  }

  // Columns beyond the right edge: what stands there fades.
  drawMore(context, { scrollLeft }) {
    const { spec, edges, width } = this;
    if (spec.labelWidth + edges[spec.columns.length] - scrollLeft <= width + 1) return;
    const fade = context.createLinearGradient(width - 28, 0, width, 0);
    const [r, g, b] = rgbOf(spec.theme.paper);
    fade.addColorStop(0, `rgba(${r},${g},${b},0)`);
    fade.addColorStop(1, spec.theme.paper);
    context.fillStyle = fade;
    context.fillRect(width - 28, 0, 28, this.height);
  }

  // The cell under a pointer, or null; a column or a row alone (the other null) where it is over their labels.
  hit(event) {
    const { spec } = this;
    if (!spec) return null;
    const box = this.scroller.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    if (x < 0 || x > this.width || y < 0 || y > this.height) return null;
    if (x < spec.labelWidth) return this.hitRowLabel(y);
    const along = x - spec.labelWidth + this.scroller.scrollLeft;
    if (along >= this.edges[spec.columns.length]) return null;
    let column = 0;
    while (this.edges[column + 1] <= along) column++;
    if (y < this.head) return { row: null, column };
    const row = Math.floor((y - this.head + this.scroller.scrollTop) / this.rowHeight);
    return row < spec.rows ? { row, column } : null;
  }

  hitRowLabel(y) {
    const { spec, head, scroller, rowHeight } = this;
    if (!spec.rowLabels || y < head) return null;
    const row = Math.floor((y - head + scroller.scrollTop) / rowHeight);
    return row < spec.rows ? { row, column: null } : null;
  }

  // Scrolls as little as needed to bring a cell into sight.
  reveal(row, column) {
    const { spec, edges, scroller, rowHeight, head } = this;
    const room = this.width - spec.labelWidth;
    if (edges[column] < scroller.scrollLeft) scroller.scrollLeft = edges[column];
    else if (edges[column + 1] > scroller.scrollLeft + room) scroller.scrollLeft = edges[column + 1] - room;
    if (row === null) return;
    const down = this.height - head;
    if (row * rowHeight < scroller.scrollTop) scroller.scrollTop = row * rowHeight;
    else if ((row + 1) * rowHeight > scroller.scrollTop + down) scroller.scrollTop = (row + 1) * rowHeight - down;
  }
}
