"""The scripts of the pictures: none is forgotten, none takes another's names, and no file needs the server's side."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import attnviz
from attnviz.views import scripts

FOLDER = Path(attnviz.__file__).parent / "views" / "canvas"
STYLES = sorted(path.name for path in FOLDER.glob("*.css"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_every_script_is_sent(path):
    assert path.read_text(encoding="utf-8") in scripts.page_code()


def test_all_names_differ():
    names = re.findall(r"^(?:const|let|class|function) (\w+)", scripts.page_code(), re.MULTILINE)
    assert len(names) == len(set(names)) > 100


def test_a_single_picture_comes_without_what_only_pages_show():
    code = scripts.picture_code()
    assert ".mount = " in code and "class Picture " in code and ".attnviz-picture {" in code
    assert not re.search(r"class (Board|Panel|Sheet|Worksheet)|\.attnviz-(board|worksheet) \{", code)
    assert len(code) < 0.75 * len(scripts.page_code())


@pytest.mark.parametrize("name", [name for name in STYLES if name != "shared.css"])
def test_every_rule_stands_within_the_class_of_what_it_is_for(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert re.findall(r"^\S.*", text, re.MULTILINE) == [f".attnviz-{name.removesuffix('.css')} {{", "}"]


def test_a_trace_shows_itself_without_streamlit():
    code = (
        "import sys, attnviz; page = attnviz.attend('multi_head', text='Who ?')._repr_html_(); "
        "assert 'iframe' in page and 'streamlit' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(attnviz.__file__).parents[1])
