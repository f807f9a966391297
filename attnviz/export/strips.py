"""Weights under words as a still picture: the sentence, and strips of cells, one for each map."""

from collections.abc import Sequence

import numpy as np

from attnviz.export.drawing import (
    SMALL,
    Part,
    element,
    fitted,
    fitted_name,
    is_right_to_left,
    moved,
    text,
    text_width,
)
from attnviz.export.marks import hatching, item_name, outline
from attnviz.export.scene import LONG, Scene

TINY = 11  # pixels of text in cells
OFF = " off"
MOST_LINES, LEAST_LINE = 4, 0.02  # maps that are lines under a word; weights, of the scale, that are


def tokens(scene: Scene) -> Part:
    """The sentence, tinted by the mean over the maps, and one strip for each map under its words."""
    return stacked([_sentence(scene), grid(scene)], 10)


def reading(scene: Scene) -> Part:
    """A text as a paragraph, tinted by the mean over the maps; up to four of them are lines under each word."""
    lines = len(scene.maps) if 1 < len(scene.maps) <= MOST_LINES else 0
    said = f"lines under a word, from the top: {', '.join(scene.maps)}" if lines else ""
    name = text(fitted(said, scene.width, SMALL), 0, 8, font_size=SMALL, fill=scene.look.soft)
    return stacked([Part(name, scene.width, 18 if lines else 0), _sentence(scene, lines)], 4)


def grid(scene: Scene) -> Part:
    """A row of cells for each map, under the keys; where these do not fit side by side, several blocks of rows."""
    named = [name + OFF * (m in scene.marks.off) for m, name in enumerate(scene.maps)]
    label = min(longest(named, 150) + 10, scene.width * 0.26)
    widths = _column_widths(scene.keys, scene.width - label)
    blocks, start = [], 0
    while start < len(widths):
        end = start + 1
        while end < len(widths) and sum(widths[start : end + 1]) <= scene.width - label + 0.5:
            end += 1
        blocks.append(_block(scene, (start, end), widths, label))
        start = end
    return stacked(blocks, 12)


def _sentence(scene: Scene, lines: int = 0) -> Part:
    mean = scene.rows.mean(0)
    steps = scene.palette.steps(mean, scene.row_scale)
    size, pad = (21, 5) if len(scene.keys) <= LONG else (15, 3)
    line, x, y = size * 1.75 + 4 * lines, 0.0, 0.0
    flipped = is_right_to_left(" ".join(scene.keys))
    drawn = []
    for k, key in enumerate(scene.keys):
        shown = fitted(key or "␣", scene.width - 2 * pad, size)
        was = _was(scene, k, scene.width - 2 * pad - text_width(shown, size))
        beside = text_width(was, SMALL) + 6 if was else 0.0
        wide = text_width(shown, size) + beside + 2 * pad
        if x and x + wide > scene.width:
            x, y = 0.0, y + line
        left = scene.width - x - wide if flipped else x
        fill, ink = scene.palette.css[steps[k]], scene.look.inks[scene.palette.is_dark[steps[k]]]
        drawn.append(element("rect", x=left, y=y, width=wide, height=size * 1.45, rx=5, fill=fill))
        middle, at = left + (wide - beside) / 2, y + size * 0.725
        drawn.append(item_name(scene.marks, k, shown, middle, at, ink=ink, anchor="middle", size=size))
        drawn.append(text(was, left + wide - pad, at, font_size=SMALL, fill=ink, text_anchor="end", opacity=0.75))
        drawn += [_line(scene, m, k, (left, y + size * 1.45 + 1 + 4 * m, wide)) for m in range(lines)]
        x += wide + 5
    return Part("".join(drawn), scene.width, y + size * 1.45 + 4 * lines)


def _line(scene: Scene, m: int, key: int, place: tuple[float, float, float]) -> str:
    """One map's weight as a line under a word; none for next to no weight."""
    weight, (x, y, wide) = float(scene.rows[m, key]), place
    if abs(weight) < LEAST_LINE * scene.row_scale:
        return ""
    fill = scene.palette.css[int(scene.palette.steps(weight, scene.row_scale))]
    return element("rect", x=x, y=y, width=wide, height=3, fill=fill)


def _was(scene: Scene, key: int, room: float) -> str:
    """The word whose place another took, small, beside it; nothing where there is no room."""
    if key not in scene.marks.swapped:
        return ""
    was = fitted(f"← {scene.marks.swapped[key]}", 160, SMALL)
    return was if text_width(was, SMALL) + 6 <= room else ""


