"""A trace that was saved is opened again, on Explore and Step by step, and shown as it was."""

import json

import numpy as np
import pytest

import attnviz
from attnviz.export import to_json
from attnviz.intervention import Intervention
from attnviz.ui import live, worksheet
from tests.helpers import open_app

CHANGED = attnviz.attend("capsule", task="sst", text="A dull film .", intervention=Intervention(masked=frozenset({1})))


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn, the newest last: (meta, numbers)."""
    calls = []
    for module, name in ((live, "live_picture"), (worksheet, "live_worksheet")):
        monkeypatch.setattr(module, name, lambda meta, numbers, **_: calls.append((meta, numbers)))
    return calls


def opened(page, text):
    found = open_app(page)
    found.file_uploader(key="open").set_value(("trace.json", text.encode(), "application/json")).run()
    assert not found.exception
    return found


@pytest.mark.parametrize("page", ["pages/explore.py", "pages/step_by_step.py"])
def test_a_saved_trace_is_shown_and_cannot_be_changed(drawn, page):
    found = opened(page, to_json(CHANGED))
    meta, numbers = drawn[-1]
    assert meta["mechanism"] == "capsule" and meta["text"] == "A dull film ." and "change" not in meta
    weights = CHANGED.maps[0].weights.ravel()
    if page == "pages/explore.py":
        np.testing.assert_array_equal(numbers[: len(weights)], weights)
    assert "saved before" in " ".join(box.value for box in found.info)
    assert "capsule" in " ".join(text.value for text in found.text)


@pytest.mark.parametrize("page", ["pages/explore.py", "pages/step_by_step.py"])
def test_a_trace_of_a_mechanism_that_nobody_knows(drawn, page):
    document = json.loads(to_json(CHANGED)) | {"mechanism": "<b>nobody's</b>", "made_by": {}}
    opened(page, json.dumps(document))
    assert drawn[-1][0]["mechanism"] == "<b>nobody's</b>"


def test_a_file_that_holds_none_is_a_sentence_and_the_picture_stays(drawn):
    found = opened("pages/explore.py", '{"format": "something else"}')
    assert "does not hold a trace" in " ".join(box.value for box in found.warning)
    assert drawn[-1][0]["mechanism"] == "multi_head"


def test_all_folds_of_a_saved_trace(drawn):
    found = open_app("pages/explore.py", what_if="true", numbers="true", take="true")
    found.file_uploader(key="open").set_value(("trace.json", to_json(CHANGED).encode(), "application/json")).run()
    assert not found.exception and found.code and found.dataframe
    assert "no model behind this one" in " ".join(caption.value for caption in found.caption)
