"""Figures of a pair: by hand, against scipy, and where there is nothing to compare."""

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from scipy.spatial.distance import jensenshannon

import attnviz
from attnviz.analysis import pairs
from attnviz.errors import PairError
from attnviz.export import from_json, to_csv, to_html, to_json, to_npz, to_svg
from attnviz.intervention import Intervention
from attnviz.trace import AttentionMap, Axis, Prediction, Trace, numbered
from tests.helpers import mechanisms_for

WORDS = ("who", "wrote", "it", "?")
SENTENCE = "Who wrote the first novel about time travel ?"


def trace_of(weights, *leading, words=None, queries=None, normalised="key", prediction=None, grid=None):
    weights = np.asarray(weights, dtype=np.float64)
    n = weights.shape[-1]
    kind = "patch" if grid else "token"
    keys = Axis(kind, words or tuple(f"w{i}" for i in range(n)), grid)
    axes = (*leading, queries or numbered("query", weights.shape[-2]), keys)
    return Trace("m", (AttentionMap("weights", weights, axes, normalised),), (), None, prediction)


def row(*weights, **more):
    return trace_of([weights], **more)


def says(*probabilities, independent=False, labels=("yes", "no", "maybe")):
    return Prediction(labels, np.array(probabilities, dtype=np.float32), independent)


two_rows = st.integers(2, 12).flatmap(
    lambda n: st.tuples(*[arrays.arrays(np.float64, n, elements=st.sampled_from([0.0, 0.1, 0.1, 0.25, 0.5, 1.0]))] * 2)
)


def test_shares_are_the_mean_over_maps_and_queries():
    weights = [[[1.0, 0, 0], [0, 0.5, 0.5]], [[0.2, 0.3, 0.5], [0.6, 0.4, 0]]]
    found = pairs.shares(trace_of(weights, numbered("head", 2)))
    np.testing.assert_allclose(found, [1.8 / 4, 1.2 / 4, 1.0 / 4], rtol=1e-12)


def test_maps_without_weight_take_no_part_in_the_shares():
    found = pairs.shares(trace_of([[[0.25, 0.75]], [[0.0, 0.0]]], numbered("head", 2)))
    np.testing.assert_allclose(found, [0.25, 0.75], rtol=1e-12)


def test_gates_count_by_their_size_whatever_their_sign():
    found = pairs.shares(trace_of([[[3.0, -1.0]], [[0.0, 4.0]]], numbered("head", 2), normalised=None))
    np.testing.assert_allclose(found, [3 / 8, 5 / 8], rtol=1e-12)


def test_weights_that_sum_to_one_over_the_query_are_first_brought_to_one_over_the_items():
    weights = np.array([[0.9, 0.5], [0.1, 0.5]])  # each column sums to one: counted as they stand, all items are equal
    found = pairs.shares(trace_of(weights, normalised="query"))
    np.testing.assert_allclose(found, [(0.9 / 1.4 + 0.1 / 0.6) / 2, (0.5 / 1.4 + 0.5 / 0.6) / 2], rtol=1e-12)


def test_weights_that_items_divide_between_maps_too():
    weights = np.array([[[0.8, 0.5]], [[0.2, 0.5]]])
    found = pairs.shares(trace_of(weights, numbered("class", 2), normalised="class"))
    np.testing.assert_allclose(found, [(0.8 / 1.3 + 0.2 / 0.7) / 2, (0.5 / 1.3 + 0.5 / 0.7) / 2], rtol=1e-12)


def test_the_map_over_words_counts_and_not_the_one_over_slots():
    slots = AttentionMap("read", np.array([[1.0, 0.0]]), (numbered("query", 1), numbered("slot", 2)))
    words = AttentionMap("write", np.array([[0.1, 0.2, 0.7]]), (numbered("query", 1), Axis("token", ("a", "b", "c"))))
    np.testing.assert_allclose(pairs.shares(Trace("m", (slots, words), (), None)), [0.1, 0.2, 0.7], rtol=1e-12)


def test_no_weight_gives_zeros_and_no_map_gives_nothing():
    np.testing.assert_array_equal(pairs.shares(row(0.0, 0.0, 0.0)), np.zeros(3))
    assert pairs.shares(Trace("m", (), (), None)).shape == (0,)


