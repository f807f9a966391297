"""The weights as CSV: a table that a spreadsheet can trust."""

import csv
import io
import json

import numpy as np
import pytest

from attnviz.export import TraceFileError, to_csv
from attnviz.trace import AttentionMap, Axis, numbered
from tests.export.traces import changed, example
from tests.helpers import mechanisms_for


def test_nan_is_refused_in_csv():
    weights = np.array([[np.nan, 1.0]])
    trace = example(maps=(AttentionMap("weights", weights, (numbered("query", 1), numbered("key", 2))),))
    with pytest.raises(TraceFileError, match="'weights' holds NaN"):
        to_csv(trace)


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


def test_the_first_line_says_what_made_the_table_and_the_others_nothing():
    trace = example()
    lines = table(trace)
    assert json.loads(lines[0]["made by"]) == {"mechanism": "multi_head", **trace.made_by}
    assert {line["made by"] for line in lines[1:]} == {""}


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_every_mechanism_is_written_with_all_digits_and_changes(name):
    trace = changed(name)
    lines = table(trace)
    written = np.array([float(line["weight"]) for line in lines])
    np.testing.assert_array_equal(written, np.concatenate([m.weights.ravel() for m in trace.maps]).astype(float))
    made_by = json.loads(lines[0]["made by"])
    assert made_by["mechanism"] == name and made_by["intervention"] == trace.made_by["intervention"]
    assert {"task", "options", "seed", "version"} <= set(made_by)
