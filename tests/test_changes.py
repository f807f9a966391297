"""What a reader does, event by event, and the way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.changes import MOST_STEPS, History, changed, moved, with_words
from attnviz.errors import OptionError
from attnviz.intervention import Edit, Intervention, Override

NOTHING = Intervention()


def after(*events, start=NOTHING):
    """The intervention after these events."""
    for event in events:
        start = changed(start, event)
    return start


def test_each_event_and_what_takes_it_back():
    mask = {"what": "mask", "key": 3, "on": True}
    off = {"what": "off", "kind": "head", "index": 2, "on": True}
    edit = {"what": "edit", "map": "weights", "at": [0, 0, 3], "weight": 0.8}
    swap = {"what": "swap", "key": 3, "word": "poem"}
    put = {"what": "set", "step": "scores", "at": [0, 1], "value": -1.5}
    cold = {"what": "temperature", "value": 0.5}
    hard = {"what": "alignment", "name": "hard"}
    assert after(cold, hard) == Intervention(temperature=0.5, alignment="hard")
    assert after(cold, hard, {**cold, "value": None}, {**hard, "name": None}).is_nothing
    assert after(mask) == Intervention(masked=frozenset({3}))
    assert after(off) == Intervention(off={"head": frozenset({2})})
    assert after(edit) == Intervention(edits=(Edit("weights", (0, 0, 3), 0.8),))
    assert after(swap) == Intervention(swapped={3: "poem"})
    assert after(put) == Intervention(overrides=(Override("scores", (0, 1), -1.5),))
    back = [{**mask, "on": False}, {**off, "on": False}, {**edit, "weight": None}, {**swap, "word": None}]
    assert after(mask, off, edit, swap, put, *back, {**put, "value": None}).is_nothing


def test_a_second_edit_of_the_same_place_takes_the_place_of_the_first():
    edit = {"what": "edit", "map": "weights", "at": [0, 3], "weight": 0.8}
    other = {**edit, "at": [0, 2]}
    found = after(edit, other, {**edit, "weight": 0.1})
    assert found.edits == (Edit("weights", (0, 2), 0.8), Edit("weights", (0, 3), 0.1))


def test_what_was_chosen_elsewhere_stays():
    start = Intervention(temperature=0.5, alignment="hard")
    assert after({"what": "mask", "key": 0, "on": True}, start=start) == Intervention(
        temperature=0.5, alignment="hard", masked=frozenset({0})
    )


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"what": "explode"},
        {"what": "mask"},
        {"what": "mask", "key": "<b>", "on": True},
        {"what": "mask", "key": -1, "on": True},
        {"what": "off", "kind": ["head"], "index": 1, "on": True},
        {"what": "edit", "map": "weights", "at": [0], "weight": 7},
        {"what": "edit", "map": "weights", "at": "all", "weight": 0.5},
        {"what": "swap", "key": 1, "word": "x" * 1000},
        {"what": "temperature", "value": 0},
        {"what": "alignment", "name": 3},
        {"what": "set", "step": "scores", "at": [0], "value": float("nan")},
    ],
)
def test_an_event_that_makes_no_sense_is_a_sentence(event):
    with pytest.raises(OptionError):
        changed(Intervention(), event)


@given(st.lists(st.one_of(st.integers(0, 9), st.sampled_from(["undo", "redo"])), max_size=40))
def test_a_history_goes_back_to_the_very_same_states(moves):
    history, past, future = History.start(-1), [-1], []
    for move in moves:
        if move == "undo":
            history = history.undone()
            if len(past) > 1:
                future.insert(0, past.pop())
        elif move == "redo":
            history = history.redone()
            if future:
                past.append(future.pop(0))
        elif move != past[-1]:
            history = history.then(move)
            past, future = [*past, move], []
        assert (history.past, history.now, history.future) == (tuple(past[:-1]), past[-1], tuple(future))


def test_a_drag_is_undone_as_one():
    history = History.start(0).then(1)
    for state in (2, 3, 4):
        history = history.then(state, gesture=17)
    assert history.now == 4 and history.undone().now == 1
    assert history.then(5, gesture=18).undone().now == 4


def test_a_history_is_bounded():
    history = History.start(0)
    for state in range(1, 3 * MOST_STEPS):
        history = history.then(state)
    assert len(history.past) == MOST_STEPS


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a b c", "a b c", [0, 1, 2]),
        ("a b c", "x a b c", [1, 2, 3]),
        ("a b c", "a x y b c", [0, 3, 4]),
        ("a b c", "a c", [0, None, 1]),
        ("a b c", "a bx c", [0, 1, 2]),
        ("a b c", "a b", [0, 1, None]),
        ("a a", "a a a", [0, 1]),
        ("a a a", "a a", [0, 1, None]),
        ("a b c", "z", [None, None, None]),
        ("a b c", "x y z", [0, 1, 2]),
    ],
)
def test_words_are_found_again_in_a_text_that_was_typed_at(old, new, expected):
    assert list(moved(old.split(), new.split()).values()) == expected


def test_what_was_changed_in_a_word_goes_with_it():
    now = Intervention(
        masked=frozenset({0, 2}),
        swapped={1: "x", 2: "y"},
        edits=(Edit("weights", (3, 0, 2), 0.5), Edit("weights", (3, 0, 0), 0.5), Edit("weights", (3, 2, 2), 0.5)),
        off={"head": frozenset({1})},
    )
    found = with_words(now, {0: None, 1: 2, 2: 3})
    assert found == Intervention(
        masked=frozenset({3}),
        swapped={2: "x", 3: "y"},
        edits=(Edit("weights", (3, 0, 3), 0.5),),
        off={"head": frozenset({1})},
    )
    assert with_words(now, {0: 0, 1: 1, 2: 2}) is now


def test_all_of_a_history_is_mapped():
    history = History.start(1).then(2).then(3).undone().mapped(lambda state: state * 10)
    assert (history.past, history.now, history.future) == ((10,), 20, (30,))
