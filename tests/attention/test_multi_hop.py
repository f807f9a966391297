"""Multi-hop attention against the survey's equations in numpy, for every way to make the next query."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing

from attnviz.attention.multi_hop import MultiHop, Options, cost
from attnviz.attention.registry import get
from attnviz.attention.scores import Additive
from attnviz.errors import OptionError
from attnviz.intervention import Intervention
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D = 6
CHOICES = list(itertools.product(["both", "query", "context"], ["separate", "same"], [True, False]))


def shown(module, *inputs, intervention=None, **more):
    """The steps of the first of the batch by name, and the maps by name."""
    with record(intervention) as recording, torch.no_grad():
        module(*inputs, **more)
    steps = {step.name: torch.as_tensor(step.value) for step in recording.steps({})}
    return steps, {found.name: found for found in recording.maps()}


def additive(score, asking, rows):
    """Softmax of the additive scores, row by row, and the average of the rows under it."""
    w_1, b, w_2, w = (
        x.detach().numpy()
        for x in (score.from_query.weight, score.from_query.bias, score.from_key.weight, score.weigh.weight)
    )
    scores = np.array([w[0] @ np.tanh(w_1 @ asking + b + w_2 @ row) for row in rows])
    weights = np.exp(scores) / np.exp(scores).sum()
    return weights, sum(weight * row for weight, row in zip(weights, rows, strict=True))


def by_hand(module, transform, items, query_items, query):
    """c^H and each hop's weights, from the equations."""
    q, c, rows = query, items.mean(0), []
    for s in range(module.n_hops):
        hop = module.hops[0] if len(module.hops) == 1 else module.hops[s]
        x = {"both": np.concatenate([q, c]), "query": q, "context": c}[transform]
        if hop.attend is not None:
            _, q = additive(hop.attend, x, query_items)
        else:
            q = np.tanh(hop.transform.weight.detach().numpy() @ x + hop.transform.bias.detach().numpy())
        weights, c = additive(hop.score, np.concatenate([q, c]), items)
        rows.append(weights)
    return torch.as_tensor(c), torch.as_tensor(np.stack(rows))


@pytest.mark.parametrize("n_hops", [1, 3])
@pytest.mark.parametrize(("transform", "weights", "self_attention"), CHOICES)
def test_equals_the_equations(n_hops, transform, weights, self_attention):
    module, items = MultiHop(D, n_hops, transform, weights, self_attention), torch.randn(1, 5, D)
    own = items[0].numpy()
    expected, rows = by_hand(module, transform, own, own, own.mean(0))
    testing.assert_close(module(items)[0].detach(), expected, **close)
    _, maps = shown(module, items)
    testing.assert_close(torch.as_tensor(maps["weights"].weights)[:, 0], rows, **close)


@pytest.mark.parametrize(("transform", "weights", "self_attention"), CHOICES)
def test_equals_the_equations_with_query_side_features_and_a_query(transform, weights, self_attention):
    module = MultiHop(D, 2, transform, weights, self_attention)
    items, asking, query = torch.randn(1, 5, D), torch.randn(1, 3, D), torch.randn(1, D)
    given_query, _ = by_hand(module, transform, items[0].numpy(), asking[0].numpy(), query[0].numpy())
    testing.assert_close(module(items, None, asking, None, query)[0].detach(), given_query, **close)
    mean_query, _ = by_hand(module, transform, items[0].numpy(), asking[0].numpy(), asking[0].mean(0).numpy())
    testing.assert_close(module(items, query_items=asking)[0].detach(), mean_query, **close)


def test_it_starts_with_the_means_of_what_is_not_masked():
    items, asking = torch.randn(1, 5, D), torch.randn(1, 4, D)
    mask, query_mask = torch.tensor([[True, True, False, True, False]]), torch.tensor([[True, False, False, True]])
    steps, _ = shown(MultiHop(D, 1), items, mask, asking, query_mask)
    testing.assert_close(steps["first context"][0], items[0, [0, 1, 3]].mean(0), **close)
    testing.assert_close(steps["first query"][0], asking[0, [0, 3]].mean(0), **close)


def test_one_hop_that_ignores_the_first_context_is_additive_attention():
    module, score, items, query = MultiHop(D, 1, "query"), Additive(D, D), torch.randn(2, 5, D), torch.randn(2, D)
    hop = module.hops[0].score
    with torch.no_grad():
        hop.from_query.weight[:, D:] = 0
        score.from_query.weight.copy_(hop.from_query.weight[:, :D])
        score.from_query.bias.copy_(hop.from_query.bias)
        score.from_key.weight.copy_(hop.from_key.weight)
        score.weigh.weight.copy_(hop.weigh.weight)
    asked = module.hops[0].attend(query[:, None], items).softmax(-1) @ items
    expected = score(asked, items).softmax(-1) @ items
    testing.assert_close(module(items, query=query), expected[:, 0], **close)


