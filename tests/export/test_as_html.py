"""The page of HTML: what it holds, once; that no text of a trace becomes markup; that nothing is fetched.

How it behaves in a browser: tests/browser/test_exports.py.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from attnviz.errors import OptionError
from attnviz.export import to_html
from attnviz.views.frame import frame
from tests.export.traces import ODD, attending, changed, example, odd


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


def test_it_holds_the_frame_and_what_made_it():
    trace = changed("multi_head")
    page = Page(to_html(trace))
    found = json.loads(page.scripts[0])
    meta, weights = frame(trace, text=trace.made_by["input"])
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
    assert json.loads(page.scripts[0])["meta"]["groups"][0]["keys"] == list(ODD)
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
    assert json.loads(inner.scripts[0])["link"] is None  # a frame has no address to write into


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
