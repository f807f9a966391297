// What stands out whatever the weights: the target's items, and what a reader's changes leave on the picture, which
// items are masked, which maps are off, which weights were set.

class Marks {
  // `change` is a frame's `marks`, or null; its indices may be from before the text was changed. `targets` are items.
  constructor(change, group, targets) {
    this.targets = new Set(group.of_items ? (targets ?? []) : []);
    this.masked = new Set(group.of_items ? (change?.masked ?? []) : []);
    this.swapped = group.of_items ? (change?.swapped ?? {}) : {};
    this.off = change?.off ?? {};
    this.someOff = Object.values(this.off).some((indices) => indices.length > 0);
    const { sizes } = group;
    const inside = ({ at }) => at.length === sizes.length && at.every((i, axis) => i < sizes[axis]);
    const here = (change?.edits ?? []).filter((edit) => edit.map === group.name && inside(edit));
    const places = here.map((edit) => group.placeOf(edit.at));
    this.edited = places.filter(({ map }) => map >= 0 && map < group.M); // others are in another turn
  }

  // Whether a map is switched off, by any of the axes that count maps.
  switchedOff(group, map) {
    if (!this.someOff) return false;
    const index = group.indexOf(map, 0, 0);
    return group.leading.some(([kind], axis) => (this.off[kind] ?? []).includes(index[axis]));
  }

  // What writes the label of an item on a canvas.
  writer(item) {
    const write = this.masked.has(item) ? fillStruck : fillPlain;
    return this.targets.has(item) ? framing(write) : write;
  }
}

// Slanted lines over a masked item: to be told from a small weight without colour.
function hatch(context, x, y, width, height, colour) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.globalAlpha = 0.45;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  for (let along = -height; along < width; along += 6) {
    context.moveTo(x + along, y + height);
    context.lineTo(x + along + height, y);
  }
  context.stroke();
  context.restore();
}

function fillPlain(context, text, x, y) {
  context.fillText(text, x, y);
}

// Text with a line through it, aligned as the context says.
function fillStruck(context, text, x, y) {
  context.fillText(text, x, y);
  context.fillRect(beginOf(context, text, x), y, context.measureText(text).width, 1.2);
}

// Text with a frame around it.
function framing(write) {
  return (context, text, x, y) => {
    write(context, text, x, y);
    context.strokeStyle = context.fillStyle;
    context.lineWidth = 1;
    context.strokeRect(beginOf(context, text, x) - 3, y - 9, context.measureText(text).width + 6, 18);
  };
}

function beginOf(context, text, x) {
  const width = context.measureText(text).width;
  return { left: x, center: x - width / 2, right: x - width }[context.textAlign];
}

// A weight that was set by hand is dashed: the outline of its cell, or its arc.
function outlineEdited(context, x, y, width, height, colour) {
  context.beginPath();
  context.rect(x, y, width, height);
  strokeEdited(context, colour);
}

function strokeEdited(context, colour) {
  context.save();
  context.setLineDash([3, 2]);
  context.lineWidth = 1.5;
  context.strokeStyle = colour;
  context.stroke();
  context.restore();
}

// The word whose place this one took stands small after it, drawn by the style sheet.
function markSwapped(word, old) {
  if (word.dataset.was === old) return;
  if (old === undefined) {
    delete word.dataset.was;
    word.removeAttribute("title");
    return;
  }
  word.dataset.was = old;
  word.title = `${WORDS.was} ${old}`;
}
