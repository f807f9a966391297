// What stands before the rows and above the columns of a grid, and how wide that makes them.

Object.defineProperties(
  Grid.prototype,
  Object.getOwnPropertyDescriptors({
    drawColumnLabels(context, { scrollLeft, first, last }) {
      const { spec, edges, head } = this;
      const font = `${SMALL}px ${spec.theme.family}`;
      context.save();
      context.beginPath();
      context.rect(spec.labelWidth, 0, this.width - spec.labelWidth, head);
      context.clip();
      context.textBaseline = "middle";
      const every = this.turned ? Math.max(1, Math.ceil(14 / (edges[1] - edges[0]))) : 1;
      for (let k = first; k <= last; k++) {
        const pointed = spec.point && spec.point.column === k;
        if (k % every && !pointed) continue;
        const middle = spec.labelWidth + (edges[k] + edges[k + 1] - spec.gap) / 2 - scrollLeft;
        const write = spec.writer(k);
        context.fillStyle = pointed ? spec.theme.accent : spec.theme.ink;
        context.font = pointed ? `600 ${font}` : font;
        if (this.turned) {
          context.save();
          context.translate(middle, head - 6);
          context.rotate(-Math.PI / 2);
          context.textAlign = "left";
          write(context, fitted(spec.columns[k], head - 10, font), 0, 0);
          context.restore();
        } else {
          context.textAlign = "center";
          write(context, fitted(spec.columns[k], edges[k + 1] - edges[k] - 2, font), middle, head / 2);
        }
      }
      context.restore();
    },

    drawRowLabels(context, { scrollTop, top, bottom }) {
      const { spec, rowHeight, head } = this;
      const font = `${SMALL}px ${spec.theme.family}`;
      context.save();
      context.beginPath();
      context.rect(0, head, spec.labelWidth, this.height - head);
      context.clip();
      context.textAlign = "right";
      context.textBaseline = "middle";
      for (let r = top; r <= bottom; r++) {
        const pointed = spec.point && spec.point.row === r;
        context.fillStyle = pointed ? spec.theme.accent : spec.theme.ink;
        context.font = pointed ? `600 ${font}` : font;
        const y = head + (r + 0.5) * rowHeight - scrollTop;
        context.fillText(fitted(spec.rowLabels[r], spec.labelWidth - 10, font), spec.labelWidth - 8, y);
      }
      context.restore();
    },

    // A line above and below a row.
    drawRowMark(context, row, scrollTop) {
      const { spec, rowHeight, head } = this;
      context.fillStyle = spec.theme.accent;
      const y = head + row * rowHeight - scrollTop;
      for (const at of [y - 1.5, y + rowHeight - spec.gap]) context.fillRect(spec.labelWidth, at, this.width, 1.5);
    },
  }),
);

// Where there is no room for words: a patch is called by its row and column alone.
function shortened(labels) {
  return labels.map((label) => label.replace(/^row (\d+), column (\d+)$/, "$1, $2"));
}

// Columns under words: all alike where that fits every word, else each as wide as its word. With `squeeze` long words
// are cut, down to `SHORTEST` pixels, where that brings all columns into the room.
function levelWidths(lengths, room, squeeze) {
  const count = lengths.length;
  const even = Math.min(room / count, 132);
  if (lengths.every((length) => Math.min(length, 160) <= even)) return lengths.map(() => even);
  const cutAt = (longest) => lengths.map((length) => Math.max(28, Math.min(length, longest)));
  const fits = (widths) => widths.reduce((sum, width) => sum + width, 0) <= room;
  let wanted = cutAt(160);
  for (let longest = 160; squeeze && !fits(wanted) && longest >= SHORTEST; longest -= 2) wanted = cutAt(longest);
  if (!fits(wanted)) wanted = cutAt(160);
  const spare = Math.max(0, room - wanted.reduce((sum, width) => sum + width, 0)) / count;
  return wanted.map((width) => width + spare);
}

function uprightWidths(count, room, [least, most]) {
  const width = Math.max(least, Math.min(most, room / count));
  return new Array(count).fill(width);
}
