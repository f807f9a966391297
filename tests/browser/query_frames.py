"""Traces whose queries come from somewhere else, as frames: maps in turns, words that were produced, two inputs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from attnviz.trace import AttentionMap, Axis, Prediction, Trace, numbered
from attnviz.views.frame import frame

QUESTION = "how many people live in the largest city of south america ?"
CLASSES = ("abbreviation", "description", "entity", "human", "location", "number")
TRANSLATED = ("你", "喜欢", "猫", "吗", "？")
SOURCE = ("Do", "you", "like", "cats", "?")
ASKING = ("the", "largest", "city")
QUERY = numbered("query", 1)


def softmax(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    exponential = np.exp(scores - scores.max(axis, keepdims=True))
    return exponential / exponential.sum(axis, keepdims=True)


def made_up(*shape: int) -> np.ndarray:
    """Scores that stay the same from run to run."""
    return np.sin(np.arange(np.prod(shape)) * 0.37).reshape(shape)


def routing(keys: Axis, classes: tuple[str, ...] = CLASSES) -> Trace:
    """Three iterations; in each the items divide themselves between the classes, in the first evenly."""
    scores = made_up(len(classes), 1, len(keys))
    weights = np.stack([softmax(scores * factor, 0) for factor in (0, 2, 5)])
    axes = (numbered("iteration", 3), Axis("class", classes), QUERY, keys)
    prediction = Prediction(classes, np.linspace(0.05, 0.9, len(classes)), independent=True)
    return Trace("routing", (AttentionMap("weights", weights, axes, "class"),), (), np.empty(0), prediction)


def translation() -> Trace:
    """Each word looks at one of the source, in another order than they were written."""
    scores = np.full((5, 5), -1.0)
    for row, column in enumerate((1, 2, 3, 0, 4)):
        scores[row, column] = 1.5 + 0.4 * row
    axes = Axis("token", TRANSLATED), Axis("token", SOURCE)
    words = Prediction(TRANSLATED, np.array([0.9, 0.8, 0.95, 0.6, 0.99]), independent=True, sequence=True)
    return Trace("rnn_query", (AttentionMap("weights", softmax(scores), axes),), (), np.empty(0), words)


def two_sides(keys: Axis, asking: tuple[str, ...] = ASKING, hops: int = 1) -> Trace:
    """Weights on the items and on the asking words, and how well each pair fits."""
    asked = Axis("token", asking)
    leading = (numbered("hop", hops),) if hops > 1 else ()
    counts = [hops] if hops > 1 else []
    maps = (
        AttentionMap("weights", softmax(3 * made_up(*counts, 1, len(keys))), (*leading, QUERY, keys)),
        AttentionMap("affinity", np.tanh(made_up(len(asking), len(keys))), (asked, keys), None),
        AttentionMap("query weights", softmax(2 * made_up(*counts, 1, len(asking))), (*leading, QUERY, asked)),
    )
    prediction = Prediction(("yes", "no"), np.array([0.7, 0.3]))
    return Trace("co_attention", maps, (), np.empty(0), prediction, {"marked": [1]})


def over_attention(keys: Axis, asking: tuple[str, ...] = ASKING) -> Trace:
    """Each asking word's weights on the items, and each item's on the asking words."""
    asked, scores = Axis("token", asking), 3 * made_up(len(asking), len(keys))
    alpha, beta = softmax(scores), softmax(scores, 0)
    maps = (
        AttentionMap("weights", beta.mean(-1) @ alpha[:, None, :].swapaxes(0, 1), (QUERY, keys)),
        AttentionMap("affinity", scores, (asked, keys), None),
        AttentionMap("document weights", alpha, (asked, keys)),
        AttentionMap("query weights", beta, (asked, keys), "query"),
    )
    return Trace("attention_over_attention", maps, (), np.empty(0), Prediction(("yes", "no"), np.array([0.7, 0.3])))


def words(text: str) -> Axis:
    return Axis("token", tuple(text.split() or [""]))


PATCHES = Axis("patch", tuple(f"row {r + 1}, column {c + 1}" for r in range(4) for c in range(4)), (4, 4))
STORY = Axis("fact", ("Mary moved to the bathroom.", "John went to the hallway.", "Mary went to the garden."))

CASES: dict[str, Callable[[str], tuple[dict[str, Any], np.ndarray]]] = {
    "routing": lambda text: frame(routing(words(text))),
    "routed_digits": lambda text: frame(routing(PATCHES, tuple("0123456789"))),
    "translation": lambda text: frame(translation()),
    "two_sides": lambda text: frame(two_sides(words(text))),
    "two_sides_patches": lambda text: frame(two_sides(PATCHES)),
    "two_sides_facts": lambda text: frame(two_sides(STORY, ("where", "is", "Mary"), 2)),
    "over_attention": lambda text: frame(over_attention(words(text))),
}