def _column_widths(keys: Sequence[str], room: float) -> list[float]:
    """All alike where that fits every word, else each as wide as its word; narrow where there are many words."""
    if len(keys) > LONG:
        return [max(15.0, room / len(keys))] * len(keys)
    wanted = [max(28.0, min(text_width(key, SMALL) + 10, 160)) for key in keys]
    even = min(room / len(keys), 110)
    if max(wanted) <= even:
        return [even] * len(keys)
    spare = max(0.0, room - sum(wanted)) / len(keys)
    return [width + spare for width in wanted]


def _block(scene: Scene, columns: tuple[int, int], widths: list[float], label: float) -> Part:
    """The rows of some columns, with what they are called above and beside them."""
    start, end = columns
    values, maps = scene.rows, range(len(scene.maps))
    narrow = widths[start] < 28
    row = 16 if narrow else 29 if len(maps) <= 12 else 24 if len(maps) <= 24 else 20
    head = longest(scene.keys[start:end], 90, TINY) + 8 if narrow else 22
    gap, x, drawn = (1 if narrow else 3), label, []
    best = np.abs(values).argmax(1)
    for k in range(start, end):
        middle, wide = x + (widths[k] - gap) / 2, widths[k] - gap
        drawn.append(_column_name(scene, k, middle, head, widths[k], narrow))
        for m in maps:
            box = (x, head + m * row, wide, row - gap)
            drawn.append(cell(scene, float(values[m, k]), box, k == best[m]))
            if (m, k) in scene.edited:
                drawn.append(outline(x + 1, box[1] + 1, wide - 2, row - gap - 2, scene.look.ink))
        if k in scene.marks.masked:
            drawn.append(hatching(x, head, wide, len(maps) * row - gap, scene.look.soft))
        x += widths[k]
    drawn += [map_name(scene, m, 0, head + (m + 0.5) * row - gap / 2, label - 8) for m in maps]
    return Part("".join(drawn), x, head + len(maps) * row)


def _column_name(scene: Scene, key: int, middle: float, head: float, width: float, narrow: bool) -> str:
    words = scene.keys[key]
    if narrow:
        return upright(scene, key, fitted(words, head - 4, TINY), middle, head - 4, scene.look.ink)
    return item_name(
        scene.marks, key, fitted(words, width - 2, SMALL), middle, head / 2, ink=scene.look.ink, anchor="middle"
    )


def upright(scene: Scene, key: int, words: str, x: float, y: float, ink: str) -> str:
    """The name of a key, written upwards from (x, y)."""
    turned = item_name(scene.marks, key, words, 0, 0, ink=ink, size=TINY)
    return element("g", turned, transform=f"translate({x:.2f} {y:.2f}) rotate(-90)") if turned else ""


def map_name(scene: Scene, m: int, x: float, y: float, width: float) -> str:
    """What a map is called; of one that was switched off it says so."""
    name, off = scene.maps[m], m in scene.marks.off
    if not off:
        return text(fitted_name(name, width, SMALL), x, y, font_size=SMALL, fill=scene.look.ink)
    shown = f"{fitted_name(name, width - text_width(OFF, SMALL), SMALL)}{OFF}"
    return text(shown, x, y, font_size=SMALL, fill=scene.look.soft, font_style="italic")


def cell(scene: Scene, weight: float, box: tuple[float, ...], best: bool) -> str:
    """A cell; its number stands in it where it matters: the largest of a row, and all above 0.15."""
    x, y, width, height = box
    step = int(scene.palette.steps(np.array(weight), scene.row_scale))
    drawn = element(
        "rect", x=x, y=y, width=width, height=height, rx=4 if height > 16 else 0, fill=scene.palette.css[step]
    )
    if width < 24 or height < 15 or abs(weight) < 0.005 or not (best or abs(weight) > 0.15):
        return drawn
    ink = scene.look.inks[scene.palette.is_dark[step]]
    number = text(short(weight), x + width / 2, y + height / 2, font_size=TINY, fill=ink, text_anchor="middle")
    return drawn + number


def short(weight: float) -> str:
    """A weight as it stands in a cell: .86, 1, −.12, 2.4"""
    size = abs(weight)
    if size >= 9.95:
        return f"{weight:.0f}".replace("-", "−") if size < 1e5 else f"{weight:.0e}".replace("-", "−")
    digits = 2 if size < 0.995 else 0 if size < 1.005 else 1
    return f"{weight:.{digits}f}".replace("0.", ".", 1 if size < 0.995 else 0).replace("-", "−")


def longest(names: Sequence[str], most: float, size: float = SMALL) -> float:
    """How wide the longest of the names is, in pixels, and at most `most`."""
    return min(most, max((text_width(name, size) for name in names), default=0.0))


def stacked(parts: Sequence[Part], gap: float) -> Part:
    """Parts one below another."""
    drawn, y = [], 0.0
    for part in parts:
        drawn.append(moved(part.markup, 0, y))
        y += part.height + gap
    return Part("".join(drawn), max(p.width for p in parts), y - gap)
