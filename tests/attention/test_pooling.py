"""The mean of the items that the mask allows."""

import torch
from torch import testing

from attnviz.attention.pooling import mean_item


def test_the_mean_heeds_the_mask():
    items = torch.randn(3, 4, 5)
    mask = torch.tensor([[True] * 4, [True, False, True, False], [False] * 4])
    found = mean_item(items, mask)
    testing.assert_close(found[0], mean_item(items)[0])
    testing.assert_close(found[1], (items[1, 0] + items[1, 2]) / 2)
    assert not found[2].any()


def test_a_row_without_items_has_finite_gradients():
    items = torch.randn(1, 4, 5, requires_grad=True)
    mean_item(items, torch.zeros(1, 4, dtype=torch.bool)).sum().backward()
    assert not items.grad.any()
