"""Several pictures beside each other as one board: the panels, what differs between each two, and the figures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import UInt8

from attnviz.analysis.cost import Figures
from attnviz.analysis.items import main_map
from attnviz.analysis.pairs import compare, difference
from attnviz.errors import PairError
from attnviz.trace import AttentionMap, Trace
from attnviz.views import key_figures
from attnviz.views.frame import frame

Bytes = UInt8[np.ndarray, " byte"]


@dataclass(frozen=True)
class Panel:
    """A trace, the frame that draws it (`attnviz.views.frame`), its options in words, and what its model costs.

    `number` is what the panel is called, "1", "2" …
    """

    trace: Trace
    meta: dict[str, Any]
    weights: np.ndarray
    options: str = ""
    cost: Figures | None = None
    number: str = ""


class Pack:
    """Numbers of several kinds in one row of bytes; each part begins where its kind can be read in place."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._length = 0

    def add(self, numbers: np.ndarray) -> dict[str, Any]:
        """Where the numbers stand, once they are in: the first byte, how many, and their kind."""
        self._length += (gap := -self._length % numbers.itemsize)
        found = {"start": self._length, "count": numbers.size, "kind": numbers.dtype.name}
        self._parts += [np.zeros(gap, np.uint8), np.ascontiguousarray(numbers).reshape(-1).view(np.uint8)]
        self._length += numbers.nbytes
        return found

    def bytes(self) -> Bytes:
        """All of them."""
        return np.concatenate(self._parts) if self._parts else np.empty(0, np.uint8)


def _is_shared(group: dict[str, Any]) -> bool:
    """Whether a group's weights mean the same in every panel: shares of a whole."""
    return group["normalised"] is not None and not group["signed"]


def _among_others(meta: dict[str, Any], pictures: list[str | None], most: float) -> dict[str, Any]:
    groups = [group | {"common": most} if _is_shared(group) else group for group in meta["groups"]]
    return meta | {"picture": pictures.index(meta["picture"]), "groups": groups}


def board(panels: Sequence[Panel]) -> tuple[dict[str, Any], Bytes]:
    """(meta, bytes): the numbers of all frames in one row of bytes, and where each begins.

    `pairs` holds every two panels: the figures, and a frame of their difference or a sentence why there is none. A
    difference map by map does not travel: `minus` are the groups, of the second frame and of the first, to subtract.
    Weights that sum to one have the same colours in all panels: `common` of a group is the largest of them all.
    Each picture that lies under weights travels once, in `pictures`: the "picture" of a frame is its place there.
    """
    pack = Pack()
    pictures = list(dict.fromkeys(panel.meta["picture"] for panel in panels))
    most = max((group["scale"] for panel in panels for group in panel.meta["groups"] if _is_shared(group)), default=0.0)
    panels = [replace(panel, meta=_among_others(panel.meta, pictures, most)) for panel in panels]
    figures = [key_figures.of_panel(panel.trace, panel.cost) for panel in panels]
    return {
        "pictures": pictures,
        "panels": [_panel(*found, pack) for found in zip(panels, figures, strict=True)],
        "pairs": [_pair(panels, of, pack) for of in combinations(range(len(panels)), 2)],
        "figures": key_figures.kinds(),
    }, pack.bytes()


def _panel(panel: Panel, figures: dict[str, key_figures.Value], pack: Pack) -> dict[str, Any]:
    return {
        "number": panel.number,
        "frame": panel.meta,
        "numbers": pack.add(panel.weights),
        "options": panel.options,
        "figures": key_figures.plain(figures),
    }


def _pair(panels: Sequence[Panel], of: tuple[int, int], pack: Pack) -> dict[str, Any]:
    first, second = (panels[i] for i in of)
    found = {"of": list(of), "figures": key_figures.plain(key_figures.of_pair(compare(first.trace, second.trace)))}
    try:
        signed = difference(first.trace, second.trace)
    except PairError as error:
        return {**found, "problem": str(error)}
    meta, weights = _drawn(signed, first, second)
    if signed.axes[:-2]:
        return {**found, "frame": meta, "minus": [_main_group(second.trace), _main_group(first.trace)]}
    return {**found, "frame": meta, "numbers": pack.add(weights)}


def _main_group(trace: Trace) -> int:
    shown = main_map(trace)
    return next(i for i, attention in enumerate(trace.maps) if attention is shown)


def _drawn(signed: AttentionMap, first: Panel, second: Panel) -> tuple[dict[str, Any], np.ndarray]:
    """The frame of a difference. It has no prediction and no spread, and zero is its middle even if none is below.

    It always travels, or is subtracted, in four bytes a weight.
    """
    name = f"{second.number} minus {first.number}"
    trace = Trace(name, (replace(signed, name=name),), (), np.empty(0), None, {"trained": True})
    meta, weights = frame(trace, title=name)
    (group,) = meta["groups"]
    each = "map by map" if signed.axes[:-2] else "of the mean weights"
    words = f"Weights of {second.meta['title']} minus those of {first.meta['title']}, {each}"
    meta |= {"picture": second.meta["picture"], "words": [], "alt": words, "encoding": "float32"}
    group |= {"signed": True, "spread": [], "legend": f"{name}, {each}"}
    return meta, weights
