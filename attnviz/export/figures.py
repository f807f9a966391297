"""The views of a map as still pictures: strips under the words, matrices, arcs, and weights over a picture."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from attnviz.export.drawing import (
    SMALL,
    Part,
    cells,
    element,
    fitted,
    fitted_name,
    is_right_to_left,
    moved,
    picture,
    text,
    text_width,
)
from attnviz.export.palette import CURVE
from attnviz.export.scene import Scene

GAP, CAPTION, TINY = 14, 24, 11  # between figures; the line above each; text in cells
LONG = 40  # words from which columns are narrow, their labels upright
MOST_CELLS = 6_000  # more than this are one embedded picture a map
MOST_ARCS = 1_500
OPACITY = 0.6  # of the veil over a picture


def tokens(scene: Scene) -> Part:
    """The sentence, tinted by the mean over the maps, and one strip for each map under its words."""
    sentence = _sentence(scene)
    strips = grid(scene, scene.rows, scene.maps, scene.row_scale)
    return _stacked([sentence, strips], 10)


def matrix(scene: Scene) -> Part:
    """A matrix for each map, queries down and keys across; one matrix of all maps where there is one query."""
    maps, queries, keys = scene.weights.shape
    if queries == 1:
        return grid(scene, scene.weights[:, 0], scene.maps, scene.scale)
    wanted = 17 * max(queries, keys) + _longest(scene.queries, 64, TINY)
    size = _figure_width(maps, scene.width, max(wanted, 150) if wanted <= 420 else 300)
    return _multiples(scene, lambda m: _matrix(scene, m, size), size)


def arcs(scene: Scene) -> Part:
    """For each map its queries on the left, its keys on the right, and a line as wide and dark as the weight."""
    least = _longest(scene.queries, 96) + _longest(scene.keys, 96) + 90
    size = min(_figure_width(len(scene.maps), scene.width, least), 420)
    return _multiples(scene, lambda m: _arcs(scene, m, size), size)


def overlay(scene: Scene) -> Part:
    """The picture once for each map; what is looked at stays clear, what is not is veiled."""
    most = 520 if len(scene.maps) == 1 else 300
    size = min(_figure_width(len(scene.maps), scene.width, 150), most)
    rows, columns = scene.grid or (1, len(scene.keys))
    height = size / (scene.aspect if scene.picture else columns / rows)
    # Written once, shown once for each map.
    under = element("defs", picture(scene.picture, size, height, id="picture")) if scene.picture else ""
    figures = _multiples(scene, lambda m: _overlay(scene, m, size, height), size)
    return Part(under + figures.markup, figures.width, figures.height)


FIGURES: dict[str, Callable[[Scene], Part]] = {"tokens": tokens, "matrix": matrix, "arcs": arcs, "overlay": overlay}


def grid(scene: Scene, values: Float[np.ndarray, "row key"], names: Sequence[str], scale: float) -> Part:
    """Rows of cells under the keys; where these do not fit side by side, several blocks of rows, one below another."""
    label = min(_longest(names, 150) + 10, scene.width * 0.26)
    widths = _column_widths(scene.keys, scene.width - label)
    blocks, start = [], 0
    while start < len(widths):
        end = start + 1
        while end < len(widths) and sum(widths[start : end + 1]) <= scene.width - label + 0.5:
            end += 1
        blocks.append(_block(scene, values, names, scale, (start, end), widths, label))
        start = end
    return _stacked(blocks, 12)


def _sentence(scene: Scene) -> Part:
    look, mean = scene.look, scene.rows.mean(0)
    steps = scene.palette.steps(mean, scene.row_scale)
    size, pad = (21, 5) if len(scene.keys) <= LONG else (15, 3)
    line, x, y = size * 1.75, 0.0, 0.0
    flipped = is_right_to_left(" ".join(scene.keys))
    drawn = []
    for key, step in zip(scene.keys, steps, strict=True):
        shown = fitted(key or "␣", scene.width - 2 * pad, size)
        wide = text_width(shown, size) + 2 * pad
        if x and x + wide > scene.width:
            x, y = 0.0, y + line
        left = scene.width - x - wide if flipped else x
        fill, ink = scene.palette.css[step], look.inks[scene.palette.is_dark[step]]
        drawn.append(element("rect", x=left, y=y, width=wide, height=size * 1.45, rx=5, fill=fill))
        drawn.append(text(shown, left + wide / 2, y + size * 0.725, font_size=size, fill=ink, text_anchor="middle"))
        x += wide + 5
    return Part("".join(drawn), scene.width, y + size * 1.45)


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


def _block(
    scene: Scene,
    values: np.ndarray,
    names: Sequence[str],
    scale: float,
    columns: tuple[int, int],
    widths: list[float],
    label: float,
) -> Part:
    """The rows of some columns, with what they are called above and beside them."""
    start, end = columns
    upright = widths[start] < 28
    row = 16 if upright else 29 if len(names) <= 12 else 24 if len(names) <= 24 else 20
    head = _longest(scene.keys[start:end], 90, TINY) + 8 if upright else 22
    gap, x, drawn = (1 if upright else 3), label, []
    for k in range(start, end):
        middle = x + (widths[k] - gap) / 2
        drawn.append(_column_name(scene, scene.keys[k], middle, head, widths[k], upright))
        for r in range(len(names)):
            best = k == int(np.abs(values[r]).argmax())
            box = (x, head + r * row, widths[k] - gap, row - gap)
            drawn.append(_cell(scene, float(values[r, k]), scale, box, best))
        x += widths[k]
    for r, name in enumerate(names):
        shown = fitted_name(name, label - 8, SMALL)
        drawn.append(text(shown, 0, head + (r + 0.5) * row - gap / 2, font_size=SMALL, fill=scene.look.ink))
    return Part("".join(drawn), x, head + len(names) * row)


def _column_name(scene: Scene, key: str, middle: float, head: float, width: float, upright: bool) -> str:
    if not upright:
        shown = fitted(key, width - 2, SMALL)
        return text(shown, middle, head / 2, font_size=SMALL, fill=scene.look.ink, text_anchor="middle")
    return _upright(fitted(key, head - 4, TINY), middle, head - 4, scene.look.ink)


def _upright(words: str, x: float, y: float, ink: str) -> str:
    turned = text(words, 0, 0, font_size=TINY, fill=ink)
    return element("g", turned, transform=f"translate({x:.2f} {y:.2f}) rotate(-90)") if turned else ""


def _cell(scene: Scene, weight: float, scale: float, box: tuple[float, ...], best: bool) -> str:
    """A cell; its number stands in it where it matters: the largest of a row, and all above 0.15."""
    x, y, width, height = box
    step = int(scene.palette.steps(np.array(weight), scale))
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


def _matrix(scene: Scene, m: int, size: float) -> Part:
    values = scene.weights[m]
    queries, keys = values.shape
    left, top = _longest(scene.queries, 64, TINY) + 8, _longest(scene.keys, 64, TINY) + 8
    side = min((size - left) / keys, (size - left) / queries)
    if side < 11:
        left = top = 0.0
        side = size / max(queries, keys)
    cells = element("g", _cells(scene, values, side), transform=f"translate({left:.2f} {top:.2f})")
    drawn = [cells]
    if left:
        for q, name in enumerate(scene.queries):
            shown, y = fitted(name, left - 8, TINY), top + (q + 0.5) * side
            drawn.append(text(shown, left - 5, y, font_size=TINY, fill=scene.look.soft, text_anchor="end"))
        drawn += [
            _upright(fitted(name, top - 8, TINY), left + (k + 0.5) * side, top - 4, scene.look.soft)
            for k, name in enumerate(scene.keys)
        ]
    return Part("".join(drawn), size, top + queries * side)


def _cells(scene: Scene, values: np.ndarray, side: float) -> str:
    """Squares, or one embedded picture where there are too many of them."""
    queries, keys = values.shape
    steps = scene.palette.steps(values, scene.scale)
    if scene.weights.size > MOST_CELLS:
        return cells(scene.palette.colours[steps], keys * side, queries * side)
    square = side - 1 if side >= 8 else side
    css = scene.palette.css
    return "".join(
        element("rect", x=k * side, y=q * side, width=square, height=square, fill=css[steps[q, k]])
        for q in range(queries)
        for k in range(keys)
    )


def _arcs(scene: Scene, m: int, size: float) -> Part:
    values = scene.weights[m]
    queries, keys = values.shape
    height = max(queries, keys, 3) * 18.0
    left = _longest(scene.queries, size * 0.36) + 8
    right = size - _longest(scene.keys, size * 0.36) - 8
    bend = (right - left) * 0.45
    steps = scene.palette.steps(values, scene.scale)
    # The weakest first, so that strong ones lie on top.
    strong = np.argsort(np.abs(values), axis=None, kind="stable")[-MOST_ARCS:]
    drawn = []
    for q, k in zip(*np.unravel_index(strong, values.shape), strict=True):
        share = abs(values[q, k]) / scene.scale
        if share < 0.02:
            continue
        y, to = (q + 0.5) * height / queries, (k + 0.5) * height / keys
        path = f"M{left:.1f} {y:.1f}C{left + bend:.1f} {y:.1f} {right - bend:.1f} {to:.1f} {right:.1f} {to:.1f}"
        line = {"stroke": scene.palette.css[steps[q, k]], "stroke_width": 0.5 + 7.5 * share, "stroke_opacity": 0.9}
        drawn.append(element("path", d=path, fill="none", **line))
    for names, x, anchor in ((scene.queries, left - 6, "end"), (scene.keys, right + 6, "start")):
        for i, name in enumerate(names):
            y = (i + 0.5) * height / len(names)
            shown = fitted(name, size * 0.36, SMALL)
            drawn.append(text(shown, x, y, font_size=SMALL, fill=scene.look.ink, text_anchor=anchor))
    return Part("".join(drawn), size, height)


def _overlay(scene: Scene, m: int, size: float, height: float) -> Part:
    rows, columns = scene.grid or (1, len(scene.keys))
    row = scene.rows[m][-rows * columns :]  # items that are not patches come first
    colours = scene.palette.colours[scene.palette.steps(row, scene.row_scale)]
    clear = np.minimum(1.0, np.abs(row) / scene.row_scale) ** CURVE
    veil = OPACITY ** (0.4 + 2.6 * clear) if scene.picture else np.ones(len(row))
    pixels = np.column_stack([colours, np.rint(255 * veil)]).astype(np.uint8).reshape(rows, columns, 4)
    under = element("use", **{"xlink:href": "#picture"}) if scene.picture else ""
    return Part(under + cells(pixels, size, height), size, height)


def _multiples(scene: Scene, draw: Callable[[int], Part], size: float) -> Part:
    """A figure for each map, each under its name, in rows of equal length."""
    per_row = _per_row(len(scene.maps), scene.width, size)
    drawn, height = [], 0.0
    for m, name in enumerate(scene.maps):
        part = draw(m)
        tall = part.height + CAPTION + GAP
        x, y = m % per_row * (size + GAP), m // per_row * tall
        shown = fitted_name(name, size, SMALL)
        title = text(shown, 0, CAPTION / 2 - 2, font_size=SMALL, fill=scene.look.ink)
        drawn.append(moved(title + moved(part.markup, 0, CAPTION), x, y))
        height = y + tall - GAP
    return Part("".join(drawn), scene.width, height)


def _per_row(count: int, room: float, size: float) -> int:
    """So many figures in a row, no row much shorter than the others: four are 2 and 2, never 3 and 1."""
    most = max(1, min(count, int((room + GAP) // (size + GAP))))
    return -(-count // -(-count // most))


def _figure_width(count: int, room: float, least: float) -> float:
    per_row = _per_row(count, room, min(least, room))
    return min((room + GAP) / per_row - GAP, max(least, 340))


def _longest(names: Sequence[str], most: float, size: float = SMALL) -> float:
    return min(most, max((text_width(name, size) for name in names), default=0.0))


def _stacked(parts: Sequence[Part], gap: float) -> Part:
    """Parts one below another."""
    drawn, y = [], 0.0
    for part in parts:
        drawn.append(moved(part.markup, 0, y))
        y += part.height + gap
    return Part("".join(drawn), max(p.width for p in parts), y - gap)
