// Worked examples: the arithmetic of one number, from the numbers that are shown. What does not come out is not said.

const FEW_TERMS = 4;
const SIGNIFICANT = 1e-5;

// Numbers of a step are rounded to seven digits, and so are the sums inside: what counts is the size of what was added.
function comesOut(found, shown, size = Math.abs(shown)) {
  return Math.abs(found - shown) <= SIGNIFICANT * Math.max(Math.abs(shown), 0.1 * size) || found === shown;
}

function inBrackets(value) {
  return value < 0 ? `(${full(value)})` : full(value);
}

// a × b + c × d + …; all of it if `all`.
function termsText(terms, all) {
  const shown = all || terms.length <= FEW_TERMS + 1 ? terms : terms.slice(0, FEW_TERMS);
  const text = shown.map(({ left, right }) => `${inBrackets(left)} × ${inBrackets(right)}`).join(" + ");
  return shown.length < terms.length ? `${text} + … (${terms.length} terms)` : text;
}

function totalOf(terms) {
  let sum = 0;
  let size = 0;
  for (const { left, right } of terms) {
    sum += left * right;
    size += Math.abs(left * right);
  }
  return { sum, size };
}

// The example for one number of a line, as { name, text, more } or null; `at` is { row, column }.
class WorksheetWorking {
  constructor(lines, place) {
    this.lines = lines;
    this.place = place;
  }

  // For the heading of the line: how it follows, in words.
  words(line) {
    const { kind, of } = line.working ?? {};
    const name = (i) => `“${this.lines[of[i]].name}”`;
    return {
      product: () => `Each number: ${name(0)} times ${name(1)}, feature by feature, added up${this.factor(line)}.`,
      sum: () => `Each row of ${name(1)} times its weight in ${name(0)}, added up.`,
      softmax: () => `e to the power of each of ${name(0)}, divided by the sum of all.`,
      scaled: () => `${capitalised(name(0))}${this.factor(line)}.`,
      mean: () => `The mean of the rows of ${name(0)}.`,
      added: () => `${name(0)} plus ${name(1)}.`,
      same: () => `The same numbers as ${name(0)}.`,
      joined: () => `The parts of ${name(0)}, one after the other.`,
    }[kind]?.() ?? "";
  }

  example(line, row, column, all) {
    const make = { product: "product", sum: "sum", scaled: "scaled", mean: "mean", added: "added", softmax: "share" };
    const name = make[line.working?.kind];
    if (!name || line.isSet(this.place, row, column)) return null;
    return this[name](line, row, column, all, line.number(this.place, row, column));
  }

  // The factor of a line, with the number of features of the product that it scales.
  factor(line) {
    const { kind, of, factor } = line.working;
    const product = kind === "scaled" ? this.lines[of[0]].working : line.working;
    return factorText(factor, product?.kind === "product" ? this.lines[product.of[0]].columns : 0);
  }

  source(line, i) {
    return this.lines[line.working.of[i]];
  }

  product(line, row, column, all, shown) {
    const [left, right] = [this.source(line, 0), this.source(line, 1)];
    const terms = Array.from({ length: left.columns }, (_, f) => ({
      left: left.number(this.place, 0, f), right: right.number(this.place, row, f),
    }));
    const { sum, size } = totalOf(terms);
    const { factor } = line.working;
    if (!comesOut(sum * factor, shown, size * factor)) return null;
    const text = termsText(terms, all);
    return { text: `${factor === 1 ? text : `(${text})${this.factor(line)}`} = ${full(shown)}`, more: terms.length };
  }

  sum(line, row, column, all, shown) {
    const [weights, values] = [this.source(line, 0), this.source(line, 1)];
    const terms = Array.from({ length: weights.rows }, (_, key) => ({
      left: weights.number(this.place, key, 0), right: values.number(this.place, key, column),
    }));
    const { sum, size } = totalOf(terms);
    if (!comesOut(sum, shown, size)) return null;
    return { text: `${termsText(terms, all)} = ${full(shown)}`, more: terms.length };
  }

  scaled(line, row, column, all, shown) {
    const from = this.source(line, 0).number(this.place, row, column);
    const { factor } = line.working;
    if (!comesOut(from * factor, shown)) return null;
    return { text: `${full(from)}${this.factor(line)} = ${full(shown)}`, more: 0 };
  }

