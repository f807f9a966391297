"""The worksheet's numbers are the trace's, to the last digit, wherever the reader looks."""

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

import attnviz
from attnviz.attention import registry
from attnviz.intervention import Intervention, Override
from attnviz.trace import AttentionMap, Axis, Step, Trace, numbered
from attnviz.views import worksheet as module
from attnviz.views.worksheet import ACROSS, DOWN, worksheet
from tests import toy_mechanism
from tests.helpers import fitting

CAT = Path(__file__).parents[2] / "sample_data" / "pictures" / "cat.jpg"
INPUTS = {"trec": {"text": "Who wrote Hamlet ?"}, "cifar10": {"image": CAT}}
EVERYTHING = fitting(*INPUTS)


@lru_cache
def trace_of(mechanism, task="trec"):
    return attnviz.attend(mechanism, task, **INPUTS[task])


def changed(mechanism, intervention):
    return attnviz.attend(mechanism, "trec", **INPUTS["trec"], intervention=intervention)


def value_of(meta, numbers, name):
    """The array of a line, as the browser cuts it out."""
    line = line_of(meta, name)
    return numbers[line["offset"] : line["offset"] + int(np.prod(line["shape"]))].reshape(line["shape"])


def line_of(meta, name):
    return next(line for line in meta["lines"] if line["name"] == name)


def roles(meta, name):
    return [axis["role"] for axis in line_of(meta, name)["axes"]]


@pytest.mark.parametrize(("mechanism", "task"), EVERYTHING)
def test_every_number_of_every_step_is_there(mechanism, task):
    trace = trace_of(mechanism, task)
    meta, numbers = worksheet(trace)
    assert [line["name"] for line in meta["lines"]] == [step.name for step in trace.steps]
    assert numbers.shape == (1, meta["total"]) and numbers.dtype == np.float32
    for step in trace.steps:
        np.testing.assert_array_equal(value_of(meta, numbers[0], step.name), step.value)
        axes = line_of(meta, step.name)["axes"]
        assert [tuple(meta["labels"][axis["labels"]]) for axis in axes] == [axis.labels for axis in step.axes]
    json.dumps(meta, allow_nan=False)


@pytest.mark.parametrize(("mechanism", "task"), EVERYTHING)
def test_at_a_place_a_line_is_a_table_with_a_formula(mechanism, task):
    meta, _ = worksheet(trace_of(mechanism, task))
    offered = {place["kind"] for place in meta["places"]}
    for line in meta["lines"]:
        kinds = [axis["role"] for axis in line["axes"]]
        assert kinds.count(DOWN) <= 1 and kinds.count(ACROSS) <= 1
        held = [(role, size) for role, size in zip(kinds, line["shape"], strict=True) if role not in (DOWN, ACROSS)]
        assert all(size == 1 or role in offered for role, size in held)
        formula = meta["formulas"][line["formula"]]
        assert formula["parts"][0][0] == "math" and isinstance(formula["meaning"], str)


def test_the_places_of_multi_head_self_attention():
    meta, _ = worksheet(trace_of("multi_head_self"))
    assert [(place["kind"], len(place["labels"])) for place in meta["places"]] == [("head", 8), ("query", 4)]
    assert meta["places"][1]["labels"] == ["Who", "wrote", "Hamlet", "?"]
    assert roles(meta, "features") == [DOWN, ACROSS]
    assert roles(meta, "queries") == ["head", "query", ACROSS]
    assert roles(meta, "keys") == ["head", DOWN, ACROSS]
    assert roles(meta, "products") == roles(meta, "weights") == ["head", "query", DOWN]
    assert roles(meta, "context") == ["head", "query", ACROSS]
    assert roles(meta, "logits") == [DOWN]


def test_a_kind_of_axis_called_row_is_a_place_too():
    meta, _ = worksheet(trace_of("structured"))
    assert [(place["kind"], len(place["labels"])) for place in meta["places"]] == [("row", 4)]
    assert roles(meta, "weights") == ["row", "query", DOWN]


def test_lines_of_a_hop_belong_together():
    meta, _ = worksheet(trace_of("stacked"))
    turns = [(line["title"], line["turn"]) for line in meta["lines"]]
    assert turns[3:6] == [("hidden", "hop 1"), ("scores", "hop 1"), ("weights", "hop 1")]
    assert turns[0] == ("features", "") and turns[-1] == ("class probabilities", "")


def test_labels_and_formulas_that_lines_share_are_sent_once():
    meta, _ = worksheet(trace_of("memory_network"))
    assert len({json.dumps(f) for f in meta["formulas"]}) == len(meta["formulas"])
    assert len({tuple(labels) for labels in meta["labels"]}) == len(meta["labels"])
    assert len(meta["formulas"]) < len(meta["lines"])


