"""Hierarchical capsules as two dynamic routings, one on top of the other, and the influence that joins them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing

from attnviz.attention.hierarchical_capsule import HierarchicalCapsule, Options, cost
from attnviz.attention.registry import get
from attnviz.attention.routing import length, squash
from attnviz.recording import record
from tests.attention.test_routing import sabour, squashed

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D, C = 6, 3


def module(n_classes=C, n_mid=4, n_iterations=3):
    """A module whose capsules are long enough to matter: random matrices three times as large as at the start."""
    found = HierarchicalCapsule(D, n_classes, n_mid, n_iterations).double()
    with torch.no_grad():
        found.to_mid.mul_(3)
        found.to_class.mul_(3)
    return found


def maps(module, items, mask=None):
    """The maps by name."""
    with record() as recording, torch.no_grad():
        module(items, mask)
    return {found.name: found for found in recording.maps()}


@pytest.mark.parametrize("n_iterations", [1, 2, 3])
def test_it_is_the_papers_procedure_twice(n_iterations):
    net, items = module(n_iterations=n_iterations), torch.randn(1, 5, D)
    weight, bias = net.primary.weight.detach().numpy(), net.primary.bias.detach().numpy()
    primary = [squashed(weight @ f + bias) for f in items[0].numpy()]
    to_mid, to_class = net.to_mid.detach().numpy(), net.to_class.detach().numpy()
    low, mid = sabour(np.array([[w @ u for w in to_mid] for u in primary]), n_iterations)
    high, classes = sabour(np.array([[row[m] @ v for row in to_class] for m, v in enumerate(mid)]), n_iterations)
    p, v = net(items)
    np.testing.assert_allclose(v[0].detach(), classes, **close)
    np.testing.assert_allclose(p[0].detach(), np.linalg.norm(classes, axis=1), **close)
    found = maps(net, items)
    np.testing.assert_allclose(found["low to mid"].weights[:, :, 0], low.transpose(0, 2, 1), **close)
    np.testing.assert_allclose(found["mid to class"].weights[:, :, 0], high.transpose(0, 2, 1), **close)
    np.testing.assert_allclose(found["influence"].weights[:, 0], (low[-1] @ high[-1]).T, **close)


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 5), st.randoms())
def test_shares_sum_to_one_at_each_level_and_from_end_to_end(n, n_classes, n_mid, random):
    net, items = module(n_classes, n_mid), torch.randn(1, n, D, dtype=torch.float64)
    found = maps(net, items)
    for name, axis in (("low to mid", 1), ("mid to class", 1), ("influence", 0)):
        kinds = [a.kind for a in found[name].axes]
        assert kinds[axis] == found[name].normalised
        np.testing.assert_allclose(found[name].weights.sum(axis), 1, **close)
    order = random.sample(range(n), n)
    again = maps(net, items[:, order])
    np.testing.assert_allclose(again["influence"].weights, found["influence"].weights[..., order], **close)
    np.testing.assert_allclose(again["mid to class"].weights, found["mid to class"].weights, **close)


def test_a_single_middle_capsule_gets_every_item_and_gives_all_items_the_same_influence():
    found = maps(module(n_mid=1), torch.randn(1, 5, D))
    assert (found["low to mid"].weights == 1).all()
    influence = found["influence"].weights[:, 0]
    np.testing.assert_allclose(influence, influence[:, :1].repeat(5, axis=1), **close)


def test_one_iteration_shares_everything_equally():
    found = maps(module(n_iterations=1), torch.randn(1, 5, D))
    assert (found["low to mid"].weights == 0.25).all()
    np.testing.assert_allclose(found["influence"].weights, 1 / C, **close)


def test_with_one_class_the_capsule_is_the_squashed_sum_of_what_the_middle_predicts():
    net, items = module(n_classes=1), torch.randn(2, 5, D)
    p, v = net(items)
    with record() as recording, torch.no_grad():
        net(items)
    steps = {step.name: torch.as_tensor(step.value) for step in recording.steps({})}
    testing.assert_close(v[0, 0].detach(), squash(steps["class predictions"][0].sum(0)), **close)
    testing.assert_close(p, length(v), **close)


def test_masked_items_take_no_part_and_an_empty_input_gives_zeros():
    net, items = module(), torch.randn(2, 5, D)
    mask = torch.tensor([[True, False, True, True, False], [False] * 5])
    p, v = net(items, mask)
    testing.assert_close(v[0], net(items[:1, mask[0]])[1][0], **close)
    assert not p[1].any() and not v[1].any()
    found = maps(net, items, mask)
    for name in ("low to mid", "influence"):
        assert not found[name].weights[..., ~mask[0].numpy()].any()
        assert found[name].weights[..., mask[0].numpy()].any()
    net.objective(items, mask, torch.tensor([0, 1])).backward()
    assert all(p.grad.isfinite().all() for p in net.parameters())


def test_a_batch_is_its_rows_one_by_one():
    net, items = module(), torch.randn(3, 5, D)
    alone = [net(row[None]) for row in items]
    for together, parts in zip(net(items), zip(*alone, strict=True), strict=True):
        testing.assert_close(together, torch.cat(parts), **close)


def test_cost_by_hand():
    once = cost(5, 6, Options(n_mid=4, n_iterations=1), n_classes=3, d_capsule=2)
    pairs = 5 * 4 + 4 * 3
    assert once.multiplications == 5 * 6 * 2 + pairs * 2 * 2 + pairs * 2 + 5 * 4 * 3


def test_the_registry_builds_each_choice():
    about = get("hierarchical_capsule")
    net = about.build(D, about.parse({"n_mid": 8, "n_iterations": 2}), n_classes=4)
    assert maps(net, torch.randn(1, 5, D))["low to mid"].weights.shape == (2, 8, 1, 5)