def test_divergence_by_hand():
    assert pairs.divergence(np.array([1.0, 0]), np.array([0, 1.0])) == 1.0
    expected = 0.5 * np.log2(1 / 0.75) + 0.5 * (0.5 * np.log2(0.5 / 0.75) + 0.5 * np.log2(0.5 / 0.25))
    assert pairs.divergence(np.array([1.0, 0]), np.array([0.5, 0.5])) == pytest.approx(expected, rel=1e-12)
    tiny = np.array([5e-324, 1.0])
    assert pairs.divergence(tiny, np.array([0.0, 1.0])) == 0.0


@given(two_rows)
def test_figures_are_those_of_scipy(rows):
    a, b = rows
    assume(a.any() and b.any())
    found = pairs.compare(row(*a), row(*b))
    p, q = a / a.sum(), b / b.sum()
    assert found.divergence == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-12)
    assert found.entropy_a == pytest.approx(stats.entropy(p, base=2), abs=1e-12)
    assert found.entropy_b == pytest.approx(stats.entropy(q, base=2), abs=1e-12)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert found.rank_correlation is None
    else:
        assert found.rank_correlation == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)


def test_real_traces_against_scipy():
    first, second = (attnviz.attend(name, text=SENTENCE) for name in ("multi_head", "multi_head_self"))
    p = first.maps[0].weights.astype(np.float64).mean((0, 1))
    q = second.maps[0].weights.astype(np.float64).mean((0, 1))
    found = pairs.compare(first, second)
    assert found.divergence == pytest.approx(jensenshannon(p, q, base=2) ** 2, rel=1e-6)
    assert found.rank_correlation == pytest.approx(stats.spearmanr(p, q).statistic, rel=1e-12)
    assert found.same_class is True
    expected = np.abs(first.prediction.probabilities - second.prediction.probabilities).sum() / 2
    assert found.distance == pytest.approx(expected, rel=1e-4)


def test_overlap_counts_the_top_three_and_of_equal_ones_the_earlier():
    assert pairs.overlap(np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])) == pytest.approx(2 / 3)
    assert pairs.overlap(np.full(6, 1 / 6), np.array([0.5, 0.3, 0.2, 0, 0, 0])) == 1.0
    assert pairs.overlap(np.full(6, 1 / 6), np.array([0, 0, 0, 0.5, 0.3, 0.2])) == 0.0
    alike = np.array([0.4, 0.3, 0.2, 0.1, 0, 0, 0]), np.array([0.4, 0.2, 0.3, 0, 0.1, 0, 0])
    assert pairs.overlap(*alike) == 1.0
    short = pairs.compare(row(0.5, 0.5), row(0.1, 0.9))
    assert (short.overlap, short.overlap_k) == (1.0, 2)


def test_one_item_is_compared_too():
    found = pairs.compare(row(1.0), row(1.0))
    assert (found.divergence, found.rank_correlation, found.overlap, found.overlap_k) == (0.0, None, 1.0, 1)


def test_predictions_agree_or_not_and_how_far_they_lie_apart():
    a, b = row(1.0, prediction=says(0.7, 0.2, 0.1)), row(1.0, prediction=says(0.2, 0.7, 0.1))
    found = pairs.compare(a, b)
    assert found.same_class is False
    assert found.distance == pytest.approx(0.5)


def test_independent_probabilities_are_first_brought_to_a_sum_of_one():
    a, b = row(1.0, prediction=says(0.8, 0.8, 0.4, independent=True)), row(1.0, prediction=says(0.4, 0.4, 0.2))
    assert pairs.compare(a, b).distance == pytest.approx(0.0, abs=1e-7)
    nothing = row(1.0, prediction=says(0.0, 0.0, 0.0, independent=True))
    assert pairs.compare(a, nothing).distance is None


def test_predictions_of_other_classes_cannot_be_compared():
    a, b = row(1.0, prediction=says(1, 0, 0)), row(1.0, prediction=says(1, 0, 0, labels=("a", "b", "c")))
    assert (pairs.compare(a, b).same_class, pairs.compare(a, b).distance) == (None, None)
    assert pairs.compare(a, row(1.0)).same_class is None


def test_another_number_of_items_is_a_sentence():
    a, b = row(0.5, 0.5), row(0.2, 0.3, 0.5)
    found = pairs.compare(a, b)
    assert found.comparable.startswith("The first has 2 words and the second 3 words:")
    assert (found.divergence, found.rank_correlation, found.overlap) == (None, None, None)
    assert found.entropy_a == pytest.approx(1.0)
    with pytest.raises(PairError, match="2 words and the second 3 words"):
        pairs.difference(a, b)


