"""Steps as tables: nothing lost, every edge labelled."""

import re

import numpy as np
import pytest
import torch

from attnviz.attention.registry import mechanisms
from attnviz.recording import record
from attnviz.trace import Axis, Step, numbered
from attnviz.views.steps import SYMBOLS, explained, steps_table, weights_table

TOKENS = Axis("token", ("the", "cat", "the"))


def test_two_axes_are_one_table():
    value = np.arange(6, dtype=np.float32).reshape(3, 2)
    (found,) = steps_table(Step("keys", "", value, (TOKENS, numbered("feature", 2))))
    assert found.title == ""
    assert list(found.table.index) == ["the", "cat", "the (2)"]
    assert list(found.table.columns) == ["feature 1", "feature 2"]
    assert (found.table.index.name, found.table.columns.name) == ("token", "feature")
    np.testing.assert_array_equal(found.table.to_numpy(), value)
    assert set(found.table.dtypes) == {np.dtype("float64")}


def test_leading_axes_choose_the_table():
    value = np.arange(24.0).reshape(2, 2, 1, 6)
    axes = (Axis("class", ("yes", "no")), numbered("head", 2), numbered("query", 1), numbered("key", 6))
    found = steps_table(Step("scores", "", value, axes))
    assert [t.title for t in found] == ["yes · head 1", "yes · head 2", "no · head 1", "no · head 2"]
    for table, expected in zip(found, value.reshape(4, 1, 6), strict=True):
        np.testing.assert_array_equal(table.table.to_numpy(), expected)


def test_features_lie_along_a_row_and_labels_along_a_column():
    (wide,) = steps_table(Step("output", "", np.arange(3.0), (numbered("feature", 3),)))
    assert wide.table.shape == (1, 3) and list(wide.table.index) == ["output"]
    (tall,) = steps_table(Step("probabilities", "", np.arange(3.0), (Axis("class", ("a", "b", "c")),)))
    assert tall.table.shape == (3, 1) and list(tall.table.columns) == ["value"]


def test_a_single_number():
    (found,) = steps_table(Step("temperature", "", np.array(2.5), ()))
    assert found.table.shape == (1, 1) and found.table.iloc[0, 0] == 2.5


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("a", "a", "a"), ["a", "a (2)", "a (3)"]),
        (("a", "a (2)", "a"), ["a", "a (2)", "a (3)"]),
        (("a", "a", "a (2)"), ["a", "a (3)", "a (2)"]),
    ],
)
def test_labels_become_different(labels, expected):
    (found,) = steps_table(Step("x", "", np.zeros((1, 3)), (numbered("query", 1), Axis("token", labels))))
    assert list(found.table.columns) == expected


@pytest.mark.parametrize("name", mechanisms())
def test_every_step_of_every_mechanism_is_a_table(name):
    spec = mechanisms()[name]
    module = spec.build(16, n_classes=3).eval()
    with record(axes={"key": TOKENS, "item": TOKENS}) as recording, torch.no_grad():
        module(torch.randn(1, 3, 16))
    for step in recording.steps(spec.steps):
        tables = [t.table for t in steps_table(step)]
        np.testing.assert_array_equal(np.concatenate([t.to_numpy().ravel() for t in tables]), step.value.ravel())
        assert all(t.index.is_unique and t.columns.is_unique for t in tables)


def test_a_formula_is_explained_symbol_by_symbol():
    assert explained(r"e_l = q^\top k_l") == (
        "q: a query: what is asked · k: a key: what the query is compared with · e: a score: how well an item answers "
        "the query · l: counts items · ⊤: a row times a column is the sum of their products"
    )
    assert "k: counts hops" in explained(r"u^k = u^{k-1} + o^k", {"k": "counts hops"})


@pytest.mark.parametrize("name", mechanisms())
def test_no_letter_of_any_formula_is_left_unexplained(name):
    spec = mechanisms()[name]
    known = SYMBOLS | dict(spec.symbols)
    for formula in [*spec.steps.values(), *getattr(spec.build(16), "formulas", {}).values()]:
        bare = re.sub(r"\\(text|mathrm)\{[^}]*\}|\\[A-Za-z]+|_[A-Z]", " ", formula)
        unknown = set(re.findall(r"[A-Za-z]", bare)) - set(known)
        assert not unknown, f"{formula}: {unknown}"


@pytest.mark.parametrize("name", mechanisms())
def test_weights_table_holds_every_weight(name):
    with torch.inference_mode(), record() as heard:
        mechanisms()[name].build(16, n_classes=3).eval()(torch.randn(1, 5, 16))
    for found in heard.maps():
        table = weights_table(found)
        assert table.index.is_unique and table.columns.is_unique
        np.testing.assert_array_equal(table.to_numpy().ravel(), found.weights.ravel().astype(np.float64))
