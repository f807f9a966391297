"""A word in the place of another, before anything is computed."""

import numpy as np
import pytest

import attnviz
from attnviz.errors import OptionError
from attnviz.intervention import Intervention


def test_it_is_the_text_with_that_word():
    changed = attnviz.attend("multi_hop", text="Who wrote Hamlet ?", intervention=Intervention(swapped={1: "sang"}))
    plain = attnviz.attend("multi_hop", text="Who sang Hamlet ?")
    np.testing.assert_array_equal(changed.maps[0].weights, plain.maps[0].weights)
    assert changed.maps[0].axes == plain.maps[0].axes
    assert changed.made_by["input"] == "Who wrote Hamlet ?"
    assert changed.made_by["intervention"] == {"swapped": {"1": "sang"}}


@pytest.mark.parametrize("text", ["two words", "\u200b\u200b", "n't"])
def test_what_is_not_one_word_is_a_sentence(text):
    with pytest.raises(OptionError, match="not one word"):
        attnviz.attend("multi_hop", text="Who wrote Hamlet ?", intervention=Intervention(swapped={1: text}))


def test_a_place_that_is_not_there_does_nothing():
    found = attnviz.attend("multi_hop", text="Hamlet", intervention=Intervention(swapped={7: "sang"}))
    np.testing.assert_array_equal(found.context, attnviz.attend("multi_hop", text="Hamlet").context)