  mean(line, row, column, all, shown) {
    const from = this.source(line, 0);
    const values = Array.from({ length: from.rows }, (_, i) => from.number(this.place, i, column));
    const { sum, size } = totalOf(values.map((value) => ({ left: value, right: 1 })));
    if (!comesOut(sum / from.rows, shown, size / from.rows)) return null;
    const some = all || values.length <= FEW_TERMS + 1 ? values : values.slice(0, FEW_TERMS);
    const rest = some.length < values.length ? ` + … (${values.length} numbers)` : "";
    const added = `${some.map(inBrackets).join(" + ")}${rest}`;
    return { text: `(${added}) ÷ ${from.rows} = ${full(shown)}`, more: values.length };
  }

  added(line, row, column, all, shown) {
    const [a, b] = [0, 1].map((i) => this.source(line, i).number(this.place, row, column));
    if (!comesOut(a + b, shown, Math.abs(a) + Math.abs(b))) return null;
    return { text: `${full(a)} + ${inBrackets(b)} = ${full(shown)}`, more: 0 };
  }

  share(line, row, column, all, shown) {
    const powers = this.powers(line);
    if (!powers || !powers.holds[row]) return null;
    const score = this.source(line, 0).number(this.place, row, 0);
    if (!powers.of[row]) return { text: `masked: ${full(shown)}`, more: 0 };
    const power = `e^(${full(score)} − ${inBrackets(powers.largest)}) = ${full(powers.of[row])}`;
    return { text: `${power};  ${full(powers.of[row])} ÷ ${full(powers.sum)} = ${full(shown)}`, more: 0 };
  }

  // For a softmax line: e to the power of each score less the largest one, their sum, and where the shares come out.
  powers(line) {
    if (line.working?.kind !== "softmax") return null;
    const scores = this.source(line, 0);
    const mask = line.working.of.length > 1 ? this.source(line, 1) : null;
    const allowed = (row) => !mask || mask.number(this.place, row, 0) !== 0;
    const values = Array.from({ length: line.rows }, (_, row) => scores.number(this.place, row, 0));
    const largest = Math.max(...values.filter((value, row) => allowed(row) && Number.isFinite(value)));
    if (!Number.isFinite(largest)) return null;
    const of = values.map((value, row) => (allowed(row) ? Math.exp(value - largest) : 0));
    const sum = of.reduce((total, power) => total + power, 0);
    const holds = of.map((power, row) => comesOut(power / sum, line.number(this.place, row, 0)));
    return holds.filter(Boolean).length * 2 > holds.length ? { of, sum, largest, holds } : null;
  }

  // Which numbers of earlier lines a number was made from, as [{ line, row, column }]; null stands for all.
  origins(line, row, column) {
    const { kind, of } = line.working ?? {};
    const from = (i, r, c) => ({ line: this.lines[of[i]], row: r, column: c });
    const found = {
      product: () => [from(0, 0, null), from(1, row, null)],
      sum: () => [from(0, null, null), from(1, null, column)],
      softmax: () => of.map((_, i) => from(i, null, null)),
      scaled: () => [from(0, row, column)],
      mean: () => [from(0, null, column)],
      added: () => [from(0, row, column), from(1, row, column)],
      same: () => [from(0, row, column)],
      joined: () => [from(0, null, null)],
    }[kind]?.();
    return found ?? this.alike(line, row);
  }

  // Where it is not known how a line was made: the same item in the lines above.
  alike(line, row) {
    if (!line.rowLabels) return [];
    const above = this.lines.slice(0, line.position).filter((other) => other.rowLabels === line.rowLabels);
    return above.map((other) => ({ line: other, row, column: null }));
  }
}

// " ÷ √16" where that is the root of the number of features, else the number itself.
function factorText(factor, features) {
  if (factor === 1) return "";
  if (Math.abs(factor * factor * features - 1) < 1e-4) return ` ÷ √${features}`;
  return factor < 1 ? ` ÷ ${Number((1 / factor).toPrecision(6))}` : ` × ${Number(factor.toPrecision(6))}`;
}

function capitalised(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
