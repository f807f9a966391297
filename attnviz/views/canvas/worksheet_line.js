// One line of a worksheet: its numbers as a table at the chosen place. Nothing here touches the page.

const DOWN = "↓";
const ACROSS = "→";

class WorksheetLine {
  constructor(meta, position, labels, now, was) {
    Object.assign(this, meta);
    this.position = position;
    const size = this.shape.reduce((product, length) => product * length, 1);
    this.now = now.subarray(this.offset, this.offset + size);
    this.was = was && this.before ? was.subarray(this.offset, this.offset + size) : null;
    this.down = this.axes.findIndex(({ role }) => role === DOWN);
    this.across = this.axes.findIndex(({ role }) => role === ACROSS);
    this.rows = this.down < 0 ? 1 : this.shape[this.down];
    this.columns = this.across < 0 ? 1 : this.shape[this.across];
    this.downKind = this.down < 0 ? "" : this.axes[this.down].kind;
    this.isVector = this.across >= 0;
    this.rowLabels = this.down < 0 ? null : labels[this.axes[this.down].labels];
    this.allLabels = this.axes.map((axis) => labels[axis.labels]);
    this.wasSet = new Set(this.set.map((at) => at.join()));
  }

  // The index of a number in the step; an axis that is held stands where `place` says.
  at(place, row, column) {
    return this.axes.map(({ role }, axis) => {
      if (axis === this.down) return row;
      if (axis === this.across) return column;
      if (this.held?.axis === axis) return this.held.index;
      return Math.min(place[role] ?? 0, this.shape[axis] - 1);
    });
  }

  offsetOf(at) {
    return at.reduce((flat, i, axis) => flat * this.shape[axis] + (this.held?.axis === axis ? 0 : i), 0);
  }

  number(place, row, column) {
    return this.now[this.offsetOf(this.at(place, row, column))];
  }

  // What stood there before the reader's changes; null where that is not known.
  old(place, row, column) {
    return this.was ? this.was[this.offsetOf(this.at(place, row, column))] : null;
  }

  isSet(place, row, column) {
    return this.wasSet.size > 0 && this.wasSet.has(this.at(place, row, column).join());
  }

  // Whether a reader sees another number than before.
  differs(place, row, column) {
    const old = this.old(place, row, column);
    return old !== null && this.text(old) !== this.text(this.number(place, row, column));
  }

  text(value) {
    if (this.switch) return value ? "1" : "0";
    return Number.isFinite(value) ? full(value) : value > 0 ? "∞" : "−∞";
  }

  // Every digit that the number has.
  exact(value) {
    const digits = this.now instanceof Float32Array ? 9 : 17;
    return String(Number(value.toPrecision(digits))).replaceAll("-", "−");
  }

  // The largest size of a number at this place: what bars and strips are drawn to.
  largest(place) {
    let most = 0;
    for (let row = 0; row < this.rows; row++) {
      for (let column = 0; column < this.columns; column++) {
        const size = Math.abs(this.number(place, row, column));
        if (Number.isFinite(size) && size > most) most = size;
      }
    }
    return most;
  }

  // Labels of an index, without axes that have a single entry.
  describe(at) {
    const said = at.map((i, axis) => (this.allLabels[axis].length > 1 ? this.allLabels[axis][i] : null));
    return said.filter((label) => label !== null).join(" · ") || this.title;
  }
}
