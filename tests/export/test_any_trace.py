"""Whatever a file may hold, if it can be read it can be shown and kept: no error, no NaN."""

import io
import json
from xml.etree import ElementTree

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attnviz.export import from_json, to_csv, to_html, to_json, to_npz, to_svg, views_of
from attnviz.export.as_json import MOST_WEIGHT
from attnviz.trace import AttentionMap, Axis, Prediction, Trace
from tests.export.traces import assert_same

PLACES = {"x", "y", "x1", "y1", "x2", "y2", "width", "height", "cx", "cy", "r", "d", "transform", "viewBox"}
KINDS = ("head", "class", "hop", "query", "key", "token", "patch", "row", "")
LABELS = st.text(max_size=6) | st.sampled_from(["same", "</script>", "שלום", "🙂"])


@st.composite
def axes(draw, kinds):
    size = draw(st.integers(1, 4))
    labels = tuple(draw(LABELS) for _ in range(size))
    grid = draw(st.sampled_from([None, (1, size), (size, 1)]))
    return Axis(draw(st.sampled_from(kinds)), labels, grid)


@st.composite
def maps(draw):
    found = tuple(draw(axes(KINDS)) for _ in range(draw(st.integers(2, 4))))
    corners = st.sampled_from([0.0, 1.0, 0.5, -1.0, 1e-30, MOST_WEIGHT / 2, -MOST_WEIGHT / 2])
    numbers = corners | st.floats(-1, 1, width=32)
    shape = tuple(map(len, found))
    weights = np.array([draw(numbers) for _ in range(int(np.prod(shape)))]).reshape(shape)
    normalised = draw(st.sampled_from([None, "key", "query", "nonsense", *KINDS]))
    return AttentionMap(draw(LABELS), weights.astype(draw(st.sampled_from(["f4", "f8"]))), found, normalised)


@st.composite
def traces(draw):
    labels = tuple(draw(st.lists(LABELS, min_size=1, max_size=4)))
    probabilities = np.array([draw(st.floats(0, 1)) for _ in labels])
    return Trace(
        mechanism=draw(st.sampled_from(["multi_head", "capsule", "unheard of", ""])),
        maps=tuple(draw(st.lists(maps(), max_size=3))),
        steps=(),
        context=np.zeros(2),
        prediction=draw(st.none() | st.just(Prediction(labels, probabilities, draw(st.booleans())))),
        made_by=draw(st.dictionaries(st.sampled_from(["task", "input", "options", "intervention", "x"]), LABELS)),
    )


def refused(name):
    raise AssertionError(f"{name} is not a JSON number")


@given(traces())
def test_any_trace_that_can_be_read_can_be_shown_and_kept(trace):
    trace = from_json(to_json(trace))
    assert_same(from_json(to_json(trace)), trace)
    for which in range(max(1, len(trace.maps))):
        for view in views_of(trace, which) or [None]:
            svg = to_svg(trace, view, map=which, width=500)
            for element in ElementTree.fromstring(svg).iter():
                places = [value for name, value in element.attrib.items() if name in PLACES]
                assert not [value for value in places if "nan" in value or "inf" in value]
    page = to_html(trace)
    json.loads(page.split('id="attnviz-meta">')[1].split("</script>")[0], parse_constant=refused)
    assert to_csv(trace).endswith("\n")
    np.load(io.BytesIO(to_npz(trace)), allow_pickle=False)


def test_a_trace_of_nothing():
    svg = to_svg(Trace("", (), (), np.zeros(0)))
    assert "No weights were recorded." in "".join(ElementTree.fromstring(svg).itertext())
