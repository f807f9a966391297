"""Score functions: each by hand in numpy, and the equations that hold between them."""

import numpy as np
import pytest
import torch
from torch import nn, testing

from attnviz.attention.alignments import softmax
from attnviz.attention.scores import SCORES, build_score
from attnviz.errors import ShapeError, UnknownNameError

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
NEED_EQUAL = ("dot", "scaled_dot", "cosine", "euclidean")


def by_hand(name, score, q, k, position):
    """The score of one query and one key in numpy."""
    p = {key: value.detach().numpy() for key, value in score.named_parameters()}
    match name:
        case "dot":
            return q @ k
        case "scaled_dot":
            return q @ k / np.sqrt(len(k))
        case "general":
            return k @ p["transform.weight"] @ q
        case "biased_general":
            return k @ (p["transform.weight"] @ q + p["transform.bias"])
        case "activated_general":
            return np.tanh(k @ p["transform.weight"] @ q + p["bias"])
        case "additive":
            inner = p["from_query.weight"] @ q + p["from_key.weight"] @ k + p["from_query.bias"]
            return p["weigh.weight"][0] @ np.tanh(inner)
        case "concat":
            return p["weigh.weight"][0] @ np.tanh(p["transform.weight"] @ np.concatenate([q, k]))
        case "cosine":
            return q @ k / np.linalg.norm(q) / np.linalg.norm(k)
        case "euclidean":
            return -np.linalg.norm(q - k)
        case "location":
            return p["position.weight"][position] @ q


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("d_query, d_key", [(4, 4), (3, 6)])
def test_by_hand(name, d_query, d_key):
    if name in NEED_EQUAL:
        d_query = d_key
    score = build_score(name, d_query, d_key)
    for p in score.parameters():
        nn.init.normal_(p)
    query, key = torch.randn(2, 3, d_query), torch.randn(2, 5, d_key)
    found = score(query, key).detach().numpy()
    assert found.shape == (2, 3, 5)
    for b, i, j in np.ndindex(2, 3, 5):
        expected = by_hand(name, score, query[b, i].numpy(), key[b, j].numpy(), j)
        np.testing.assert_allclose(found[b, i, j], expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", SCORES)
def test_leading_axes_are_maps(name):
    score = build_score(name, 4, 4)
    query, key = torch.randn(2, 3, 5, 4), torch.randn(2, 3, 6, 4)
    found = score(query, key)
    assert found.shape == (2, 3, 5, 6)
    for b, m in np.ndindex(2, 3):
        testing.assert_close(found[b, m], score(query[b, m], key[b, m]), **close)


@pytest.mark.parametrize("name", SCORES)
def test_leading_axes_broadcast(name):
    score = build_score(name, 4, 4)
    query, key = torch.randn(1, 3, 5, 4), torch.randn(2, 1, 6, 4)
    expected = score(query.expand(2, 3, 5, 4), key.expand(2, 3, 6, 4))
    testing.assert_close(score(query, key).expand(2, 3, 5, 6), expected, **close)


@pytest.mark.parametrize("name", SCORES)
def test_gradients(name):
    score = build_score(name, 3, 3, **({"length": 4} if name == "location" else {}))
    query, key = torch.randn(1, 2, 3, requires_grad=True), torch.randn(1, 4, 3, requires_grad=True)
    assert torch.autograd.gradcheck(score, (query, key))
    (score(query, key) * torch.randn(1, 2, 4)).sum().backward()
    assert all(p.grad.any() for p in score.parameters())


@pytest.mark.parametrize("name", SCORES)
def test_zero_vectors_give_finite_scores_and_gradients(name):
    query, key = torch.zeros(1, 2, 4, requires_grad=True), torch.zeros(1, 3, 4, requires_grad=True)
    scores = build_score(name, 4, 4)(query, key)
    scores.sum().backward()
    assert scores.isfinite().all() and query.grad.isfinite().all()
    assert key.grad is None or key.grad.isfinite().all()


@pytest.mark.parametrize("name", SCORES)
def test_half_precision_runs(name):
    score = build_score(name, 8, 8).to(torch.bfloat16)
    found = score(torch.randn(1, 2, 8, dtype=torch.bfloat16), torch.randn(1, 3, 8, dtype=torch.bfloat16))
    assert found.dtype == torch.bfloat16 and found.isfinite().all()


# Between them


def test_general_with_the_identity_is_dot():
    query, key = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    general = build_score("general", 4, 4)
    general.transform.weight.data = torch.eye(4)
    testing.assert_close(general(query, key), build_score("dot", 4, 4)(query, key), **close)


def test_general_is_the_bilinear_module_of_torch():
    query, key = torch.randn(2, 1, 3), torch.randn(2, 1, 6)
    general, bilinear = build_score("general", 3, 6), nn.Bilinear(6, 3, 1, bias=False)
    general.transform.weight.data = bilinear.weight.data[0]
    testing.assert_close(general(query, key), bilinear(key, query), **close)


def test_biased_general_without_bias_is_general():
    query, key = torch.randn(2, 3, 4), torch.randn(2, 5, 6)
    biased, general = build_score("biased_general", 4, 6), build_score("general", 4, 6)
    general.transform.weight.data = biased.transform.weight.data
    biased.transform.bias.data.zero_()
    testing.assert_close(biased(query, key), general(query, key), **close)


def test_activated_general_without_bias_is_tanh_of_general():
    query, key = torch.randn(2, 3, 4), torch.randn(2, 5, 6)
    activated, general = build_score("activated_general", 4, 6), build_score("general", 4, 6)
    general.transform.weight.data = activated.transform.weight.data
    activated.bias.data.zero_()
    testing.assert_close(activated(query, key), general(query, key).tanh(), **close)
    assert activated(query * 99, key).abs().max() <= 1


def test_concat_is_additive_without_bias():
    query, key = torch.randn(2, 3, 4), torch.randn(2, 5, 6)
    concat, additive = build_score("concat", 4, 6, d_hidden=7), build_score("additive", 4, 6, d_hidden=7)
    w = torch.cat([additive.from_query.weight, additive.from_key.weight], 1)
    concat.transform.weight.data, concat.weigh.weight.data = w.data, additive.weigh.weight.data
    additive.from_query.bias.data.zero_()
    testing.assert_close(concat(query, key), additive(query, key), **close)


def test_scaled_dot_is_dot_over_the_root_of_the_dimension():
    query, key = torch.randn(2, 3, 9), torch.randn(2, 5, 9)
    testing.assert_close(build_score("scaled_dot", 9, 9)(query, key) * 3, build_score("dot", 9, 9)(query, key), **close)


def test_cosine_does_not_see_lengths():
    query, key = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    cosine = build_score("cosine", 4, 4)
    testing.assert_close(cosine(query * 3, key * torch.rand(2, 5, 1).add(0.1)), cosine(query, key), **close)
    testing.assert_close(cosine(query, query).diagonal(dim1=-1, dim2=-2), torch.ones(2, 3), **close)


def test_euclidean_is_largest_where_key_and_query_meet():
    points = torch.randn(1, 4, 3)
    scores = build_score("euclidean", 3, 3)(points, points)[0]
    assert torch.equal(scores.argmax(1), torch.arange(4))
    testing.assert_close(scores.diagonal(), torch.zeros(4), **close)


def test_location_does_not_see_the_keys():
    location, query = build_score("location", 4, 6, length=8), torch.randn(2, 3, 4)
    found = location(query, torch.randn(2, 5, 6))
    assert torch.equal(found, location(query, torch.randn(2, 5, 6)))
    testing.assert_close(found, location(query, torch.randn(2, 8, 6))[..., :5], **close)


def test_the_bias_of_biased_general_changes_the_weights_but_that_of_a_score_does_not():
    query, key = torch.randn(1, 2, 4), torch.randn(1, 5, 4)
    score = build_score("biased_general", 4, 4)
    with_bias = softmax(score(query, key))
    testing.assert_close(softmax(score(query, key) + 3.0), with_bias, **close)
    score.transform.bias.data.zero_()
    assert not torch.allclose(softmax(score(query, key)), with_bias)


def test_a_constant_under_the_tanh_of_activated_general_does_change_the_weights():
    query, key = torch.randn(1, 2, 4), torch.randn(1, 5, 4)
    score = build_score("activated_general", 4, 4)
    before = softmax(score(query, key))
    score.bias.data += 1.0
    assert not torch.allclose(softmax(score(query, key)), before)


# Mistakes


@pytest.mark.parametrize("name", NEED_EQUAL)
def test_dimensions_that_must_be_equal(name):
    with pytest.raises(ShapeError) as error:
        build_score(name, 3, 6)
    assert str(error.value) == (
        f"query dimension 3 and key dimension 6 differ: {name.replace('_', ' ')} scores need them equal; "
        "choose general or additive"
    )


def test_a_score_that_does_not_exist():
    with pytest.raises(UnknownNameError, match="no score function 'bilinear'. Choose one of: dot, scaled_dot"):
        build_score("bilinear", 4, 4)


def test_more_keys_than_positions():
    with pytest.raises(ShapeError, match="9 keys and 8 positions"):
        build_score("location", 4, 4, length=8)(torch.randn(1, 1, 4), torch.randn(1, 9, 4))


def test_every_score_says_its_formula():
    assert len({score.formula for score in SCORES.values()}) == len(SCORES) == 10
