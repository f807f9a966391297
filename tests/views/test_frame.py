"""The frame: what the live picture is given."""

import json

import numpy as np
import pytest
import torch

from attnviz.analysis.spread import spread
from attnviz.attention.registry import mechanisms
from attnviz.recording import record
from attnviz.trace import AttentionMap, Axis, Prediction, Trace, numbered
from attnviz.views.frame import frame
from tests.helpers import mechanisms_for

TOKENS = Axis("token", ("who", "wrote", "it"))
KEYS = {
    *("mechanism", "title", "text", "kind", "items", "grid", "picture", "encoding", "groups", "prediction", "trained"),
    *("before", "words", "alt", "marked"),
}
GROUP_KEYS = {
    *("name", "title", "kind", "maps", "queries", "keys", "same", "shape", "offset", "scale", "normalised", "signed"),
    *("leading", "of_items", "before", "spread", "spread_before", "counts", "ordered", "turns", "produced", "asks"),
}


def decoded(meta, weights, group, place="offset"):
    part = weights[group[place] : group[place] + int(np.prod(group["shape"]))].astype(np.float64)
    if meta["encoding"] == "uint16":
        part = (part / 65535 * 2 - 1 if group["signed"] else part / 65535) * group["scale"]
    return part.reshape(group["shape"])


def big_trace(low=0.0):
    rng = np.random.default_rng(0)
    items = Axis("token", tuple(map(str, range(128))))
    maps = [
        AttentionMap("weights", rng.uniform(low, 0.3, (4, 128, 128)), (numbered("head", 4), items, items)),
        AttentionMap("gates", rng.uniform(low, 7, (128, 128)), (items, items), None),
    ]
    return Trace("m", tuple(maps), (), None)


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_every_mechanism_makes_a_frame(name):
    spec = mechanisms()[name]
    module = spec.build(16, n_classes=3).eval()
    with record(axes={"key": TOKENS, "item": TOKENS}) as recording, torch.no_grad():
        module(torch.randn(1, 3, 16))
    trace = Trace(name, recording.maps(), (), None)
    meta, weights = frame(trace)
    assert set(meta) == KEYS and all(set(group) == GROUP_KEYS for group in meta["groups"])
    assert meta["title"] == spec.title and meta["text"] == "who wrote it" and meta["items"] == list(TOKENS.labels)
    assert weights.ndim == 1 and weights.dtype == np.float32
    assert weights.size == sum(m.weights.size for m in trace.maps)
    for group, attention in zip(meta["groups"], trace.maps, strict=True):
        np.testing.assert_array_equal(decoded(meta, weights, group), attention.stacked)
        assert len(group["maps"]) == len(group["spread"]) == group["shape"][0]
        assert (len(group["queries"]), len(group["keys"])) == tuple(group["shape"][1:])
        assert [s["entropy"] for s in group["spread"]] == [s.entropy for s in spread(attention)]
    assert json.loads(json.dumps(meta, allow_nan=False)) == meta


@pytest.mark.parametrize("low", [0.0, -0.3])
def test_many_weights_travel_in_two_bytes(low):
    trace = big_trace(low)
    meta, weights = frame(trace)
    assert meta["encoding"] == "uint16" and weights.dtype == np.uint16
    for group, attention in zip(meta["groups"], trace.maps, strict=True):
        assert group["signed"] == (low < 0)
        assert group["scale"] == np.abs(attention.weights).max()
        error = np.abs(decoded(meta, weights, group) - attention.stacked).max()
        assert error <= group["scale"] / 65535 * (1.001 if low < 0 else 0.501)


def test_the_limit_between_the_encodings():
    axes = numbered("query", 256), numbered("key", 256)
    trace = Trace("m", (AttentionMap("weights", np.zeros((256, 256)), axes),), (), None)
    assert frame(trace)[0]["encoding"] == "float32"
    trace = Trace(
        "m", trace.maps + (AttentionMap("w", np.zeros((1, 1)), (numbered("q", 1), numbered("k", 1))),), (), None
    )
    meta, weights = frame(trace)
    assert meta["encoding"] == "uint16" and not weights.any()


def test_a_group_without_weight_has_a_scale_that_can_be_divided_by():
    axes = numbered("query", 1), TOKENS
    meta, _ = frame(Trace("m", (AttentionMap("weights", np.zeros((1, 3)), axes),), (), None))
    assert meta["groups"][0]["scale"] == 1.0 and meta["groups"][0]["spread"][0]["effective"] == 0


