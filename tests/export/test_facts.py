"""Facts, texts to be read, and the target, in still pictures."""

import numpy as np
import pytest

from attnviz.export import to_svg, views_of
from attnviz.export.drawing import fitted_name
from attnviz.export.palette import palette
from attnviz.intervention import Intervention
from attnviz.trace import AttentionMap, Axis, numbered
from tests.export.test_as_svg import SVG, fills, parsed, texts
from tests.export.test_marks import HATCHED, marked, paths, struck
from tests.export.traces import attending, example

STORY = ("Mary moved to the bathroom.", "John went to the hallway.", "Sandra took the <b>milk</b>.")
WEIGHTS = np.array([[0.06, 0.93, 0.01], [0.004, 0.006, 0.99]])
WAY = {"stroke_opacity": "0.75"}


def story(weights: np.ndarray = WEIGHTS, facts: tuple[str, ...] = STORY, kind: str = "hop", **made_by):
    axes = (numbered(kind, len(weights)), numbered("query", 1), Axis("fact", facts))
    return example(maps=(AttentionMap("weights", weights[:, None], axes),), made_by=made_by)


def ends(path: str) -> tuple[float, float]:
    """How high a line begins and ends."""
    begin, curve = path.removeprefix("M").split("C")
    return float(begin.split()[1]), float(curve.split()[-1])


def test_facts_stand_in_their_order_with_every_weight_that_shows():
    svg = to_svg(story())
    assert views_of(story()) == ("facts", "matrix")
    found = texts(svg)
    places = [found.index(said) for said in ("1", STORY[0], "2", STORY[1], "3", STORY[2])]
    assert places == sorted(places)
    assert found.count("hop 1") == 1 and {".06", ".93", ".99", ".01"} <= set(found) and ".00" not in found
    ramp = palette("light", "one")
    for colour in [ramp.css[step] for step in ramp.steps(WEIGHTS, 0.99).ravel()]:
        assert colour in fills(svg)


def test_a_line_leads_from_the_largest_weight_of_each_hop_to_that_of_the_next():
    svg = to_svg(story(np.array([[0.9, 0.1, 0.0], [0, 0, 0], [0.33, 0.34, 0.33], [0.0, 0.1, 0.9], [0, 0.9, 0.1]])))
    (one, other) = map(ends, paths(svg, **WAY))  # a hop without weight, and an even one, are passed over
    assert one[0] < other[1] < one[1] == other[0]
    assert not paths(to_svg(story(kind="head")), **WAY)


@pytest.mark.parametrize("width", [320, 400, 960])
def test_a_long_fact_is_broken_and_nothing_leaves_the_picture(width):
    long = "word " * 60
    svg = to_svg(story(np.full((6, 3), 1 / 3), (long.strip(), *STORY[1:])), width=width)
    lines = [said for said in texts(svg) if said.startswith("word")]
    assert len(lines) > 3 and " ".join(lines).split() == long.split()
    for node in parsed(svg).iter(f"{SVG}rect"):
        assert float(node.get("x") or 0) + float(node.get("width")) <= width


def test_more_maps_than_have_room_are_strips():
    svg = to_svg(story(np.full((60, 3), 1 / 3), kind="head"), width=640)
    assert "head 60" in texts(svg)


def test_facts_without_weight_are_thin_among_many():
    weights = np.zeros((1, 40))
    weights[0, [3, 30]] = 0.5
    svg = to_svg(story(weights, tuple(f"fact number {i}." for i in range(40))))
    sizes = {"".join(n.itertext()): n.get("font-size") for n in parsed(svg).iter(f"{SVG}text")}
    assert sizes["fact number 3."] == sizes["fact number 30."] == "15" and sizes["fact number 4."] == "13"


def test_a_fact_that_is_forgotten_is_struck_through_and_hatched():
    svg = to_svg(marked(story(), Intervention(masked=frozenset({1}))))
    assert struck(svg) == [STORY[1]] and len(paths(svg, **HATCHED)) == 2


def test_a_long_text_is_read_first_of_all_and_has_a_line_for_each_map():
    words = tuple(f"w{i}" for i in range(60))
    weights = np.zeros((2, 1, 60))
    weights[0, 0, 5], weights[1, 0, 50] = 1.0, 0.5
    trace = attending(weights, words)
    assert views_of(trace) == ("reading", "tokens", "matrix", "arcs")
    assert views_of(attending(weights[:, :, :40], words[:40])) == ("tokens", "matrix", "arcs")
    svg = to_svg(trace)
    assert texts(svg)[:3] == ["lines under a word, from the top: head 1, head 2", "w0", "w1"]
    lines = [n for n in parsed(svg).iter(f"{SVG}rect") if n.get("height") == "3"]
    ramp = palette("light", "one")
    assert [n.get("fill") for n in lines] == [ramp.css[int(ramp.steps(w, 1.0))] for w in (1.0, 0.5)]
    assert "lines under" not in " ".join(texts(to_svg(attending(np.full((8, 1, 60), 1 / 60), words))))


@pytest.mark.parametrize("view", ["tokens", "matrix", "arcs"])
def test_the_target_is_framed_and_named(view):
    trace = attending(np.full((2, 3, 3), 1 / 3), ("a", "b", "c"), ("a", "b", "c"))
    trace = type(trace)(**{**vars(trace), "made_by": {"marked": [1]}})

    def frames(svg: str) -> int:
        return sum(n.get("stroke-width") == "1.5" and n.get("fill") == "none" for n in parsed(svg).iter(f"{SVG}rect"))

    svg = to_svg(trace, view)
    assert "target" in texts(svg) and frames(svg) == 3  # a sentence and a column, or two maps; and the legend
    plain = to_svg(type(trace)(**{**vars(trace), "made_by": {}}), view)
    assert "target" not in texts(plain) and frames(plain) == 0


@pytest.mark.parametrize(
    ("name", "width", "expected"),
    [
        ("hop 2 · left", 200, "hop 2 · left"),
        ("hop 2 · left", 60, "2 · left"),
        ("very negative · head 3", 80, "very n… · 3"),
    ],
)
def test_a_name_is_cut_so_that_what_tells_it_from_others_stays(name, width, expected):
    assert fitted_name(name, width, 13) == expected
