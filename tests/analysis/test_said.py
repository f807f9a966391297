"""What was changed, in words."""

import pytest

import attnviz
from attnviz.analysis.said import said
from attnviz.intervention import Edit, Intervention, Override

TEXT = "Who wrote it ?"
NOTHING = " (no effect here)"


def chips(**change):
    """The texts of the chips, and the trace, of a change of that sentence."""
    done = Intervention(**change)
    return [chip["text"] for chip in said(done, attnviz.attend("multi_head", text=TEXT, intervention=done))]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"masked": frozenset({1})}, "“wrote” is masked"),
        ({"masked": frozenset({4})}, "word 5 is masked" + NOTHING),
        ({"swapped": {1: "sang"}}, "“wrote” became “sang”"),
        ({"swapped": {9: "sang"}}, "word 10 became “sang”" + NOTHING),
        ({"off": {"head": frozenset({7})}}, "head 8 is off"),
        ({"off": {"head": frozenset({8})}}, "head 9 is off" + NOTHING),
        ({"off": {"hop": frozenset({0})}}, "hop 1 is off" + NOTHING),
        ({"edits": (Edit("weights", (0, 0, 3), 0.5),)}, "weight head 1 · ? = 0.50"),
        ({"edits": (Edit("weights", (0, 0, 4), 0.5),)}, "weight head 1 · word 5 = 0.50" + NOTHING),
        ({"edits": (Edit("other", (0, 3), 0.5),)}, "weight (1, 4) = 0.50" + NOTHING),
        ({"overrides": (Override("scores", (0, 0, 3), 2.0),)}, "scores head 1 · ? = 2"),
        ({"overrides": (Override("nothing", (3,), 2.0),)}, "nothing (4) = 2" + NOTHING),
    ],
)
def test_a_change_is_said_and_one_that_meets_nothing_says_so(change, says):
    assert chips(**change) == [says]


@pytest.mark.parametrize(
    "change",
    [
        {"masked": frozenset({4})},
        {"swapped": {9: "sang"}},
        {"off": {"head": frozenset({8})}},
        {"off": {"hop": frozenset({0})}},
        {"edits": (Edit("weights", (0, 0, 4), 0.5),)},
        {"edits": (Edit("other", (0, 3), 0.5),)},
        {"overrides": (Override("nothing", (3,), 2.0),)},
    ],
)
def test_what_is_said_to_have_no_effect_has_none(change):
    found = attnviz.attend("multi_head", text=TEXT, intervention=Intervention(**change))
    assert (found.maps[0].weights == attnviz.attend("multi_head", text=TEXT).maps[0].weights).all()
