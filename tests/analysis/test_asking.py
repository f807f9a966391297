"""Who asks what: every query with the weights that answered it."""

import numpy as np
import pytest

import attnviz
from attnviz.analysis.asking import MOST, askings, likeness
from attnviz.trace import AttentionMap, Axis, Step, Trace

TEXT = "Who wrote the first novel about time travel ?"
WORDS = Axis("token", ("a", "b", "c"))


def looped(name: str, mechanism: str = "unheard of") -> Trace:
    """Two hops over three words, and a vector that is noted under `name` in each."""
    weights = np.array([[[0.7, 0.2, 0.1]], [[0.1, 0.3, 0.6]]])
    attention = AttentionMap("weights", weights, (Axis("hop", ("hop 1", "hop 2")), Axis("query", ("query",)), WORDS))
    axes = (Axis("query", ("query",)), Axis("feature", ("1", "2")))
    steps = tuple(Step(f"{name}, hop {k}", "", np.array([[k, 2.0]]), axes) for k in (1, 2))
    return Trace(mechanism, (attention,), steps, np.zeros(2))


def test_each_turn_of_a_loop_asks_its_own_row():
    first, second = askings(looped("query"))
    assert (first.label, first.turn, second.label, second.turn) == ("hop 1", 0, "hop 2", 1)
    assert first.found == (("“a”", 0.7), ("“b”", 0.2), ("“c”", 0.1))
    assert second.found[0] == ("“c”", 0.6)
    np.testing.assert_array_equal(second.vector, [2.0, 2.0])


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ([0.25, 0.25, 0.25, 0.25], (("all alike", 0.25),)),
        ([0.0, 0.5, 0.3, 0.2], (("a patch at the centre", 0.5), ("a patch at the right", 0.2))),
        ([-1.0, 0.5, -1.0, -1.0], (("a patch at the centre", 0.5),)),
    ],
)
def test_places_of_a_picture_are_named_once_and_none_where_all_are_alike(weights, found):
    keys = Axis("patch", tuple(f"row 1, column {c}" for c in range(1, 5)), (1, 4))
    attention = AttentionMap("weights", np.array([weights]), (Axis("query", ("query",)), keys))
    query = Step("query", "", np.ones((1, 2)), (Axis("query", ("query",)), Axis("feature", ("1", "2"))))
    (asked,) = askings(Trace("unheard of", (attention,), (query,), np.zeros(2)))
    assert asked.found == found


def test_what_a_turn_leaves_asks_the_next_one():
    trace = attnviz.attend("memory_network", text=TEXT)
    found = askings(trace)
    assert [one.label for one in found] == ["hop 1", "hop 2", "hop 3", "after hop 3"]
    assert [one.step for one in found] == ["question", "state, hop 1", "state, hop 2", "state, hop 3"]
    for one in found[:3]:
        row = trace.map("weights").weights[one.turn, 0]
        assert one.found[0][1] == row.max()
    assert found[3].found == ()


def test_heads_classes_and_items_that_ask_get_their_own_rows():
    trace = attnviz.attend("capsule", text=TEXT)
    for one, row, label in zip(askings(trace), trace.maps[0].weights, trace.maps[0].axes[0].labels, strict=True):
        assert one.label == label and one.found[0][1] == row.max()
    trace = attnviz.attend("self_attention", text=TEXT)
    for i, one in enumerate(askings(trace)):
        assert (one.row, one.found[0][1]) == (i, trace.maps[0].weights[i].max())


def test_a_produced_word_names_the_query_that_produced_it():
    weights = np.array([[0.9, 0.1, 0.0], [0.0, 0.2, 0.8]])
    attention = AttentionMap("weights", weights, (Axis("token", ("I", "sleep")), WORDS))
    axes = (Axis("feature", ("1", "2")),)
    steps = tuple(Step(f"query, word {t + 1}", "", np.eye(2)[t], axes) for t in range(2))
    found = askings(Trace("unheard of", (attention,), steps, np.zeros(2)))
    assert [(one.label, one.row, one.found[0]) for one in found] == [("I", 0, ("“a”", 0.9)), ("sleep", 1, ("“c”", 0.8))]


REVIEW = {"review": "The bread was fresh but the rude waiter was slow .", "target": "rude waiter"}


def test_a_query_is_answered_by_the_map_it_asks_in():
    trace = attnviz.attend("rotatory", task="mams", given=REVIEW)
    found = {one.label: one for one in askings(trace)}
    assert len(found) == 12  # three hops, two sides, and each side and the target are asked
    for hop in range(3):
        for side, name in enumerate(("left", "right")):
            for step, where in (("query", "weights"), ("target query", "target weights")):
                one = found[f"hop {hop + 1} · {name} · {step}"]
                assert (one.map, one.step) == (where, f"{step}, hop {hop + 1}")
                assert one.found[0][1] == trace.map(where).weights[hop, side, 0].max()


def test_each_asking_word_has_its_own_answer():
    values = {"document": "Ann met Bob . Ann gave the ball to Bob .", "question": "Then ___ , glad , ran ."}
    trace = attnviz.attend("attention_over_attention", task="cloze", given=values)
    found = askings(trace)
    assert [one.label for one in found] == list(trace.map("document weights").axes[0].labels)
    for one, row in zip(found, trace.map("document weights").weights, strict=True):
        assert one.found[0][1] == row.max() and one.row == 0


@pytest.mark.parametrize(
    ("form", "asking"),
    [
        ("parallel", {"query items"}),
        ("alternating", {"first query context"}),
        ("interactive", {"query", "returned query"}),
        ("max_pooled", {"query items"}),
    ],
)
def test_what_asks_in_another_form_is_not_shown(form, asking):
    trace = attnviz.attend("co_attention", task="mams", given=REVIEW, form=form)
    assert {one.step for one in askings(trace)} == asking


@pytest.mark.parametrize("name", ["constant_query"])
def test_a_mechanism_without_a_query_has_none_to_show(name):
    assert askings(attnviz.attend(name, text=TEXT)) == []


def test_of_very_many_queries_the_first_are_shown():
    assert len(askings(attnviz.attend("multi_head_self", text="word " * 40))) == MOST


def test_likeness_is_the_cosine():
    first, second = askings(looped("query"))
    expected = (1 * 2 + 2 * 2) / np.sqrt((1 + 4) * (4 + 4))
    np.testing.assert_allclose(likeness([first, second]), [[1, expected], [expected, 1]])
    np.testing.assert_array_equal(likeness([]), np.zeros((0, 0)))
