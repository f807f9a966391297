"""Still pictures of maps in turns, of produced words, and of two inputs."""

import re

import numpy as np
import pytest

from attnviz import export
from attnviz.export.marks import in_last_turn, marks_of
from attnviz.export.scene import views_of
from attnviz.intervention import Edit, Intervention
from attnviz.trace import AttentionMap, Axis, Prediction, Trace, numbered

ITEMS, QUERY = Axis("token", ("Do", "you", "like", "cats")), numbered("query", 1)
CLASSES = Axis("class", tuple("01234"))
ROUTED = AttentionMap(
    "weights",
    np.random.default_rng(0).dirichlet(np.ones(5), size=(2, 1, 4)).transpose(0, 3, 1, 2),
    (numbered("iteration", 2), CLASSES, QUERY, ITEMS),
    "class",
)
WORDS = Axis("token", ("喜欢", "猫"))
WRITTEN = AttentionMap("weights", np.array([[0.1, 0.1, 0.7, 0.1], [0.02, 0.04, 0.04, 0.9]]), (WORDS, ITEMS))
WEIGHTS = AttentionMap("weights", np.array([[0.1, 0.2, 0.3, 0.4]]), (QUERY, ITEMS))
AFFINITY = AttentionMap("affinity", np.linspace(-1, 1, 8).reshape(2, 4), (WORDS, ITEMS), None)
ASKED = AttentionMap("query weights", np.array([[0.35, 0.65]]), (QUERY, WORDS))


def trace_of(*maps, prediction=None, done=None):
    made_by = {"intervention": done.to_plain()} if done else {}
    return Trace("m", maps, (), np.empty(0), prediction, made_by)


def texts(svg: str) -> list[str]:
    return [re.sub(r"<[^>]*>", "", found) for found in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


def test_the_last_turn_is_drawn():
    svg = export.to_svg(trace_of(ROUTED))
    found = texts(svg)
    assert "iteration 2" in found and [f"class {i}" for i in range(5)] == [t for t in found if t.startswith("class ")]
    assert not [t for t in found if "iteration 1" in t]
    largest = f"{ROUTED.weights[1].max():.2f}".lstrip("0")
    assert largest in found


def test_changes_of_earlier_turns_leave_no_mark_on_the_last():
    edits = (Edit("weights", (0, 1, 0, 2), 0.5), Edit("weights", (1, 3, 0, 1), 0.5))
    trace = trace_of(ROUTED, done=Intervention(edits=edits, off={"class": frozenset({4})}))
    marks = in_last_turn(marks_of(trace, ROUTED), ROUTED)
    assert marks.edited == {(3, 0, 1)} and marks.off == {4}
    assert export.to_svg(trace).count('stroke-dasharray="3 2"') == 1


def test_produced_words_are_rows_of_a_table():
    words = Prediction(WORDS.labels, np.array([0.9, 0.8]), True, sequence=True)
    trace = trace_of(WRITTEN, prediction=words)
    assert views_of(trace)[0] == "matrix"
    found = texts(export.to_svg(trace))
    for label in (*WORDS.labels, *ITEMS.labels, ".70", ".90"):
        assert label in found
    assert "“猫” was written looking at “cats” (0.90), “喜欢” at “like” (0.70)." in " ".join(found)


def test_a_weight_of_a_table_that_was_set_is_dashed():
    trace = trace_of(WRITTEN, done=Intervention(edits=(Edit("weights", (1, 3), 0.9),)))
    assert export.to_svg(trace).count('stroke-dasharray="3 2"') == 1


@pytest.mark.parametrize("items", [ITEMS, Axis("patch", tuple("abcd"), (2, 2)), Axis("fact", tuple("abcd"))])
def test_both_distributions_are_drawn(items):
    weights = AttentionMap("weights", WEIGHTS.weights, (QUERY, items))
    trace = trace_of(weights, ASKED)
    found = texts(export.to_svg(trace))
    assert "weights on the asking words" in found
    for label in (*WORDS.labels, ".35", ".65"):
        assert label in found
    assert "weights on the asking words" not in texts(export.to_svg(trace, map="query weights"))


def test_an_affinity_is_a_table_that_does_not_sum_to_one():
    trace = trace_of(WEIGHTS, AFFINITY, ASKED)
    assert views_of(trace, "affinity")[0] == "matrix"
    found = texts(export.to_svg(trace, map="affinity"))
    assert "does not sum to one" in found and set(WORDS.labels) <= set(found)


def test_the_page_and_the_pixels_of_each_can_be_made():
    words = Prediction(WORDS.labels, np.array([0.9, 0.8]), True, sequence=True)
    for trace in (trace_of(ROUTED), trace_of(WRITTEN, prediction=words), trace_of(WEIGHTS, AFFINITY, ASKED)):
        assert "class Beside" in export.to_html(trace)
        assert export.to_png(trace).startswith(b"\x89PNG")
