"""The learnable query is attention with a query of its own."""

import pytest
import torch
from torch import testing
from torch.nn import functional

from attnviz.attention.learnable_query import LearnableQuery, Options, cost
from attnviz.attention.scores import SCORES
from attnviz.errors import OptionError, ShapeError, UnknownNameError
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D = 6


def weights_of(module, *inputs):
    """The weights of the first of the batch."""
    with record() as recording, torch.no_grad():
        module(*inputs)
    return torch.as_tensor(recording.maps()[0].weights)


def test_equals_scaled_dot_product_attention_without_its_scale():
    module, items = LearnableQuery(D), torch.randn(3, 5, D)
    k, v = items @ module.keys.weight.T, items @ module.values.weight.T
    expected = functional.scaled_dot_product_attention(module.query.expand(3, 1, D), k, v, scale=1.0)
    testing.assert_close(module(items), expected[:, 0], **close)


@pytest.mark.parametrize("score", SCORES)
def test_equals_the_equation_for_every_score(score):
    module, items = LearnableQuery(D, score), torch.randn(2, 5, D)
    k, v = items @ module.keys.weight.T, items @ module.values.weight.T
    e = module.score(module.query[None], k)
    testing.assert_close(module(items), (e.softmax(-1) @ v)[:, 0], **close)


def test_a_zero_query_gives_equal_weights():
    module = LearnableQuery(D)
    module.query.data.zero_()
    testing.assert_close(weights_of(module, torch.randn(1, 4, D)), torch.full((1, 4), 0.25), **close)


@pytest.mark.parametrize("score", [name for name in SCORES if name != "location"])
def test_weights_go_with_the_items_and_the_context_stays(score):
    module, items, order = LearnableQuery(D, score), torch.randn(1, 5, D), torch.randperm(5)
    testing.assert_close(weights_of(module, items[:, order]), weights_of(module, items)[:, order], **close)
    testing.assert_close(module(items[:, order]), module(items), **close)


def test_location_scores_stay_with_the_places():
    module, items, order = LearnableQuery(D, "location"), torch.randn(1, 5, D), torch.tensor([4, 3, 2, 1, 0])
    testing.assert_close(weights_of(module, items[:, order]), weights_of(module, items), **close)
    assert module(torch.randn(1, 256, D)).isfinite().all()
    with pytest.raises(ShapeError, match="257 keys and 256 positions"):
        module(torch.randn(1, 257, D))


@pytest.mark.parametrize("score", SCORES)
def test_every_score_trains(score):
    module, items = LearnableQuery(D, score), torch.randn(3, 5, D)
    (module(items, torch.rand(3, 5) > 0.3) * torch.randn(3, D)).sum().backward()
    silent = {"keys.weight"} if score == "location" else set()
    for name, p in module.named_parameters():
        assert name in silent or (p.grad.any() and p.grad.isfinite().all()), name


@pytest.mark.parametrize("alignment", ["softmax", "sparsemax", "entmax", "hard"])
def test_every_alignment_gives_shares(alignment):
    weights = weights_of(LearnableQuery(D, alignment=alignment), torch.randn(1, 7, D))
    testing.assert_close(weights.sum(), torch.tensor(1.0), **close)
    assert alignment != "hard" or sorted(weights[0].tolist())[-2:] == [0.0, 1.0]


def test_nothing_to_attend_to_gives_zeros():
    assert not LearnableQuery(D)(torch.randn(1, 4, D), torch.zeros(1, 4, dtype=torch.bool)).any()


def test_unknown_names():
    with pytest.raises(UnknownNameError, match="no score function 'cos'"):
        LearnableQuery(D, "cos")
    with pytest.raises(OptionError, match="no alignment 'cos'"):
        LearnableQuery(D, alignment="cos")


def test_scores_with_a_network_cost_more():
    costs = {name: cost(10, D, Options(score=name)).multiplications for name in SCORES}
    assert costs["dot"] < costs["general"] < costs["additive"] == costs["concat"]
