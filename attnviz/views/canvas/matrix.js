// One map as a small matrix, queries down and keys across.

// The margins for labels, where cells are large enough to carry them.
function matrixMargins(group, size, family) {
  const cell = size.width / Math.max(group.K, group.Q, 1);
  if (cell < 17) return { left: 0, top: 0 };
  const font = `11px ${family}`;
  const longest = (labels) => Math.min(64, Math.max(...labels.map((label) => textWidth(label, font)))) + 6;
  return { left: longest(group.queries), top: longest(group.keys) };
}

function matrixGeometry(group, size, family) {
  const { left, top } = matrixMargins(group, size, family);
  const cell = Math.min((size.width - left) / group.K, (size.height - top) / group.Q);
  const wide = group.Q > 1 && group.K > 1 ? cell : (size.width - left) / group.K;
  return { left, top, wide, tall: cell };
}

const bitmap = document.createElement("canvas");

function paintMatrix(context, group, map, size, view) {
  const { palette, theme, hide, point } = view;
  const { left, top, wide, tall } = matrixGeometry(group, size, theme.family);
  const { width, height, every, steps } = view.heats(map);
  const bitmapContext = bitmap.getContext("2d");
  bitmap.width = width;
  bitmap.height = height;
  const image = bitmapContext.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = palette.packed[steps[i]];
  bitmapContext.putImageData(image, 0, 0);
  context.globalAlpha = view.on(map) ? 1 : 0.22;
  context.imageSmoothingEnabled = false;
  context.drawImage(bitmap, left, top, wide * every * width, tall * every * height);
  for (const key of view.marks.masked) hatch(context, left + key * wide, top, wide, tall * group.Q, theme.soft);
  if (left) matrixLabels(context, group, { left, top, wide, tall }, view);
  context.globalAlpha = 1;
  for (const edit of view.marks.edited.filter((edit) => edit.map === map)) {
    outlineEdited(context, left + edit.key * wide, top + edit.query * tall, wide, tall, theme.ink);
  }
  if (!point || point.key === null) return;
  context.strokeStyle = theme.accent;
  context.lineWidth = 1.5;
  const x = left + point.key * wide;
  const column = point.query === null || point.query === undefined;
  const side = [Math.max(wide, 3), column ? tall * group.Q : Math.max(tall, 3)];
  context.strokeRect(x, column ? top : top + point.query * tall, ...side);
}

function matrixLabels(context, group, { left, top, wide, tall }, { theme, point, marks }) {
  const font = `11px ${theme.family}`;
  context.font = font;
  context.textBaseline = "middle";
  context.textAlign = "right";
  group.queries.forEach((label, i) => {
    context.fillStyle = point && point.query === i ? theme.accent : theme.soft;
    context.fillText(fitted(label, left - 6, font), left - 5, top + (i + 0.5) * tall);
  });
  context.textAlign = "left";
  group.keys.forEach((label, i) => {
    context.save();
    context.translate(left + (i + 0.5) * wide, top - 4);
    context.rotate(-Math.PI / 2);
    context.fillStyle = point && point.key === i ? theme.accent : theme.soft;
    const write = marks.writer(i);
    write(context, fitted(label, top - 6, font), 0, 0);
    context.restore();
  });
}

function hitMatrix(group, { x, y }, size, family) {
  const { left, top, wide, tall } = matrixGeometry(group, size, family);
  const key = Math.floor((x - left) / wide);
  const query = Math.floor((y - top) / tall);
  if (key < 0 || query < 0 || key >= group.K || query >= group.Q) return null;
  return { key, query };
}
