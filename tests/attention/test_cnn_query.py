"""The picture's own vector as query: against torch's attention, and the score in which the vector cancels out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing
from torch.nn import functional

from attnviz.attention.cnn_query import CnnQuery, Options, cost
from attnviz.attention.registry import get
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D = 6


def weights(module, items, mask=None):
    """The weights of the first of the batch (key)."""
    with record() as recording, torch.no_grad():
        module(items, mask)
    return torch.as_tensor(recording.maps()[0].weights[0])


def test_dot_scores_are_an_attention_with_the_global_vector_as_query():
    module, items = CnnQuery(D), torch.randn(3, 5, D)
    query = functional.relu(module.ask(items.mean(1, keepdim=True)))
    expected = functional.scaled_dot_product_attention(query, items, items, scale=1.0)[:, 0]
    testing.assert_close(module(items), expected, **close)


def test_additive_scores_by_hand():
    module, items = CnnQuery(D, "additive"), torch.randn(1, 5, D)
    u, g = module.weigh.weight[0], functional.relu(module.ask(items[0].mean(0)))
    scores = torch.stack([u @ (place + g) for place in items[0]])
    testing.assert_close(weights(module, items), scores.softmax(0).detach(), **close)


def test_in_additive_scores_the_global_vector_cancels_out():
    module, items = CnnQuery(D, "additive"), torch.randn(1, 5, D)
    before = weights(module, items)
    with torch.no_grad():
        module.ask.weight.mul_(-3)
        module.ask.bias.add_(1)
    testing.assert_close(weights(module, items), before, **close)
    dot = CnnQuery(D)
    before = weights(dot, items)
    with torch.no_grad():
        dot.ask.bias.add_(1)
    assert (weights(dot, items) - before).abs().max() > 1e-3


def test_one_place_changes_the_question_that_all_places_are_asked():
    module, items = CnnQuery(D), torch.randn(1, 5, D)
    scores = {}
    for name in ("before", "after"):
        with record() as recording, torch.no_grad():
            module(items)
        scores[name] = next(step.value[0] for step in recording.steps({}) if step.name == "scores")
        items = torch.cat([items[:, :4], items[:, 4:] + 2], 1)
    assert (abs(scores["before"] - scores["after"])[:4] > 1e-6).any()


@given(st.integers(1, 6), st.sampled_from(["dot", "additive"]), st.randoms())
def test_permuting_the_places_permutes_the_weights_and_keeps_the_context(n, score, random):
    module, items = CnnQuery(D, score).double(), torch.randn(1, n, D, dtype=torch.float64)
    order = random.sample(range(n), n)
    testing.assert_close(module(items[:, order]), module(items), **close)
    testing.assert_close(weights(module, items[:, order]), weights(module, items)[order], **close)
    testing.assert_close(weights(module, items).sum(), torch.tensor(1.0, dtype=torch.float64), **close)


@pytest.mark.parametrize("score", ["dot", "additive"])
def test_masked_places_neither_answer_nor_ask(score):
    module, items = CnnQuery(D, score), torch.randn(2, 5, D)
    mask = torch.tensor([[True, False, True, True, False], [False] * 5])
    found = module(items, mask)
    testing.assert_close(found[:1], module(items[:1, mask[0]]), **close)
    assert not found[1].any() and not weights(module, items, mask)[~mask[0]].any()


@pytest.mark.parametrize("score", ["dot", "additive"])
def test_every_precision_runs(score):
    for dtype in (torch.bfloat16, torch.float32, torch.float64):
        found = CnnQuery(D, score).to(dtype)(torch.randn(2, 5, D, dtype=dtype))
        assert found.dtype == dtype and found.isfinite().all()


def test_it_is_for_pictures_and_says_whose_idea_it_is():
    about = get("cnn_query")
    assert about.kinds == ("image",) and "blog" in about.paper
    module = about.build(D, about.parse({"score": "additive"}))
    assert module.formulas["scores"] == r"e_i = u^\top (l_i + g)"


def test_cost_by_hand():
    assert cost(5, 6, Options()).multiplications == 6 * 6 + 5 * 6 + 5 * 6
