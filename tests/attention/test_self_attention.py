"""Self-attention against torch, its permutations and its two kinds of new features."""

import pytest
import torch
from torch import testing
from torch.nn import functional

from attnviz.attention.alignments import local_p
from attnviz.attention.multi_head import MultiHeadSelf
from attnviz.attention.self_attention import SelfAttention
from attnviz.errors import OptionError
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D = 8


def map_of(module, *inputs):
    """The map of the first of the batch."""
    with record() as recording, torch.no_grad():
        module(*inputs)
    return recording.maps()[0]


def weights_of(module, *inputs):
    """The weights of the first of the batch."""
    return torch.as_tensor(map_of(module, *inputs).weights)


@pytest.mark.parametrize("padded", [False, True])
def test_context_equals_scaled_dot_product_attention(padded):
    module, items = SelfAttention(D, "context"), torch.randn(2, 5, D)
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]]) if padded else None
    q, k, v = module.queries(items), module.keys(items), module.values(items)
    attn_mask = None if mask is None else mask[:, None]
    expected = functional.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask)
    testing.assert_close(module(items, mask), expected, **close)


def test_residual_norm_is_the_layer_norm_of_items_and_context():
    module, plain, items = SelfAttention(D), SelfAttention(D, "context"), torch.randn(2, 5, D)
    plain.load_state_dict(module.state_dict(), strict=False)
    testing.assert_close(module(items), functional.layer_norm(items + plain(items), (D,)), **close)
    testing.assert_close(module(items).mean(-1), torch.zeros(2, 5), **close)


def test_one_head_of_multi_head_attention():
    module, heads, items = SelfAttention(D, "context"), MultiHeadSelf(D, 1).attention, torch.randn(2, 5, D)
    for name in ("queries", "keys", "values"):
        getattr(heads, name).weight.data = getattr(module, name).weight.data
        getattr(heads, name).bias.data.zero_()
    heads.output.weight.data = torch.eye(D)
    heads.output.bias.data.zero_()
    testing.assert_close(heads(items, items), module(items), **close)


def test_without_queries_every_item_attends_to_all_alike():
    module = SelfAttention(D)
    module.queries.weight.data.zero_()
    testing.assert_close(weights_of(module, torch.randn(1, 4, D)), torch.full((4, 4), 0.25), **close)


@pytest.mark.parametrize("new_features", ["context", "residual_norm"])
@pytest.mark.parametrize("alignment", ["softmax", "sparsemax", "entmax"])
def test_permuting_items_permutes_rows_and_columns(new_features, alignment):
    module, items, order = SelfAttention(D, new_features, alignment), torch.randn(1, 5, D), torch.randperm(5)
    testing.assert_close(module(items[:, order]), module(items)[:, order], **close)
    expected = weights_of(module, items)[order][:, order]
    testing.assert_close(weights_of(module, items[:, order]), expected, **close)


def test_a_row_depends_on_its_own_query_alone():
    module, items = SelfAttention(D), torch.randn(1, 5, D)
    module.queries.weight.data[:, 1:] = 0  # the query reads the first feature
    changed = items.clone()
    module.keys.weight.data[:, 0] = 0  # the keys do not
    changed[0, 2, 0] += 1
    before, after = weights_of(module, items), weights_of(module, changed)
    rest = [0, 1, 3, 4]
    testing.assert_close(after[rest], before[rest], **close)
    assert not torch.allclose(after[2], before[2])


def test_local_m_looks_at_neighbours():
    weights = weights_of(SelfAttention(D, alignment="local_m"), torch.randn(1, 7, D))
    distance = (torch.arange(7)[:, None] - torch.arange(7)).abs()
    assert torch.equal(weights > 0, distance <= 2)
    testing.assert_close(weights.sum(1), torch.ones(7), **close)


def test_local_p_looks_around_a_place_that_the_query_predicts():
    module, items = SelfAttention(D, alignment="local_p"), torch.randn(1, 9, D)
    found = map_of(module, items)
    assert found.normalised is None
    assert (found.weights.sum(1) <= 1).all()
    assert ((found.weights > 0).sum(1) <= 5).all()
    q, k = module.queries(items), module.keys(items)
    centre = 9 * torch.sigmoid(module.align.position(q)).squeeze(-1)
    expected = local_p(q @ k.transpose(1, 2) / D**0.5, centre, window=2)
    testing.assert_close(torch.as_tensor(found.weights), expected[0].detach(), **close)
    (module(items) * torch.randn(1, 9, D)).sum().backward()
    assert all(p.grad.any() for p in module.align.parameters())


@pytest.mark.parametrize("alignment", ["softmax", "sparsemax", "entmax", "local_m", "local_p"])
def test_padding_changes_nothing(alignment):
    module, items = SelfAttention(D, alignment=alignment), torch.randn(1, 4, D)
    padded = torch.cat([items, torch.randn(1, 3, D)], 1)
    mask = torch.tensor([[True] * 4 + [False] * 3])
    testing.assert_close(module(padded, mask)[:, :4], module(items), **close)


def test_nothing_to_attend_to_leaves_the_items():
    items, mask = torch.randn(1, 4, D), torch.zeros(1, 4, dtype=torch.bool)
    assert not SelfAttention(D, "context")(items, mask).any()
    testing.assert_close(SelfAttention(D)(items, mask), functional.layer_norm(items, (D,)), **close)


def test_the_items_ask_and_answer():
    axes = map_of(SelfAttention(D), torch.randn(1, 4, D)).axes
    assert [axis.kind for axis in axes] == ["item", "key"]


def test_unknown_new_features():
    with pytest.raises(OptionError, match="no new features 'sum'; choose one of residual_norm, context"):
        SelfAttention(D, "sum")
