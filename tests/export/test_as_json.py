"""A trace as JSON: it comes back as it was, and what others wrote is refused with a sentence."""

import base64
import json
import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from attnviz.errors import AttnvizError
from attnviz.export import TraceFileError, as_json, from_json, to_json
from attnviz.intervention import Edit, Intervention
from attnviz.trace import Axis, Prediction, Step
from tests.export.traces import assert_equal, assert_same, changed, example
from tests.helpers import mechanisms_for


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
def test_every_number_comes_back_to_the_last_bit(value):
    value = np.where(np.isnan(value), 0, value).astype(value.dtype)
    axes = tuple(Axis(f"axis {i}", tuple(map(str, range(n)))) for i, n in enumerate(value.shape))
    trace = example(steps=(Step("step", "", value, axes),))
    assert_same(from_json(to_json(trace)), trace)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float16", "float64"])
@pytest.mark.parametrize("n", [1, 1_000])
def test_other_types_come_back(dtype, n):
    value = np.array([0, 1, 1] * n).astype(dtype)
    assert_same(from_json(to_json(example(context=value))), example(context=value))


LONG = np.random.default_rng(0).normal(size=(3, 400)).astype(np.float32)


def test_many_numbers_are_packed_and_few_can_be_read():
    document = json.loads(to_json(example(context=LONG)))
    assert document["version"] == 2 and "numbers" in document["maps"][0]["weights"]
    data = base64.b64decode(document["context"]["packed"])
    assert data == struct.pack("<1200f", *LONG.ravel().tolist())
    assert len(document["context"]["packed"]) < LONG.size * 6


def test_infinities_and_the_other_order_of_bytes_come_back_from_a_packed_array():
    value = np.where(LONG > 2, np.inf, np.where(LONG < -2, -np.inf, LONG))
    back = from_json(to_json(example(context=value.astype(">f4")))).context
    assert back.dtype == np.dtype("<f4") and np.isinf(back).any() and back.flags.writeable
    np.testing.assert_array_equal(back, value)


def test_a_file_of_the_first_version_is_read():
    trace = example(context=LONG)
    document = json.loads(to_json(trace))
    document["version"] = 1
    document["context"]["numbers"] = LONG.tolist()
    del document["context"]["packed"]
    old = json.dumps(document)
    assert '"packed"' not in old
    assert_same(from_json(old), trace)


def packed(data: bytes | str, **more):
    """A damaged file with these bytes (or this text) in the place of a packed array."""

    def change(document):
        text = data if isinstance(data, str) else base64.b64encode(data).decode()
        document["context"] = {"type": "float32", "shape": [3, 400], "packed": text, **more}

    return damaged(change)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (lambda: packed(b"1234"), "4 bytes of float32 for the shape"),
        (lambda: packed(LONG.tobytes() + b"1"), "4801 bytes"),
        (lambda: packed("*" * 6400), "damaged"),
        (lambda: packed(LONG.tobytes(), shape=[-3, -400]), "bytes of float32"),
        (lambda: packed(LONG.tobytes(), shape=[3, 10**30]), "bytes of float32"),
        (lambda: packed(LONG.tobytes(), shape=[1] * 99 + [1200]), "damaged"),
        (lambda: packed(LONG.tobytes(), type="object"), "object"),
        (lambda: packed(np.full_like(LONG, np.nan).tobytes()), "NaN"),
        (lambda: packed(b"\2" * 1200, type="bool"), "neither true nor false"),
        (lambda: packed(LONG.tobytes(), packed=[1, 2]), "where a text belongs"),
    ],
)
def test_a_packed_array_that_is_none_is_explained(text, says):
    with pytest.raises(TraceFileError, match=says) as caught:
        from_json(text())
    assert len(str(caught.value)) < 400


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


def damaged(change):
    document = json.loads(to_json(example()))
    change(document)
    return json.dumps(document)


def put(*path, value):
    def change(document):
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return damaged(change)


EMPTY = {
    "name": "none",
    "normalised": None,
    "axes": [{"kind": "query", "labels": [], "grid": None}, {"kind": "key", "labels": [], "grid": None}],
    "weights": {"type": "float32", "shape": [0, 0], "numbers": []},
}
NOTHING_PREDICTED = {
    "labels": [],
    "probabilities": {"type": "float32", "shape": [0], "numbers": []},
    "independent": False,
}


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
        (damaged(lambda d: d.pop("maps")), "'maps' is missing"),
        (damaged(lambda d: d["maps"][0].pop("axes")), "'axes' is missing"),
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
        (put("maps", 0, "weights", "numbers", 0, 0, 0, value="Infinity"), "no weights, or weights beyond"),
        (put("maps", 0, "weights", "numbers", 0, 0, 0, value=1e31), "no weights, or weights beyond"),
        (put("maps", 1, value=EMPTY), "no weights"),
        (put("prediction", "probabilities", "numbers", value=[0.5, 1.5]), "between 0 and 1"),
        (put("prediction", value=NOTHING_PREDICTED), "no probabilities"),
        (put("maps", 0, "name", value="\ud800"), "damaged"),
        (put("made_by", value={"input": "\ud800"}), "damaged"),
        (put("made_by", value={"input": 1}).replace('{"input": 1}', '{"input": 1e999}'), "damaged"),
        (put("maps", 0, "weights", "numbers", 0, 0, 0, value=10**400), "damaged"),
    ],
)
def test_a_damaged_file_is_explained(text, says):
    with pytest.raises(AttnvizError, match=says) as caught:
        from_json(text)
    assert len(str(caught.value)) < 400 and str(caught.value).endswith(".")


def test_a_file_that_is_too_long_is_not_even_parsed(monkeypatch):
    monkeypatch.setattr(as_json, "MOST_CHARACTERS", 100)
    with pytest.raises(TraceFileError, match="longer than 100 characters"):
        from_json("[" * 101)


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_every_mechanism_comes_back_with_all_its_changes(name):
    trace = changed(name)
    back = from_json(to_json(trace))
    assert_same(back, trace)
    assert back.made_by == trace.made_by
    assert Intervention.from_plain(back.made_by["intervention"]).swapped == {4: "poem"}
