"""The Step by step page with every mechanism and both kinds of input, run in process."""

import json

import numpy as np
import pytest

import attnviz
from attnviz.intervention import Intervention, Override
from attnviz.ui import worksheet
from tests.helpers import mechanisms_for, open_app, png

TEXT = "Who wrote Hamlet ?"


@pytest.fixture
def drawn(monkeypatch):
    """What the page draws, the newest last: (meta, numbers)."""
    calls = []
    monkeypatch.setattr(worksheet, "live_worksheet", lambda meta, numbers, **_: calls.append((meta, numbers)))
    return calls


def opened(**parameters):
    """The page, opened with a link that has these parameters."""
    return open_app("pages/step_by_step.py", **parameters)


def said(found):
    return " ".join(element.value for element in [*found.caption, *found.warning])


def line(meta, numbers, name):
    """The numbers of a line."""
    about = next(line for line in meta["lines"] if line["name"] == name)
    return numbers[about["offset"] : about["offset"] + int(np.prod(about["shape"]))].reshape(about["shape"])


@pytest.mark.parametrize("mechanism", mechanisms_for("trec"))
@pytest.mark.parametrize("task", ["trec", "cifar10"])
def test_every_mechanism_with_both_inputs(drawn, mechanism, task):
    found = opened(mechanism=mechanism, task=task)
    assert not found.exception and not found.error
    meta, numbers = drawn[-1]
    assert meta["mechanism"] == mechanism and len(meta["lines"]) > 5
    assert np.isfinite(numbers).all()
    assert (meta["picture"] is None) == (task == "trec")
    assert attnviz.mechanisms()[mechanism].query in said(found)


def test_the_lines_are_the_steps_of_the_library(drawn):
    opened(text=TEXT)
    meta, numbers = drawn[-1]
    for step in attnviz.attend("multi_head", text=TEXT).steps:
        np.testing.assert_array_equal(line(meta, numbers[0], step.name), step.value)
    assert meta["before"] is None and meta["change"]["said"] == []


def test_a_number_set_in_the_link_is_computed_beside_what_was_before(drawn):
    changed = Intervention(overrides=(Override("products", (1, 0, 2), 30.0),))
    found = opened(text=TEXT, change=json.dumps(changed.to_plain()))
    assert not found.exception and not found.warning
    meta, numbers = drawn[-1]
    for step in attnviz.attend("multi_head", text=TEXT, intervention=changed).steps:
        np.testing.assert_array_equal(line(meta, numbers[0], step.name), step.value)
    for step in attnviz.attend("multi_head", text=TEXT).steps:
        np.testing.assert_array_equal(line(meta, numbers[1], step.name), step.value)
    assert "products" in meta["change"]["said"][0]["text"]


@pytest.mark.parametrize("value", [1e30, float("inf"), float("nan"), "x", None, True])
def test_a_number_that_cannot_be_computed_with_is_refused(drawn, value):
    change = {"overrides": [{"step": "features", "at": [0, 0], "value": value}]}
    found = opened(text=TEXT, change=json.dumps(change))
    assert "The default is shown instead" in said(found) and not found.exception
    meta, numbers = drawn[-1]
    assert meta["change"]["said"] == [] and np.isfinite(numbers).all()


@pytest.mark.parametrize("step", ["features", "query", "queries", "keys", "values", "products", "scores", "output"])
def test_the_largest_numbers_that_can_be_set_keep_all_lines_finite(drawn, step):
    places = [[0, 0, 0], [0, 0]] if step in ("queries", "keys", "values", "products", "scores") else [[0, 0]]
    change = {"overrides": [{"step": step, "at": at, "value": value} for at in places for value in (1e6, -1e6)]}
    opened(text=TEXT, change=json.dumps(change))
    assert np.isfinite(drawn[-1][1]).all()


def test_nothing_to_compute_says_what_to_do(drawn):
    found = opened(text=" ")
    assert "Type a sentence" in said(found) and not found.exception
    assert drawn[-1][0]["text"] == attnviz.tasks()["trec"].examples[0]


@pytest.mark.parametrize(
    "text",
    ["x", "word " * 2000, "🙂👩‍👩‍👧", "שלום עולם", "e\u0301\u0000\u202e", "</script><img src=x onerror=alert(1)>"],
)
def test_any_text(drawn, text):
    found = opened(text=text, mechanism="multi_head_self")
    assert not found.exception
    assert drawn[-1][0]["lines"] and np.isfinite(drawn[-1][1]).all()


def test_of_a_long_text_the_query_that_is_looked_at_is_sent(drawn):
    found = opened(text="word " * 256, mechanism="multi_head_self")
    assert drawn[-1][0]["query"] == 0
    found.session_state["_query"] = 7
    found.run()
    meta, numbers = drawn[-1]
    assert meta["query"] == 7
    trace = attnviz.attend("multi_head_self", text="word " * 256)
    np.testing.assert_array_equal(line(meta, numbers[0], "weights")[:, 0], trace.step("weights").value[:, 7])


@pytest.mark.parametrize(("event", "expected"), [({"what": "look", "query": 7}, 7), ({"what": "look", "query": -1}, 0)])
def test_another_query_is_looked_at(monkeypatch, event, expected):
    state = {"_query": 0}
    monkeypatch.setattr(worksheet, "event", lambda key: event)
    monkeypatch.setattr(worksheet.st, "session_state", state)
    worksheet._receive()
    assert state["_query"] == expected


def test_pictures_of_ones_own_and_broken_files(drawn):
    found = opened(task="mnist")
    found.file_uploader(key="upload").upload("own.png", png(40, 30), "image/png").run()
    assert not found.exception and drawn[-1][0]["picture"].startswith("data:image")
    found.file_uploader(key="upload").upload("broken.png", b"no picture", "image/png").run()
    assert not found.exception and drawn[-1][0]["lines"]
