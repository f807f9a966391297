"""Alignment functions against the package `entmax`, numpy by hand, and their limits."""

import entmax as reference
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing

from attnviz.attention.alignments import (
    PLAIN,
    Alignment,
    entmax,
    hard,
    local_m,
    local_p,
    multi_dimensional,
    softmax,
    sparsemax,
)
from attnviz.errors import OptionError
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
SMOOTH = {"softmax": softmax, "sparsemax": sparsemax, "entmax": entmax}
close = {"rtol": 1e-9, "atol": 1e-10}
scores_lists = st.lists(st.floats(-20, 20), min_size=1, max_size=9)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


# The package `entmax`


@given(scores_lists)
def test_sparsemax_equals_the_package(values):
    testing.assert_close(sparsemax(double(values)), reference.sparsemax(double(values), dim=-1), **close)


@given(scores_lists)
def test_entmax_equals_the_package_at_one_and_a_half(values):
    testing.assert_close(entmax(double(values)), reference.entmax15(double(values), dim=-1), **close)


@given(scores_lists, st.sampled_from([1.2, 1.5, 1.8, 2.0, 3.0]))
def test_entmax_equals_the_package_at_any_alpha(values, alpha):
    expected = reference.entmax_bisect(double(values), alpha, n_iter=100)
    testing.assert_close(entmax(double(values), alpha=alpha), expected, rtol=1e-9, atol=1e-9)


def test_entmax_at_two_is_sparsemax_and_near_one_is_softmax():
    scores = torch.randn(4, 7)
    testing.assert_close(entmax(scores, alpha=2.0), sparsemax(scores), **close)
    testing.assert_close(entmax(scores, alpha=1 + 1e-5), softmax(scores), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["sparsemax", "entmax"])
def test_gradients_equal_the_package(name):
    scores, upstream = torch.randn(3, 6, requires_grad=True), torch.randn(3, 6)
    expected = {"sparsemax": reference.sparsemax, "entmax": reference.entmax15}[name](scores, dim=-1)
    (want,) = torch.autograd.grad(expected, scores, upstream)
    (have,) = torch.autograd.grad(PLAIN[name](scores), scores, upstream)
    testing.assert_close(have, want, **close)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_equal_differences(name, masked):
    mask = torch.tensor([[True, True, False, True, True], [False] * 5]) if masked else None
    scores = torch.randn(2, 5, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: PLAIN[name](s, mask), scores)


def test_sparsemax_by_hand():
    testing.assert_close(sparsemax(double([1.0, 0.5, -1.0])), double([0.75, 0.25, 0.0]))
    testing.assert_close(sparsemax(double([3.0, 0.5, -1.0])), double([1.0, 0.0, 0.0]))


def test_entmax_refuses_alpha_of_one():
    with pytest.raises(OptionError, match="alpha = 1 is softmax"):
        entmax(torch.zeros(3), alpha=1.0)


# What holds for all


@given(scores_lists, st.sampled_from(sorted(PLAIN)))
def test_weights_are_shares(values, name):
    weights = PLAIN[name](double(values))
    assert (weights >= 0).all()
    testing.assert_close(weights.sum(), double(1.0), **close)


@given(scores_lists, st.floats(-50, 50), st.sampled_from(sorted(SMOOTH)))
def test_adding_a_constant_changes_nothing(values, constant, name):
    weights, moved = SMOOTH[name](double(values)), SMOOTH[name](double(values) + constant)
    testing.assert_close(moved, weights, rtol=1e-9, atol=1e-9)


@given(scores_lists, st.data(), st.sampled_from(sorted(PLAIN)))
def test_a_mask_is_the_same_as_leaving_out(values, data, name):
    mask = torch.tensor(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))))
    weights = PLAIN[name](double(values), mask)
    assert not weights[~mask].any()
    if mask.any():
        testing.assert_close(weights[mask], PLAIN[name](double(values)[mask]), **close)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("dim", [-1, -2, -3])
def test_any_axis_can_be_the_one_of_the_keys(name, dim):
    scores, mask = torch.randn(2, 3, 4, 5), torch.rand(2, 3, 4, 5) > 0.3
    expected = PLAIN[name](scores.movedim(dim, -1), mask.movedim(dim, -1)).movedim(-1, dim)
    testing.assert_close(PLAIN[name](scores, mask, dim), expected, **close)