def test_no_weight_is_a_sentence_but_its_difference_is_drawn():
    a, b = row(0.0, 0.0), row(0.25, 0.75)
    assert pairs.compare(a, b).comparable == "The first has no weight to compare."
    assert pairs.compare(b, a).comparable == "The second has no weight to compare."
    assert pairs.compare(a, a).comparable == "The first and the second have no weight to compare."
    np.testing.assert_allclose(pairs.difference(a, b).weights, [[0.25, 0.75]])


def test_no_map_is_a_sentence():
    nothing = Trace("m", (), (), None)
    assert pairs.compare(nothing, row(1.0)).comparable == "No weights were recorded."
    with pytest.raises(PairError):
        pairs.difference(nothing, row(1.0))


def test_the_difference_is_second_minus_first_map_by_map():
    a = trace_of([[[1.0, 0.0]], [[0.5, 0.5]]], numbered("head", 2))
    b = trace_of([[[0.25, 0.75]], [[0.5, 0.5]]], numbered("head", 2))
    found = pairs.difference(a, b)
    np.testing.assert_allclose(found.weights, [[[-0.75, 0.75]], [[0.0, 0.0]]])
    assert found.normalised is None
    assert found.labels == ("head 1", "head 2")


def test_heads_and_hops_are_compared_by_their_means():
    a = trace_of([[[1.0, 0.0]], [[0.5, 0.5]]], numbered("head", 2))
    b = trace_of([[[0.0, 1.0]], [[0.5, 0.5]]], numbered("hop", 2))
    found = pairs.difference(a, b)
    np.testing.assert_allclose(found.weights, [[-0.5, 0.5]])
    assert [axis.kind for axis in found.axes] == ["query", "token"]


def test_one_query_against_many_takes_the_mean_over_the_queries():
    a = row(1.0, 0.0)
    b = trace_of([[0.5, 0.5], [0.1, 0.9]], queries=Axis("token", ("w0", "w1")))
    found = pairs.difference(a, b)
    np.testing.assert_allclose(found.weights, [[-0.7, 0.7]])
    assert found.axes[0].labels == ("mean over the queries",)


def test_items_with_other_names_are_called_by_both():
    a, b = row(0.5, 0.5, words=("who", "wrote")), row(0.1, 0.9, words=("who", "read"))
    assert pairs.difference(a, b).axes[-1].labels == ("who", "wrote → read")


def test_pictures_are_compared_patch_by_patch_only_where_the_patches_lie_alike():
    a, b = row(0.1, 0.2, 0.3, 0.4, grid=(2, 2)), row(0.4, 0.3, 0.2, 0.1, grid=(2, 2))
    assert pairs.difference(a, b).axes[-1].grid == (2, 2)
    other = row(0.4, 0.3, 0.2, 0.1, grid=(1, 4))
    assert "2 × 2 patches and the second 1 × 4 patches" in pairs.compare(a, other).comparable
    with pytest.raises(PairError):
        pairs.difference(a, other)


@pytest.mark.parametrize("name", mechanisms_for("trec"))
@pytest.mark.parametrize("intervention", [None, Intervention(masked=frozenset(range(9)))])
def test_every_pair_of_mechanisms_has_finite_figures(name, intervention):
    first = attnviz.attend("multi_hop", text=SENTENCE)
    second = attnviz.attend(name, text=SENTENCE, intervention=intervention)
    figures = dataclasses.asdict(pairs.compare(first, second))
    assert all(np.isfinite(value) for value in figures.values() if isinstance(value, float))
    assert np.isfinite(pairs.difference(first, second).weights).all()
    assert bool(figures["comparable"]) == (intervention is not None)


def test_a_difference_is_a_trace_that_says_what_it_is_made_of():
    first, second = (attnviz.attend(name, text="Who wrote Hamlet ?") for name in ("multi_head", "multi_hop"))
    found = pairs.difference_trace(first, second)
    np.testing.assert_array_equal(found.maps[0].weights, pairs.difference(first, second).weights)
    assert found.made_by["first"]["mechanism"] == "multi_head" and found.made_by["second"]["options"]["n_hops"] == 3
    back = from_json(to_json(found))
    np.testing.assert_array_equal(back.maps[0].weights, found.maps[0].weights)
    assert "multi hop minus multi head" in to_svg(found) and to_html(found) and to_npz(found) and to_csv(found)
