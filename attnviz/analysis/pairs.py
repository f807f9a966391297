"""Two traces beside each other: how far their weights and their predictions differ."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from attnviz.analysis.items import items, main_map
from attnviz.analysis.phrases import count, item
from attnviz.analysis.said import changes
from attnviz.analysis.spread import entropy, parts
from attnviz.errors import PairError
from attnviz.trace import KEY, AttentionMap, Axis, Prediction, Trace
from attnviz.version import VERSION

TOP = 3  # items that count as the top ones

Shares = Float[np.ndarray, " item"]


@dataclass(frozen=True)
class PairFigures:
    """How two traces differ; None where a figure has no meaning.

    `divergence` is the Jensen-Shannon divergence of the items' shares in bits, 0 (the same) to 1 (no item in common;
    Lin 1991); its root, the distance, is not taken. `rank_correlation` is Spearman's rho of the shares, ties with their
    average rank; None where one side is even. `overlap` is how much of the `overlap_k` items with the largest shares
    both have in common, 0 to 1; of equal shares the earlier item comes first. `entropy_a` and `entropy_b` are the
    entropies of the shares in bits. `same_class` says whether the most probable classes agree; `distance` is the total
    variation distance of the class probabilities, 0 to 1, independent ones first brought to a sum of one. Both are None
    where the classes are not the same ones. `comparable` is empty, or a sentence why the weights cannot be compared.
    """

    divergence: float | None
    rank_correlation: float | None
    overlap: float | None
    overlap_k: int
    entropy_a: float
    entropy_b: float
    same_class: bool | None
    distance: float | None
    comparable: str = ""


def shares(trace: Trace) -> Shares:
    """The share of all weight that each item receives, as float64: they sum to one, or are zero if there is no weight.

    |w| of the main map, averaged over its maps and queries. Weights that sum to one along another axis than the key
    (over queries, or over maps as in routing) give every item the same in all; so there each query of each map is first
    brought to a sum of one over the items.
    """
    found = main_map(trace)
    if found is None:
        return np.zeros(0)
    return parts(_over_items(found).reshape(-1, len(found.axes[-1])).mean(0))


def compare(a: Trace, b: Trace) -> PairFigures:
    """All figures of a pair. Items are paired by their position, whatever they are called."""
    p, q = shares(a), shares(b)
    same_class, distance = _predictions(a.prediction, b.prediction)
    problem = _problem(a, b) or _emptiness(p, q)
    return PairFigures(
        divergence=None if problem else divergence(p, q),
        rank_correlation=None if problem else rank_correlation(p, q),
        overlap=None if problem else overlap(p, q),
        overlap_k=min(TOP, len(p), len(q)),
        entropy_a=float(entropy(p)),
        entropy_b=float(entropy(q)),
        same_class=same_class,
        distance=distance,
        comparable=problem,
    )


def difference(a: Trace, b: Trace) -> AttentionMap:
    """The second's weights minus the first's, with signs.

    Map by map where the main maps count the same (8 heads and 8 heads) and sum to one along the same axis; otherwise
    of the means over the maps, and over the queries too where those differ in number. PairError if the items differ in
    number or lie in another grid, or if there are none.
    """
    if problem := _problem(a, b):
        raise PairError(problem)
    first, second = main_map(a), main_map(b)
    if first.normalised == second.normalised and _counted(first) == _counted(second):
        weights, before, leading = second.weights, first.weights, second.axes[:-2]
    else:
        weights, before, leading = _mean_map(second), _mean_map(first), ()
    queries = _joined(first.axes[-2], second.axes[-2])
    if weights.shape[-2] != before.shape[-2]:
        weights, before = weights.mean(-2, keepdims=True), before.mean(-2, keepdims=True)
        queries = Axis("query", ("mean over the queries",))
    axes = (*leading, queries, _joined(first.axes[-1], second.axes[-1]))
    return AttentionMap("difference", weights.astype(np.float64) - before, axes, normalised=None)


def difference_trace(a: Trace, b: Trace) -> Trace:
    """The difference as a trace of its own, to be drawn and saved like any other; it says what both were made by.

    PairError as in `difference`.
    """
    return Trace(
        mechanism="difference",
        maps=(difference(a, b),),
        steps=(),
        context=np.zeros(0),
        made_by={
            "input": f"{_name(b)} minus {_name(a)}",
            "first": _side(a),
            "second": _side(b),
            "version": VERSION,
        },
    )


def _side(trace: Trace) -> dict[str, Any]:
    """What made one of two traces; its changes also in words, with labels that only this trace has."""
    said = changes(trace)
    return {"mechanism": trace.mechanism, **trace.made_by, **({"changes": said} if said else {})}


def _name(trace: Trace) -> str:
    return trace.mechanism.replace("_", " ")


def divergence(p: Shares, q: Shares) -> float:
    """The Jensen-Shannon divergence in bits: the mean of KL(p, m) and KL(q, m), where m = (p + q) / 2."""
    return min(1.0, max(0.0, (_to_middle(p, q) + _to_middle(q, p)) / 2))


def rank_correlation(p: Shares, q: Shares) -> float | None:
    """Spearman's rho: the correlation of the ranks, ties with their average rank. None where all of one are equal."""
    x, y = _ranks(p), _ranks(q)
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x @ x) * (y @ y))
    return float(np.clip(x @ y / size, -1, 1)) if size > 0 else None


