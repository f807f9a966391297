"""What the Queries page is told: every query's numbers, and how far it turned."""

import numpy as np
import pytest

import attnviz
from attnviz.views.asking import NOBODY, asking
from tests.helpers import mechanisms_for

TEXT = "Who wrote the first novel about time travel ?"


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_the_numbers_are_those_of_the_steps(name):
    trace = attnviz.attend(name, text=TEXT)
    meta, numbers = asking(trace)
    assert numbers.dtype == np.float32
    assert sum(row["size"] for row in meta["rows"]) == len(numbers)
    assert bool(meta["nobody"]) == (not meta["rows"])
    for row in meta["rows"]:
        vector = numbers[row["offset"] : row["offset"] + row["size"]]
        step = trace.step(row["step"]).value
        assert any(np.array_equal(vector, other) for other in step.reshape(-1, step.shape[-1]))
        np.testing.assert_allclose(row["length"], np.linalg.norm(vector), rtol=1e-6)


def test_a_query_is_compared_with_that_of_the_turn_before():
    trace = attnviz.attend("multi_hop", text=TEXT)
    meta, _ = asking(trace)
    assert meta["rows"][0]["before"] is None
    for k in (1, 2):
        now, then = (trace.step(f"query, hop {i}").value[0].astype(np.float64) for i in (k + 1, k))
        cosine = now @ then / np.linalg.norm(now) / np.linalg.norm(then)
        np.testing.assert_allclose(meta["rows"][k]["before"], cosine, rtol=1e-9)
        np.testing.assert_allclose(meta["like"][k][k - 1], cosine, atol=1e-4)
    assert [name for name, _ in meta["formulas"]] == ["query"]


def test_a_query_is_compared_with_the_same_one_of_the_turn_before():
    values = {"review": "The bread was fresh but the rude waiter was slow .", "target": "rude waiter"}
    trace = attnviz.attend("rotatory", task="mams", given=values)
    rows = {row["label"]: row for row in asking(trace)[0]["rows"]}
    assert rows["hop 1 · left · target query"]["before"] is None
    now, then = (trace.step(f"target query, hop {i}").value[1, 0].astype(np.float64) for i in (2, 1))
    cosine = now @ then / np.linalg.norm(now) / np.linalg.norm(then)
    np.testing.assert_allclose(rows["hop 2 · right · target query"]["before"], cosine, rtol=1e-9)


def test_where_nobody_asks_a_sentence_says_so():
    meta, numbers = asking(attnviz.attend("constant_query", text=TEXT))
    assert meta["nobody"] == NOBODY and len(numbers) == 0
