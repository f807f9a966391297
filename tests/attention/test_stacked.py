"""Stacked attention against its equations in numpy, and what they imply."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing

from attnviz.attention.registry import get
from attnviz.attention.scores import Additive
from attnviz.attention.stacked import Options, Stacked, cost
from attnviz.intervention import Intervention
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D = 6


def shown(module, *inputs, intervention=None):
    """The steps of the first of the batch by name, and each layer's weights (hop, key)."""
    with record(intervention) as recording, torch.no_grad():
        module(*inputs)
    steps = {step.name: torch.as_tensor(step.value) for step in recording.steps({})}
    return steps, torch.as_tensor(recording.maps()[0].weights)[:, 0]


def by_hand(module, items, question):
    """u^K and the weights of each layer, item by item."""
    u, rows = question, []
    for layer in module.layers:
        w_i, w_q, b = (x.detach().numpy() for x in (layer.item.weight, layer.question.weight, layer.question.bias))
        w_p, b_p = layer.score.weight.detach().numpy()[0], layer.score.bias.item()
        scores = [w_p @ np.tanh(w_i @ v + w_q @ u + b) + b_p for v in items]
        total = sum(np.exp(e) for e in scores)
        p = [np.exp(e) / total for e in scores]
        u = u + sum(weight * v for weight, v in zip(p, items, strict=True))
        rows.append(p)
    return torch.as_tensor(u), torch.as_tensor(np.array(rows))


@pytest.mark.parametrize("n_hops", [1, 2, 4])
def test_equals_the_equations(n_hops):
    module, items, question = Stacked(D, n_hops), torch.randn(1, 5, D), torch.randn(1, D)
    expected, rows = by_hand(module, items[0].numpy(), question[0].numpy())
    testing.assert_close(module(items, None, question)[0].detach(), expected, **close)
    testing.assert_close(shown(module, items, None, question)[1], rows, **close)


def test_the_learned_question_asks_unless_one_is_given():
    module, items = Stacked(D), torch.randn(3, 5, D)
    expected, _ = by_hand(module, items[2].numpy(), module.question.detach().numpy())
    testing.assert_close(module(items)[2].detach(), expected, **close)
    testing.assert_close(module(items), module(items, None, module.question.expand(3, -1)), **close)


def test_one_layer_is_additive_attention_plus_its_question():
    module, score, items, question = Stacked(D, 1), Additive(D, D), torch.randn(2, 5, D), torch.randn(2, D)
    layer = module.layers[0]
    with torch.no_grad():
        score.from_query.weight.copy_(layer.question.weight)
        score.from_query.bias.copy_(layer.question.bias)
        score.from_key.weight.copy_(layer.item.weight)
        score.weigh.weight.copy_(layer.score.weight)
    context = score(question[:, None], items).softmax(-1) @ items
    testing.assert_close(module(items, None, question), context[:, 0] + question, **close)


def test_the_scores_bias_changes_no_weight():
    module, items = Stacked(D, 2), torch.randn(1, 5, D)
    before, output = shown(module, items)[1], module(items)
    with torch.no_grad():
        for layer in module.layers:
            layer.score.bias.add_(3.0)
    testing.assert_close(shown(module, items)[1], before, **close)
    testing.assert_close(module(items), output, **close)


def test_the_first_layers_do_not_depend_on_how_many_follow():
    long, items = Stacked(D, 4), torch.randn(1, 5, D)
    short = Stacked(D, 2)
    short.load_state_dict({name: long.state_dict()[name] for name in short.state_dict()})
    testing.assert_close(shown(short, items)[1], shown(long, items)[1][:2], **close)


@given(st.integers(1, 6), st.sampled_from([1, 2, 3, 6]))
def test_the_answer_is_the_question_and_all_that_was_seen(n, n_hops):
    module, items = Stacked(D, n_hops).double(), torch.randn(1, n, D, dtype=torch.float64)
    steps, rows = shown(module, items)
    seen = sum(steps[f"context, hop {hop + 1}"] for hop in range(n_hops))
    testing.assert_close(steps["output"], steps["question"] + seen, **close)
    testing.assert_close(rows.sum(1), torch.ones(n_hops, dtype=torch.float64), **close)
    testing.assert_close(steps["output"][0], module.question.detach() + rows.sum(0) @ items[0], **close)


def test_a_layer_that_sees_no_difference_takes_the_mean():
    module, items = Stacked(D, 1), torch.randn(1, 5, D)
    with torch.no_grad():
        module.layers[0].item.weight.zero_()
    testing.assert_close(module(items)[0], module.question + items[0].mean(0), **close)


def test_a_layer_that_is_off_adds_nothing():
    module, items = Stacked(D, 3), torch.randn(1, 5, D)
    steps, rows = shown(module, items, intervention=Intervention(off={"hop": frozenset({0})}))
    testing.assert_close(steps["state, hop 1"], steps["question"], rtol=0, atol=0)
    assert not rows[0].any()
    assert rows[1:].all()


def test_cost_counts_each_matrix_product():
    n, d = 5, 6
    assert cost(n, d, Options(3)).multiplications == 3 * (n * d * d + d * d + n * d + n * d)


def test_the_registry_builds_each_choice():
    about = get("stacked")
    for n_hops in (1, 2, 3, 4, 6):
        assert len(shown(about.build(D, about.parse({"n_hops": str(n_hops)})), torch.randn(1, 4, D))[1]) == n_hops
