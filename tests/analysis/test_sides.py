"""Weights on what asks, affinities, produced words, and what maps of two sides are called."""

from dataclasses import replace

import numpy as np
import pytest

from attnviz.analysis.sides import are_pairs, asking, is_produced, title
from attnviz.trace import AttentionMap, Axis, Prediction, Trace, numbered

ITEMS, ASKING = Axis("token", ("a", "b", "c", "d")), Axis("token", ("who", "asks"))
QUERY = numbered("query", 1)
WEIGHTS = AttentionMap("weights", np.full((1, 4), 0.25), (QUERY, ITEMS))
AFFINITY = AttentionMap("affinity", np.ones((2, 4)), (ASKING, ITEMS), None)
ASKED = AttentionMap("query weights", np.array([[0.3, 0.7]]), (QUERY, ASKING))
DIVIDED = AttentionMap(
    "query weights", np.array([[0.2, 0.6, 0.0, 0.4], [0.8, 0.4, 0.0, 0.6]]), (ASKING, ITEMS), "query"
)


def trace_of(*maps, prediction=None):
    return Trace("m", maps, (), np.empty(0), prediction)


def test_the_weights_on_the_asking_words():
    assert asking(trace_of(WEIGHTS, AFFINITY, ASKED)) == [ASKED]
    assert asking(trace_of(WEIGHTS, AFFINITY)) == []


def test_items_that_divide_themselves_are_averaged_over_those_that_are_not_masked():
    (found,) = asking(trace_of(WEIGHTS, DIVIDED))
    np.testing.assert_allclose(found.weights, [[0.4, 0.6]])
    assert found.axes == (QUERY, ASKING) and found.normalised == "key"


def test_nothing_but_masked_items_gives_zeros():
    (found,) = asking(trace_of(WEIGHTS, replace(DIVIDED, weights=np.zeros((2, 4)))))
    np.testing.assert_array_equal(found.weights, [[0.0, 0.0]])


def test_slots_and_sides_ask_for_nothing():
    sides = AttentionMap("hierarchical weights", np.array([[0.4, 0.6]]), (QUERY, Axis("side", ("left", "right"))))
    turned = AttentionMap("turned", np.full((4, 4), 0.25), (ITEMS, ITEMS), "query")
    assert asking(trace_of(WEIGHTS, sides, turned)) == []


@pytest.mark.parametrize(("found", "expected"), [(AFFINITY, True), (ASKED, False), (DIVIDED, False), (WEIGHTS, False)])
def test_an_affinity_is_about_pairs(found, expected):
    assert are_pairs(found, ITEMS) is expected


def test_titles_say_on_what_the_weights_are():
    document = AttentionMap("document weights", np.full((2, 4), 0.25), (ASKING, ITEMS))
    trace = trace_of(WEIGHTS, AFFINITY, document, ASKED)
    expected = ["weights on the words", "affinity", "weights of each asking word", "weights on the asking words"]
    assert [title(m, trace) for m in trace.maps] == expected
    first = replace(ASKED, name="first query weights")
    assert title(first, trace_of(WEIGHTS, first)) == "first weights on the asking words"
    assert [title(m, trace_of(WEIGHTS, AFFINITY)) for m in (WEIGHTS, AFFINITY)] == ["weights", "affinity"]


def test_produced_words_are_those_of_the_prediction():
    rows = AttentionMap("weights", np.full((2, 4), 0.25), (ASKING, ITEMS))
    words = Prediction(ASKING.labels, np.ones(2), True, sequence=True)
    assert is_produced(rows, trace_of(rows, prediction=words))
    assert not is_produced(rows, trace_of(rows, prediction=replace(words, sequence=False)))
    assert not is_produced(WEIGHTS, trace_of(WEIGHTS, prediction=words))
    assert not is_produced(rows, trace_of(rows))