def overlap(p: Shares, q: Shares) -> float:
    """The part of the few items with the largest shares that both have in common; of equal ones the earlier counts."""
    k = min(TOP, len(p))
    tops = [np.argsort(-shares, kind="stable")[:k] for shares in (p, q)]
    return len(np.intersect1d(*tops)) / k


def variation(p: Float[np.ndarray, " class"], q: Float[np.ndarray, " class"]) -> float | None:
    """The total variation distance of class probabilities, 0 to 1: half the sum of |p - q|, both brought to sum one.

    None where one has no probability at all.
    """
    if not (p.any() and q.any()):
        return None
    return float(np.abs(parts(p) - parts(q)).sum() / 2)


def _over_items(found: AttentionMap) -> Float[np.ndarray, "*maps query key"]:
    """|w|, each row brought to one over the items where another axis is normalised."""
    if found.normalised in (KEY, None):
        return np.abs(found.weights.astype(np.float64))
    return parts(found.weights)


def _mean_map(found: AttentionMap) -> Float[np.ndarray, "query key"]:
    """The mean over the maps. Weights that do not sum to one keep their signs."""
    weights = found.weights.astype(np.float64) if found.normalised is None else _over_items(found)
    return weights.mean(tuple(range(weights.ndim - 2)))


def _counted(found: AttentionMap) -> list[tuple[str, int]]:
    """What the axes count, and how far."""
    return [(axis.kind, len(axis)) for axis in found.axes]


def _joined(first: Axis, second: Axis) -> Axis:
    """An axis for both: where they call an item differently, it is called by both names."""
    if first.labels == second.labels:
        return second
    pairs = zip(first.labels, second.labels, strict=False)
    labels = tuple(x if x == y else f"{x} → {y}" for x, y in pairs)
    return Axis(second.kind, labels, second.grid)


def _problem(a: Trace, b: Trace) -> str:
    """Why items cannot be paired; empty if they can."""
    first, second = items(a), items(b)
    if not (len(first) and len(second)):
        return "No weights were recorded."
    if len(first) != len(second) or first.grid != second.grid:
        return (
            f"The first has {_size(first)} and the second {_size(second)}: "
            "weights can be compared one by one only where these are the same."
        )
    return ""


def _size(axis: Axis) -> str:
    """3 words, 8 × 12 patches."""
    if axis.grid:
        return f"{axis.grid[0]} × {count(axis.grid[1], item(axis))}"
    return count(len(axis), item(axis))


def _emptiness(p: Shares, q: Shares) -> str:
    empty = [name for name, found in (("first", p), ("second", q)) if not found.any()]
    if not empty:
        return ""
    return f"The {' and the '.join(empty)} {'has' if len(empty) == 1 else 'have'} no weight to compare."


def _to_middle(p: Shares, q: Shares) -> float:
    """sum p log2(p / m) with m = (p + q) / 2, where p is above zero."""
    there = p > 0
    return float((p[there] * np.log2(2 * p[there] / (p[there] + q[there]))).sum())


def _ranks(values: Shares) -> Shares:
    """Ranks from one; equal values share the mean of theirs."""
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    return (times.cumsum() - (times - 1) / 2)[place]


def _predictions(a: Prediction | None, b: Prediction | None) -> tuple[bool | None, float | None]:
    if a is None or b is None or a.labels != b.labels:
        return None, None
    return a.best == b.best, variation(a.probabilities, b.probabilities)
