"""Traces for the tests of files: one made by hand, one of every mechanism, with and without changes."""

import numpy as np

import attnviz
from attnviz.intervention import Edit, Intervention, Override
from attnviz.trace import AttentionMap, Axis, Prediction, Step, Trace, numbered

TEXT = "Who wrote the longest novel ?"
ODD = (
    "</script><script>window.broken=1</script>",
    "]]>",
    "a\x00\x1b\ud800b",
    "🙂👩\u200d👩\u200d👧",
    "שלום",
    "&\"'<b>",
    "你好",
    "",
)
TOKENS = Axis("token", ("the", "cat", "the", "猫"))


def example(**changes) -> Trace:
    """Two maps (one of gates with a picture), a step with an infinity, a prediction of two labels."""
    weights = np.random.default_rng(0).dirichlet(np.ones(4), size=(2, 1)).astype(np.float32)
    patches = Axis("patch", tuple("abcdef"), (2, 3))
    parts = {
        "mechanism": "multi_head",
        "maps": (
            AttentionMap("weights", weights, (numbered("head", 2), numbered("query", 1), TOKENS)),
            AttentionMap("gates", np.linspace(-1, 1, 24).reshape(4, 6), (TOKENS, patches), None),
        ),
        "steps": (Step("scores", r"q^\top k", np.array([[1.5, -np.inf]]), (numbered("query", 1), numbered("key", 2))),),
        "context": np.array([0.1, 1 / 3]),
        "prediction": Prediction(("yes", "否"), np.array([0.25, 0.5], dtype=np.float32), True),
        "made_by": {"task": "trec", "options": {"n_heads": 2}, "trained": True, "score": 0.1},
    }
    return Trace(**{**parts, **changes})


def attending(weights: np.ndarray, keys: tuple[str, ...], queries: tuple[str, ...] = ("query",), **more) -> Trace:
    """A trace with one map (head, query, key)."""
    axes = (numbered("head", len(weights)), Axis("query", queries), Axis("token", keys))
    return example(maps=(AttentionMap("weights", weights, axes, **more),))


def odd() -> Trace:
    """Labels that try to be markup, that no encoding holds, that run from right to left, that are nothing."""
    n = len(ODD)
    weights = np.random.default_rng(1).dirichlet(np.ones(n), size=(2, n))
    made_by = {"task": ODD[0], "input": " ".join(ODD), "options": {ODD[0]: ODD[1]}, "version": ODD[0], "trained": False}
    axes = (Axis("head", (ODD[0], ODD[2])), Axis("token", ODD), Axis("token", ODD))
    prediction = Prediction(ODD, weights[0, 0], False)
    return example(
        mechanism=ODD[0], maps=(AttentionMap(ODD[1], weights, axes),), made_by=made_by, prediction=prediction
    )


def changed(mechanism: str) -> Trace:
    """A real trace in which every kind of change was made that the mechanism knows."""
    plain = attnviz.attend(mechanism, text=TEXT)
    first = plain.maps[0]
    leading = {axis.kind: frozenset({0}) for axis in first.axes[:-2] if len(axis) > 1}
    scores = next(s for s in plain.steps if "scores" in s.name)
    return attnviz.attend(
        mechanism,
        text=TEXT,
        intervention=Intervention(
            temperature=0.7,
            masked=frozenset({1}),
            off=leading,
            edits=(Edit(first.name, tuple(len(axis) - 1 for axis in first.axes), 0.375),),
            swapped={4: "poem"},
            overrides=(Override(scores.name, (0,) * scores.value.ndim, 1.25),),
        ),
    )


def assert_equal(a: np.ndarray, b: np.ndarray) -> None:
    """The same to the last bit."""
    assert a.dtype == b.dtype and a.shape == b.shape
    assert a.tobytes() == b.tobytes()


def assert_same(one: Trace, other: Trace) -> None:
    """Names, axes and every number the same to the last bit."""
    assert one.mechanism == other.mechanism
    assert [(m.name, m.axes, m.normalised) for m in one.maps] == [(m.name, m.axes, m.normalised) for m in other.maps]
    assert [(s.name, s.formula, s.axes) for s in one.steps] == [(s.name, s.formula, s.axes) for s in other.steps]
    for a, b in zip(one.maps, other.maps, strict=True):
        assert_equal(a.weights, b.weights)
    for a, b in zip(one.steps, other.steps, strict=True):
        assert_equal(a.value, b.value)
    assert_equal(np.asarray(one.context), np.asarray(other.context))
