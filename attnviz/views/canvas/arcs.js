// One map as arcs from queries to keys.

const MOST_ARCS = 1500;

// Queries on the left, keys on the right, every word whole; a line is as wide and as dark as its weight.
function arcGeometry(group, size, theme) {
  const font = `${SMALL}px ${theme.family}`;
  const limit = size.width * 0.36;
  const column = (labels) => Math.min(limit, Math.max(...labels.map((label) => textWidth(label, font))) + 8);
  const left = column(group.queries);
  const right = size.width - column(group.keys);
  const rows = Math.max(group.Q, group.K);
  const place = (count) => (i) => ((i + 0.5) * (rows / count) * size.height) / rows;
  return { font, left, right, query: place(group.Q), key: place(group.K) };
}

// As many figures side by side as their words allow, and lines as far apart as the height allows.
function arcSize(group, count, room, height, big, theme) {
  const font = `${SMALL}px ${theme.family}`;
  const longest = (labels) => Math.min(96, Math.max(...labels.map((label) => textWidth(label, font))));
  const least = Math.min(room, longest(group.queries) + longest(group.keys) + 76);
  const perRow = evenly(count, Math.max(1, Math.floor((room + GAP) / (least + GAP))));
  const width = big ? Math.min(room, 560) : Math.min(Math.floor((room + GAP) / perRow) - GAP, 340);
  const lines = Math.max(group.Q, group.K, 3);
  const apart = (height / Math.ceil(count / perRow) - CAPTION) / lines;
  return { width, height: lines * Math.max(15, Math.min(20, apart)) };
}

// The strongest arcs of a map, weakest first so that strong ones lie on top.
function strongestArcs(group, map, hide) {
  const least = Math.max(hide, group.scale * 0.02);
  const found = [];
  for (let query = 0; query < group.Q; query++) {
    for (let key = 0; key < group.K; key++) {
      const weight = group.at(map, query, key);
      if (Math.abs(weight) >= least) found.push({ query, key, weight });
    }
  }
  found.sort((a, b) => Math.abs(a.weight) - Math.abs(b.weight));
  return found.slice(-MOST_ARCS);
}

function paintArcs(context, group, map, size, view) {
  const { palette, theme, hide, point } = view;
  const place = arcGeometry(group, size, theme);
  const pinned = (arc) => {
    if (!point) return true;
    const query = point.query === null || point.query === undefined || point.query === arc.query;
    return query && (point.key === null || point.key === arc.key);
  };
  const bend = (place.right - place.left) * 0.45;
  const dim = view.on(map) ? 1 : 0.22;
  const edited = new Set(view.marks.edited.filter((edit) => edit.map === map).map(({ query, key }) => `${query} ${key}`));
  context.lineCap = "butt";
  for (const arc of view.arcs(map)) {
    const step = stepFor(palette, arc.weight, group.scale, hide);
    const from = place.query(arc.query);
    const to = place.key(arc.key);
    context.globalAlpha = dim * (pinned(arc) ? 0.9 : 0.1);
    context.strokeStyle = palette.css[step];
    context.lineWidth = 0.5 + (7.5 * Math.abs(arc.weight)) / group.scale;
    context.beginPath();
    context.moveTo(place.left, from);
    context.bezierCurveTo(place.left + bend, from, place.right - bend, to, place.right, to);
    context.stroke();
    if (edited.has(`${arc.query} ${arc.key}`)) strokeEdited(context, theme.inks[palette.onDark[step]]);
  }
  context.globalAlpha = dim;
  context.textBaseline = "middle";
  const plain = () => fillPlain;
  arcLabels(context, group.queries, place.query, place.left - 6, "right", point?.query, place, theme, size, plain);
  const writer = (key) => view.marks.writer(key);
  arcLabels(context, group.keys, place.key, place.right + 6, "left", point?.key, place, theme, size, writer);
  context.globalAlpha = 1;
}

function arcLabels(context, labels, at, x, align, pointed, place, theme, size, writer) {
  context.textAlign = align;
  const room = (align === "right" ? place.left : size.width - place.right) - 6;
  labels.forEach((label, i) => {
    context.font = i === pointed ? `600 ${place.font}` : place.font;
    context.fillStyle = i === pointed ? theme.accent : theme.ink;
    writer(i)(context, fitted(label, room, context.font), x, at(i));
  });
}

function hitArcs(group, { x, y }, size, theme) {
  const place = arcGeometry(group, size, theme);
  const nearest = (count) => Math.max(0, Math.min(count - 1, Math.floor((y / size.height) * count)));
  if (x < place.left + 12) return { query: group.Q > 1 ? nearest(group.Q) : 0, key: null };
  if (x > place.right - 12) return { query: group.Q > 1 ? null : 0, key: nearest(group.K) };
  return null;
}
