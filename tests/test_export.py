"""A trace in files: CSV a spreadsheet can trust, JSON that comes back as it was."""

import csv
import io
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from attnviz.attention.registry import mechanisms
from attnviz.errors import AttnvizError
from attnviz.export import TraceFileError, from_json, to_csv, to_json
from attnviz.recording import Edit, Intervention, record
from attnviz.trace import AttentionMap, Axis, Prediction, Step, Trace, numbered

TOKENS = Axis("token", ("the", "cat", "the", "猫"))


def example(**changes):
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


def assert_equal(a, b):
    assert a.dtype == b.dtype and a.shape == b.shape
    assert a.tobytes() == b.tobytes()


def assert_same(one, other):
    assert one.mechanism == other.mechanism
    assert [(m.name, m.axes, m.normalised) for m in one.maps] == [(m.name, m.axes, m.normalised) for m in other.maps]
    assert [(s.name, s.formula, s.axes) for s in one.steps] == [(s.name, s.formula, s.axes) for s in other.steps]
    for a, b in zip(one.maps, other.maps, strict=True):
        assert_equal(a.weights, b.weights)
    for a, b in zip(one.steps, other.steps, strict=True):
        assert_equal(a.value, b.value)
    assert_equal(np.asarray(one.context), np.asarray(other.context))


def test_json_comes_back_as_it_was():
    trace = example()
    back = from_json(to_json(trace))
    assert_same(back, trace)
    assert_equal(back.prediction.probabilities, trace.prediction.probabilities)
    assert (back.prediction.labels, back.prediction.independent) == (("yes", "否"), True)
    assert back.made_by == trace.made_by
    assert back.maps[1].axes[1].grid == (2, 3)


@given(
    arrays.arrays(
        st.sampled_from([np.float32, np.float64]), arrays.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=4)
    )
)
def test_every_finite_number_comes_back_to_the_last_bit(weights):
    weights = np.where(np.isnan(weights), 0, weights).astype(weights.dtype)
    axes = tuple(Axis(f"axis {i}", tuple(map(str, range(n)))) for i, n in enumerate(weights.shape))
    trace = example(maps=(AttentionMap("weights", weights, axes),))
    assert_same(from_json(to_json(trace)), trace)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float16"])
def test_other_types_come_back(dtype):
    value = np.array([0, 1, 1]).astype(dtype)
    assert_same(from_json(to_json(example(context=value))), example(context=value))


def test_json_keeps_its_order_and_its_letters():
    one = to_json(example(made_by={"b": 1, "a": {"d": 1, "c": 2}}))
    assert one == to_json(example(made_by={"a": {"c": 2, "d": 1}, "b": 1}))
    assert "猫" in one and "NaN" not in one
    assert list(json.loads(one))[:4] == ["format", "version", "mechanism", "made_by"]


def test_interventions_are_written_in_plain_words():
    intervention = Intervention(
        masked=frozenset({3, 1}), off={"head": frozenset({0})}, edits=(Edit("weights", (0, 0, 1), 0.5),)
    )
    found = from_json(to_json(example(made_by={"intervention": intervention, "n": np.int64(3)}))).made_by
    assert found["n"] == 3
    assert found["intervention"]["masked"] == [1, 3]
    assert found["intervention"]["off"] == {"head": [0]}
    assert found["intervention"]["edits"] == [{"map": "weights", "at": [0, 0, 1], "weight": 0.5}]


@pytest.mark.parametrize(
    "broken",
    [
        example(context=np.array([np.nan])),
        example(prediction=Prediction(("a",), np.array([np.nan]))),
        example(made_by={"loss": float("nan")}),
        example(made_by={"loss": float("inf")}),
        example(made_by={"module": torch.nn.Linear(1, 1)}),
        example(context=np.array([1j])),
    ],
)
def test_what_json_cannot_hold_is_refused(broken):
    with pytest.raises(TraceFileError, match=r"\. .*\.$|; a trace file holds"):
        to_json(broken)


