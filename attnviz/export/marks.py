"""What a reader changed, and the target, as still pictures mark it: as in the live picture, without any colour."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from attnviz.analysis.items import counts_items, items, marked
from attnviz.analysis.said import intervention_of, marks
from attnviz.analysis.turns import in_turn
from attnviz.export.drawing import SMALL, element, text, text_width
from attnviz.trace import AttentionMap, Trace

APART = 6  # pixels between two lines of a hatching


@dataclass(frozen=True)
class Marks:
    """What changes leave on one map, and the keys that are the `target`.

    `masked` keys; keys whose word took another's place, with the old word; and, counted as in `stacked`, the maps that
    are `off` and the weights that were set by hand, each as (map, query, key).
    """

    masked: frozenset[int] = frozenset()
    swapped: Mapping[int, str] = field(default_factory=dict)
    off: frozenset[int] = frozenset()
    edited: frozenset[tuple[int, int, int]] = frozenset()
    target: frozenset[int] = frozenset()


def marks_of(trace: Trace, attention: AttentionMap) -> Marks:
    """The marks of one map; positions beyond it are left out, since a file may say anything."""
    found = marks(intervention_of(trace), trace)
    keys = attention.axes[-1]
    n = len(keys) if counts_items(keys) and keys.labels == items(trace).labels else 0
    return Marks(
        masked=frozenset(i for i in found["masked"] if i < n),
        swapped={int(i): word for i, word in found["swapped"].items() if int(i) < n},
        off=_off(attention, found["off"]),
        edited=_edited(attention, found["edits"]),
        target=frozenset(marked(trace)) if n else frozenset(),
    )


def in_last_turn(marks: Marks, attention: AttentionMap) -> Marks:
    """The marks of the maps of the last turn, counted from the first of these; all where no maps come in turns."""
    begin = len(attention.stacked) - len(in_turn(attention).stacked)
    edited = frozenset((m - begin, q, k) for m, q, k in marks.edited if m >= begin)
    return replace(marks, off=frozenset(m - begin for m in marks.off if m >= begin), edited=edited)


def _off(attention: AttentionMap, off: Mapping[str, list[int]]) -> frozenset[int]:
    leading = attention.axes[:-2]
    places = np.zeros(tuple(map(len, leading)), bool)
    for number, axis in enumerate(leading):
        which = [i for i in off.get(axis.kind, ()) if i < len(axis)]
        np.moveaxis(places, number, 0)[which] = True
    return frozenset(np.flatnonzero(places).tolist())


def _edited(attention: AttentionMap, edits: list[dict[str, Any]]) -> frozenset[tuple[int, int, int]]:
    shape, stacked = attention.weights.shape, attention.stacked.shape
    places = [edit["at"] for edit in edits if edit["map"] == attention.name and len(edit["at"]) == len(shape)]
    inside = [at for at in places if all(i < n for i, n in zip(at, shape, strict=True))]
    flat = [np.ravel_multi_index(at, shape) for at in inside]
    return frozenset(tuple(map(int, np.unravel_index(i, stacked))) for i in flat)


def hatching(x: float, y: float, width: float, height: float, ink: str) -> str:
    """Slanted lines over a masked item: to be told from a small weight without colour."""
    lines = []
    for along in np.arange(APART - height, width, APART):
        begin, end = max(along, 0.0), min(along + height, width)
        lines.append(f"M{x + begin:.1f} {y + height + along - begin:.1f}L{x + end:.1f} {y + height + along - end:.1f}")
    return element("path", d="".join(lines), stroke=ink, stroke_width=1, stroke_opacity=0.45, fill="none")


def outline(x: float, y: float, width: float, height: float, ink: str) -> str:
    """The dashed outline of a weight that was set by hand."""
    box = {"x": x, "y": y, "width": width, "height": height}
    return element("rect", **box, fill="none", stroke=ink, stroke_width=1.5, stroke_dasharray="3 2")


def item_name(
    marks: Marks, item: int, words: str, x: float, y: float, *, ink: str, anchor: str = "start", size: float = SMALL
) -> str:
    """The name of an item: struck through if it is masked, with a dotted line under it if it took another's place.

    A word of the target is framed.
    """
    struck = {"text_decoration": "line-through"} if item in marks.masked else {}
    drawn = text(words, x, y, font_size=size, fill=ink, text_anchor=anchor, **struck)
    if not words or (item not in marks.swapped and item not in marks.target):
        return drawn
    wide = text_width(words, size)
    left, below = x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor], y + 0.62 * size
    if item in marks.target:
        drawn += frame_around(left, y, wide, size, ink)
    if item not in marks.swapped:
        return drawn
    line = {"stroke": ink, "stroke_width": 1.5, "stroke_dasharray": "1.5 2.5"}
    return drawn + element("path", d=f"M{left:.1f} {below:.1f}H{left + wide:.1f}", **line)


def frame_around(x: float, y: float, width: float, size: float, ink: str) -> str:
    """The frame of a word of the target whose text begins at `x` with its middle line at `y`."""
    box = {"x": x - 3, "y": y - 0.7 * size, "width": width + 6, "height": 1.4 * size, "rx": 3}
    return element("rect", **box, fill="none", stroke=ink, stroke_width=1.5)
