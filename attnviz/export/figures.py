"""The views of a map as still pictures: strips under the words, matrices, arcs, and weights over a picture."""

from collections.abc import Callable

import numpy as np

from attnviz.export.drawing import SMALL, Part, cells, element, fitted, moved, shared_picture, text
from attnviz.export.facts import facts
from attnviz.export.marks import hatching, item_name, outline
from attnviz.export.palette import CURVE
from attnviz.export.scene import Scene, is_table
from attnviz.export.strips import TINY, grid, longest, map_name, reading, tokens, upright

GAP, CAPTION = 14, 24  # between figures; the line above each
MOST_CELLS = 6_000  # more than this are one embedded picture a map
MOST_ARCS = 1_500
OPACITY = 0.6  # of the veil over a picture


def matrix(scene: Scene) -> Part:
    """A matrix for each map, queries down and keys across; one of all maps where there is one query.

    A single map of queries that are no keys is a table with a row for each.
    """
    maps, queries, keys = scene.weights.shape
    if queries == 1:
        return grid(scene)
    if is_table(scene.attention):
        return grid(scene.by_query)
    wanted = 17 * max(queries, keys) + longest(scene.queries, 64, TINY)
    size = _figure_width(maps, scene.width, max(wanted, 150) if wanted <= 420 else 300)
    return _multiples(scene, lambda m: _matrix(scene, m, size), size)


def arcs(scene: Scene) -> Part:
    """For each map its queries on the left, its keys on the right, and a line as wide and dark as the weight."""
    least = longest(scene.queries, 96) + longest(scene.keys, 96) + 90
    size = min(_figure_width(len(scene.maps), scene.width, least), 420)
    return _multiples(scene, lambda m: _arcs(scene, m, size), size)


def overlay(scene: Scene) -> Part:
    """The picture once for each map; what is looked at stays clear, what is not is veiled."""
    most = 520 if len(scene.maps) == 1 else 300
    size = min(_figure_width(len(scene.maps), scene.width, 150), most)
    rows, columns = scene.grid or (1, len(scene.keys))
    height = size / (scene.aspect if scene.picture else columns / rows)
    return _multiples(scene, lambda m: _overlay(scene, m, size, height), size)


FIGURES: dict[str, Callable[[Scene], Part]] = {
    "tokens": tokens,
    "reading": reading,
    "facts": facts,
    "matrix": matrix,
    "arcs": arcs,
    "overlay": overlay,
}


def _matrix(scene: Scene, m: int, size: float) -> Part:
    values = scene.weights[m]
    queries, keys = values.shape
    left, top = longest(scene.queries, 64, TINY) + 8, longest(scene.keys, 64, TINY) + 8
    side = min((size - left) / keys, (size - left) / queries)
    if side < 11:
        left = top = 0.0
        side = size / max(queries, keys)
    drawn = [moved(_cells(scene, values, side), left, top)]
    drawn += [hatching(left + k * side, top, side, queries * side, scene.look.soft) for k in scene.marks.masked]
    for _, q, k in (edit for edit in scene.marks.edited if edit[0] == m):
        drawn.append(outline(left + k * side, top + q * side, side, side, scene.look.ink))
    if left:
        for q, name in enumerate(scene.queries):
            shown, y = fitted(name, left - 8, TINY), top + (q + 0.5) * side
            drawn.append(text(shown, left - 5, y, font_size=TINY, fill=scene.look.soft, text_anchor="end"))
        drawn += [
            upright(scene, k, fitted(name, top - 8, TINY), left + (k + 0.5) * side, top - 4, scene.look.soft)
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
    left = longest(scene.queries, size * 0.36) + 8
    right = size - longest(scene.keys, size * 0.36) - 8
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
    ink = scene.look.ink
    for q, name in enumerate(scene.queries):
        shown, y = fitted(name, size * 0.36, SMALL), (q + 0.5) * height / queries
        drawn.append(text(shown, left - 6, y, font_size=SMALL, fill=ink, text_anchor="end"))
    for k, name in enumerate(scene.keys):
        shown, y = fitted(name, size * 0.36, SMALL), (k + 0.5) * height / keys
        drawn.append(item_name(scene.marks, k, shown, right + 6, y, ink=ink))
    return Part("".join(drawn), size, height)


def _overlay(scene: Scene, m: int, size: float, height: float) -> Part:
    rows, columns = scene.grid or (1, len(scene.keys))
    skip = len(scene.keys) - rows * columns  # items that are not patches come first
    row = scene.rows[m][skip:]
    colours = scene.palette.colours[scene.palette.steps(row, scene.row_scale)]
    clear = np.minimum(1.0, np.abs(row) / scene.row_scale) ** CURVE
    veil = OPACITY ** (0.4 + 2.6 * clear) if scene.picture else np.ones(len(row))
    pixels = np.column_stack([colours, np.rint(255 * veil)]).astype(np.uint8).reshape(rows, columns, 4)
    under = shared_picture(scene.picture, size, height) if scene.picture else ""
    marks = _patch_marks(scene, m, skip, columns, (size / columns, height / rows))
    return Part(under + cells(pixels, size, height) + marks, size, height)


def _patch_marks(scene: Scene, m: int, skip: int, columns: int, patch: tuple[float, float]) -> str:
    """Hatched patches that are masked, and the outlines of weights that were set by hand."""

    def box(key: int) -> tuple[float, float, float, float]:
        row, column = divmod(key - skip, columns)
        return column * patch[0], row * patch[1], *patch

    ink, masked = scene.look.ink, [k for k in scene.marks.masked if k >= skip]
    edited = [k for of, k in scene.edited if of == m and k >= skip]
    return "".join([*(hatching(*box(k), ink) for k in masked), *(outline(*box(k), ink) for k in edited)])


def _multiples(scene: Scene, draw: Callable[[int], Part], size: float) -> Part:
    """A figure for each map, each under its name, in rows of equal length."""
    per_row = _per_row(len(scene.maps), scene.width, size)
    drawn, height = [], 0.0
    for m in range(len(scene.maps)):
        part = draw(m)
        tall = part.height + CAPTION + GAP
        x, y = m % per_row * (size + GAP), m // per_row * tall
        title = map_name(scene, m, 0, CAPTION / 2 - 2, size)
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
