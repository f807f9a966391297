"""What holds for every mechanism, whatever it computes."""

import pytest
import torch
from torch import testing

from attnviz.attention.registry import mechanisms
from attnviz.intervention import Intervention
from attnviz.recording import record
from tests.attention.asked import Asked

pytestmark = pytest.mark.usefixtures("double")
NAMES = list(mechanisms())
D, N = 16, 5
close = {"rtol": 1e-9, "atol": 1e-10}


@pytest.fixture(params=NAMES)
def mechanism(request):
    return mechanisms()[request.param]


@pytest.fixture
def module(mechanism):
    return Asked(mechanism, mechanism.build(D, n_classes=3)).double().eval()


def parts(result):
    """The tensors that a forward pass returned, whichever kind it is."""
    return result if isinstance(result, tuple) else (result,)


def seen(module, items, mask=None, intervention=None):
    """What a recorded forward pass returned, and its maps."""
    with record(intervention) as recording, torch.no_grad():
        result = parts(module(items, mask))
    return result, recording.maps()


def test_permuting_the_items_permutes_weights_and_keeps_the_rest(mechanism, module):
    if "target" in mechanism.asks:
        return  # what stands left and right of it depends on the order; its own tests permute the items of one side
    items, order = torch.randn(1, N, D), torch.randperm(N)
    before, maps = seen(module, items)
    after, permuted = seen(module, items[:, order])
    for old, new in zip(before, after, strict=True):
        testing.assert_close(new, old[:, order] if mechanism.yields == "items" else old, **close)
    for old, new in zip(maps, permuted, strict=True):
        weights = torch.as_tensor(old.weights)
        for dim in (-1, -2):
            if old.axes[dim].kind in ("key", "item"):
                weights = weights.index_select(dim, order)
        testing.assert_close(torch.as_tensor(new.weights), weights, **close)


def test_weights_sum_to_one_along_the_axis_that_is_said_to(module):
    _, maps = seen(module, torch.randn(1, N, D))
    assert maps
    for found in maps:
        weights = torch.as_tensor(found.weights)
        kinds = [axis.kind for axis in found.axes]
        dim = {"key": -1, "query": -2}.get(found.normalised)
        if found.normalised is not None:
            sums = weights.sum(kinds.index(found.normalised) if dim is None else dim)
            testing.assert_close(sums, torch.ones_like(sums), **close)
            assert (weights >= 0).all()


def test_a_padded_item_changes_nothing(mechanism, module):
    items, mask = torch.randn(1, N, D), torch.tensor([[True, True, False, True, False]])
    before, maps = seen(module, items, mask)
    after, same = seen(module, torch.where(mask[..., None], items, torch.randn(1, N, D) * 9), mask)
    for old, new in zip(before, after, strict=True):
        kept = (slice(None), mask[0]) if mechanism.yields == "items" else slice(None)
        testing.assert_close(new[kept], old[kept], **close)
    for old, new in zip(maps, same, strict=True):
        if old.axes[-1].kind == "key":
            assert not old.weights[..., ~mask[0].numpy()].any()
            assert not new.weights[..., ~mask[0].numpy()].any()


def test_a_padded_batch_equals_each_of_its_rows_alone(mechanism, module):
    long, short = torch.randn(1, N, D), torch.randn(1, 3, D)
    items = torch.cat([long, torch.cat([short, torch.randn(1, N - 3, D)], 1)])
    mask = torch.tensor([[True] * N, [True] * 3 + [False] * (N - 3)])
    with torch.no_grad():
        together, first, second = (parts(module(*x)) for x in ((items, mask), (long,), (short,)))
    for both, one, other in zip(together, first, second, strict=True):
        testing.assert_close(both[:1], one, **close)
        testing.assert_close(both[1:, :3] if mechanism.yields == "items" else both[1:], other, **close)


def test_a_mask_that_allows_everything_is_no_mask(module):
    items = torch.randn(2, N, D)
    for with_mask, without in zip(
        parts(module(items, torch.ones(2, N, dtype=torch.bool))), parts(module(items)), strict=True
    ):
        testing.assert_close(with_mask, without, **close)


def test_an_input_without_a_single_allowed_item_gives_finite_numbers(module):
    items = torch.randn(2, N, D, requires_grad=True)
    mask = torch.tensor([[True] * N, [False] * N])
    result = parts(module(items, mask))
    sum(part.square().sum() for part in result).backward()
    assert all(part.isfinite().all() for part in result)
    assert items.grad.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in module.parameters())
    _, maps = seen(module, items[1:], mask[1:])
    assert all(not found.weights.any() for found in maps if found.axes[-1].kind == "key" == found.normalised)


def test_a_high_temperature_gives_equal_weights(mechanism, module):
    if "target" in mechanism.asks:
        return  # equal within each side of it
    _, maps = seen(module, torch.randn(1, N, D), intervention=Intervention(temperature=1e9))
    for found in maps:
        kinds = [axis.kind for axis in found.axes]
        dim = {"key": -1, "query": -2}.get(found.normalised)
        if found.normalised is not None:
            size = found.weights.shape[kinds.index(found.normalised) if dim is None else dim]
            weights = torch.as_tensor(found.weights)
            testing.assert_close(weights, torch.full_like(weights, 1 / size), rtol=0, atol=1e-6)


def test_a_recording_changes_nothing(module):
    items = torch.randn(2, N, D)
    recorded, _ = seen(module, items)
    for one, other in zip(recorded, parts(module(items)), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_every_precision_runs(module, dtype):
    items, mask = torch.randn(2, N, D, dtype=dtype), torch.tensor([[True] * N, [True] * 3 + [False] * 2])
    module.to(dtype)
    result, maps = seen(module, items, mask)
    assert all(part.dtype == dtype and part.isfinite().all() for part in result)
    assert all(found.weights.shape == tuple(len(axis) for axis in found.axes) for found in maps)


def test_the_state_makes_the_module_again(mechanism, module):
    again = Asked(mechanism, mechanism.build(D, n_classes=3)).double().eval()
    again.load_state_dict(module.state_dict())
    items = torch.randn(2, N, D)
    for one, other in zip(parts(module(items)), parts(again(items)), strict=True):
        assert torch.equal(one, other)


def test_every_parameter_gets_a_gradient(module):
    if not list(module.parameters()):
        return
    result = parts(module.train()(torch.randn(4, N + 1, D)))  # two on either side of a target
    sum((part * torch.randn_like(part)).sum() for part in result).backward()
    assert [name for name, p in module.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []
    # A bias on the keys or on a score adds the same to all scores of a query; the softmax takes it out again.
    silent = [name for name, p in module.named_parameters() if p.grad.abs().max() < 1e-12]
    silent = [name for name in silent if not name.endswith(("keys.bias", "score.bias"))]
    assert silent == []


def test_one_item_gets_all_the_weight(mechanism, module):
    if "target" in mechanism.asks:
        return  # the one item is the target, and nothing stands beside it
    _, maps = seen(module, torch.randn(1, 1, D))
    for found in maps:
        if found.normalised == "key" and found.axes[-1].kind == "key":
            testing.assert_close(torch.as_tensor(found.weights), torch.ones(found.weights.shape), **close)


def test_the_cost_grows_with_the_items(mechanism):
    small, large = (mechanism.cost(n, D, mechanism.options()) for n in (N, 2 * N))
    assert 0 < small.multiplications < large.multiplications
    assert 0 < small.memory < large.memory
