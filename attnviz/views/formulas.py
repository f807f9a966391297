"""Formulas for the browser: LaTeX becomes MathML, MathML a nested list out of which a page builds its elements.

A formula may come from a file, so only what is on the lists below passes: no links, no styles, no scripts.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from latex2mathml.converter import convert

Tree = list[Any]  # [tag, attributes, text or children]

LONGEST = 600  # characters of a formula that is converted; a longer one stands there as it was written
TAGS = frozenset(
    ("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle")
    + ("msub", "msup", "msubsup", "mover", "munder", "munderover", "mtable", "mtr", "mtd")
)
ATTRIBUTES = {
    "accent": re.compile("true|false"),
    "displaystyle": re.compile("true|false"),
    "fence": re.compile("true|false"),
    "form": re.compile("prefix|infix|postfix"),
    "mathvariant": re.compile("normal"),
    "scriptlevel": re.compile("[+-]?[0-9]"),
    "stretchy": re.compile("true|false"),
    "width": re.compile(r"[0-9]?(\.[0-9]{1,3})?em"),
}


@lru_cache(maxsize=512)
def mathml(formula: str) -> list[Tree]:
    """A formula in LaTeX as nested lists [tag, attributes, text or children], one "math" for each part.

    Parts are what stands between wide spaces (\quad); a narrow page may break the line there. A formula that cannot
    be converted, is too long, or holds what is not on the lists is one part, plain text.
    """
    if len(formula) > LONGEST:
        return [_math([["mtext", {}, formula]])]
    try:
        row = ElementTree.fromstring(convert(formula))[0]
        return [_math(part) for part in _parts([_tree(node) for node in row])]
    except Exception:  # the converter has many kinds of errors, and what it makes of odd input is not always XML
        return [_math([["mtext", {}, formula]])]


def _math(children: list[Tree]) -> Tree:
    return ["math", {}, [["mrow", {}, _joined(children)]]]


def _parts(nodes: list[Tree]) -> Iterator[list[Tree]]:
    for wide, part in groupby(nodes, lambda node: node[:2] == ["mspace", {"width": "1em"}]):
        if not wide:
            yield list(part)


def _tree(node: ElementTree.Element) -> Tree:
    tag = node.tag.rpartition("}")[2]
    if tag not in TAGS:
        raise ValueError(f"{tag} has no place in a formula")
    attributes = {k: v for k, v in node.attrib.items() if k in ATTRIBUTES and ATTRIBUTES[k].fullmatch(v)}
    return [tag, attributes, _joined([_tree(child) for child in node]) if len(node) else node.text or ""]


def _joined(children: list[Tree]) -> list[Tree]:
    """Upright letters that stand side by side are one name: softmax, not s o f t m a x."""
    joined: list[Tree] = []
    for child in children:
        if joined and _upright(child) and _upright(joined[-1]):
            joined[-1] = ["mi", child[1], joined[-1][2] + child[2]]
        else:
            joined.append(child)
    return joined


def _upright(node: Tree) -> bool:
    return node[0] == "mi" and node[1] == {"mathvariant": "normal"}
