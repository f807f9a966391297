"""Weights over facts as a still picture: the facts one below another, a column for each map, and the query's way."""

import numpy as np

from attnviz.analysis.turns import ORDERED
from attnviz.export.drawing import LARGE, SMALL, Part, broken, element, moved, text
from attnviz.export.marks import hatching, item_name, outline
from attnviz.export.scene import Scene
from attnviz.export.strips import cell, grid, map_name

NUMBER = 34  # pixels of the numbers before the facts
LEAST_TEXT = 110  # with less room beside the cells a fact stands above them
LEAST_CELL = 14
LINE, ROW, THIN = 20, 26, 16  # pixels: a line of text, the least height of a row, and of one without weight
OUTSTANDING = 1.1  # times the mean, what the largest weight is at least where a line begins or ends
MANY = 12  # facts from which those without weight are thin


def facts(scene: Scene) -> Part:
    """A row for each fact; where the maps follow one another a line leads from each one's largest weight to the next.

    With more maps than have room it is a strip for each map.
    """
    kind = scene.attention.axes[0].kind
    is_path = len(scene.attention.axes) == 3 and kind in ORDERED
    between, n = (26 if scene.width >= 500 else 14) if is_path else 4, len(scene.maps)
    side = min(64.0, max(30.0, (scene.width - NUMBER - 260) / n - between))
    stacked = scene.width - NUMBER - n * (side + between) < LEAST_TEXT
    if stacked:
        side = min(64.0, scene.width / n - between)
    if side < LEAST_CELL:
        return grid(scene)
    left = 0.0 if stacked else scene.width - n * (side + between) + between
    columns = [left + m * (side + between) for m in range(n)]
    room = scene.width - NUMBER if stacked else left - between - NUMBER
    drawn = [map_name(scene, m, x, 8, side + between - 4) for m, x in enumerate(columns)]
    y, middles = 24.0, []
    for key in range(len(scene.keys)):
        markup, top, height = _row(scene, key, room, columns, side, stacked)
        drawn.append(moved(markup, 0, y))
        middles.append(y + top + (height - top) / 2)
        y += height + 2
    if is_path:
        drawn.append(_path(scene, columns, side, middles))
    return Part("".join(drawn), scene.width, y)


def _row(
    scene: Scene, key: int, room: float, columns: list[float], side: float, stacked: bool
) -> tuple[str, float, float]:
    """A fact with its cells, where the cells begin, and where the row ends."""
    values = scene.rows[:, key]
    faint = bool((np.abs(values) < 0.01 * scene.row_scale).all())
    is_thin = faint and len(scene.keys) > MANY
    size, step = (SMALL, THIN) if is_thin else (LARGE, LINE)
    lines = ["".join(word for word, _ in line) for line in broken([(scene.keys[key], False)], room, size)]
    top = len(lines) * step + 2.0 if stacked else 0.0
    height = top + (THIN if is_thin else ROW) if stacked else max(len(lines) * step, THIN if is_thin else ROW)
    start = 0.0 if stacked else (height - len(lines) * step) / 2
    ink = scene.look.soft if faint else scene.look.ink
    first = start + step / 2
    drawn = [text(str(key + 1), NUMBER - 10, first, font_size=SMALL, fill=scene.look.soft, text_anchor="end")]
    drawn += [
        item_name(scene.marks, key, line, NUMBER, first + i * step, ink=ink, size=size) for i, line in enumerate(lines)
    ]
    for m, x in enumerate(columns):
        drawn.append(cell(scene, float(values[m]), (x, top, side, height - top), True))
        if (m, key) in scene.edited:
            drawn.append(outline(x + 1, top + 1, side - 2, height - top - 2, scene.look.ink))
        if key in scene.marks.masked:
            drawn.append(hatching(x, top, side, height - top, scene.look.soft))
    return "".join(drawn), top, height


def _path(scene: Scene, columns: list[float], side: float, middles: list[float]) -> str:
    """From the largest weight of each map to that of the next one; a map that prefers no fact is passed over."""
    sizes = np.abs(scene.rows)
    chosen = np.flatnonzero(sizes.max(1) > OUTSTANDING * sizes.mean(1)).tolist()
    ends = [(columns[m], middles[int(sizes[m].argmax())]) for m in chosen]
    drawn = []
    for (x, y), (to_x, to_y) in zip(ends, ends[1:], strict=False):
        begin, bend = x + side, (x + side + to_x) / 2
        path = f"M{begin:.1f} {y:.1f}C{bend + 4:.1f} {y:.1f} {bend - 4:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        drawn.append(element("path", d=path, fill="none", stroke=scene.look.ink, stroke_width=1.5, stroke_opacity=0.75))
    return "".join(drawn)
