"""What was changed is marked in still pictures, where it belongs and nowhere else."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from attnviz.export import from_json, to_json, to_svg, views_of
from attnviz.intervention import Edit, Intervention
from tests.export.test_as_svg import HAND, KEYS, SVG, parsed, picture_trace, texts
from tests.export.traces import attending
from tests.helpers import png


def marked(trace, done: Intervention):
    """The trace as if it had been made with these changes."""
    made_by = {"input": "a b c", "intervention": done.to_plain()}
    return type(trace)(**{**vars(trace), "made_by": made_by})


def dashed(svg: str) -> list[tuple[float, ...]]:
    """Where the outlines of weights set by hand are: x, y, width, height."""
    found = [node for node in parsed(svg).iter(f"{SVG}rect") if node.get("stroke-dasharray")]
    return [tuple(float(node.get(side)) for side in ("x", "y", "width", "height")) for node in found]


def struck(svg: str) -> list[str]:
    return [node.text for node in parsed(svg).iter(f"{SVG}text") if node.get("text-decoration") == "line-through"]


def paths(svg: str, **wanted: str) -> list[str]:
    found = parsed(svg).iter(f"{SVG}path")
    return [n.get("d") for n in found if all(n.get(k.replace("_", "-")) == v for k, v in wanted.items())]


DONE = Intervention(
    masked=frozenset({1}), off={"head": frozenset({1})}, swapped={2: "z"}, edits=(Edit("weights", (0, 0, 2), 0.5),)
)
HATCHED, DOTTED = {"stroke_opacity": "0.45"}, {"stroke_dasharray": "1.5 2.5"}


def test_what_was_changed_is_marked_under_words():
    svg = to_svg(marked(attending(HAND, ("a", "b", "z")), DONE), width=640)
    assert struck(svg) == ["b", "b"]  # in the sentence and above its column
    assert {"← c", "head 2 off", "head 1"} <= set(texts(svg)) and "head 1 off" not in texts(svg)
    assert len(paths(svg, **HATCHED)) == 1 and len(paths(svg, **DOTTED)) == 2
    rects = [node for node in parsed(svg).iter(f"{SVG}rect") if node.get("rx") == "4"]
    ((x, y, width, height),) = dashed(svg)
    cells = sorted((float(n.get("x")), float(n.get("y"))) for n in rects)
    column = sorted({left for left, _ in cells})[2]
    assert (x, y) == (column + 1, min(top for _, top in cells) + 1) and width > 30 and height > 20


def test_nothing_is_marked_where_nothing_was_changed():
    svg = to_svg(attending(HAND, KEYS))
    assert not struck(svg) and not dashed(svg) and not paths(svg, **HATCHED) and not paths(svg, **DOTTED)


def test_a_matrix_marks_the_column_and_the_very_weight():
    weights = np.full((2, 3, 3), 1 / 3)
    done = Intervention(masked=frozenset({1}), edits=(Edit("weights", (1, 2, 0), 0.5),))
    trace = marked(attending(weights, ("a", "b", "c"), ("a", "b", "c")), done)
    svg = to_svg(trace, "matrix")
    assert len(dashed(svg)) == 1 and len(paths(svg, **HATCHED)) == 2 and struck(svg) == ["b", "b"]
    assert not dashed(to_svg(trace, "tokens"))  # a mean over the queries was set by nobody
    assert len(dashed(to_svg(trace, "tokens", query=2))) == 1 and not dashed(to_svg(trace, "tokens", query=1))
    assert struck(to_svg(trace, "arcs")) == ["b", "b"]


def test_a_hatching_stays_inside_its_box():
    svg = to_svg(marked(attending(np.ones((1, 1, 1)), ("word",)), Intervention(masked=frozenset({0}))), width=320)
    (d,) = paths(svg, **HATCHED)
    points = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", d), float)
    box = next(n for n in parsed(svg).iter(f"{SVG}rect") if n.get("rx") == "4")
    x, y, width, height = (float(box.get(name)) for name in ("x", "y", "width", "height"))
    assert (points >= [x - 0.1, y - 0.1]).all() and (points <= [x + width + 0.1, y + height + 0.1]).all()
    slopes = points[1::2] - points[::2]
    np.testing.assert_allclose(slopes[:, 0], -slopes[:, 1], atol=0.11)  # at 45 degrees


def test_a_patch_is_marked_where_it_lies():
    done = Intervention(masked=frozenset({4}), edits=(Edit("weights", (1, 0, 5), 0.5),), off={"head": frozenset({0})})
    svg = to_svg(marked(picture_trace(), done), picture=Image.open(io.BytesIO(png(60, 40))))
    ((x, y, width, height),) = dashed(svg)
    assert (x, y) == pytest.approx((2 * width, height), abs=0.02)  # row 2, column 3
    assert len(paths(svg, **HATCHED)) == 2 and "head 1 off" in texts(svg)


@pytest.mark.parametrize(
    "intervention",
    [
        {"masked": [10**5], "swapped": {"99999": "x"}, "off": {"head": [7], "no such": [1], "query": [0]}},
        {"edits": [{"map": "weights", "at": at, "weight": 1} for at in ([], [0], [9, 9, 9], [0, 0, 99], [0] * 9)]},
        {"masked": "all"},
        [1, 2],
        "<script>",
        3,
    ],
)
def test_changes_that_do_not_fit_the_trace_mark_nothing(intervention):
    for made in (attending(HAND, KEYS), picture_trace()):
        made_by = {"input": "a b c", "intervention": intervention}
        trace = from_json(to_json(type(made)(**{**vars(made), "made_by": made_by})))
        for view in views_of(trace):
            svg = to_svg(trace, view)
            assert not struck(svg) and not dashed(svg) and not paths(svg, **HATCHED) and not paths(svg, **DOTTED)


def test_a_swapped_word_is_text_and_nothing_else():
    done = Intervention(swapped={0: "x"})
    made_by = {"input": "<script>alert(1)</script> b", "intervention": done.to_plain()}
    trace = attending(np.array([[[0.5, 0.5]]]), ("x", "b"))
    svg = to_svg(type(trace)(**{**vars(trace), "made_by": made_by}))
    assert any(said.startswith("← <") for said in texts(svg)) and "<script" not in svg
