"""A trace as the live picture wants it: what stands beside the weights, and all weights in one row of numbers."""

from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, UInt16

from attnviz.analysis.spread import spread
from attnviz.analysis.words import alt_text, in_words
from attnviz.attention import registry
from attnviz.errors import UnknownNameError
from attnviz.trace import AttentionMap, Axis, Prediction, Trace

LARGE = 65_536  # more weights than this travel in two bytes each
STEPS = 65_535

Weights = Float[np.ndarray, " weight"] | UInt16[np.ndarray, " weight"]


def frame(
    trace: Trace, *, picture: str | None = None, text: str = "", title: str = ""
) -> tuple[dict[str, Any], Weights]:
    """(meta, weights): `weights` holds all maps of all groups in the order map, query, key; `meta` describes them.

    A group is one AttentionMap. Its weights start at `offset`, in the shape `shape`. `picture` is a data URL. Up to
    65,536 weights are float32 as they are; more are uint16, where a weight is number / 65535 * scale, or, in a group
    with negative weights (`signed`), (number / 65535 * 2 - 1) * scale.
    """
    title = title or _title(trace.mechanism)
    items = _items(trace)
    encoding = "float32" if sum(m.weights.size for m in trace.maps) <= LARGE else "uint16"
    groups, parts, offset = [], [], 0
    for attention in trace.maps:
        group = _group(attention, offset)
        parts.append(_encoded(attention.weights, encoding, group["scale"], group["signed"]))
        groups.append(group)
        offset += attention.weights.size
    meta = {
        "mechanism": trace.mechanism,
        "title": title,
        "text": text or ("" if items.grid else " ".join(items.labels)),
        "kind": "image" if items.grid else "text",
        "items": list(items.labels),
        "grid": list(items.grid) if items.grid else None,
        "picture": picture,
        "encoding": encoding,
        "groups": groups,
        "prediction": _prediction(trace.prediction),
        "trained": bool(trace.made_by.get("trained", True)),
        "words": [[piece, emphasised] for piece, emphasised in in_words(trace)],
        "alt": alt_text(trace, title),
    }
    return meta, np.concatenate(parts) if parts else np.empty(0, np.float32)


def _title(mechanism: str) -> str:
    """The registered title; a mechanism that is not registered (a trace from a file) is called by its name."""
    try:
        return _registered(mechanism)
    except UnknownNameError:
        return mechanism


@lru_cache(maxsize=256)
def _registered(mechanism: str) -> str:
    """Asking the registry walks through the package: too slow for every key press."""
    return registry.get(mechanism).title


def _items(trace: Trace) -> Axis:
    """What is attended to: the keys of the first map, but patches or words rather than slots, hops or classes."""
    keys = [m.axes[-1] for m in trace.maps]
    for axis in keys:
        if axis.grid or axis.kind in ("token", "patch"):
            return axis
    return keys[0] if keys else Axis("key", ())


def _group(attention: AttentionMap, offset: int) -> dict[str, Any]:
    weights, (queries, keys) = attention.weights, attention.axes[-2:]
    lowest, highest = float(weights.min(initial=0.0)), float(weights.max(initial=0.0))
    return {
        "name": attention.name,
        "title": attention.name.replace("_", " "),
        "kind": attention.axes[0].kind if len(attention.axes) == 3 else "",
        "maps": list(attention.labels),
        "queries": list(queries.labels),
        "keys": list(keys.labels),
        "same": queries.labels == keys.labels,
        "shape": list(attention.stacked.shape),
        "offset": offset,
        "scale": max(-lowest, highest) or 1.0,
        "normalised": attention.normalised,
        "signed": lowest < 0,
        "spread": [s._asdict() for s in spread(attention)],
    }


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
    }
