"""The page of HTML: what it holds, once; that no text of a trace becomes markup; that nothing is fetched.

How it behaves in a browser: tests/browser/test_exports.py.
"""

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import attnviz
from attnviz.errors import OptionError
from attnviz.export import sheet_html, to_html
from attnviz.features.picture import as_data_url
from attnviz.views.frame import frame
from tests.export.traces import ODD, TEXT, attending, changed, example, odd
from tests.helpers import png


class Page(HTMLParser):
    """The elements of a page and the text in each script."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] == "script" and self.cdata_elem == "script":
            self.scripts[-1] += data


def view(page: Page, i: int = 0) -> dict:
    """What the script of a page reads of one trace."""
    return json.loads(page.scripts[0])["views"][i]


def test_it_holds_the_frame_and_what_made_it():
    trace = changed("multi_head")
    page = Page(to_html(trace))
    found = view(page)
    meta, weights = frame(trace, text=trace.made_by["input"])
    marks = found["meta"].pop("marks")
    assert (marks["masked"], marks["swapped"], marks["off"]) == ([1], {"4": "novel"}, {"head": [0]})
    assert [edit["weight"] for edit in marks["edits"]] == [0.375]
    assert found["meta"] == json.loads(json.dumps(meta))
    assert found["made_by"] == {"mechanism": "multi_head", **trace.made_by}
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(page.scripts[1]), "<f4"), weights)


@pytest.mark.parametrize("n", [4, 200])
def test_the_weights_are_in_it_once(n):
    """BertViz put them in twice: the place marked for them stood in a comment too."""
    keys = tuple(f"w{i}" for i in range(n))
    trace = attending(np.random.default_rng(0).dirichlet(np.ones(n), size=(2, n)), keys, keys)
    text = to_html(trace)
    meta, weights = frame(trace)
    packed = base64.b64encode(np.ascontiguousarray(weights)).decode()
    assert text.count(packed) == 1 and text.count(packed[:40]) == 1
    assert text.count(json.dumps(list(keys), separators=(",", ":"))) <= 3  # items, queries, keys
    small = len(to_html(attending(np.ones((2, 1, 1)), ("w",))))
    assert len(text) < small + 1.1 * len(packed) + 3 * len(json.dumps(keys)) + 3_000


def test_a_token_cannot_leave_its_place():
    """BertViz let "</script><script>…" out of the script that it stood in."""
    page, plain = Page(to_html(odd())), Page(to_html(example()))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert page.scripts[2] == plain.scripts[2]
    assert not re.search(r"[<>&\u2028\u2029]", page.scripts[0])
    assert view(page)["meta"]["groups"][0]["keys"] == list(ODD)
    to_html(odd()).encode()  # halves of characters do not get into the file


def test_only_its_own_script_may_run_and_nothing_be_fetched():
    text = to_html(odd())
    page = Page(text)
    policy = next(a["content"] for tag, a in page.elements if tag == "meta" and "http-equiv" in a)
    own = base64.b64encode(hashlib.sha256(page.scripts[2].encode()).digest()).decode()
    assert f"script-src 'sha256-{own}'" in policy and "default-src 'none'" in policy
    assert not any("src" in attributes or "href" in attributes for _, attributes in page.elements)
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)


def test_a_notebook_shows_a_frame_that_holds_the_whole_page():
    trace = odd()
    page = Page(trace._repr_html_())
    [(tag, attributes)] = page.elements
    assert tag == "iframe" and attributes["sandbox"] == "allow-scripts"
    inner = Page(attributes["srcdoc"])
    assert view(inner)["link"] is None  # a frame has no address to write into


def test_a_change_comes_with_what_was_before_it():
    plain, trace = attnviz.attend("multi_head", text=TEXT), changed("multi_head")
    page = Page(to_html(trace, before=plain))
    meta, weights = view(page)["meta"], np.frombuffer(base64.b64decode(page.scripts[1]), "<f4")
    (group,) = meta["groups"]
    start, size = group["before"], plain.maps[0].weights.size
    np.testing.assert_array_equal(weights[start : start + size], plain.maps[0].weights.ravel())
    assert meta["before"]["prediction"]["probabilities"] == plain.prediction.probabilities.tolist()


def test_a_sheet_holds_each_trace_and_each_picture_once():
    image = Image.open(io.BytesIO(png(96, 64)))
    traces = [attnviz.attend(name, image=png(96, 64)) for name in ("multi_head", "capsule")]
    text = sheet_html([*traces, example()], ["one", "</h2>", "three"], pictures=[image, as_data_url(image), None])
    page = Page(text)
    assert text.count("data:image/jpeg") + text.count("data:image/png") == 1
    shown = [view(page, i) for i in range(3)]
    assert [v["meta"]["picture"] for v in shown] == [0, 0, None]
    assert [v["link"] for v in shown] == ["p1.", "p2.", "p3."]
    assert [v["made_by"]["mechanism"] for v in shown] == ["multi_head", "capsule", "multi_head"]
    for i, trace in enumerate(traces):
        packed = base64.b64encode(frame(trace)[1]).decode()
        assert page.scripts[1 + i] == packed and text.count(packed) == 1
    assert "<h2>&lt;/h2&gt;</h2>" in text and text.count("<footer>") == 3


@pytest.mark.parametrize(
    "arguments",
    [
        {"traces": []},
        {"titles": ["one", "two"]},
        {"pictures": []},
        {"befores": []},
        {"columns": 0},
        {"theme": "sepia"},
    ],
)
def test_what_does_not_belong_together_is_a_sentence(arguments):
    with pytest.raises(OptionError, match=r"\.$"):
        sheet_html(**{"traces": [example()]} | arguments)


def test_an_unknown_theme_is_a_sentence():
    with pytest.raises(OptionError, match="light or dark"):
        to_html(example(), theme="sepia")


def test_the_trace_module_does_not_load_what_shows_it():
    code = (
        "import sys, types; package = sys.modules['attnviz'] = types.ModuleType('attnviz'); "
        "package.__path__ = ['attnviz']; import attnviz.trace; "
        "assert not any(name.startswith(('attnviz.export', 'streamlit')) for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
