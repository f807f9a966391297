"""How far weights spread: their entropy in bits, and the number of items that they effectively reach."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from attnviz.trace import QUERY, AttentionMap


class Spread(NamedTuple):
    """The spread of one map: its label, its entropy in bits, and 2 to that power (0 where there is no weight)."""

    label: str
    entropy: float
    effective: float


def entropy(weights: Float[np.ndarray, "..."], axis: int = -1) -> Float[np.ndarray, "..."]:
    """-sum p log2 p along `axis`, in bits, with p = |w| / sum |w| (Shannon 1948).

    Weights that do not sum to one (gates, affinities) are so brought to one first, signs dropped. 0 for a row of zeros.
    """
    p = parts(weights, axis)
    logarithms = np.log2(p, out=np.zeros_like(p), where=p > 0)
    return np.maximum(0.0, -(p * logarithms).sum(axis))


def effective(weights: Float[np.ndarray, "..."], axis: int = -1) -> Float[np.ndarray, "..."]:
    """2 ** entropy along `axis`: n equal weights give n, a single one gives 1, a row of zeros gives 0."""
    return np.where(np.any(np.asarray(weights) != 0, axis=axis), np.exp2(entropy(weights, axis)), 0.0)


def spread(attention: AttentionMap) -> tuple[Spread, ...]:
    """The spread of each map, in the order of `attention.labels`.

    Over the keys, averaged over the queries that have any weight; where the weights are normalised over the query it
    is over the queries, averaged over the keys. A map without any weight has entropy 0 and effective 0.
    """
    weights = attention.stacked
    axis = -2 if attention.normalised == QUERY else -1
    alive = np.any(weights != 0, axis=axis)
    bits = entropy(weights, axis).sum(-1) / np.maximum(1, alive.sum(-1))
    reached = np.where(alive.any(-1), np.exp2(bits), 0.0)
    return tuple(map(Spread, attention.labels, bits.tolist(), reached.tolist()))


def parts(weights: Float[np.ndarray, "..."], axis: int = -1) -> Float[np.ndarray, "..."]:
    """|w| / sum |w| along `axis`, as float64; zeros stay zeros.

    Divided by the largest first, so that the sum of very small or large numbers stays in range.
    """
    size = np.abs(np.asarray(weights, dtype=np.float64))
    largest = size.max(axis, keepdims=True, initial=0.0)
    size = np.divide(size, largest, out=np.zeros_like(size), where=largest > 0)
    return size / np.maximum(size.sum(axis, keepdims=True), 1.0)
