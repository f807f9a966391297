"""The Queries page: every mechanism on every task it is for, with the query beside the weights."""

import numpy as np
import pytest

import attnviz
from attnviz.attention.registry import get
from attnviz.ui import asking
from attnviz.zoo import models
from tests.helpers import fitting, open_app


@pytest.fixture
def drawn(monkeypatch):
    """What the page hands to its component of queries."""
    calls = []
    monkeypatch.setattr(asking.canvas, "asking", lambda meta, numbers, key: calls.append((meta, numbers)))
    return calls


def opened(**parameters):
    found = open_app("pages/queries.py", **parameters)
    assert not found.exception, found.exception[0].message
    assert not found.error
    return found


def text_of(found):
    return " ".join(element.value for element in [*found.caption, *found.markdown, *found.warning])


@pytest.mark.parametrize(("mechanism", "task"), fitting())
def test_every_mechanism_on_every_task_is_trained_and_shows_its_queries(drawn, mechanism, task):
    found = opened(mechanism=mechanism, task=task)
    meta, numbers = drawn[-1]
    assert meta["mechanism"] == mechanism and meta["who"] == get(mechanism).query
    assert np.isfinite(numbers).all() and (len(numbers) > 0) != bool(meta["nobody"])
    assert models.load(task, mechanism).card is not None
    assert found.session_state[f"_last_{attnviz.tasks()[task].kind}"].trace.made_by["task"] == task


def test_it_says_where_sources_disagree_and_which_switch_shows_it(drawn):
    said = text_of(opened(mechanism="rotatory"))
    for dispute in get("rotatory").disputes:
        assert dispute.claim in said and dispute.instead in said
    assert "Switch: “who asks first”, above." in said
    assert "Switch: “scaled”, above, with hierarchical method 4." in said


@pytest.mark.parametrize("name", attnviz.mechanisms())
def test_a_switch_that_is_named_exists(name):
    spec = get(name)
    assert all(d.option in ("", *spec.options.__dataclass_fields__) for d in spec.disputes)
    assert all(d.source and d.claim.endswith(".") and d.instead.endswith(".") for d in spec.disputes)


def test_the_flow_stands_below_capsules_that_are_routed(drawn):
    found = opened(mechanism="hierarchical_capsule", task="mnist")
    assert "Who speaks for whom" in text_of(found)
    assert "Who speaks for whom" not in text_of(opened(mechanism="rotatory"))


def test_an_option_that_does_nothing_is_not_shown(drawn):
    found = opened(mechanism="co_attention", form="interactive")
    keys = {box.key for box in found.selectbox}
    assert {"form", "activation"} <= keys and not {"affinity", "weights"} & keys
    assert {"form", "affinity"} <= {box.key for box in opened(mechanism="co_attention").selectbox}
