"""Spread of weights: entropy in bits and effective number of items."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from attnviz.analysis.spread import effective, entropy, spread
from attnviz.trace import AttentionMap, numbered

rows = arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=st.floats(0.0, 1.0))


def attention(weights, normalised="key"):
    weights = np.asarray(weights)
    kinds = ("head", "query", "key")[-weights.ndim :]
    axes = tuple(numbered(kind, n) for kind, n in zip(kinds, weights.shape, strict=True))
    return AttentionMap("weights", weights, axes, normalised)


def test_n_equal_weights_reach_n_items():
    for n in (1, 2, 7, 1000):
        assert effective(np.full(n, 1 / n)) == pytest.approx(n, rel=1e-12)
        assert entropy(np.full(n, 1 / n)) == pytest.approx(np.log2(n), abs=1e-12)


def test_one_weight_reaches_one_item_and_none_reaches_none():
    assert effective(np.array([0.0, 1.0, 0.0])) == 1.0
    assert effective(np.zeros(3)) == 0.0
    assert entropy(np.zeros(3)) == 0.0


@given(rows)
def test_entropy_is_that_of_scipy(weights):
    alive = weights.sum(-1) > 1e-12
    expected = stats.entropy(weights[alive], axis=-1, base=2)
    np.testing.assert_allclose(entropy(weights)[alive], expected, rtol=1e-9, atol=1e-10)


@given(rows)
def test_effective_lies_between_one_and_the_number_of_weights(weights):
    reached = effective(weights)
    assert np.all((reached == 0) == ~weights.any(-1))
    assert np.all(reached <= weights.shape[-1] * (1 + 1e-12))
    assert np.all(reached[reached > 0] >= 1)


@given(rows, st.floats(1e-3, 1e3))
def test_a_factor_or_a_sign_changes_nothing(weights, factor):
    weights = np.where(weights < 1e-100, 0.0, weights)  # smaller ones would vanish when multiplied
    np.testing.assert_allclose(entropy(weights * -factor), entropy(weights), rtol=1e-9, atol=1e-10)


def test_very_small_and_very_large_weights_are_not_lost():
    assert effective(np.array([5e-324, 5e-324])) == pytest.approx(2)
    assert effective(np.array([1e308, 1e308, 1e308])) == pytest.approx(3)


def test_along_another_axis():
    weights = np.random.default_rng(0).random((3, 5))
    np.testing.assert_allclose(entropy(weights, axis=0), entropy(weights.T), rtol=1e-12)


def test_a_map_is_averaged_over_its_queries():
    found = spread(attention([[[1.0, 0, 0, 0], [0.25] * 4], [[0.5, 0.5, 0, 0], [0.5, 0, 0.5, 0]]]))
    assert [s.label for s in found] == ["head 1", "head 2"]
    assert [s.entropy for s in found] == pytest.approx([1.0, 1.0])
    assert [s.effective for s in found] == pytest.approx([2.0, 2.0])


def test_queries_without_weight_do_not_count():
    (found,) = spread(attention([[0.0, 0, 0, 0], [0.25] * 4]))
    assert found.effective == pytest.approx(4)
    (nothing,) = spread(attention(np.zeros((2, 4))))
    assert (nothing.entropy, nothing.effective) == (0.0, 0.0)


def test_weights_normalised_over_the_query_spread_over_the_queries():
    weights = np.random.default_rng(1).dirichlet(np.ones(3), size=5)
    (over_keys,) = spread(attention(weights))
    (over_queries,) = spread(attention(weights.T, "query"))
    assert over_keys.entropy == pytest.approx(over_queries.entropy, rel=1e-12)


def test_float32_is_counted_in_float64():
    weights = np.random.default_rng(2).dirichlet(np.ones(64)).astype(np.float32)
    assert entropy(weights) == pytest.approx(stats.entropy(weights.astype(np.float64), base=2), rel=1e-12)
