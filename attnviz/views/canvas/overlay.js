// One map laid over the picture it attends to.

const pictures = new Map();

// The decoded picture, or null while it is being decoded; `ready` is called once it is there.
function pictureOf(url, ready) {
  if (!url || !/^data:image\/(png|jpeg|webp|gif);/.test(url)) return null;
  let image = pictures.get(url);
  if (!image) {
    if (pictures.size > 3) pictures.delete(pictures.keys().next().value);
    image = new Image();
    image.src = url;
    pictures.set(url, image);
  }
  if (!image.complete) image.addEventListener("load", ready, { once: true }); // several pictures may wait for it
  return image.complete && image.naturalWidth ? image : null;
}

// What is looked at stays clear; what is not is veiled. At full opacity only the weights remain, at none only the picture.
function veil(opacity, t) {
  if (opacity <= 0) return 0;
  return opacity ** (0.4 + 2.6 * t);
}

function paintOverlay(context, group, map, size, view) {
  const { palette, theme, hide, point, picture, opacity, rowScale } = view;
  const [rows, columns] = view.grid;
  const skip = Math.max(0, group.K - rows * columns); // items that are not patches come first
  const row = view.row(map);
  const wide = size.width / columns;
  const tall = size.height / rows;
  context.globalAlpha = view.on(map) ? 1 : 0.3;
  const dim = context.globalAlpha;
  if (picture) context.drawImage(picture, 0, 0, size.width, size.height);
  for (let i = 0; i < rows * columns && i + skip < row.length; i++) {
    const weight = row[i + skip];
    const hidden = Math.abs(weight) < hide;
    const t = hidden || !(rowScale > 0) ? 0 : Math.min(1, Math.abs(weight) / rowScale) ** CURVE;
    const x = Math.round((i % columns) * wide);
    const y = Math.round(Math.floor(i / columns) * tall);
    const right = Math.round(((i % columns) + 1) * wide);
    const bottom = Math.round((Math.floor(i / columns) + 1) * tall);
    context.globalAlpha = dim * (picture ? veil(opacity, t) : 1);
    context.fillStyle = palette.css[stepFor(palette, weight, rowScale, hide)];
    context.fillRect(x, y, right - x, bottom - y);
  }
  context.globalAlpha = 1;
  for (const item of view.marks.masked) {
    const i = item - skip;
    hatch(context, (i % columns) * wide, Math.floor(i / columns) * tall, wide, tall, theme.ink);
  }
  for (const edit of view.marks.edited.filter((edit) => edit.map === map && edit.query === view.query)) {
    markPatch(context, edit.key, { rows, columns, skip, wide, tall }, theme.ink, 1.5, [3, 2]);
  }
  markPatch(context, point?.key, { rows, columns, skip, wide, tall }, theme.accent, 2);
  if (group.same && point) markPatch(context, point.query, { rows, columns, skip, wide, tall }, theme.accent, 1, [3, 2]);
}

function markPatch(context, item, { rows, columns, skip, wide, tall }, accent, thick, dash = []) {
  if (item === null || item === undefined || item < skip || item >= skip + rows * columns) return;
  const i = item - skip;
  context.setLineDash(dash);
  context.lineWidth = thick;
  context.strokeStyle = accent;
  context.strokeRect((i % columns) * wide + 1, Math.floor(i / columns) * tall + 1, wide - 2, tall - 2);
  context.setLineDash([]);
}

function hitOverlay(group, { x, y }, size, [rows, columns]) {
  const column = Math.floor((x / size.width) * columns);
  const row = Math.floor((y / size.height) * rows);
  if (column < 0 || row < 0 || column >= columns || row >= rows) return null;
  const key = row * columns + column + Math.max(0, group.K - rows * columns);
  return key < group.K ? { key } : null;
}
