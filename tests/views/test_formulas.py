"""Formulas become lists of known elements, whatever is written in them."""

import pytest

from attnviz import recording
from attnviz.attention.registry import mechanisms
from attnviz.attention.scores import SCORES
from attnviz.tasks import classifier
from attnviz.views.formulas import ATTRIBUTES, LONGEST, TAGS, mathml

OWN = [spec.formula for spec in mechanisms().values()] + [f for s in mechanisms().values() for f in s.steps.values()]
FORMULAS = sorted(
    {*OWN, *classifier.STEPS.values(), *recording.FORMULAS.values(), *(score.formula for score in SCORES.values())}
)
HOSTILE = [
    r"\href{javascript:alert(1)}{x}",
    r"\style{background:url(//evil)}{x}",
    r"\class{x}{y}",
    "<img src=x onerror=alert(1)>",
    r"\text{<script>alert(1)</script>}",
    r"\mathrm{</math><img src=x>}",
    "&lt;script&gt; & &#60;b&#62;",
    r"\unicode{60}",
    "{" * 400,
    r"\left(" * 90,
    r"\frac" * 100,
    "^" * 500,
    "x" * (LONGEST + 1),
    "\x00\x01",
    "",
]


def nodes(tree):
    """Every element of a tree."""
    yield tree
    if isinstance(tree[2], list):
        for child in tree[2]:
            yield from nodes(child)


def text(parts):
    """What a reader sees of it, without the layout."""
    return "".join(node[2] for part in parts for node in nodes(part) if isinstance(node[2], str))


def known(parts):
    for part in parts:
        assert part[0] == "math"
        for tag, attributes, content in nodes(part):
            assert tag in TAGS
            assert all(ATTRIBUTES[name].fullmatch(value) for name, value in attributes.items())
            assert isinstance(content, str | list)


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_formula_of_the_project_converts(formula):
    parts = mathml(formula)
    known(parts)
    assert "\\" not in text(parts), "a command that the converter does not know stands there as text"
    assert {tag for part in parts for tag, _, _ in nodes(part)} > {"math", "mrow"}


def test_the_parts_of_a_fraction():
    (found,) = mathml(r"\frac{a}{\sqrt{d_h}}")
    (row,) = found[2]
    ((tag, _, (above, below)),) = row[2]
    assert tag == "mfrac"
    assert text([above]) == "a" and "msqrt" in [node[0] for node in nodes(below)]


def test_the_name_of_a_function_is_one_element():
    (found,) = mathml(r"\mathrm{softmax}(z)")
    names = [content for tag, _, content in nodes(found) if tag == "mi"]
    assert names == ["softmax", "z"]


def test_a_wide_space_parts_a_formula():
    first, second = mathml(r"u = v \quad (\text{or } w)")
    assert text([first]) == "u=v"
    assert text([second]).replace("\xa0", " ") == "(or w)"


@pytest.mark.parametrize("formula", HOSTILE)
def test_hostile_formulas_are_text(formula):
    parts = mathml(formula)
    known(parts)
    assert "javascript" not in str([node[1] for part in parts for node in nodes(part)])


def test_what_cannot_be_converted_is_shown_as_it_was_written():
    assert text(mathml("{" * 3)) == "{{{"
    assert text(mathml("a & b")) == "a & b"


def test_the_lists_can_refuse():
    with pytest.raises(AssertionError):
        known([["math", {}, [["script", {}, "x"]]]])
