"""Routing as a flow from the items to the classes."""

import numpy as np
import pytest

from attnviz.trace import AttentionMap, Axis, Step, Trace
from attnviz.views import flow

ITERATIONS = Axis("iteration", ("iteration 1", "iteration 2"))
ONE = Axis("query", ("query",))
MID, CLASSES = Axis("mid", ("mid 1", "mid 2")), Axis("class", ("0", "1"))
WORDS = Axis("token", ("a", "b", "c"))


def coupling(values, last_axis, upper, name):
    """A map whose last iteration is `values` (upper, lower)."""
    values = np.asarray(values)
    weights = np.stack([np.full_like(values, 1 / len(values)), values])[:, :, None]
    return AttentionMap(name, weights, (ITERATIONS, upper, ONE, last_axis), normalised=upper.kind)


@pytest.fixture
def routed() -> Trace:
    low = coupling([[0.9, 0.5, 0.0], [0.1, 0.5, 1.0]], WORDS, MID, "low to mid")
    high = coupling([[0.8, 0.3], [0.2, 0.7]], MID, CLASSES, "mid to class")
    axes = (CLASSES,)
    steps = (
        Step("class lengths, iteration 1", "", np.array([0.1, 0.2]), axes),
        Step("class lengths, iteration 2", "", np.array([0.7, 0.4]), axes),
    )
    return Trace("unheard of", (low, high), steps, np.zeros(2))


def test_bands_are_as_wide_as_what_goes_that_way(routed):
    link = flow.flow(routed).data[0].link
    names = flow.flow(routed).data[0].node.label
    bands = {(names[s], names[t]): v for s, t, v in zip(link.source, link.target, link.value, strict=True)}
    assert bands[("a", "mid 1")] == pytest.approx(0.3)
    assert ("c", "mid 1") not in bands  # nothing goes there
    share = (0.9 + 0.5) / 3
    assert bands[("mid 1", "class 0")] == pytest.approx(0.8 * share)
    assert sum(v for (_, to), v in bands.items() if to.startswith("class")) == pytest.approx(1)


def test_a_sentence_names_the_class_that_receives_most(routed):
    share = (0.9 + 0.5) / 3
    received = 0.8 * share + 0.3 * (1 - share)
    winner = max((received, "0"), (1 - received, "1"))
    assert (
        flow.flow_words(routed) == f"Class {winner[1]} receives the most: {winner[0]:.2f} of all that the items give."
    )


def test_patches_are_put_together_by_where_they_lie(routed):
    grid = Axis("patch", tuple("abcdefghi"), (3, 3))
    low = coupling(np.full((2, 9), 0.5), grid, CLASSES, "weights")
    names = flow.flow(Trace("unheard of", (low,), (), np.zeros(2))).data[0].node.label
    assert set(names) >= {"upper left", "centre", "lower right"} and len(names) == 9 + 2


def test_lengths_of_the_last_level_at_each_iteration(routed):
    found = flow.lengths(routed)
    assert found.to_dict("list") == {
        "iteration": [1, 1, 2, 2],
        "capsule": ["0", "1", "0", "1"],
        "length": [0.1, 0.2, 0.7, 0.4],
    }
    assert flow.lengths_chart(found).to_dict()["layer"]


def test_a_trace_without_routing_has_no_levels(routed):
    plain = AttentionMap("weights", np.ones((1, 3)) / 3, (ONE, WORDS))
    assert flow.levels(Trace("unheard of", (plain,), (), np.zeros(2))) == []
    assert len(flow.levels(routed)) == 2
