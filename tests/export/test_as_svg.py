"""The SVG: valid XML for any text, the weights where they belong, and every view of every mechanism."""

import base64
import io
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import attnviz
from attnviz.errors import AttnvizError
from attnviz.export import to_svg, views_of
from attnviz.export.palette import palette
from attnviz.export.strips import short
from attnviz.features.picture import as_data_url
from attnviz.trace import AttentionMap, Axis, numbered
from tests.export.traces import ODD, TEXT, attending, changed, example, odd
from tests.helpers import mechanisms_for, png

SVG = "{http://www.w3.org/2000/svg}"
KEYS = ("the", "cat", "sat")
HAND = np.array([[[0.7, 0.2, 0.1]], [[0.1, 0.1, 0.8]]])


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg.encode())


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in parsed(svg).iter(f"{SVG}text")]


def fills(svg: str) -> list[str]:
    return [node.get("fill") for node in parsed(svg).iter(f"{SVG}rect")]


def pixels(svg: str) -> list[np.ndarray]:
    found = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", svg)
    return [np.array(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


def test_strips_have_the_colour_and_the_number_of_each_weight():
    svg = to_svg(attending(HAND, KEYS), width=640)
    ramp = palette("light", "one")
    expected = [ramp.css[step] for step in ramp.steps(HAND, 0.8).ravel()]
    found = fills(svg)
    for colour in expected:
        assert colour in found
    assert {".70", ".20", ".80"} <= set(texts(svg))
    assert ".10" not in texts(svg)  # too small to matter
    assert texts(svg).count("cat") == 2  # in the sentence and above its column


def test_the_sentence_is_tinted_by_the_mean():
    svg = to_svg(attending(HAND, KEYS))
    ramp = palette("light", "one")
    words = [ramp.css[step] for step in ramp.steps(np.array([0.4, 0.15, 0.45]), 0.8)]
    assert fills(svg)[1:4] == words  # after the paper


def test_a_query_can_be_chosen_and_else_it_is_their_mean():
    weights = np.array([[[1.0, 0.0], [0.2, 0.8]]])
    trace = attending(weights, ("a", "b"), ("a", "b"))
    ramp = palette("light", "one")
    assert fills(to_svg(trace, query=1))[1:3] == [ramp.css[s] for s in ramp.steps(np.array([0.2, 0.8]), 1.0)]
    assert fills(to_svg(trace))[1:3] == [ramp.css[s] for s in ramp.steps(np.array([0.6, 0.4]), 0.6)]


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_every_view_of_every_mechanism_with_what_made_it(name):
    trace = changed(name)
    for which in range(len(trace.maps)):
        for view in views_of(trace, which):
            svg = to_svg(trace, view, map=which)
            said = json.loads(parsed(svg).find(f"{SVG}metadata").text)
            assert said == {"mechanism": name, **trace.made_by}
            caption = texts(svg)[-1]
            assert "trec" in svg and "temperature 0.7" in "".join(texts(svg)[-3:]) and "attnviz" in caption
            assert "nan" not in svg.lower().replace("finance", "") and "inf" not in re.sub(r"[a-z]*inf[a-z]+", "", svg)


@pytest.mark.parametrize("view", ["tokens", "matrix", "arcs"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_text_breaks_the_xml_or_becomes_markup(view, theme):
    svg = to_svg(odd(), view, theme=theme, map="]]>")
    tags = {node.tag.removeprefix(SVG) for node in parsed(svg).iter()}
    assert tags <= {"svg", "g", "rect", "text", "tspan", "path", "title", "desc", "metadata"}
    assert "<script" not in svg and "\x1b" not in svg and "\x00" not in svg
    shown = texts(svg)
    assert any("🙂" in t for t in shown) and "שלום" in shown and "你好" in shown
    assert any("window.broken" in t for t in [ODD[0], *shown])


def test_a_sentence_from_right_to_left_begins_at_the_right():
    root = parsed(to_svg(attending(np.array([[[0.5, 0.5]]]), ("שלום", "עולם"))))
    first, second = (float(node.get("x")) for node in list(root.iter(f"{SVG}rect"))[1:3])
    assert first > second


def test_two_hundred_words_fit_into_the_width():
    n = 256
    weights = np.random.default_rng(0).dirichlet(np.ones(n), size=(2, n))
    trace = attending(weights, tuple(f"word{i}" for i in range(n)), tuple(f"word{i}" for i in range(n)))
    for view in ("tokens", "matrix", "arcs"):
        svg = to_svg(trace, view, width=900)
        rights = [float(r.get("x", 0)) + float(r.get("width")) for r in parsed(svg).iter(f"{SVG}rect")]
        assert max(rights) <= 900 and len(svg) < 2_000_000
    found = pixels(to_svg(trace, "matrix"))
    assert [p.shape for p in found] == [(n, n, 3)] * 2
    ramp = palette("light", "one")
    np.testing.assert_array_equal(found[1], ramp.colours[ramp.steps(weights[1], weights.max())])


def test_signed_values_and_gates_have_their_own_colours_and_say_so():
    signed = to_svg(attending(np.array([[[-1.0, 0.5]]]), ("a", "b"), normalised=None))
    assert palette("light", "signed").css[0] in fills(signed)
    assert "−1.00" in texts(signed) and "does not sum to one" in texts(signed)
    gates = to_svg(attending(np.array([[[0.9, 0.5]]]), ("a", "b"), normalised=None))
    assert palette("light", "free").css[255] in fills(gates)


@pytest.mark.parametrize("weights", [np.zeros((1, 1, 2)), np.full((1, 1, 2), 1e-30), np.full((1, 1, 2), -1e30)])
def test_no_weight_and_huge_weights_are_drawn(weights):
    trace = attending(weights, ("a", "b"), normalised=None)
    for view in ("tokens", "matrix", "arcs"):
        svg = to_svg(trace, view)
        parsed(svg)
        assert "nan" not in svg


def picture_trace():
    weights = np.array([[[0.1, 0.2, 0.3, 0.25, 0.1, 0.05]], [[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]])
    axes = (numbered("head", 2), numbered("query", 1), Axis("patch", tuple("abcdef"), (2, 3)))
    return example(maps=(AttentionMap("weights", weights, axes),))


def test_an_overlay_veils_what_is_not_looked_at():
    image = Image.open(io.BytesIO(png(60, 40)))
    svg = to_svg(picture_trace(), picture=image)
    under, *veils = pixels(svg)
    assert under.shape == (40, 60, 3)  # once, though it is seen under each map
    assert [v.shape for v in veils] == [(2, 3, 4)] * 2
    clear, covered = veils[1][1, 2, 3], veils[1][0, 0, 3]
    assert clear == round(255 * 0.6**3) and covered == round(255 * 0.6**0.4)
    assert parsed(svg).find(f".//{SVG}use") is not None


def test_without_its_picture_only_the_weights_are_drawn():
    found = pixels(to_svg(picture_trace()))
    assert [p.shape for p in found] == [(2, 3, 4)] * 2 and (found[0][..., 3] == 255).all()


def test_a_data_url_of_the_page_is_taken_and_another_refused():
    image = Image.open(io.BytesIO(png(200, 100)))
    assert "data:image/jpeg" in to_svg(picture_trace(), picture=as_data_url(image))
    for bad in [
        "https://example.org/a.png",
        'data:image/png;base64,AA"/><script>',
        "data:image/svg+xml;base64,AAAA",
        3,
    ]:
        with pytest.raises(AttnvizError, match="neither a Pillow image"):
            to_svg(picture_trace(), picture=bad)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"view": "overlay"}, "it can be tokens, matrix, arcs"),
        ({"view": "pie"}, "There is no view 'pie'"),
        ({"map": "nope"}, "There is no map 'nope'"),
        ({"map": 7}, "There is no map '7'"),
        ({"query": 1}, "this map has 1"),
        ({"theme": "sepia"}, "light or dark"),
        ({"width": 10}, "it goes from 320"),
    ],
)
def test_what_does_not_fit_the_trace_is_a_sentence(arguments, says):
    with pytest.raises(AttnvizError, match=says):
        to_svg(attending(HAND, KEYS), **arguments)


def test_a_trace_without_maps_still_shows_its_prediction():
    assert {"yes", "否", "0.50"} <= set(texts(to_svg(example(maps=()))))


def test_heads_of_one_class_can_be_told_apart_by_their_names():
    trace = attnviz.attend("multi_head_capsule", text=TEXT)
    found = [said for said in texts(to_svg(trace, width=400)) if said.startswith("abb")]
    assert len(set(found)) == 5 and {said[-1] for said in found if "…" in said} == set("1234")


def test_many_classes_are_the_ten_most_likely():
    trace = attnviz.attend("multi_head", text=TEXT)
    labels = tuple(f"class {i}" for i in range(30))
    probabilities = np.linspace(0, 0.06, 30)
    svg = to_svg(example(maps=trace.maps, prediction=type(trace.prediction)(labels, probabilities)))
    assert "class 29" in texts(svg) and "class 20" in texts(svg) and "class 19" not in texts(svg)


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (0.864, ".86"),
        (1.0, "1"),
        (-0.12, "−.12"),
        (2.44, "2.4"),
        (12.4, "12"),
        (0.997, "1"),
        (0.006, ".01"),
        (1e30, "1e+30"),
    ],
)
def test_numbers_in_cells_are_short(weight, said):
    assert short(weight) == said
