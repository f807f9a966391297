"""Which mechanism is for which task."""

import pytest

import attnviz
from attnviz.errors import OptionError
from attnviz.tasks.job import Part
from attnviz.tasks.registry import DataSource, Task
from attnviz.zoo import models
from tests.helpers import fitting

SOURCE = DataSource("toy", "made up", "A")


def task(**about):
    return Task("toy", "Toy", "toy", "rain", ("dry", "wet"), ({"a": "b"},), SOURCE, read=None, **about)


def takes(found):
    return {name for name, spec in attnviz.mechanisms().items() if found.takes(spec)}


def test_a_plain_task_takes_every_mechanism_that_asks_for_nothing():
    assert takes(attnviz.tasks()["trec"]) == {
        name for name, spec in attnviz.mechanisms().items() if not spec.asks and "text" in (spec.kinds or ("text",))
    }


def test_a_task_that_gives_a_side_takes_who_can_ask_by_it():
    found = takes(task(gives=("query_items",), baselines=("constant_query",)))
    assert {"multi_hop", "co_attention", "constant_query"} <= found
    assert not {"multi_head", "rotatory", "auxiliary"} & found


def test_a_task_for_one_mechanism_takes_no_other():
    assert takes(task(only=("rnn_query",), gives=("query_items",))) == {"rnn_query"}


def test_an_example_is_known_part_by_part():
    assert attnviz.tasks()["trec"].values("Who ?") == {"text": "Who ?"}
    several = task(parts=(Part("review", "text", "Review"), Part("target", "words", "Target")))
    assert several.values({"review": "Good food .", "target": "food"}) == {"review": "Good food .", "target": "food"}


def test_a_mechanism_that_does_not_fit_is_refused_with_those_that_do():
    with pytest.raises(OptionError, match="not for the task “Question type”.*multi_head"):
        models.load("trec", "rotatory")


def test_every_mechanism_is_for_some_task():
    assert {name for name, _ in fitting()} == set(attnviz.mechanisms())
