"""Random softmax weights in the size of a small transformer: the same ones for every tool that draws them."""

from typing import Any

import numpy as np
from jaxtyping import Float

from attnviz.trace import AttentionMap, Axis, Trace, numbered
from attnviz.views.frame import Weights, frame

LAYERS, HEADS = 6, 12


def words(n: int) -> tuple[str, ...]:
    """n different words."""
    return tuple(f"word{i}" for i in range(n))


def weights(n: int) -> Float[np.ndarray, "layer head n n"]:
    """Softmax of normal scores, each layer sharper than the one before; the same at every call."""
    scores = np.random.default_rng(0).standard_normal((LAYERS, HEADS, n, n), dtype=np.float32)
    scores *= np.linspace(1, 4, LAYERS, dtype=np.float32)[:, None, None, None]
    found = np.exp(scores - scores.max(-1, keepdims=True))
    return found / found.sum(-1, keepdims=True)


def trace(n: int) -> Trace:
    """The weights as the trace of a transformer."""
    items = Axis("token", words(n))
    found = weights(n)
    axes = (numbered("layer", LAYERS), numbered("head", HEADS), items, items)
    made_by = {"task": "", "input": " ".join(items.labels), "options": {}, "trained": True}
    return Trace("transformer", (AttentionMap("weights", found, axes),), (), np.zeros(1, np.float32), made_by=made_by)


def framed(n: int) -> tuple[dict[str, Any], Weights]:
    """The weights as the live picture takes them."""
    return frame(trace(n), title="Transformer")
