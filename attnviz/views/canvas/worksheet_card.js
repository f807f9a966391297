// One line on the page: name, formula and meaning at the left, numbers at the right, a worked example below them.

const FEW_ROWS = 12;
const FEW_COLUMNS = 8;
const LINE_STRIP = { width: 96, height: 12 };

class WorksheetCard {
  constructor(sheet) {
    this.sheet = sheet;
    this.allRows = false;
    this.allColumns = false;
    this.allTerms = false;
    this.name = element("h4");
    this.formula = element("div", { class: "ws-formula" });
    this.meaning = element("p", { class: "ws-meaning" });
    this.how = element("p", { class: "ws-how" });
    const says = element("div", {}, this.name, this.formula, this.meaning, this.how);
    this.head = element("tr");
    this.body = element("tbody");
    this.table = element("table", { role: "grid" }, element("thead", {}, this.head), this.body);
    this.moreRows = this.button(() => (this.allRows = !this.allRows));
    this.moreColumns = this.button(() => (this.allColumns = !this.allColumns));
    this.moreTerms = this.button(() => (this.allTerms = !this.allTerms));
    this.sumText = element("p", { class: "ws-note" });
    this.exampleText = element("span");
    this.example = element("p", { class: "ws-example" }, this.exampleText, " ", this.moreTerms);
    this.chips = element("ul", { class: "ws-chips" });
    this.message = element("p", { class: "ws-message", role: "alert" });
    const scroll = element("div", { class: "ws-scroll" }, this.table);
    const buttons = element("p", { class: "ws-more" }, this.moreRows, this.moreColumns);
    const numbers = element("div", { class: "ws-numbers" }, scroll, buttons, this.sumText, this.example);
    numbers.append(this.chips, this.message);
    this.node = element("section", { class: "ws-line" }, says, numbers);
    this.node.card = this;
  }

  button(change) {
    const made = element("button", { class: "plain", type: "button" });
    made.addEventListener("click", () => {
      change();
      this.paint();
    });
    return made;
  }

  show(line) {
    if (this.line?.name !== line.name) this.allRows = this.allColumns = this.allTerms = false;
    this.line = line;
    this.sayFormula(this.sheet.meta.formulas[line.formula]);
    setText(this.message, "");
    this.paint();
  }

  sayFormula(formula) {
    setShown(this.formula, Boolean(formula));
    setText(this.meaning, formula?.meaning ?? "");
    const written = JSON.stringify(formula?.parts ?? []);
    if (written === this.written) return;
    this.written = written;
    this.formula.replaceChildren(...(formula?.parts ?? []).map(formulaNode));
  }

  paint() {
    const { line, sheet } = this;
    this.working = new WorksheetWorking(sheet.lines, sheet.place);
    this.powers = this.working.powers(line);
    this.showsWas = !line.isVector && this.rows.some((row) => line.differs(sheet.place, row, 0));
    this.most = line.largest(sheet.place);
    this.node.id = `line-${line.position}`;
    setAttribute(this.node, "aria-label", line.name);
    setText(this.name, `${line.position + 1}. ${line.title}`);
    setText(this.how, this.working.words(line));
    this.paintHead();
    this.paintRows();
    this.paintMore();
    this.paintExample();
    this.paintChips();
  }

  get columns() {
    return this.allColumns ? this.line.columns : Math.min(FEW_COLUMNS, this.line.columns);
  }

  // The rows in sight: the first ones, and the chosen one.
  get rows() {
    const count = this.allRows ? this.line.rows : Math.min(FEW_ROWS, this.line.rows);
    const rows = Array.from({ length: count }, (_, row) => row);
    const chosen = this.chosenRow;
    return chosen < count ? rows : [...rows, chosen];
  }

  get chosenRow() {
    return Math.min(this.sheet.rowOf(this.line), this.line.rows - 1);
  }

  get chosenColumn() {
    return Math.min(this.sheet.feature, this.line.columns - 1);
  }

