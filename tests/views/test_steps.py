"""Steps as tables: nothing lost, every edge labelled."""

import numpy as np
import pytest
import torch

from attnviz.attention.registry import mechanisms
from attnviz.recording import record
from attnviz.trace import Axis, Step, numbered
from attnviz.views.steps import SYMBOLS, steps_table

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


def test_symbols_are_explained_in_words():
    assert all(meaning and not meaning.endswith(".") for meaning in SYMBOLS.values())