@pytest.mark.parametrize("name", PLAIN)
def test_a_row_without_an_allowed_key_is_zero_and_so_is_its_gradient(name):
    scores = torch.randn(2, 4, requires_grad=True)
    weights = PLAIN[name](scores, torch.tensor([[True, False, True, True], [False] * 4]))
    assert torch.equal(weights[1], torch.zeros(4))
    (weights * torch.arange(4.0)).sum().backward()
    assert scores.grad.isfinite().all()
    assert torch.equal(scores.grad[1], torch.zeros(4))


@pytest.mark.parametrize("name", PLAIN)
def test_large_scores_do_not_overflow(name):
    testing.assert_close(PLAIN[name](double([1e4, -1e4, 0.0])), double([1.0, 0.0, 0.0]))


@pytest.mark.parametrize("name", PLAIN)
def test_half_precision_runs(name):
    scores = torch.randn(3, 6, dtype=torch.bfloat16)
    weights = PLAIN[name](scores, torch.rand(3, 6) > 0.2)
    assert weights.dtype == torch.bfloat16 and weights.isfinite().all()
    testing.assert_close(PLAIN[name](scores).float().sum(-1), torch.ones(3, dtype=torch.float32), rtol=0, atol=0.03)


@pytest.mark.parametrize("name", SMOOTH)
def test_limits_of_temperature(name):
    scores = double([0.3, 1.1, -0.4, 0.9])
    testing.assert_close(PLAIN[name](scores / 1e9), torch.full((4,), 0.25), rtol=0, atol=1e-6)
    testing.assert_close(PLAIN[name](scores / 1e-3), hard(scores), rtol=0, atol=1e-9)


# Hard


def test_hard_takes_the_largest():
    testing.assert_close(hard(double([[0.1, 2.0, 1.0], [5.0, 2.0, 1.0]])), double([[0.0, 1, 0], [1, 0, 0]]))


@pytest.mark.parametrize("draw, chosen", [(0.0, 0), (0.49, 0), (0.5, 1), (0.74, 1), (0.75, 2), (0.999, 2)])
def test_hard_draws_by_the_cumulative_softmax(draw, chosen):
    scores = double([[0.5, 0.25, 0.25]]).log()
    assert hard(scores, draw=double([draw])).argmax().item() == chosen


def test_hard_never_draws_a_masked_key():
    mask = torch.tensor([False, True, True, False])
    for draw in (0.0, 0.3, 0.999999, 1.0):
        weights = hard(torch.zeros(4), mask, draw=double(draw))
        assert weights[mask].sum() == 1 and not weights[~mask].any()


def test_draws_come_as_often_as_their_probability():
    scores = torch.tensor([0.2, 0.5, 0.3]).log()
    draws = (torch.arange(1000) + 0.5) / 1000
    found = hard(scores.expand(1000, 3), draw=draws).mean(0)
    testing.assert_close(found, double([0.2, 0.5, 0.3]), rtol=0, atol=1e-3)


def test_the_gradient_of_hard_is_that_of_softmax():
    scores, upstream = torch.randn(2, 5, requires_grad=True), torch.randn(2, 5)
    (have,) = torch.autograd.grad(hard(scores), scores, upstream)
    (want,) = torch.autograd.grad(softmax(scores), scores, upstream)
    testing.assert_close(have, want, **close)


# Local


def test_local_m_is_a_softmax_inside_the_window():
    scores = torch.randn(1, 6, 6)
    weights = local_m(scores, torch.arange(6.0), window=1)
    for i in range(6):
        inside = [j for j in range(6) if abs(i - j) <= 1]
        e = np.exp(scores[0, i, inside].numpy())
        np.testing.assert_allclose(weights[0, i, inside].numpy(), e / e.sum(), rtol=1e-9)
        assert not weights[0, i, [j for j in range(6) if j not in inside]].any()


