"""What a still picture shows: one map of a trace, with its scale and its colours."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from attnviz.errors import UnknownNameError
from attnviz.export.marks import Marks
from attnviz.export.palette import LOOKS, Look, Palette, Theme, kind_of, palette
from attnviz.trace import AttentionMap, Axis, Trace

LONG = 40  # words from which a text is first of all to be read; columns are narrow, their labels upright


@dataclass(frozen=True)
class Scene:
    """An attention map and how it is to be drawn. `picture` is a data URL; `query` None means the mean over queries.

    `marks` are the reader's changes.
    """

    attention: AttentionMap
    theme: Theme
    width: float
    query: int | None = None
    picture: str = ""
    aspect: float = 1.0
    marks: Marks = Marks()

    @property
    def look(self) -> Look:
        """Paper and inks of the theme."""
        return LOOKS[self.theme]

    @cached_property
    def palette(self) -> Palette:
        """The ramp for this kind of weights."""
        return palette(self.theme, kind_of(self.attention))

    @cached_property
    def weights(self) -> Float[np.ndarray, "map query key"]:
        """All weights, leading axes flattened."""
        return self.attention.stacked.astype(np.float64)

    @cached_property
    def scale(self) -> float:
        """The largest weight in size; 1 where there is none."""
        return float(np.abs(self.weights).max(initial=0.0)) or 1.0

    @cached_property
    def rows(self) -> Float[np.ndarray, "map key"]:
        """The weights of the chosen query, or their mean over the queries."""
        return self.weights.mean(1) if self.query is None else self.weights[:, self.query]

    @cached_property
    def row_scale(self) -> float:
        """Means over several queries are small beside single weights: they have a scale of their own."""
        if self.query is not None or self.weights.shape[1] == 1:
            return self.scale
        return float(np.abs(self.rows).max(initial=0.0)) or self.scale

    @property
    def by_query(self) -> "Scene":
        """The one map with its queries as maps, so that each is a row."""
        queries, keys = self.attention.axes[-2:]
        axes, weights = (queries, Axis("query", ("",)), keys), self.attention.stacked.swapaxes(0, 1)
        edited = frozenset((q, 0, k) for _, q, k in self.marks.edited)
        off = frozenset(range(len(queries))) if self.marks.off else self.marks.off
        marks = replace(self.marks, edited=edited, off=off)
        return replace(self, attention=replace(self.attention, weights=weights, axes=axes), query=None, marks=marks)

    @property
    def edited(self) -> set[tuple[int, int]]:
        """Map and key of the weights in `rows` that were set by hand; means over queries were set by nobody."""
        query = 0 if self.weights.shape[1] == 1 else self.query
        return {(m, k) for m, q, k in self.marks.edited if q == query}

    @property
    def maps(self) -> tuple[str, ...]:
        """What the maps are called."""
        return self.attention.labels

    @property
    def queries(self) -> tuple[str, ...]:
        """What the queries are called."""
        return self.attention.axes[-2].labels

    @property
    def keys(self) -> tuple[str, ...]:
        """What the keys are called."""
        return self.attention.axes[-1].labels

    @property
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of patches, where the keys lie on a picture."""
        return self.attention.axes[-1].grid


def is_table(attention: AttentionMap) -> bool:
    """Whether it is one map of queries that are other things than the keys, such as written words: a row for each."""
    queries, keys = attention.axes[-2:]
    return len(attention.stacked) == 1 and len(queries) > 1 and queries.labels != keys.labels


def chosen_map(trace: Trace, which: int | str) -> AttentionMap:
    """The map of that number or name; UnknownNameError if the trace has none such."""
    names = [m.name for m in trace.maps]
    at = which if isinstance(which, int) else names.index(which) if which in names else -1
    if not 0 <= at < len(names):
        raise UnknownNameError("map", which, names or ["(this trace has none)"])
    return trace.maps[at]


def views_of(trace: Trace, which: int | str = 0) -> tuple[str, ...]:
    """The views that make sense for a map of the trace, the most telling first; none if the trace has no map."""
    if not trace.maps:
        return ()
    attention = chosen_map(trace, which)
    queries, keys = attention.axes[-2:]
    if keys.grid:
        return "overlay", "matrix"
    if is_table(attention):
        return "matrix", "facts" if keys.kind == "fact" else "tokens", "arcs"
    if keys.kind == "fact":
        return ("facts", "matrix", "arcs") if len(queries) > 1 else ("facts", "matrix")
    drawn = "tokens", "matrix", "arcs"
    return ("reading", *drawn) if keys.kind == "token" and len(keys) > LONG else drawn