def test_nan_is_refused_in_csv():
    weights = np.array([[np.nan, 1.0]])
    trace = example(maps=(AttentionMap("weights", weights, (numbered("query", 1), numbered("key", 2))),))
    with pytest.raises(TraceFileError, match="'weights' holds NaN"):
        to_csv(trace)


def changed(change):
    document = json.loads(to_json(example()))
    change(document)
    return json.dumps(document)


def put(*path, value):
    def change(document):
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return changed(change)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"format": NaN}', "NaN"),
        ("[]", "does not hold a trace"),
        ('{"format": "other"}', "does not hold a trace"),
        (put("version", value=99), "version 99"),
        (changed(lambda d: d.pop("maps")), "'maps' is missing"),
        (changed(lambda d: d["maps"][0].pop("axes")), "'axes' is missing"),
        (put("maps", value=3), "damaged"),
        (put("made_by", value=3), "damaged"),
        (put("mechanism", value=["x"]), "where a text belongs"),
        (put("maps", 0, "axes", 0, "labels", value=["one"]), "shape"),
        (put("maps", 0, "axes", value=[]), "at least query and key"),
        (put("maps", 1, "axes", 1, "grid", value=[2, 2]), "grid of 2 x 2"),
        (put("maps", 1, "axes", 1, "grid", value="no"), "damaged"),
        (put("maps", 0, "weights", "numbers", value=[0.5]), "damaged"),
        (put("maps", 0, "weights", "numbers", 0, 0, 0, value="x"), "'x' where numbers belong"),
        (put("maps", 0, "weights", "shape", value=[2, 1, 10**12]), "numbers for the shape"),
        (put("maps", 0, "weights", "shape", value=[-2, -1, 4]), "numbers for the shape"),
        (put("maps", 0, "weights", "type", value="object"), "object"),
        (put("prediction", "labels", value=["one"]), "1 labels"),
    ],
)
def test_a_damaged_file_is_explained(text, says):
    with pytest.raises(AttnvizError, match=says) as caught:
        from_json(text)
    assert len(str(caught.value)) < 400 and str(caught.value).endswith(".")


def table(trace):
    return list(csv.DictReader(io.StringIO(to_csv(trace), newline="")))


def test_csv_has_one_line_for_each_weight():
    trace = example()
    lines = table(trace)
    assert len(lines) == sum(m.weights.size for m in trace.maps)
    first = [line for line in lines if line["map"] == "weights"]
    assert [line["head"] for line in first] == ["head 1"] * 4 + ["head 2"] * 4
    assert [line["key"] for line in first[:4]] == ["the", "cat", "the", "猫"]
    assert [line["key position"] for line in first[:4]] == ["1", "2", "3", "4"]
    assert {line["head"] for line in lines if line["map"] == "gates"} == {""}


def test_csv_carries_all_digits():
    trace = example()
    written = np.array([float(line["weight"]) for line in table(trace) if line["map"] == "weights"])
    np.testing.assert_array_equal(written, trace.maps[0].weights.ravel().astype(np.float64))


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", '=HYPERLINK("http://x")'])
def test_a_label_is_never_a_formula(label):
    keys = Axis("token", (label, 'a "b", c'))
    maps = (AttentionMap("=map", np.array([[-0.5, 1.5]]), (numbered("query", 1), keys), None),)
    lines = table(example(maps=maps))
    assert lines[0]["key"] == "'" + label
    assert lines[0]["map"] == "'=map"
    assert lines[0]["weight"] == "-0.5"
    assert lines[1]["key"] == 'a "b", c'


@pytest.mark.parametrize("name", mechanisms())
def test_every_mechanism_can_be_saved_and_read(name):
    spec = mechanisms()[name]
    module = spec.build(16, n_classes=3).eval()
    with record() as recording, torch.no_grad():
        module(torch.randn(1, 5, 16))
    trace = Trace(name, recording.maps(), recording.steps(spec.steps), np.zeros(16, np.float32))
    assert_same(from_json(to_json(trace)), trace)
    assert len(table(trace)) == sum(m.weights.size for m in trace.maps)