def test_word_by_word_is_told_from_one_query():
    axes = numbered("head", 2), TOKENS, TOKENS
    meta, _ = frame(Trace("m", (AttentionMap("weights", np.ones((2, 3, 3)) / 3, axes),), (), None))
    assert meta["groups"][0]["same"] and meta["groups"][0]["kind"] == "head"
    axes = numbered("query", 1), TOKENS
    meta, _ = frame(Trace("m", (AttentionMap("weights", np.ones((1, 3)) / 3, axes),), (), None))
    assert not meta["groups"][0]["same"] and meta["groups"][0]["kind"] == ""


def test_a_picture():
    patches = Axis("patch", tuple(f"row {r}, column {c}" for r in (1, 2) for c in (1, 2, 3)), (2, 3))
    maps = (
        AttentionMap("slots", np.ones((1, 2)) / 2, (numbered("query", 1), numbered("slot", 2))),
        AttentionMap("weights", np.ones((1, 6)) / 6, (numbered("query", 1), patches)),
    )
    meta, _ = frame(Trace("m", maps, (), None), picture="data:image/png;base64,AA", text="cat.png", title="Mine")
    assert (meta["kind"], meta["grid"], meta["picture"]) == ("image", [2, 3], "data:image/png;base64,AA")
    assert (meta["items"], meta["text"], meta["title"]) == (list(patches.labels), "cat.png", "Mine")
    assert meta["alt"].startswith("Mine, ")


def test_prediction_training_and_unknown_mechanism():
    prediction = Prediction(("a", "b"), np.array([0.25, 0.75], dtype=np.float32), True)
    axes = numbered("query", 1), TOKENS
    maps = (AttentionMap("weights", np.ones((1, 3)) / 3, axes),)
    meta, _ = frame(Trace("not registered", maps, (), None, prediction, {"trained": False}))
    assert meta["prediction"] == {
        "labels": ["a", "b"],
        "probabilities": [0.25, 0.75],
        "independent": True,
        "sequence": False,
    }
    assert meta["trained"] is False and meta["title"] == "not registered"
    assert frame(Trace("m", maps, (), None))[0]["trained"] is True


def test_a_trace_without_maps():
    meta, weights = frame(Trace("m", (), (), None))
    assert weights.size == 0 and meta["groups"] == [] and meta["items"] == [] and meta["kind"] == "text"


def one_map(weights, name="weights", keys=TOKENS, normalised="key"):
    return AttentionMap(name, np.asarray(weights, np.float32), (numbered("query", 1), keys), normalised)


def test_the_weights_before_a_change_follow_those_after_it():
    after = Trace("m", (one_map([[0.5, 0.5, 0]]), one_map([[0.1, 0.2, 0.7]], "others")), (), None)
    before = Trace("m", (one_map([[0.9, 0.1, 0]]), one_map([[0.3, 0.3, 0.4]], "others")), (), None)
    meta, weights = frame(after, before=before)
    assert [group["before"] for group in meta["groups"]] == [6, 9]
    for group, attention in zip(meta["groups"], before.maps, strict=True):
        np.testing.assert_array_equal(decoded(meta, weights, group, "before"), attention.stacked)
        assert [s["effective"] for s in group["spread_before"]] == [s.effective for s in spread(attention)]
    np.testing.assert_array_equal(weights[:6], frame(after)[1])
    assert meta["groups"][0]["scale"] == np.float32(0.9)  # one scale for both, so that their colours can be compared
    assert meta["before"] == {"prediction": None}
    assert json.loads(json.dumps(meta, allow_nan=False)) == meta


def test_a_map_of_another_shape_has_no_before():
    longer = Axis("token", ("who", "wrote", "it", "?"))
    after = Trace("m", (one_map([[0.5, 0.5, 0]]), one_map([[0.1, 0.2, 0.7]], "new")), (), None)
    before = Trace("m", (one_map([[0.25] * 4], keys=longer),), (), None)
    meta, weights = frame(after, before=before)
    assert [group["before"] for group in meta["groups"]] == [None, None] and weights.size == 6
    assert [group["spread_before"] for group in meta["groups"]] == [None, None]


