"""Traces with a second side: words that ask, which get weights too, and words that are produced one after the other."""

from dataclasses import replace

from attnviz.analysis.items import MAIN, counts_items, items
from attnviz.analysis.phrases import item, plural
from attnviz.trace import KEY, QUERY, AttentionMap, Axis, Trace, numbered


def asking(trace: Trace) -> list[AttentionMap]:
    """The weights on what asks, where that is something else than the items; each map has a single query.

    Where each item divides itself between the asking words (attention-over-attention), it is the mean over the items.
    """
    found = [(attention, asking_axis(attention, items(trace))) for attention in trace.maps]
    return [_over(attention, axis) for attention, axis in found if axis is not None]


def asking_axis(attention: AttentionMap, of: Axis) -> Axis | None:
    """What asks, if these are weights on it: its keys, or its queries where the weights sum to one over these."""
    queries, keys = attention.axes[-2:]
    axis = queries if attention.normalised == QUERY else keys if len(queries) == 1 else None
    return axis if axis is not None and counts_items(axis) and axis.labels != of.labels else None


def are_pairs(attention: AttentionMap, of: Axis) -> bool:
    """Whether it says how well each asking word fits each item, in numbers that are no weights: an affinity."""
    queries, keys = attention.axes[-2:]
    two_sides = counts_items(queries) and queries.labels != of.labels and keys.labels == of.labels
    return attention.normalised is None and len(attention.axes) == 2 and two_sides


def title(attention: AttentionMap, trace: Trace) -> str:
    """What a map is called where people read it; where words ask, it says which weights are on them."""
    name = attention.name.replace("_", " ")
    if not asking(trace):
        return name
    of = items(trace)
    axis = asking_axis(attention, of)
    if axis is not None:
        return name.replace("query weights", f"weights on the asking {plural(item(axis))}")
    return {MAIN: f"weights on the {plural(item(of))}", "document weights": "weights of each asking word"}.get(
        name, name
    )


def is_produced(attention: AttentionMap, trace: Trace) -> bool:
    """Whether its queries are the words that were produced."""
    found = trace.prediction
    return found is not None and found.sequence and attention.axes[-2].labels == found.labels


def _over(attention: AttentionMap, axis: Axis) -> AttentionMap:
    if attention.normalised != QUERY:
        return attention
    alive = attention.weights.any(-2).sum(-1)[..., None, None]
    mean = attention.weights.sum(-1)[..., None, :] / alive.clip(1)
    return replace(attention, weights=mean, axes=(*attention.axes[:-2], numbered("query", 1), axis), normalised=KEY)
