"""The auxiliary variable as query: against numpy, and what it can and cannot change."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing

from attnviz.attention.auxiliary import Auxiliary, cost
from attnviz.attention.registry import D_AUXILIARY, NoOptions, get
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D, P = 6, 3


def weights(module, items, p, mask=None):
    """The weights of the first of the batch (key)."""
    with record() as recording, torch.no_grad():
        module(items, mask, auxiliary=p)
    return torch.as_tensor(recording.maps()[0].weights[0])


def test_it_is_the_equations():
    module, items, p = Auxiliary(D, P), torch.randn(2, 5, D), torch.randn(2, P)
    own = {name: value.detach().numpy() for name, value in module.named_parameters()}
    for row in range(2):
        query = np.tanh(own["ask.weight"] @ p[row].numpy() + own["ask.bias"])
        keys, values = (items[row].numpy() @ own[f"{name}.weight"].T for name in ("keys", "values"))
        powers = np.exp(keys @ own["score.transform.weight"] @ query)
        expected = powers / powers.sum() @ values
        np.testing.assert_allclose(module(items, auxiliary=p)[row].detach(), expected, **close)


def test_the_variable_alone_moves_the_weights():
    module, items = Auxiliary(D, P), torch.randn(1, 5, D)
    first, second = (weights(module, items, torch.eye(P)[i : i + 1]) for i in (0, 1))
    assert (first - second).abs().sum() > 1e-3
    testing.assert_close(weights(module, items, torch.eye(P)[:1]), first, rtol=0, atol=0)


def test_a_variable_of_zeros_still_asks_with_the_bias():
    module, items = Auxiliary(D, P), torch.randn(1, 5, D)
    query = torch.tanh(module.ask.bias)
    expected = torch.softmax(module.keys(items)[0] @ module.score.transform(query), 0)
    testing.assert_close(weights(module, items, torch.zeros(1, P)), expected.detach(), **close)


def test_without_the_comparison_all_weights_are_equal():
    module, items = Auxiliary(D, P), torch.randn(1, 5, D)
    with torch.no_grad():
        module.score.transform.weight.zero_()
    testing.assert_close(weights(module, items, torch.randn(1, P)), torch.full((5,), 0.2), **close)


def test_two_variables_with_the_same_query_cannot_be_told_apart():
    module, items = Auxiliary(D, P), torch.randn(1, 5, D)
    with torch.no_grad():
        module.ask.weight[:, 2] = module.ask.weight[:, 1]
    one, other = (module(items, auxiliary=torch.eye(P)[i : i + 1]) for i in (1, 2))
    testing.assert_close(one, other, **close)


@given(st.integers(1, 6), st.randoms())
def test_permuting_the_regions_permutes_the_weights_and_keeps_the_context(n, random):
    module, items = Auxiliary(D, P).double(), torch.randn(1, n, D, dtype=torch.float64)
    p, order = torch.randn(1, P, dtype=torch.float64), random.sample(range(n), n)
    testing.assert_close(module(items[:, order], auxiliary=p), module(items, auxiliary=p), **close)
    testing.assert_close(weights(module, items[:, order], p), weights(module, items, p)[order], **close)
    testing.assert_close(weights(module, items, p).sum(), torch.tensor(1.0, dtype=torch.float64), **close)


def test_masked_regions_get_nothing_and_an_empty_input_gives_zeros():
    module, items, p = Auxiliary(D, P), torch.randn(2, 5, D), torch.randn(2, P)
    mask = torch.tensor([[True, False, True, True, False], [False] * 5])
    found = module(items, mask, auxiliary=p)
    testing.assert_close(found[:1], module(items[:1, mask[0]], auxiliary=p[:1]), **close)
    assert not found[1].any() and not weights(module, items, p, mask)[~mask[0]].any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_every_precision_runs(dtype):
    module = Auxiliary(D, P).to(dtype)
    found = module(torch.randn(2, 5, D, dtype=dtype), auxiliary=torch.randn(2, P, dtype=dtype))
    assert found.dtype == dtype and found.isfinite().all()
    found.sum().backward()
    assert all(q.grad.isfinite().all() for q in module.parameters())


def test_the_registry_passes_the_size_of_the_variable_on():
    about = get("auxiliary")
    assert about.asks == ("auxiliary",) and about.family == "basic query"
    assert about.build(D, d_auxiliary=7).ask.in_features == 7
    assert about.build(D).ask.in_features == D_AUXILIARY


def test_cost_by_hand():
    keys_and_values, query, compared, scores_and_sum = 2 * 5 * 6 * 6, D_AUXILIARY * 6, 6 * 6, 2 * 5 * 6
    assert cost(5, 6, NoOptions()).multiplications == keys_and_values + query + compared + scores_and_sum
