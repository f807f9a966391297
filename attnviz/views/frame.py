"""A trace as the live picture wants it: what stands beside the weights, and all weights in one row of numbers."""

from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, UInt16

from attnviz.analysis.items import counts_items, marked
from attnviz.analysis.items import items as attended
from attnviz.analysis.sides import are_pairs, asking_axis, is_produced
from attnviz.analysis.sides import title as title_of_map
from attnviz.analysis.spread import spread
from attnviz.analysis.turns import ORDERED, in_turn, turns
from attnviz.analysis.words import alt_text, in_words
from attnviz.attention import registry
from attnviz.errors import UnknownNameError
from attnviz.trace import QUERY, AttentionMap, Axis, Prediction, Trace

LARGE = 65_536  # more weights than this travel in two bytes each
STEPS = 65_535

Weights = Float[np.ndarray, " weight"] | UInt16[np.ndarray, " weight"]


def frame(
    trace: Trace, *, before: Trace | None = None, picture: str | None = None, text: str = "", title: str = ""
) -> tuple[dict[str, Any], Weights]:
    """(meta, weights): `weights` holds all maps of all groups in the order map, query, key; `meta` describes them.

    A group is one AttentionMap. Its weights start at `offset`, in the shape `shape`. `picture` is a data URL. Up to
    65,536 weights are float32 as they are; more are uint16, where a weight is number / 65535 * scale, or, in a group
    with negative weights (`signed`), (number / 65535 * 2 - 1) * scale.

    `before` is the trace without the reader's changes. Its weights follow all others: a group that had the same shape
    finds them at its `before`, with the same scale; that is None for any other group.

    Maps that come in turns (`attnviz.analysis.turns`) are in the order of the turns; `turns` holds the kind and labels
    of these, and what the `maps` of one turn are called.

    Where other words ask (`attnviz.analysis.sides`), `asks` names the axis of a group that counts them, "key" or
    "query"; it is "pair" where a group says how well each of them fits each item.

    A group is `produced` if its queries are the words of the prediction.

    The items in `made_by["marked"]`, such as the words of the target, are marked.
    """
    title = title or title_of(trace.mechanism)
    items = attended(trace)
    earlier = [_earlier(m, before) for m in trace.maps]
    groups = [_group(m, was, trace) for m, was in zip(trace.maps, earlier, strict=True)]
    parts = [(m, group, "offset") for m, group in zip(trace.maps, groups, strict=True)]
    parts += [(was, group, "before") for was, group in zip(earlier, groups, strict=True) if was is not None]
    encoding = "float32" if sum(m.weights.size for m, _, _ in parts) <= LARGE else "uint16"
    offset = 0
    for attention, group, place in parts:
        group[place] = offset
        offset += attention.weights.size
    numbers = [_encoded(m.weights, encoding, group["scale"], group["signed"]) for m, group, _ in parts]
    meta = {
        "mechanism": trace.mechanism,
        "title": title,
        "text": text or ("" if items.grid else " ".join(items.labels)),
        "kind": "image" if items.grid else "facts" if items.kind == "fact" else "text",
        "items": list(items.labels),
        "grid": list(items.grid) if items.grid else None,
        "picture": picture,
        "encoding": encoding,
        "groups": groups,
        "prediction": _prediction(trace.prediction),
        "before": before and {"prediction": _prediction(before.prediction)},
        "marked": list(marked(trace)),
        "trained": bool(trace.made_by.get("trained", True)),
        "words": [[piece, emphasised] for piece, emphasised in in_words(trace)],
        "alt": alt_text(trace, title),
    }
    return meta, np.concatenate(numbers) if numbers else np.empty(0, np.float32)


def title_of(mechanism: str) -> str:
    """The registered title; a mechanism that is not registered (a trace from a file) is called by its name."""
    try:
        return _registered(mechanism)
    except UnknownNameError:
        return mechanism


@lru_cache(maxsize=256)
def _registered(mechanism: str) -> str:
    """Asking the registry walks through the package: too slow for every key press."""
    return registry.get(mechanism).title


def _earlier(attention: AttentionMap, before: Trace | None) -> AttentionMap | None:
    """The map as it was before the change, if it had the same shape then."""
    for found in before.maps if before else ():
        if found.name == attention.name and found.weights.shape == attention.weights.shape:
            return found
    return None


def _group(attention: AttentionMap, before: AttentionMap | None, trace: Trace) -> dict[str, Any]:
    *leading, queries, keys = attention.axes
    items = attended(trace)
    limits = [_limits(m) for m in (attention, before) if m is not None]
    lowest, highest = min(low for low, _ in limits), max(high for _, high in limits)
    return {
        "name": attention.name,
        "title": title_of_map(attention, trace),
        "kind": leading[0].kind if len(leading) == 1 else "",
        "ordered": len(leading) == 1 and leading[0].kind in ORDERED,
        "leading": [[axis.kind, list(axis.labels)] for axis in leading],
        "maps": list(attention.labels),
        "turns": _turns(attention),
        "queries": list(queries.labels),
        "keys": list(keys.labels),
        "same": queries.labels == keys.labels,
        "asks": _asks(attention, items),
        "produced": is_produced(attention, trace),
        "counts": keys.kind,
        "of_items": counts_items(keys) and keys.labels == items.labels,
        "shape": list(attention.stacked.shape),
        "offset": 0,
        "before": None,
        "scale": max(-lowest, highest) or 1.0,
        "normalised": attention.normalised,
        "signed": lowest < 0,
        "spread": [s._asdict() for s in spread(attention)],
        "spread_before": [s._asdict() for s in spread(before)] if before else None,
    }


def _asks(attention: AttentionMap, items: Axis) -> str | None:
    if asking_axis(attention, items) is not None:
        return "query" if attention.normalised == QUERY else "key"
    return "pair" if are_pairs(attention, items) else None


def _turns(attention: AttentionMap) -> dict[str, Any] | None:
    axis = turns(attention)
    return axis and {"kind": axis.kind, "labels": list(axis.labels), "maps": list(in_turn(attention).labels)}


def _limits(attention: AttentionMap) -> tuple[float, float]:
    """The smallest and the largest weight, and zero if it is beyond them."""
    return float(attention.weights.min(initial=0.0)), float(attention.weights.max(initial=0.0))


def _encoded(weights: np.ndarray, encoding: str, scale: float, signed: bool) -> np.ndarray:
    flat = weights.ravel()
    if encoding == "float32":
        return flat.astype(np.float32)
    share = flat.astype(np.float64) / scale
    return np.rint((share + 1) / 2 * STEPS if signed else share * STEPS).astype(np.uint16)


def _prediction(prediction: Prediction | None) -> dict[str, Any] | None:
    if prediction is None:
        return None
    return {
        "labels": list(prediction.labels),
        "probabilities": prediction.probabilities.tolist(),
        "independent": prediction.independent,
        "sequence": prediction.sequence,
    }
