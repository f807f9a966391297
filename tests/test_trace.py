"""Labels and look-ups of a trace."""

import numpy as np
import pytest

from attnviz.trace import AttentionMap, Axis, Prediction, Step, Trace, numbered


@pytest.fixture
def trace():
    axes = (numbered("layer", 2), numbered("head", 3), numbered("query", 1), Axis("token", ("a", "b", "c", "d")))
    found = AttentionMap("weights", np.arange(24.0).reshape(2, 3, 1, 4), axes)
    return Trace("toy", (found,), (Step("scores", "e", np.zeros(4), axes[-1:]),), np.zeros(4))


def test_two_leading_axes_give_a_label_for_each_map_in_the_order_of_stacked(trace):
    found = trace.maps[0]
    assert found.labels == tuple(f"layer {layer} · head {head}" for layer in (1, 2) for head in (1, 2, 3))
    assert found.stacked.shape == (6, 1, 4)
    np.testing.assert_array_equal(found.stacked[found.labels.index("layer 2 · head 1")], found.weights[1, 0])


def test_a_map_without_leading_axes_has_its_own_name():
    found = AttentionMap("weights", np.zeros((2, 3)), (numbered("item", 2), numbered("key", 3)))
    assert found.labels == ("weights",)
    assert found.stacked.shape == (1, 2, 3)


def test_axes_count_from_one():
    assert numbered("head", 3).labels == ("head 1", "head 2", "head 3")
    assert numbered("query", 1).labels == ("query",)
    assert len(numbered("head", 3)) == 3


def test_maps_and_steps_by_name(trace):
    assert trace.map("weights") is trace.maps[0]
    assert trace.step("scores") is trace.steps[0]


def test_names_that_are_not_there_say_what_is(trace):
    with pytest.raises(KeyError, match="no map 'weight'; this trace has weights"):
        trace.map("weight")
    with pytest.raises(KeyError, match="no step 'keys'; this trace has scores"):
        trace.step("keys")


def test_the_best_label_is_the_likeliest():
    assert Prediction(("no", "yes", "perhaps"), np.array([0.2, 0.5, 0.3])).best == "yes"
