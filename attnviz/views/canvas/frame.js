// The numbers of one trace, as they came: a flat array and the shapes to read it by.

class Group {
  constructor(meta, raw, packed) {
    Object.assign(this, meta);
    this.meta = meta;
    [this.M, this.Q, this.K] = meta.shape;
    this.raw = raw;
    this.packed = packed;
    this.unit = packed ? ((this.signed ? 2 : 1) * this.scale) / 65535 : 1; // weight = number * unit + base
    this.base = packed && this.signed ? -this.scale : 0;
    this.scale = meta.common ?? this.scale; // beside others on a board: one colour means one weight in all of them
    this.means = null;
    this.from = 0; // how many maps of earlier turns there are, which the server counts and the picture does not
    this.earlier = null; // the same group before the reader's changes, where it can be compared
  }

  // What the changes did, weight by weight; worked out when it is first asked for.
  get difference() {
    if (this.differences) return this.differences;
    const { earlier } = this;
    const number = (group, i) => group.raw[i] * group.unit + group.base;
    const raw = Float32Array.from(this.raw, (_, i) => number(this, i) - number(earlier, i));
    const meta = { ...this.meta, signed: true, scale: Math.abs(largestIn(raw)) || 1, normalised: null };
    this.differences = new Group(meta, raw, false);
    this.differences.isDifference = true;
    return this.differences;
  }

  // The maps of one turn, the last one with null; all of them where none come in turns.
  turn(chosen) {
    if (!this.turns) return this;
    const last = this.turns.labels.length - 1;
    const turn = Math.min(chosen ?? last, last);
    this.parts ??= [];
    return (this.parts[turn] ??= this.partOf(turn));
  }

  partOf(turn) {
    const { meta, raw, packed, Q, K, leading, turns, spread, spread_before } = this;
    const count = turns.maps.length;
    const from = turn * count;
    const within = (list) => list?.slice(from, from + count).map((entry, i) => ({ ...entry, label: turns.maps[i] }));
    const part = new Group({
      ...meta, turns: null, shape: [count, Q, K], maps: turns.maps, kind: leading.length === 2 ? leading[1][0] : "",
      spread: within(spread), spread_before: within(spread_before),
    }, raw.subarray(from * Q * K, (from + count) * Q * K), packed);
    return Object.assign(part, { from, earlier: this.earlier?.turn(turn) ?? null, isDifference: this.isDifference });
  }

  // How long each axis is, in the order in which the server counts.
  get sizes() {
    return [...this.leading.map(([, labels]) => labels.length), this.Q, this.K];
  }

  // The index of a weight in the whole array, as the server counts it: leading axes, query, key.
  indexOf(map, query, key) {
    const leading = [];
    map += this.from;
    for (const [, labels] of [...this.leading].reverse()) {
      leading.unshift(map % labels.length);
      map = Math.floor(map / labels.length);
    }
    return [...leading, query, key];
  }

  // The way back: which of the flattened maps, which query, which key.
  placeOf(index) {
    const [query, key] = index.slice(-2);
    const map = this.leading.reduce((flat, [, labels], i) => flat * labels.length + index[i], 0);
    return { map: map - this.from, query, key };
  }

  // What the weights add up to along the axis on which this one shares a whole; null where they share none.
  totalAround(map, query, key) {
    const kinds = [...this.leading.map(([kind]) => kind), "query", "key"];
    const axis = kinds.lastIndexOf(this.normalised);
    if (axis < 0) return null;
    const index = this.indexOf(map, query, key);
    let total = 0;
    for (let i = 0; i < this.sizes[axis]; i++) {
      const place = this.placeOf(index.with(axis, i));
      total += this.at(place.map, place.query, place.key);
    }
    return total;
  }

  at(map, query, key) {
    if (query === null) return this.row(map, null)[key];
    return this.raw[(map * this.Q + query) * this.K + key] * this.unit + this.base;
  }

  // The weights of one query over the keys; with query null, the mean over the queries.
  row(map, query) {
    if (query === null && this.Q > 1) return this.mean(map);
    const start = (map * this.Q + (query ?? 0)) * this.K;
    const part = this.raw.subarray(start, start + this.K);
    return this.packed ? Float32Array.from(part, (value) => value * this.unit + this.base) : part;
  }

  mean(map) {
    this.means ??= new Array(this.M);
    if (this.means[map]) return this.means[map];
    const { raw, Q, K } = this;
    const sum = new Float64Array(K);
    for (let query = 0, i = map * Q * K; query < Q; query++) {
      for (let key = 0; key < K; key++) sum[key] += raw[i++];
    }
    const factor = this.unit / Math.max(Q, 1);
    this.means[map] = Float32Array.from(sum, (value) => value * factor + this.base);
    return this.means[map];
  }

  // One map as steps of a ramp. Where it is larger than `limit`, each pixel shows the largest weight of its block.
  heat(map, limit, palette, hide) {
    const { Q, K, raw, scale, unit, base } = this;
    const every = Math.max(1, Math.ceil(Math.max(Q, K) / limit));
    const width = Math.ceil(K / every);
    const height = Math.ceil(Q / every);
    const largest = new Float32Array(width * height);
    const begin = map * Q * K;
    for (let query = 0; query < Q; query++) {
      const row = Math.floor(query / every) * width;
      const start = begin + query * K;
      for (let block = 0; block < width; block++) {
        const end = Math.min(K, (block + 1) * every);
        let best = largest[row + block];
        for (let key = block * every; key < end; key++) {
          const value = raw[start + key] * unit + base;
          if (Math.abs(value) > Math.abs(best)) best = value;
        }
        largest[row + block] = best;
      }
    }
    const steps = new Uint8Array(largest.length);
    for (let i = 0; i < steps.length; i++) {
      steps[i] = stepFor(palette, largest[i], scale, hide);
    }
    return { width, height, every, steps };
  }
}

class Frame {
  constructor(meta, raw) {
    this.meta = meta;
    this.groups = meta.groups.map((group) => this.groupOf(group, raw));
  }

  // What was changed: by the reader, or, where nothing can be changed, before.
  get marks() {
    return this.meta.change ?? this.meta.marks ?? null;
  }

  groupOf(meta, raw) {
    const packed = this.meta.encoding === "uint16";
    const [maps, queries, keys] = meta.shape;
    const part = (offset) => raw.subarray(offset, offset + maps * queries * keys);
    const group = new Group(meta, part(meta.offset), packed);
    if (Number.isInteger(meta.before)) group.earlier = new Group(this.beforeSwaps(meta), part(meta.before), packed);
    return group;
  }

  // With the words that others have taken the place of.
  beforeSwaps(meta) {
    const swapped = this.marks?.swapped ?? {};
    if (!meta.of_items || !Object.keys(swapped).length) return meta;
    const old = (labels) => labels.map((label, i) => swapped[i] ?? label);
    return { ...meta, keys: old(meta.keys), queries: meta.same ? old(meta.queries) : meta.queries };
  }
}

// The mean of some rows, entry by entry.
function meanRow(rows, length) {
  const mean = new Float32Array(length);
  for (const row of rows) for (let i = 0; i < length; i++) mean[i] += row[i];
  if (rows.length) for (let i = 0; i < length; i++) mean[i] /= rows.length;
  return mean;
}

// Where the weight of largest size stands, and which it is.
function largestOf(row) {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (Math.abs(row[i]) > Math.abs(row[best])) best = i;
  return best;
}

function largestIn(row) {
  return row.length ? row[largestOf(row)] : 0;
}