  paintHead() {
    const { line } = this;
    const features = Array.from({ length: this.columns }, (_, i) => String(i + 1));
    const beside = [...(this.powers ? [LINE_WORDS.power] : []), ...(this.showsWas ? [LINE_WORDS.was] : [])];
    const titles = line.isVector ? ["", "", ...features] : ["", "", "", ...beside];
    const cells = keepChildren(this.head, titles.length, () => element("th", { scope: "col" }));
    titles.forEach((title, i) => setText(cells[i], title));
    setShown(this.head.parentNode, titles.some(Boolean));
  }

  paintRows() {
    const { rows } = this;
    const made = keepChildren(this.body, rows.length, () => this.makeRow());
    rows.forEach((row, i) => this.paintRow(made[i], row));
  }

  makeRow() {
    const label = element("button", { class: "ws-label", type: "button" });
    const canvas = element("canvas");
    const power = element("td", { class: "ws-power" });
    const was = element("td", { class: "ws-was" });
    const row = element("tr", {}, element("th", { scope: "row" }, label), element("td", { class: "ws-strip" }, canvas));
    row.append(power, was);
    row.parts = { label, canvas, power, was, cells: [] };
    return row;
  }

  paintRow(node, row) {
    const { line, sheet } = this;
    const { label, canvas, power, was, cells } = node.parts;
    node.dataset.row = row;
    const text = line.rowLabels ? line.rowLabels[row] || "␣" : sheet.heldLabel(line);
    setText(label, text);
    setAttribute(label, "title", sheet.canAsk(line) ? `${text} (${LINE_WORDS.ask})` : text);
    label.disabled = line.rows === 1;
    node.classList.toggle("chosen", line.rows > 1 && row === this.chosenRow);
    node.classList.toggle("asking", sheet.asking(line, row));
    while (cells.length > this.columns) cells.pop().remove();
    while (cells.length < this.columns) {
      const cell = element("td", {}, element("button", { class: "ws-n", type: "button", tabindex: "-1" }));
      cells.push(cell);
      node.insertBefore(cell, line.isVector ? power : canvas.parentNode);
    }
    if ((cells[0].nextSibling === canvas.parentNode) === line.isVector) this.reorder(node);
    cells.forEach((cell, column) => this.paintCell(cell.firstChild, row, column));
    setShown(power, Boolean(this.powers));
    if (this.powers) setText(power, this.powers.holds[row] ? full(this.powers.of[row]) : "");
    setShown(was, this.showsWas);
    setText(was, line.differs(sheet.place, row, 0) ? line.text(line.old(sheet.place, row, 0)) : "");
    this.paintStrip(canvas, row);
  }

  // A vector's strip stands before its numbers, a bar behind its number.
  reorder(node) {
    const { canvas, power, cells } = node.parts;
    if (this.line.isVector) node.insertBefore(canvas.parentNode, cells[0]);
    else node.insertBefore(canvas.parentNode, power);
  }

  paintCell(button, row, column) {
    const { line, sheet } = this;
    const value = line.number(sheet.place, row, column);
    const old = line.differs(sheet.place, row, column) ? line.old(sheet.place, row, column) : null;
    setText(button, line.text(value));
    button.dataset.row = row;
    button.dataset.column = column;
    const was = old === null ? "" : `, ${LINE_WORDS.was} ${line.exact(old)}`;
    setAttribute(button, "title", `${line.exact(value)}${was}`);
    button.classList.toggle("changed", old !== null);
    button.classList.toggle("set", line.isSet(sheet.place, row, column));
    const chosen = row === this.chosenRow;
    button.classList.toggle("at", chosen && line.columns > 1 && column === this.chosenColumn);
    button.tabIndex = chosen && column === Math.min(this.chosenColumn, this.columns - 1) ? 0 : -1;
  }