@pytest.mark.parametrize("self_attention", [True, False])
@pytest.mark.parametrize("transform", ["both", "query", "context"])
def test_the_same_weights_are_separate_ones_that_are_copies(transform, self_attention):
    same = MultiHop(D, 3, transform, "same", self_attention)
    separate = MultiHop(D, 3, transform, "separate", self_attention)
    assert sum(p.numel() for p in separate.parameters()) == 3 * sum(p.numel() for p in same.parameters())
    for hop in separate.hops:
        hop.load_state_dict(same.hops[0].state_dict())
    items = torch.randn(2, 5, D)
    testing.assert_close(separate(items), same(items), **close)


@pytest.mark.parametrize("weights", ["separate", "same"])
def test_the_first_hops_do_not_depend_on_how_many_follow(weights):
    long, short, items = MultiHop(D, 4, weights=weights), MultiHop(D, 2, weights=weights), torch.randn(1, 5, D)
    short.load_state_dict({name: long.state_dict()[name] for name in short.state_dict()})
    (_, few), (_, many) = shown(short, items), shown(long, items)
    for name in ("weights", "query weights"):
        np.testing.assert_allclose(few[name].weights, many[name].weights[:2], rtol=1e-9, atol=1e-10)


def test_a_query_made_from_the_query_alone_does_not_heed_what_was_found():
    asking, first, second = torch.randn(1, 4, D), torch.randn(1, 5, D), torch.randn(1, 5, D)
    for transform, same in (("query", True), ("context", False), ("both", False)):
        module = MultiHop(D, 2, transform)
        one, other = (shown(module, items, query_items=asking)[0]["query, hop 2"] for items in (first, second))
        assert torch.allclose(one, other) == same


def test_a_query_made_from_the_context_alone_forgets_what_was_asked():
    items, first, second = torch.randn(1, 5, D), torch.randn(1, D), torch.randn(1, D)
    for transform, same in (("context", True), ("query", False), ("both", False)):
        module = MultiHop(D, 2, transform)
        assert torch.allclose(module(items, query=first), module(items, query=second)) == same


def test_the_maps_say_what_they_count():
    items, asking = torch.randn(1, 5, D), torch.randn(1, 5, D)
    _, maps = shown(MultiHop(D, 2), items)
    assert {name: [axis.kind for axis in found.axes] for name, found in maps.items()} == {
        "query weights": ["hop", "query", "key"],
        "weights": ["hop", "query", "key"],
    }
    _, maps = shown(MultiHop(D, 2), items, query_items=asking)
    assert [axis.kind for axis in maps["query weights"].axes] == ["hop", "query", "query_item"]
    _, maps = shown(MultiHop(D, 2, self_attention=False), items)
    assert list(maps) == ["weights"]


def test_a_masked_item_is_neither_found_nor_asked():
    module, items = MultiHop(D, 3), torch.randn(1, 5, D)
    _, maps = shown(module, items, intervention=Intervention(masked=frozenset({2})))
    for found in maps.values():
        assert not found.weights[..., 2].any()
        np.testing.assert_allclose(found.weights.sum(-1), 1, rtol=1e-9)


def test_a_hop_that_is_off_finds_nothing():
    steps, maps = shown(MultiHop(D, 2), torch.randn(1, 5, D), intervention=Intervention(off={"hop": frozenset({1})}))
    assert not steps["output"].any()
    assert all(found.weights[0].any() and not found.weights[1].any() for found in maps.values())


@given(st.integers(1, 6), st.sampled_from([1, 2, 3]), st.sampled_from(CHOICES), st.randoms())
def test_the_order_of_the_items_is_irrelevant_and_the_context_is_an_average(n, n_hops, choice, random):
    module, items = MultiHop(D, n_hops, *choice).double(), torch.randn(1, n, D, dtype=torch.float64)
    found = module(items)
    testing.assert_close(module(items[:, random.sample(range(n), n)]), found, **close)
    assert (found <= items.amax(1) + 1e-9).all() and (found >= items.amin(1) - 1e-9).all()


def test_unknown_choices_are_named():
    with pytest.raises(OptionError, match="'neither'; choose one of both, query, context"):
        MultiHop(D, transform="neither")
    with pytest.raises(OptionError, match="'some'; choose one of separate, same"):
        MultiHop(D, weights="some")


def test_cost_counts_each_matrix_product():
    n, d = 5, 6
    score = 2 * d * d + n * d * d + n * d + n * d  # W_1 [q; c], W_2 k, w' tanh, the sum
    assert cost(n, d, Options(2)).multiplications == 2 * (score + score)
    assert cost(n, d, Options(2, "query", "same", False)).multiplications == 2 * (score + d * d)


def test_the_registry_builds_each_choice():
    about = get("multi_hop")
    for transform, weights, self_attention in CHOICES:
        values = {"n_hops": "2", "transform": transform, "weights": weights, "self_attention": str(self_attention)}
        _, maps = shown(about.build(D, about.parse(values)), torch.randn(1, 4, D))
        assert len(maps) == 1 + self_attention
