"""Maps in turns: which they are, and the maps of one."""

import numpy as np
import pytest

from attnviz.analysis.turns import in_turn, turns
from attnviz.trace import AttentionMap, Axis, numbered

KEYS = Axis("token", ("a", "b"))
DIGITS = Axis("class", tuple("01234"))


def maps(*leading):
    axes = (*leading, numbered("query", 1), KEYS)
    shape = [len(axis) for axis in axes]
    return AttentionMap("weights", np.arange(np.prod(shape), dtype=float).reshape(shape), axes)


def test_iterations_of_many_classes_are_turns():
    routed = maps(numbered("iteration", 3), DIGITS)
    assert turns(routed) == numbered("iteration", 3)
    np.testing.assert_array_equal(in_turn(routed).weights, routed.weights[2])
    np.testing.assert_array_equal(in_turn(routed, 0).weights, routed.weights[0])
    assert in_turn(routed).labels == ("class 0", "class 1", "class 2", "class 3", "class 4")


@pytest.mark.parametrize(
    "leading",
    [
        (),
        (numbered("iteration", 3),),
        (numbered("hop", 3), Axis("side", ("left", "right"))),
        (numbered("iteration", 1), DIGITS),
        (DIGITS, numbered("head", 4)),
    ],
)
def test_others_are_no_turns(leading):
    assert turns(maps(*leading)) is None
    found = maps(*leading)
    assert in_turn(found) is found


def test_labels_of_words_stay_and_further_axes_stay():
    found = in_turn(maps(numbered("step", 2), Axis("class", ("x", "7", "y", "z")), numbered("head", 2)), 0)
    assert found.labels[:4] == ("x · head 1", "x · head 2", "class 7 · head 1", "class 7 · head 2")