  // A vector as a strip of colours, a single number as a bar.
  paintStrip(canvas, row) {
    const { line, sheet, most } = this;
    const { place, theme } = sheet;
    const signed = paletteFor(theme.name, { signed: true });
    const context = sized(canvas, LINE_STRIP.width, LINE_STRIP.height);
    if (!line.isVector) {
      const share = most ? line.number(place, row, 0) / most : 0;
      const wide = Number.isFinite(share) ? share * LINE_STRIP.width : 0;
      const least = sheet.hasNegative(line) ? LINE_STRIP.width / 2 : 0;
      context.fillStyle = signed.css[wide < 0 ? 40 : 215];
      context.fillRect(least, 1, least ? wide / 2 : wide, LINE_STRIP.height - 2);
      return;
    }
    const step = LINE_STRIP.width / line.columns;
    for (let column = 0; column < line.columns; column++) {
      context.fillStyle = signed.css[stepFor(signed, line.number(place, row, column), most, 0)];
      context.fillRect(column * step, 0, step + 0.5, LINE_STRIP.height);
    }
  }

  paintMore() {
    const { line, moreRows, moreColumns } = this;
    setShown(moreRows, line.rows > FEW_ROWS);
    setText(moreRows, moreText(this.allRows, line.rows, LINE_WORDS.rows));
    setShown(moreColumns, line.columns > FEW_COLUMNS);
    setText(moreColumns, moreText(this.allColumns, line.columns, LINE_WORDS.numbers));
    setShown(moreRows.parentNode, line.rows > FEW_ROWS || line.columns > FEW_COLUMNS);
  }

  paintExample() {
    const { line, sheet } = this;
    const [row, column] = [this.chosenRow, this.chosenColumn];
    const found = this.working.example(line, row, column, this.allTerms);
    setShown(this.example, Boolean(found));
    const feature = line.columns > 1 ? `${LINE_WORDS.feature} ${column + 1}` : "";
    const name = [line.rows > 1 ? line.rowLabels[row] : "", feature].filter(Boolean).join(", ");
    setText(this.exampleText, found ? `${name}${name ? ": " : ""}${found.text}` : "");
    setShown(this.moreTerms, Boolean(found) && found.more > FEW_TERMS + 1);
    setText(this.moreTerms, moreText(this.allTerms, found?.more, LINE_WORDS.terms));
    setLine(this.sumText, this.sumsTo(line, sheet.place));
  }

  sumsTo(line, place) {
    if (line.working?.kind !== "softmax") return "";
    let total = 0;
    let touched = false;
    for (let row = 0; row < line.rows; row++) {
      total += line.number(place, row, 0);
      touched ||= line.isSet(place, row, 0);
    }
    if (touched) return `${LINE_WORDS.asTheyAre} ${full(total)}.`;
    return this.powers ? `${LINE_WORDS.sumOfPowers} ${full(this.powers.sum)}, ${LINE_WORDS.total} ${full(total)}.` : "";
  }

  // What was set by hand in this line, here or elsewhere, each with the way back.
  paintChips() {
    const { line } = this;
    setShown(this.chips, line.set.length > 0);
    const made = keepChildren(this.chips, line.set.length, () => {
      const chip = makeChip("li");
      chip.lastChild.addEventListener("click", () => this.sheet.setNumber(this.line, chip.at, null));
      return chip;
    });
    line.set.forEach((at, i) => this.paintChip(made[i], line, at));
  }

  paintChip(chip, line, at) {
    const inside = at.every((index, axis) => index < line.allLabels[axis].length);
    const shown = inside && (!line.held || at[line.held.axis] === line.held.index);
    const now = shown ? ` = ${line.text(line.now[line.offsetOf(at)])}` : "";
    const was = shown && line.was ? ` (${LINE_WORDS.was} ${line.text(line.was[line.offsetOf(at)])})` : "";
    chip.at = at;
    setChip(chip, `${inside ? line.describe(at) : LINE_WORDS.gone}${now}${was}`);
  }

  // The buttons of some numbers that are in sight; null stands for all.
  find(row, column) {
    const rows = Array.from(this.body.children).filter((node) => row === null || Number(node.dataset.row) === row);
    const cells = rows.flatMap(({ parts }) => (column === null ? parts.cells : parts.cells.slice(column, column + 1)));
    return cells.map((cell) => cell.firstChild);
  }
}

function moreText(isOpen, count, what) {
  return isOpen ? LINE_WORDS.fewer : `${LINE_WORDS.all} ${count} ${what}`;
}
