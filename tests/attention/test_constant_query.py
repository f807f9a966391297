"""The constant query is the additive score with a query that never changes."""

import pytest
import torch
from torch import testing

from attnviz.attention.alignments import sparsemax
from attnviz.attention.constant_query import ConstantQuery
from attnviz.attention.scores import Additive
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D = 6


def shown(module, *inputs):
    """The steps of the first of the batch, by name."""
    with record() as recording, torch.no_grad():
        module(*inputs)
    return {step.name: torch.as_tensor(step.value) for step in recording.steps({})}


def test_equals_an_additive_score_whose_query_is_fixed():
    module, additive = ConstantQuery(D), Additive(D, D)
    fixed, items = torch.randn(1, 1, D), torch.randn(1, 5, D)
    module.hidden.weight.data = additive.from_key.weight.data
    module.hidden.bias.data = additive.from_query(fixed)[0, 0].data  # b' = W_1 q + b
    module.weigh.weight.data = additive.weigh.weight.data
    steps = shown(module, items)
    testing.assert_close(steps["scores"], additive(fixed, steps["keys"][None])[0].detach(), **close)


def test_equals_the_equation():
    module, items = ConstantQuery(D), torch.randn(2, 5, D)
    k, v = items @ module.keys.weight.T, items @ module.values.weight.T
    e = torch.tanh(k @ module.hidden.weight.T + module.hidden.bias) @ module.weigh.weight[0]
    testing.assert_close(module(items), torch.einsum("bl,bld->bd", e.softmax(1), v), **close)


def test_weights_go_with_the_items_and_the_context_stays():
    module, items, order = ConstantQuery(D), torch.randn(1, 5, D), torch.randperm(5)
    before, after = shown(module, items), shown(module, items[:, order])
    testing.assert_close(after["weights"], before["weights"][:, order], **close)
    testing.assert_close(after["output"], before["output"], **close)


def test_equal_items_share_equally():
    weights = shown(ConstantQuery(D), torch.randn(1, 1, D).expand(1, 4, D))["weights"]
    testing.assert_close(weights, torch.full((1, 4), 0.25), **close)


def test_no_weight_no_preference():
    module = ConstantQuery(D)
    module.weigh.weight.data.zero_()
    testing.assert_close(shown(module, torch.randn(1, 4, D))["weights"], torch.full((1, 4), 0.25), **close)


def test_the_score_of_an_item_does_not_depend_on_the_others():
    module, items = ConstantQuery(D), torch.randn(1, 5, D)
    alone = shown(module, items[:, 2:3])["scores"]
    testing.assert_close(shown(module, items)["scores"][:, 2:3], alone, **close)


@pytest.mark.parametrize("alignment", ["softmax", "sparsemax", "entmax", "hard"])
def test_every_alignment_trains(alignment):
    module, items = ConstantQuery(D, alignment), torch.randn(3, 5, D)
    (module(items) * torch.randn(3, D)).sum().backward()
    assert all(p.grad.any() and p.grad.isfinite().all() for p in module.parameters())


def test_the_alignment_is_the_one_asked_for():
    steps = shown(ConstantQuery(D, "sparsemax"), torch.randn(1, 5, D))
    testing.assert_close(steps["weights"], sparsemax(steps["scores"]), **close)


def test_nothing_to_attend_to_gives_zeros():
    assert not ConstantQuery(D)(torch.randn(1, 4, D), torch.zeros(1, 4, dtype=torch.bool)).any()
