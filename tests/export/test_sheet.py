"""Several traces as one picture, and the difference of two: what they say and where each stands."""

import io
import json
import re

import pytest
from PIL import Image

import attnviz
from attnviz.analysis.pairs import difference_trace
from attnviz.errors import AttnvizError
from attnviz.export import from_json, sheet_svg, to_json, to_svg
from attnviz.export.palette import palette
from attnviz.features.picture import as_data_url
from attnviz.intervention import Intervention
from tests.export.test_as_svg import SVG, fills, parsed, picture_trace, pixels, texts
from tests.export.traces import TEXT, example
from tests.helpers import png


def both():
    return [attnviz.attend(name, text=TEXT) for name in ("multi_head", "multi_hop")]


def test_a_difference_says_what_was_taken_from_what():
    first, second = both()
    trace = difference_trace(first, second)
    svg = to_svg(trace)
    said = " ".join(texts(svg))
    assert parsed(svg).find(f"{SVG}title").text == "Difference"
    assert re.search(r"Multi-hop \(n_hops 3, .*\) minus Multi-head \(n_heads 8\) · trec · seed 0 · attnviz", said)
    assert palette("light", "signed").css[0] in fills(svg) or palette("light", "signed").css[255] in fills(svg)


def test_a_difference_says_the_changes_and_the_inputs_of_each_side():
    done = Intervention(off={"head": frozenset({2})})
    first, second = both()[0], attnviz.attend("multi_head", text="Who wrote the longest poem ?", intervention=done)
    said = " ".join(texts(to_svg(difference_trace(first, second), width=2000)))
    assert "on “Who wrote the longest poem ?” minus Multi-head (n_heads 8) on “Who wrote the longest novel ?”" in said
    assert "second: head 3 is off" in said and "no effect" not in said


@pytest.mark.parametrize("side", [3, {}, {"mechanism": ["x"], "options": 3, "input": {}, "changes": 7}, {"seed": None}])
def test_a_difference_from_anybody_is_drawn(side):
    first, second = both()
    made = difference_trace(first, second)
    made_by = {"first": side, "second": {"mechanism": "<b>", "options": {"<i>": "</text>"}, "changes": ["<u>"]}}
    trace = from_json(to_json(type(made)(**{**vars(made), "made_by": made_by})))
    assert "difference" in "".join(parsed(to_svg(trace)).itertext())


def test_a_sheet_has_every_trace_in_its_place():
    traces = [*both(), difference_trace(*both())]
    svg = sheet_svg(traces, ["one", "two", "two minus one"], columns=2, width=1200)
    root = parsed(svg)
    places = {}
    for row in root.findall(f"{SVG}g/{SVG}g"):
        for column in row:
            names = [t for t in ("".join(n.itertext()) for n in column.iter(f"{SVG}text"))]
            places[names[0]] = (row.get("transform"), column.get("transform"))
    assert list(places) == ["one", "two", "two minus one"]
    assert places["one"][0] == places["two"][0] != places["two minus one"][0]
    assert places["one"][1] == places["two minus one"][1] != places["two"][1]
    origins = json.loads(root.find(f"{SVG}metadata").text)
    assert [found["mechanism"] for found in origins] == ["multi_head", "multi_hop", "difference"]
    said = " ".join(texts(svg))
    assert said.count("attnviz") == 3 and "Multi-head attention · trec · n_heads 8" in said
    rights = [float(r.get("x", 0)) + float(r.get("width")) for r in root.iter(f"{SVG}rect")]
    assert max(rights) <= 1200


def test_a_picture_of_several_traces_is_in_the_sheet_once():
    image = Image.open(io.BytesIO(png(60, 40)))
    svg = sheet_svg(
        [picture_trace(), picture_trace()], pictures=[image, as_data_url(image, longest=1200)], theme="dark"
    )
    assert [p.shape for p in pixels(svg)].count((40, 60, 3)) == 1
    used = {node.get("{http://www.w3.org/1999/xlink}href") for node in parsed(svg).iter(f"{SVG}use")}
    assert used == {f"#{parsed(svg).find(f'.//{SVG}defs/{SVG}image').get('id')}"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"traces": []}, "no trace"),
        ({"titles": ["a", "b"]}, "1 traces with 2 titles"),
        ({"pictures": []}, "0 pictures"),
        ({"columns": 0}, "1 to 6"),
        ({"columns": 7}, "1 to 6"),
        ({"traces": [example()] * 6, "columns": 6, "width": 900}, "do not fit"),
        ({"theme": "sepia"}, "light or dark"),
        ({"width": 10}, "it goes from 320"),
    ],
)
def test_a_sheet_that_cannot_be_is_a_sentence(arguments, says):
    with pytest.raises(AttnvizError, match=says):
        sheet_svg(**{"traces": [example()]} | arguments)