def test_before_counts_when_the_encoding_is_chosen_and_shares_the_scale():
    axes = numbered("query", 200), numbered("key", 200)
    rng = np.random.default_rng(0)
    after, before = (AttentionMap("w", rng.uniform(0, high, (200, 200)), axes) for high in (0.1, 0.9))
    meta, weights = frame(Trace("m", (after,), (), None), before=Trace("m", (before,), (), None))
    assert frame(Trace("m", (after,), (), None))[0]["encoding"] == "float32"
    group = meta["groups"][0]
    assert meta["encoding"] == "uint16" and group["before"] == 40_000
    for place, attention in (("offset", after), ("before", before)):
        error = np.abs(decoded(meta, weights, group, place) - attention.stacked).max()
        assert error <= group["scale"] / 65535 * 0.501


def test_the_prediction_before_and_the_axes_that_count_maps():
    prediction = Prediction(("a", "b"), np.array([0.25, 0.75], dtype=np.float32))
    axes = Axis("class", ("a", "b")), numbered("head", 2), numbered("query", 1), TOKENS
    maps = (
        AttentionMap("weights", np.ones((2, 2, 1, 3)) / 3, axes),
        one_map([[0.5, 0.5]], "slots", numbered("slot", 2)),
    )
    meta, _ = frame(Trace("m", maps, (), None), before=Trace("m", maps, (), None, prediction))
    assert meta["before"]["prediction"]["probabilities"] == [0.25, 0.75]
    assert meta["groups"][0]["leading"] == [["class", ["a", "b"]], ["head", ["head 1", "head 2"]]]
    assert [group["of_items"] for group in meta["groups"]] == [True, False] and meta["groups"][1]["leading"] == []


def test_facts_and_maps_that_follow_one_another():
    facts = Axis("fact", ("Mary left.", "John came.", "John left."))
    words = Axis("token", ("who", "left"))
    hops, asked = numbered("hop", 2), numbered("query", 1)
    weights = AttentionMap("weights", np.full((2, 1, 3), 1 / 3), (hops, asked, facts))
    read = AttentionMap("query weights", np.full((2, 1, 2), 1 / 2), (hops, asked, words))
    meta, _ = frame(Trace("man", (read, weights), (), None))
    assert meta["kind"] == "facts" and meta["items"] == list(facts.labels)
    assert [(g["counts"], g["of_items"], g["ordered"]) for g in meta["groups"]] == [
        ("token", False, True),
        ("fact", True, True),
    ]
    heads = AttentionMap("weights", np.full((2, 1, 3), 1 / 3), (numbered("head", 2), asked, facts))
    assert frame(Trace("m", (heads,), (), None))[0]["groups"][0]["ordered"] is False


@pytest.mark.parametrize(
    ("given", "expected"), [([0, 2], [0, 2]), ((2, 2, 0), [0, 2]), ([3, -1, "0", None, True], []), (7, []), (None, [])]
)
def test_marked_items_come_from_what_made_the_trace(given, expected):
    trace = Trace("m", (one_map(np.zeros((1, 3))),), (), None, made_by={"marked": given})
    assert frame(trace)[0]["marked"] == expected


def test_turns_produced_words_and_what_asks():
    classes = Axis("class", tuple("01234"))
    asked = Axis("token", ("is", "red"))
    query = numbered("query", 1)
    routed = AttentionMap("weights", np.full((2, 5, 1, 3), 0.2), (numbered("iteration", 2), classes, query, TOKENS))
    pairs = AttentionMap("affinity", np.ones((2, 3)), (asked, TOKENS), None)
    divided = AttentionMap("query weights", np.full((2, 3), 0.5), (asked, TOKENS), "query")
    words = Prediction(asked.labels, np.ones(2), True, sequence=True)
    groups = frame(Trace("m", (routed, pairs, divided), (), None, words))[0]["groups"]
    labels = [f"class {i}" for i in range(5)]
    assert groups[0]["turns"] == {"kind": "iteration", "labels": ["iteration 1", "iteration 2"], "maps": labels}
    assert [group["asks"] for group in groups] == [None, "pair", "query"]
    assert [group["produced"] for group in groups] == [False, True, True]
    assert [group["title"] for group in groups] == ["weights on the words", "affinity", "weights on the asking words"]
    assert groups[1]["turns"] is None
