"""What models cost: counted by hand and by shape, measured, and read off the card."""

import pytest
import torch

import attnviz
from attnviz.analysis import cost
from attnviz.attention.registry import example_sides
from attnviz.features.given import Input
from attnviz.trace import Axis
from attnviz.zoo import models
from tests.helpers import mechanisms_for


def words(model, n):
    """An input of n items for a model, with all that its mechanism asks for."""
    d = cost.width(model.task.name)
    sides = example_sides(model.mechanism, n, d)
    return Input(torch.randn(1, n, d), Axis("token", tuple("w" * n)), "w" * n, sides=sides)


@pytest.mark.parametrize("n", [1, 20, 256])
@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_every_mechanism_has_figures_at_every_size(name, n):
    model = models.load("trec", name)
    found = cost.figures(model, words(model, n))
    assert found.multiplications > 0 and found.memory > 0
    assert 0 < found.seconds < 60
    assert found.parameters == model.card["parameters"]
    assert (found.metric, found.accuracy) == ("accuracy", model.card["metric"]["accuracy"])


def test_a_mechanism_that_answers_class_by_class_counts_all_classes():
    n, d, n_classes = 10, 128, 6
    found = cost.cost(models.load("trec", "capsule"), n)
    assert found.multiplications == n_classes * (2 * n * d + 2 * d)
    assert found.memory == n * d + n_classes * (n + 3 * d)  # the items are held once
    assert cost.cost(models.load("cifar10", "capsule"), n).multiplications == 10 * (2 * n * d + 2 * d)


def test_a_mechanism_with_one_context_is_counted_once():
    n, d = 10, 128
    found = cost.cost(models.load("trec", "multi_head"), n)
    assert found.multiplications == 2 * n * d * d + 2 * d * d + 2 * n * d
    assert found.memory == 2 * n * d + 8 * n


def test_sentiment_shows_the_first_metric_of_its_card():
    found = cost.figures(models.load("sst", "multi_head"), words(models.load("sst", "multi_head"), 5))
    assert (found.metric, found.accuracy) == next(iter(models.load("sst", "multi_head").card["metric"].items()))


def test_an_untrained_model_has_no_accuracy():
    options = attnviz.mechanisms()["learnable_query"].parse({"score": "cosine", "alignment": "hard"})
    model = models.load("trec", "learnable_query", options)
    assert model.card is None
    found = cost.figures(model, words(model, 4))
    assert (found.accuracy, found.metric) == (None, None)
    assert found.parameters > 0


def test_a_size_is_measured_once(monkeypatch):
    model = models.load("trec", "multi_head")
    first = cost.figures(model, words(model, 77))

    def again(*_):
        raise AssertionError("measured twice")

    monkeypatch.setattr(cost, "_timed", again)
    assert cost.figures(model, words(model, 77)) == first  # on other numbers: only their number counts
    with pytest.raises(AssertionError, match="measured twice"):
        cost.figures(model, words(model, 78))


def test_what_is_timed_is_a_run_without_a_recording():
    from attnviz import recording

    seen = []
    cost._timed(lambda: seen.append(recording.current()))
    assert seen == [None] * (cost.RUNS + 1)
