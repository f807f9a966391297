"""One attention map as sentences need it, and what stands out in it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from attnviz.analysis.phrases import item, listed, named
from attnviz.analysis.spread import effective
from attnviz.trace import QUERY, AttentionMap, Axis


class Strong(str):
    """A piece of a sentence that is emphasised."""


Sentence = list[str]


@dataclass(frozen=True)
class View:
    """One attention map as sentences need it; with weights normalised over the query, queries and keys are swapped."""

    weights: Float[np.ndarray, "map query key"]
    labels: tuple[str, ...]
    kind: str
    queries: Axis
    keys: Axis

    @property
    def alive(self) -> list[int]:
        """The maps that have any weight."""
        return np.flatnonzero(self.weights.any((1, 2))).tolist()

    def row(self, m: int) -> Float[np.ndarray, " key"]:
        """The weights of the first query."""
        return self.weights[m, 0]

    def where(self, m: int) -> str:
        """In which map, where there are several."""
        return f", in {self.labels[m]}" if len(self.labels) > 1 else ""


def view_of(attention: AttentionMap) -> View:
    """The map, turned round where its weights are normalised over the query."""
    weights, (queries, keys) = attention.stacked, attention.axes[-2:]
    if attention.normalised == QUERY:
        weights, queries, keys = weights.swapaxes(1, 2), keys, queries
    return View(weights.astype(np.float64), attention.labels, kind_of(attention), queries, keys)


def largest(weights: np.ndarray) -> tuple[int, ...]:
    """Where the largest number stands."""
    return tuple(int(i) for i in np.unravel_index(int(weights.argmax()), weights.shape))


def tied(row: np.ndarray) -> list[int]:
    """The keys that share the largest weight."""
    return np.flatnonzero(row >= row.max() * (1 - 1e-6)).tolist()


def even(row: np.ndarray) -> bool:
    """Almost the same weight on every key."""
    n = len(row)
    return n > 1 and bool(effective(row) >= 0.95 * n and row.max() <= 1.25 * row.sum() / n)


def favourite(view: View, m: int) -> str:
    """The keys that share the largest weight, in words."""
    return listed(dict.fromkeys(named(view.keys, k) for k in tied(view.row(m))))


def kind_of(attention: AttentionMap) -> str:
    """What the maps are called: the kind of the leading axis, "map" if there are several or none."""
    leading = attention.axes[:-2]
    return item(leading[0]) if len(leading) == 1 else "map"