def test_local_m_with_a_wide_window_is_softmax():
    scores, mask = torch.randn(2, 5, 5), torch.rand(2, 5, 5) > 0.3
    testing.assert_close(local_m(scores, torch.arange(5.0), mask, window=5), softmax(scores, mask), **close)


def test_local_m_with_nothing_allowed_in_the_window_is_zero():
    mask = torch.tensor([False, False, False, True])
    assert not local_m(torch.randn(1, 4), double([0.0]), mask, window=1).any()


@given(st.floats(0, 8), st.integers(1, 4))
def test_local_p_by_hand(centre, window):
    scores = np.array([0.3, -1.0, 2.0, 0.7, 0.1, -0.4, 1.5, 0.0])
    positions = np.arange(8)
    inside = np.abs(positions - centre) <= window
    expected = np.where(inside, np.exp(scores), 0)
    expected = expected / expected.sum() * np.exp(-((positions - centre) ** 2) / (2 * (window / 2) ** 2))
    found = local_p(double(scores)[None], double([centre]), window=window)[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert found.sum() <= 1 + 1e-12


# Multi-dimensional


def test_multi_dimensional_is_a_softmax_for_each_feature():
    scores, mask = torch.randn(2, 5, 3), torch.tensor([[True] * 5, [True, True, False, True, False]])
    weights = multi_dimensional(scores, mask)
    for feature in range(3):
        testing.assert_close(weights[..., feature], softmax(scores[..., feature], mask), **close)


# The module


def test_alignment_refuses_what_it_does_not_know():
    with pytest.raises(OptionError, match="no alignment 'soft'; choose one of softmax, sparsemax"):
        Alignment("soft")


def test_local_p_needs_the_dimension_of_the_query():
    with pytest.raises(OptionError, match="give d_query"):
        Alignment("local_p")


@pytest.mark.parametrize("name", PLAIN)
def test_alignment_calls_its_function(name):
    scores, mask = torch.randn(2, 3, 4, 5), torch.rand(2, 1, 1, 5) > 0.2
    testing.assert_close(Alignment(name)(scores, "head query key", mask=mask), PLAIN[name](scores, mask), **close)


@pytest.mark.parametrize("over, dim", [("key", -1), ("query", -2), ("head", -3)])
def test_over_names_the_axis_that_sums_to_one(over, dim):
    with record() as recording:
        weights = Alignment()(torch.randn(2, 3, 4, 5), "head query key", over=over)
    testing.assert_close(weights.sum(dim), torch.ones_like(weights.sum(dim)), **close)
    assert recording.maps()[0].normalised == over


def test_local_m_stands_at_the_query():
    scores = torch.randn(1, 6, 6)
    found = Alignment("local_m", window=2)(scores, "item key")
    testing.assert_close(found, local_m(scores, torch.arange(6.0), window=2), **close)


def test_local_p_predicts_its_position():
    align = Alignment("local_p", window=2, d_query=4)
    query, scores = torch.randn(2, 3, 4), torch.randn(2, 3, 6)
    with record() as recording:
        found = align(scores, "item key", query=query)
    p = align.position[0].weight, align.position[2].weight
    centre = 6 / (1 + np.exp(-(np.tanh(query.numpy() @ p[0].detach().numpy().T) @ p[1].detach().numpy()[0])))
    testing.assert_close(found, local_p(scores, torch.as_tensor(centre), window=2), **close)
    assert (found.sum(-1) <= 1).all()
    assert recording.maps()[0].normalised is None


def test_local_p_counts_only_the_keys_that_are_there():
    align = Alignment("local_p", window=2, d_query=4)
    query, scores = torch.randn(1, 3, 4), torch.randn(1, 3, 6)
    mask = torch.tensor([[[True, True, True, True, False, False]]])
    found = align(scores, "item key", mask=mask, query=query)
    testing.assert_close(found[..., :4], align(scores[..., :4], "item key", query=query), **close)
    assert not found[..., 4:].any()


def test_only_local_p_has_parameters():
    assert not list(Alignment("entmax", d_query=4).parameters())
    align = Alignment("local_p", d_query=4)
    align(torch.randn(1, 3, 6), "item key", query=torch.randn(1, 3, 4)).sum().backward()
    assert all(p.grad.any() for p in align.parameters())
