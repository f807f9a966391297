"""Multi-head attention against torch's own, and what follows from its equation."""

import pytest
import torch
from torch import nn, testing
from torch.nn import functional

from attnviz.attention.alignments import softmax
from attnviz.attention.multi_head import MultiHead, MultiHeadAttention, MultiHeadSelf, causal
from attnviz.errors import OptionError
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D, HEADS = 12, 3


@pytest.fixture
def attention():
    module = MultiHeadAttention(D, HEADS)
    for p in module.parameters():
        nn.init.normal_(p, std=0.5)
    return module


def same_in_torch(ours):
    """`nn.MultiheadAttention` with the same weights."""
    theirs = nn.MultiheadAttention(D, HEADS, batch_first=True)
    theirs.in_proj_weight.data = torch.cat([ours.queries.weight, ours.keys.weight, ours.values.weight]).data
    theirs.in_proj_bias.data = torch.cat([ours.queries.bias, ours.keys.bias, ours.values.bias]).data
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    return theirs


def weights_of(module, *inputs):
    """The output, and the weights of the first of the batch."""
    with record() as recording:
        output = module(*inputs)
    return output, torch.as_tensor(recording.maps()[0].weights)


@pytest.mark.parametrize("n_queries", [1, 4, 6])
def test_cross_attention_equals_torch(attention, n_queries):
    query, items = torch.randn(2, n_queries, D), torch.randn(2, 6, D)
    expected, shown = same_in_torch(attention)(query, items, items, average_attn_weights=False)
    output, weights = weights_of(attention, query, items)
    testing.assert_close(output, expected, **close)
    testing.assert_close(weights, shown[0], **close)


def test_self_attention_equals_torch(attention):
    items = torch.randn(3, 7, D)
    expected, shown = same_in_torch(attention)(items, items, items, average_attn_weights=False)
    output, weights = weights_of(attention, items, items)
    testing.assert_close(output, expected, **close)
    testing.assert_close(weights, shown[0], **close)


def test_causal_attention_equals_torch(attention):
    items = torch.randn(2, 5, D)
    expected, shown = same_in_torch(attention)(items, items, items, attn_mask=~causal(5)[0], average_attn_weights=False)
    output, weights = weights_of(attention, items, items, causal(5))
    testing.assert_close(output, expected, **close)
    testing.assert_close(weights, shown[0], **close)
    testing.assert_close(weights[:, 0], torch.eye(5)[0].expand(HEADS, 5), **close)


def test_padded_attention_equals_torch(attention):
    items = torch.randn(2, 5, D)
    mask = torch.tensor([[True, True, True, False, False], [True] * 5])
    expected, shown = same_in_torch(attention)(items, items, items, key_padding_mask=~mask, average_attn_weights=False)
    output, weights = weights_of(attention, items, items, mask)
    testing.assert_close(output, expected, **close)
    testing.assert_close(weights, shown[0], **close)


@pytest.mark.parametrize("masked", [False, True])
def test_contexts_equal_scaled_dot_product_attention(attention, masked):
    items = torch.randn(2, 5, D)
    mask = causal(5) if masked else None

    def split(x):
        return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)

    q, k, v = (split(f(items)) for f in (attention.queries, attention.keys, attention.values))
    contexts = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    expected = attention.output(contexts.transpose(1, 2).flatten(2))
    testing.assert_close(attention(items, items, mask), expected, **close)


def test_gradients_equal_torch(attention):
    items, upstream = torch.randn(2, 5, D, requires_grad=True), torch.randn(2, 5, D)
    theirs = same_in_torch(attention)
    (expected,) = torch.autograd.grad(theirs(items, items, items)[0], items, upstream)
    (found,) = torch.autograd.grad(attention(items, items), items, upstream)
    testing.assert_close(found, expected, **close)


def test_the_output_is_a_sum_over_heads(attention):
    items = torch.randn(1, 5, D)
    with record() as recording:
        output = attention(items, items)
    contexts = next(torch.as_tensor(s.value) for s in recording.steps({}) if s.name == "context")
    d_h = D // HEADS
    total = sum(contexts[j] @ attention.output.weight[:, j * d_h : (j + 1) * d_h].T for j in range(HEADS))
    testing.assert_close(output[0], total + attention.output.bias, **close)


def test_one_head_without_mixing_is_plain_attention():
    module, items = MultiHeadAttention(D, 1), torch.randn(2, 5, D)
    module.output.weight.data = torch.eye(D)
    module.output.bias.data.zero_()
    q, k, v = module.queries(items), module.keys(items), module.values(items)
    expected = softmax(q @ k.transpose(1, 2) / D**0.5) @ v
    testing.assert_close(module(items, items), expected, **close)


def test_the_future_does_not_change_the_past(attention):
    items = torch.randn(1, 6, D)
    changed = torch.cat([items[:, :4], torch.randn(1, 2, D)], 1)
    before, after = attention(items, items, causal(6)), attention(changed, changed, causal(6))
    testing.assert_close(after[:, :4], before[:, :4], **close)
    assert not torch.allclose(after[:, 4:], before[:, 4:])


def test_the_mean_over_heads_is_not_the_attention_of_one_merged_head(attention):
    items = torch.randn(1, 5, D)
    _, weights = weights_of(attention, items, items)
    q, k = attention.queries(items)[0], attention.keys(items)[0]
    assert not torch.allclose(weights.mean(0), softmax(q @ k.T / D**0.5), atol=1e-3)


def test_a_learned_query_is_cross_attention_with_it():
    module, items = MultiHead(D, HEADS), torch.randn(2, 5, D)
    expected, _ = same_in_torch(module.attention)(module.query.expand(2, 1, D), items, items)
    testing.assert_close(module(items), expected[:, 0], **close)


def test_maps_say_who_asks():
    items = torch.randn(1, 5, D)
    kinds = []
    for module in (MultiHead(D, HEADS), MultiHeadSelf(D, HEADS)):
        with record() as recording:
            module(items)
        kinds.append([axis.kind for axis in recording.maps()[0].axes])
    assert kinds == [["head", "query", "key"], ["head", "item", "key"]]


def test_a_row_that_may_not_attend_at_all_gets_the_bias_alone(attention):
    items = torch.randn(1, 3, D)
    mask = torch.tensor([[[True, True, True], [False] * 3, [True, False, True]]])
    testing.assert_close(attention(items, items, mask)[0, 1], attention.output.bias, **close)


def test_the_state_has_one_name_for_each_matrix_of_the_equation(attention):
    names = {f"{part}.{kind}" for part in ("queries", "keys", "values", "output") for kind in ("weight", "bias")}
    assert set(attention.state_dict()) == names
    again = MultiHeadAttention(D, HEADS)
    again.load_state_dict(attention.state_dict())
    items = torch.randn(1, 4, D)
    assert torch.equal(again(items, items), attention(items, items))


def test_heads_must_divide_the_dimension():
    with pytest.raises(OptionError, match="5 heads do not divide d_model = 12"):
        MultiHeadAttention(12, 5)
