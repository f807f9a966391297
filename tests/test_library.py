import numpy as np
import pytest
import torch

import attnviz
from attnviz.errors import EmptyTextError, OptionError, PictureError, UnknownNameError
from attnviz.zoo import models
from tests.helpers import APP, fitting, png


def test_the_five_lines_of_the_readme():
    assert "capsule" in attnviz.mechanisms()
    trace = attnviz.attend("capsule", task="trec", text="Who wrote Hamlet ?")
    assert trace.maps[0].weights.shape == (6, 1, 4)
    assert [axis.kind for axis in trace.maps[0].axes] == ["class", "query", "token"]
    assert trace.prediction.best == "human"
    module = attnviz.build("multi_head", d_model=64, n_heads=8)
    assert module(torch.randn(2, 5, 64)).shape == (2, 64)


@pytest.mark.parametrize(("mechanism", "task"), fitting())
def test_every_mechanism_is_trained_for_every_task(mechanism, task):
    about = attnviz.tasks()[task]
    given = about.values(about.examples[0])
    pictures = [part.name for part in about.parts if part.kind == "picture"]
    given |= {name: APP.parent / "sample_data" / given[name] for name in pictures}
    trace = attnviz.attend(mechanism, task=task, given=given)
    assert trace.made_by["trained"] is True
    assert trace.prediction.probabilities.sum() == pytest.approx(1, abs=1e-5) or trace.prediction.independent
    for found in trace.maps:
        assert np.isfinite(found.weights).all()
        if found.normalised == "key":
            np.testing.assert_allclose(found.weights.sum(-1), 1, rtol=1e-5)


def test_the_same_call_gives_the_same_numbers():
    one, two = (attnviz.attend("multi_hop", text="Where is the Nile ?") for _ in range(2))
    np.testing.assert_array_equal(one.maps[-1].weights, two.maps[-1].weights)


def test_an_intervention_acts_and_is_written_down():
    done = attnviz.Intervention(temperature=2.0, masked=frozenset({1}))
    trace = attnviz.attend("multi_head", text="Who wrote Hamlet ?", intervention=done)
    assert (trace.maps[0].weights[..., 1] == 0).all()
    assert trace.made_by["intervention"] == {"temperature": 2.0, "masked": [1]}


def test_untrained_says_so_and_is_the_same_each_time():
    one, two = (attnviz.attend("learnable_query", task="mnist", image=png(28, 28), score="additive") for _ in range(2))
    assert one.made_by["trained"] is False
    np.testing.assert_array_equal(one.prediction.probabilities, two.prediction.probabilities)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (dict(mechanism="nope", text="a"), UnknownNameError, "no mechanism 'nope'.*multi_head"),
        (dict(mechanism="multi_head", task="nope", text="a"), UnknownNameError, "no task 'nope'"),
        (dict(mechanism="multi_head", text="a", colour=1), UnknownNameError, "no option of multi_head 'colour'"),
        (dict(mechanism="multi_head", text="a", n_heads=3), OptionError, "heads cannot be '3'; choose one of 1, 2"),
        (dict(mechanism="multi_head"), OptionError, "one of text, image and given"),
        (dict(mechanism="multi_head", text="a", task="mnist"), OptionError, "mnist takes picture: picture is missing"),
        (dict(mechanism="multi_head", text=" "), EmptyTextError, "Type a sentence"),
        (dict(mechanism="multi_head", image=b"no picture"), PictureError, "."),
        (dict(mechanism="multi_head", image="/no/such/file.png"), PictureError, "cannot be opened"),
    ],
)
def test_mistakes_are_explained(call, error, says):
    with pytest.raises(error, match=says):
        attnviz.attend(**call)


def test_the_zoo_is_float32_whatever_the_default(monkeypatch):
    models.load.cache_clear()
    models.features.cache_clear()
    torch.set_default_dtype(torch.float64)
    try:
        doubled = attnviz.attend("multi_hop", text="Who wrote Hamlet ?")
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(doubled.context, attnviz.attend("multi_hop", text="Who wrote Hamlet ?").context)
    assert doubled.context.dtype == np.float32
