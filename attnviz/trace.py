"""What comes out of a forward pass: maps of weights, the steps that led to them, context and prediction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from jaxtyping import Float

KEY, QUERY = "key", "query"


@dataclass(frozen=True)
class Axis:
    """What one axis of an array counts.

    `kind` is one of head, hop, row, class, layer, token, patch, query, feature …; `labels` is what a person reads, one
    for each index; `grid` is (rows, columns) where the items lie on a picture, row by row.
    """

    kind: str
    labels: tuple[str, ...]
    grid: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.labels)


@lru_cache(maxsize=512)
def numbered(kind: str, n: int) -> Axis:
    """An axis whose labels count from one: head 1, head 2 …; a single one is called by its kind alone."""
    return Axis(kind, (kind,) if n == 1 else tuple(f"{kind} {i + 1}" for i in range(n)))


@dataclass(frozen=True)
class AttentionMap:
    """Weights with one axis per entry of `axes`; the last two are query and key, leading ones count maps.

    `normalised` names the axis along which the numbers sum to one: "key", "query", or the kind of a leading axis;
    None says that they do not (gates, affinities), and such a map is drawn with another legend.
    """

    name: str
    weights: Float[np.ndarray, "*maps query key"]
    axes: tuple[Axis, ...]
    normalised: str | None = KEY

    @property
    def labels(self) -> tuple[str, ...]:
        """One label for each map, in the order of `stacked`: the labels of the leading axes joined by a dot."""
        names = [""]
        for axis in self.axes[:-2]:
            names = [f"{name} · {label}" if name else label for name in names for label in axis.labels]
        return tuple(names) if self.axes[:-2] else (self.name,)

    @property
    def stacked(self) -> Float[np.ndarray, "map query key"]:
        """The weights with all leading axes flattened into one."""
        return self.weights.reshape(-1, *self.weights.shape[-2:])


@dataclass(frozen=True)
class Step:
    """One line of the computation: what it is called, its formula in LaTeX, and the numbers."""

    name: str
    formula: str
    value: Float[np.ndarray, "..."]
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Prediction:
    """A probability for each label. `independent` ones answer yes or no each by itself and need not sum to one.

    The labels of a `sequence` are words that were produced one after the other, each with its own probability.
    """

    labels: tuple[str, ...]
    probabilities: Float[np.ndarray, " label"]
    independent: bool = False
    sequence: bool = False

    @property
    def best(self) -> str:
        """The label with the largest probability; of a sequence all of them, in their order."""
        return " ".join(self.labels) if self.sequence else self.labels[int(self.probabilities.argmax())]


@dataclass(frozen=True)
class Trace:
    """All that a forward pass showed of itself; every picture, figure and export is a function of it.

    `made_by` says what it takes to make it again: task, options, interventions, input, version, and whether the
    weights were trained.
    """

    mechanism: str
    maps: tuple[AttentionMap, ...]
    steps: tuple[Step, ...]
    context: Float[np.ndarray, "..."]
    prediction: Prediction | None = None
    made_by: dict[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> str:
        """What it was made from, in one line: a text, a picture's name, or the parts of an input."""
        given = self.made_by.get("input", "")
        return " · ".join(map(str, given.values())) if isinstance(given, Mapping) else str(given)

    def _repr_html_(self) -> str:
        """The live picture, where a notebook shows the trace."""
        # By name and only when asked: this module is below all others, and the export draws on most of them.
        return import_module("attnviz.export.as_html").in_notebook(self)

    def map(self, name: str) -> AttentionMap:
        """The map of that name; KeyError if the trace has none."""
        for found in self.maps:
            if found.name == name:
                return found
        raise KeyError(f"no map {name!r}; this trace has {', '.join(m.name for m in self.maps)}")

    def step(self, name: str) -> Step:
        """The step of that name; KeyError if the trace has none."""
        for found in self.steps:
            if found.name == name:
                return found
        raise KeyError(f"no step {name!r}; this trace has {', '.join(s.name for s in self.steps)}")
