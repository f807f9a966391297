"""Formulas in words; weights as a table: nothing lost, every edge labelled."""

import re

import numpy as np
import pytest
import torch

from attnviz.attention.registry import mechanisms
from attnviz.recording import record
from attnviz.trace import AttentionMap, Axis, numbered
from attnviz.views.steps import SYMBOLS, explained, weights_table
from tests.helpers import mechanisms_for

TOKENS = Axis("token", ("the", "cat", "the"))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("a", "a", "a"), ["a", "a (2)", "a (3)"]),
        (("a", "a (2)", "a"), ["a", "a (2)", "a (3)"]),
        (("a", "a", "a (2)"), ["a", "a (3)", "a (2)"]),
    ],
)
def test_labels_become_different(labels, expected):
    found = weights_table(AttentionMap("x", np.zeros((1, 3)), (numbered("query", 1), Axis("token", labels))))
    assert list(found.columns) == expected


def test_a_formula_is_explained_symbol_by_symbol():
    assert explained(r"e_l = q^\top k_l") == (
        "q: a query: what is asked · k: a key: what the query is compared with · e: a score: how well an item answers "
        "the query · l: counts items · ⊤: a row times a column is the sum of their products"
    )
    assert "k: counts hops" in explained(r"u^k = u^{k-1} + o^k", {"k": "counts hops"})


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_no_letter_of_any_formula_is_left_unexplained(name):
    spec = mechanisms()[name]
    known = SYMBOLS | dict(spec.symbols)
    for formula in [*spec.steps.values(), *getattr(spec.build(16), "formulas", {}).values()]:
        bare = re.sub(r"\\(text|mathrm)\{[^}]*\}|\\[A-Za-z]+|_[A-Z]", " ", formula)
        unknown = set(re.findall(r"[A-Za-z]", bare)) - set(known)
        assert not unknown, f"{formula}: {unknown}"


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_weights_table_holds_every_weight(name):
    with torch.inference_mode(), record() as heard:
        mechanisms()[name].build(16, n_classes=3).eval()(torch.randn(1, 5, 16))
    for found in heard.maps():
        table = weights_table(found)
        assert table.index.is_unique and table.columns.is_unique
        np.testing.assert_array_equal(table.to_numpy().ravel(), found.weights.ravel().astype(np.float64))
