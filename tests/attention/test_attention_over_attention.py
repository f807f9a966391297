"""Attention over attention against its equations written out word by word, and what they imply."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing

from attnviz.attention.attention_over_attention import AttentionOverAttention, Options, cost
from attnviz.attention.registry import get
from attnviz.errors import OptionError
from attnviz.intervention import Edit, Intervention
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D = 6


def shown(module, *inputs, intervention=None, **sides):
    """The steps of the first of the batch by name, and the maps by name."""
    with record(intervention) as recording, torch.no_grad():
        module(*inputs, **sides)
    steps = {step.name: torch.as_tensor(step.value) for step in recording.steps({})}
    return steps, {found.name: found for found in recording.maps()}


def by_hand(document, query, scale=1.0):
    """s, word by word: M, α for each query word over the document, β for each document word over the query."""
    m = [[scale * sum(x * y for x, y in zip(f, q, strict=True)) for q in query] for f in document]
    alpha = [[math.exp(row[i]) / sum(math.exp(other[i]) for other in m) for i in range(len(query))] for row in m]
    beta_t = [[math.exp(e) / sum(math.exp(other) for other in row) for e in row] for row in m]
    beta = [sum(row[i] for row in beta_t) / len(document) for i in range(len(query))]
    return np.array([sum(b * a for b, a in zip(beta, row, strict=True)) for row in alpha]), alpha, beta_t, beta


@pytest.mark.parametrize(("scale", "factor"), [("none", 1.0), ("sqrt", D**-0.5)])
def test_equals_the_equations(scale, factor):
    module, document, query = AttentionOverAttention(D, scale), torch.randn(1, 5, D), torch.randn(1, 3, D)
    s, alpha, beta_t, beta = by_hand(document[0].tolist(), query[0].tolist(), factor)
    testing.assert_close(module.point(document, None, query)[0], torch.as_tensor(s), **close)
    testing.assert_close(module(document, query_items=query)[0], torch.as_tensor(s @ document[0].numpy()), **close)
    steps, maps = shown(module, document, query_items=query)
    np.testing.assert_allclose(maps["document weights"].weights.T, alpha, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(maps["query weights"].weights.T, beta_t, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(steps["mean query weights"][0], beta, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(maps["weights"].weights[0], s, rtol=1e-9, atol=1e-10)
    testing.assert_close(steps["affinity"], factor * query[0] @ document[0].T, **close)


def test_the_maps_say_along_which_axis_they_sum_to_one():
    _, maps = shown(AttentionOverAttention(D), torch.randn(1, 5, D), query_items=torch.randn(1, 3, D))
    assert {name: ([axis.kind for axis in found.axes], found.normalised) for name, found in maps.items()} == {
        "weights": (["query", "key"], "key"),
        "affinity": (["query_item", "key"], None),
        "document weights": (["query_item", "key"], "key"),
        "query weights": (["query_item", "key"], "query"),
    }
    assert next(iter(maps)) == "weights"
    np.testing.assert_allclose(maps["document weights"].weights.sum(1), 1)
    np.testing.assert_allclose(maps["query weights"].weights.sum(0), 1)


@given(st.integers(1, 7), st.integers(1, 4), st.randoms())
def test_s_is_a_distribution_that_goes_with_the_document_and_does_not_heed_the_query_order(n, t, random):
    module = AttentionOverAttention(D)
    document, query = torch.randn(1, n, D, dtype=torch.float64), torch.randn(1, t, D, dtype=torch.float64)
    s = module.point(document, None, query)
    assert (s >= 0).all()
    testing.assert_close(s.sum(-1), torch.ones(1, dtype=torch.float64), **close)
    testing.assert_close(module.point(document, None, query[:, random.sample(range(t), t)]), s, **close)
    order = random.sample(range(n), n)
    testing.assert_close(module.point(document[:, order], None, query), s[:, order], **close)


def test_one_query_word_gets_all_of_beta_and_s_is_its_alpha():
    document, query = torch.randn(1, 5, D), torch.randn(1, 1, D)
    steps, _ = shown(AttentionOverAttention(D), document, query_items=query)
    testing.assert_close(steps["mean query weights"], torch.ones(1, 1), **close)
    testing.assert_close(steps["weights"], (query[0] @ document[0].T).softmax(-1), **close)


def test_beta_is_the_mean_over_the_real_words_of_the_document():
    module, document, query = AttentionOverAttention(D), torch.randn(1, 5, D), torch.randn(1, 4, D)
    mask, query_mask = torch.tensor([[True, False, True, True, False]]), torch.tensor([[False, True, True, False]])
    s = module.point(document, mask, query, query_mask)
    testing.assert_close(s[:, mask[0]], module.point(document[:, mask[0]], None, query[:, query_mask[0]]), **close)
    assert not s[:, ~mask[0]].any()
    steps, maps = shown(module, document, mask, query_items=query, query_mask=query_mask)
    expected = (document[0, mask[0]] @ query[0, query_mask[0]].T).softmax(-1).mean(0)
    testing.assert_close(steps["mean query weights"][0, query_mask[0]], expected, **close)
    assert not steps["mean query weights"][0, ~query_mask[0]].any()
    assert all(not found.weights[..., ~mask[0].numpy()].any() for found in maps.values())


@pytest.mark.parametrize("scale", ["none", "sqrt"])
def test_a_padded_batch_equals_each_of_its_rows_alone(scale):
    module, document, query = AttentionOverAttention(D, scale), torch.randn(3, 5, D), torch.randn(3, 4, D)
    mask = torch.tensor([[True] * 5, [True] * 2 + [False] * 3, [True] * 5])
    query_mask = torch.tensor([[True] * 4, [True] * 4, [True] + [False] * 3])
    found = module(document, mask, query_items=query, query_mask=query_mask)
    for row, (words, asking) in enumerate(zip(mask, query_mask, strict=True)):
        alone = module(document[row : row + 1, words], query_items=query[row : row + 1, asking])
        testing.assert_close(found[row : row + 1], alone, **close)
    testing.assert_close(
        module(document, mask, query_items=query)[1:2], module(document[1:2, :2], query_items=query[1:2]), **close
    )
    testing.assert_close(
        module(document, query_items=query, query_mask=query_mask)[2:],
        module(document[2:], query_items=query[2:, :1]),
        **close,
    )


@pytest.mark.parametrize("empty", ["document", "query", "both"])
def test_without_a_document_or_a_query_all_is_zero_and_gradients_are_finite(empty):
    module = AttentionOverAttention(D)
    document, query = torch.randn(2, 5, D, requires_grad=True), torch.randn(2, 3, D, requires_grad=True)
    mask, query_mask = torch.ones(2, 5, dtype=torch.bool), torch.ones(2, 3, dtype=torch.bool)
    mask[1], query_mask[1] = empty == "query", empty == "document"
    found = module(document, mask, query_items=query, query_mask=query_mask)
    assert found[0].any() and not found[1].any()
    found.square().sum().backward()
    assert document.grad.isfinite().all() and query.grad.isfinite().all() and query.grad.any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_every_precision_runs(dtype):
    module, document, query = (
        AttentionOverAttention(D),
        torch.randn(2, 5, D, dtype=dtype),
        torch.randn(2, 3, D, dtype=dtype),
    )
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    found = module(document, mask, query_items=query, query_mask=torch.ones(2, 3, dtype=torch.bool))
    assert found.dtype == dtype and found.isfinite().all() and found.shape == (2, D)


def test_large_products_do_not_overflow():
    s = AttentionOverAttention(D).point(1e3 * torch.randn(1, 5, D), None, 1e3 * torch.randn(1, 3, D))
    assert s.isfinite().all()
    testing.assert_close(s.sum(), torch.tensor(1.0), **close)


def test_a_hidden_word_leaves_both_attentions():
    module, document, query = AttentionOverAttention(D), torch.randn(1, 5, D), torch.randn(1, 3, D)
    steps, _ = shown(module, document, query_items=query, intervention=Intervention(masked=frozenset({1})))
    rest = [0, 2, 3, 4]
    testing.assert_close(steps["weights"][:, rest], module.point(document[:, rest], None, query), **close)
    assert not steps["weights"][:, 1].any()


def test_a_weight_that_is_set_in_either_attention_moves_s():
    module, document, query = AttentionOverAttention(D), torch.randn(1, 5, D), torch.randn(1, 3, D)
    before, _ = shown(module, document, query_items=query)
    for name in ("document weights", "query weights"):
        edit = Intervention(edits=(Edit(name, (2, 4), 0.9),))
        after, maps = shown(module, document, query_items=query, intervention=edit)
        assert maps[name].weights[2, 4] == 0.9
        np.testing.assert_allclose(after["weights"].sum(), 1)
        assert (after["weights"] - before["weights"]).abs().max() > 1e-3


def test_cost_counts_each_matrix_product():
    n, d = 5, 6
    assert cost(n, d, Options()).multiplications == n * n * d + n * n + n * d  # M, s, c


def test_the_registry_builds_each_choice_and_knows_a_formula_for_every_step():
    about = get("attention_over_attention")
    for scale in ("none", "sqrt"):
        module = about.build(D, about.parse({"scale": scale}))
        masks = torch.ones(1, 5, dtype=torch.bool), torch.ones(1, 3, dtype=torch.bool)
        steps, _ = shown(module, torch.randn(1, 5, D), masks[0], query_items=torch.randn(1, 3, D), query_mask=masks[1])
        known = {**about.steps, **module.formulas}
        assert set(steps) <= set(known)
        assert ("sqrt" in known["affinity"]) == (scale == "sqrt")


def test_an_unknown_scale_is_named():
    with pytest.raises(OptionError, match="'log'; choose one of none, sqrt"):
        AttentionOverAttention(D, "log")
