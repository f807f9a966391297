"""Structured self-attention: Lin et al.'s equations, and what its penalty counts."""

import pytest
import torch
from torch import testing

from attnviz.attention.constant_query import ConstantQuery
from attnviz.attention.structured import Structured, penalty
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D = 6


def shown(module, *inputs):
    """The steps of the first of the batch by name, and the map."""
    with record() as recording, torch.no_grad():
        module(*inputs)
    return {step.name: torch.as_tensor(step.value) for step in recording.steps({})}, recording.maps()[0]


@pytest.mark.parametrize("n_rows", [1, 2, 4, 8])
def test_equals_the_equations(n_rows):
    module, items = Structured(D, n_rows), torch.randn(2, 5, D)
    a = (module.queries.weight @ torch.tanh(module.keys.weight @ items.transpose(1, 2))).softmax(-1)
    m = a @ items
    testing.assert_close(module(items), module.output(m.reshape(2, -1)), **close)
    steps, _ = shown(module, items)
    testing.assert_close(steps["weights"][:, 0], a[0].detach(), **close)
    testing.assert_close(steps["context"][:, 0], m[0].detach(), **close)


def test_each_row_is_a_map():
    _, found = shown(Structured(D, 4), torch.randn(1, 5, D))
    assert [axis.kind for axis in found.axes] == ["row", "query", "key"]
    assert found.labels == ("row 1", "row 2", "row 3", "row 4")
    testing.assert_close(torch.as_tensor(found.weights).sum(-1), torch.ones(4, 1), **close)


def test_one_row_is_a_constant_query_on_the_items_themselves():
    module, constant, items = Structured(D, 1), ConstantQuery(D), torch.randn(1, 5, D)
    constant.keys.weight.data = torch.eye(D)
    constant.values.weight.data = torch.eye(D)
    constant.hidden.weight.data = module.keys.weight.data
    constant.hidden.bias.data.zero_()
    constant.weigh.weight.data = module.queries.weight.data
    steps, _ = shown(module, items)
    testing.assert_close(steps["context"][0], constant(items).detach(), **close)


def test_weights_go_with_the_items_and_the_output_stays():
    module, items, order = Structured(D), torch.randn(1, 5, D), torch.randperm(5)
    before, after = shown(module, items)[0], shown(module, items[:, order])[0]
    testing.assert_close(after["weights"], before["weights"][..., order], **close)
    testing.assert_close(after["output"], before["output"], **close)


def test_equal_queries_read_the_same():
    module = Structured(D, 2)
    module.queries.weight.data[1] = module.queries.weight.data[0]
    steps, _ = shown(module, torch.randn(1, 5, D))
    assert torch.equal(steps["context"][0], steps["context"][1])


def test_nothing_to_attend_to_leaves_the_bias():
    module = Structured(D)
    output = module(torch.randn(1, 4, D), torch.zeros(1, 4, dtype=torch.bool))
    testing.assert_close(output[0], module.output.bias, **close)


def test_the_penalty_by_hand():
    a = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])
    # A A' = [[0.5, 0.25], [0.25, 0.5]], less I: two -0.5 and two 0.25
    testing.assert_close(penalty(a[None, :, None]), torch.tensor([0.625]), **close)


def test_the_penalty_is_zero_for_rows_that_pick_different_items_and_grows_when_they_repeat():
    apart, same = torch.eye(3)[None, :, None], torch.eye(3)[[0, 0, 0]][None, :, None]
    testing.assert_close(penalty(apart), torch.zeros(1), **close)
    testing.assert_close(penalty(same), torch.tensor([6.0]), **close)


def test_the_penalty_has_a_gradient():
    scores = torch.randn(2, 3, 1, 5, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: penalty(s.softmax(-1)), scores)