def test_what_was_before_stands_beside():
    trace = changed("multi_head", Intervention(overrides=(Override("scores", (0, 0, 1), 9.0),)))
    before = trace_of("multi_head")
    meta, numbers = worksheet(trace, before)
    assert numbers.shape == (2, meta["total"])
    for step in before.steps:
        assert line_of(meta, step.name)["before"]
        np.testing.assert_array_equal(value_of(meta, numbers[1], step.name), step.value)
        np.testing.assert_array_equal(value_of(meta, numbers[0], step.name), trace.step(step.name).value)
    assert line_of(meta, "scores")["set"] == [[0, 0, 1]]
    assert line_of(meta, "weights")["set"] == []
    assert meta["before"]["prediction"]["probabilities"] == before.prediction.probabilities.tolist()


def test_a_line_that_was_not_there_before_is_not_compared():
    masked = changed("multi_head", Intervention(masked=frozenset({1}), temperature=2.0))
    meta, numbers = worksheet(masked, trace_of("multi_head"))
    assert not line_of(meta, "mask")["before"] and not line_of(meta, "tempered scores")["before"]
    assert line_of(meta, "mask")["switch"] and not line_of(meta, "scores")["switch"]
    np.testing.assert_array_equal(value_of(meta, numbers[0], "mask")[0, 0], [1, 0, 1, 1])


def test_of_a_large_trace_one_query_travels(monkeypatch):
    trace = trace_of("multi_head_self")
    monkeypatch.setattr(module, "LARGE", 100)
    meta, numbers = worksheet(trace, query=2)
    assert meta["query"] == 2
    weights = line_of(meta, "weights")
    assert weights["shape"] == [8, 1, 4] and weights["held"] == {"axis": 1, "index": 2}
    np.testing.assert_array_equal(value_of(meta, numbers[0], "weights")[:, 0], trace.step("weights").value[:, 2])
    np.testing.assert_array_equal(value_of(meta, numbers[0], "keys"), trace.step("keys").value)
    assert worksheet(trace, query=99)[0]["lines"][4]["held"]["index"] == 3


def test_a_small_trace_travels_whole():
    meta, _ = worksheet(trace_of("multi_head_self"), query=2)
    assert meta["query"] is None and all(line["held"] is None for line in meta["lines"])


def test_numbers_in_double_precision_stay_so():
    value = np.array([[1 / 3, 2 / 3]])
    axes = (numbered("query", 1), Axis("token", ("a", "b")))
    trace = Trace("x", (AttentionMap("weights", value, axes),), (Step("weights", "", value, axes),), value)
    meta, numbers = worksheet(trace)
    assert numbers.dtype == np.float64
    np.testing.assert_array_equal(numbers[0], value.ravel())
    assert meta["lines"][0]["formula"] is None


def test_a_trace_from_a_file_may_claim_anything():
    trace = trace_of("multi_head")
    for claimed in ({"overrides": "x"}, {"overrides": [{"step": "scores", "at": [-1], "value": 1}]}, ["x"], 3, None):
        meta, _ = worksheet(replace(trace, mechanism="<b>", made_by={"intervention": claimed}))
        assert all(line["set"] == [] for line in meta["lines"])
    odd = Step("a, b 1", r"\href{javascript:x}{y}", np.float32(2.5), ())
    meta, numbers = worksheet(Trace("unknown", (), (odd,), np.zeros(1)))
    assert meta["places"] == [] and meta["keys"] is None and numbers.tolist() == [[2.5]]
    assert "javascript" not in json.dumps(meta)


def test_a_trace_without_steps():
    meta, numbers = worksheet(Trace("unknown", (), (), np.zeros(1)))
    assert meta["lines"] == [] and numbers.shape == (1, 0)


def test_a_mechanism_that_nobody_has_seen_before():
    toy_mechanism.register()
    try:
        trace = attnviz.attend("toy_choir", text="Who wrote Hamlet ?")
    finally:
        registry.unregister("toy_choir")
    meta, numbers = worksheet(trace)
    assert [(place["kind"], len(place["labels"])) for place in meta["places"]] == [("voice", 3)]
    assert roles(meta, "scores") == ["voice", "query", DOWN] and roles(meta, "context") == ["voice", "query", ACROSS]
    made = {line["name"]: line["working"] and line["working"]["kind"] for line in meta["lines"]}
    assert made["scores"] == "product" and made["weights"] == "softmax" and made["context"] == "sum"
    np.testing.assert_array_equal(value_of(meta, numbers[0], "context"), trace.step("context").value)
