"""MAN's question side against loops over the paper's equations in numpy, and what they imply."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing
from torch.nn import functional

from attnviz.attention.man import Gate, Man, Options, cost
from attnviz.attention.memory_network import position_encoding
from attnviz.attention.registry import get
from attnviz.errors import OptionError, ShapeError
from attnviz.intervention import Intervention, Override
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D, V = 6, 11
STORY = [[1, 4, 2], [3, 3, 10], [5, 0, 0], [7, 8, 0]]  # word 0 is padding
QUESTION = [9, 4]


def one_hot(words):
    """A row for each word; the padding word's is all zeros."""
    rows = functional.one_hot(torch.tensor(words), V).double()
    rows[..., 0] = 0
    return rows


def softmax(scores):
    powers = np.exp(np.array(scores) - max(scores))
    return powers / powers.sum()


def gated(gate, query, rows):
    """Weights of the rows, feature by feature: w'(tanh(W_q h) * tanh(W_m m))."""
    of_item, of_query, weigh = (x.weight.detach().numpy() for x in (gate.of_item, gate.of_query, gate.weigh))
    return softmax([sum(w * np.tanh(a @ row) * np.tanh(b @ query) for w, a, b in zip(weigh[0], of_item, of_query,
                    strict=True)) for row in rows])  # fmt: skip


def by_hand(module, memories, words):
    """The output, and the weights of each hop over words and memories."""
    m, found, asking, reading = sum(words) / len(words), 0, [], []
    for _ in range(module.n_hops):
        asking.append(gated(module.ask, m, words))
        o = sum(weight * word for weight, word in zip(asking[-1], words, strict=True))
        reading.append(gated(module.score, o, memories))
        found = found + sum(weight * memory for weight, memory in zip(reading[-1], memories, strict=True))
        m = m + o
    return torch.as_tensor(found), torch.as_tensor(np.stack(asking)), torch.as_tensor(np.stack(reading))


def shown(module, *inputs, intervention=None, **sides):
    """The steps of the first of the batch by name, and each map's weights by name."""
    with record(intervention) as recording, torch.no_grad():
        module(*inputs, **sides)
    steps = {step.name: torch.as_tensor(step.value) for step in recording.steps({})}
    return steps, {found.name: torch.as_tensor(found.weights) for found in recording.maps()}


@pytest.mark.parametrize("n_hops", [1, 2, 3])
def test_equals_the_equations(n_hops):
    module, items, asking = Man(D, n_hops), torch.randn(1, 5, D), torch.randn(1, 3, D)
    memories = items[0].numpy() @ module.embeddings[0].weight.detach().numpy().T
    words = asking[0].numpy() @ module.asking.weight.detach().numpy().T
    output, of_words, of_items = by_hand(module, list(memories), list(words))
    testing.assert_close(module(items, query_items=asking)[0].detach(), output, **close)
    _, maps = shown(module, items, query_items=asking)
    testing.assert_close(maps["query weights"][:, 0], of_words, **close)
    testing.assert_close(maps["weights"][:, 0], of_items, **close)


@pytest.mark.parametrize("position", ["none", "paper", "code"])
def test_a_story_word_by_word_equals_look_ups_with_position_and_time(position):
    module = Man(D, 2, d_items=V, position=position, n_times=7)
    table, asking = (x.weight.detach().numpy().T.copy() for x in (module.embeddings[0], module.asking))
    table[0] = 0
    weigh = 1 if position == "none" else position_encoding(3, D, position).numpy()
    times = module.times.detach().numpy()[0]
    memories = [(table[words] * weigh).sum(0) + times[len(STORY) - 1 - i] for i, words in enumerate(STORY)]
    output, *_ = by_hand(module, memories, [asking[word] for word in QUESTION])
    found = module(one_hot(STORY)[None], query_items=one_hot(QUESTION)[None])
    testing.assert_close(found[0].detach(), output, **close)


def test_padded_words_and_items_change_nothing_and_a_batch_is_its_rows():
    module, items, asking = Man(D, 3, n_times=9), torch.randn(2, 5, D), torch.randn(2, 4, D)
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
    query_mask = torch.tensor([[True] * 4, [True, True, False, False]])
    both = module(items, mask, query_items=asking, query_mask=query_mask)
    testing.assert_close(both[:1], module(items[:1], query_items=asking[:1]), **close)
    testing.assert_close(both[1:], module(items[1:, :3], query_items=asking[1:, :2]), **close)


def test_nothing_to_ask_with_or_to_read_gives_zeros():
    module, items, asking = Man(D), torch.randn(1, 5, D), torch.randn(1, 3, D)
    nothing = torch.zeros(1, 5, dtype=torch.bool)
    assert not module(items, nothing, query_items=asking).any()
    steps, maps = shown(module, items, query_items=asking, query_mask=nothing[:, :3])
    assert not maps["query weights"].any() and not steps["query, hop 1"].any()
    testing.assert_close(maps["weights"], torch.full_like(maps["weights"], 0.2), **close)  # no query prefers an item


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 3), st.randoms())
def test_without_times_neither_order_matters(n, n_words, n_hops, random):
    module = Man(D, n_hops).double()
    items, asking = (torch.randn(1, size, D, dtype=torch.float64) for size in (n, n_words))
    order, words = random.sample(range(n), n), random.sample(range(n_words), n_words)
    testing.assert_close(module(items[:, order], query_items=asking[:, words]), module(items, query_items=asking))


def test_no_hop_knows_what_an_earlier_one_has_found():
    module, items, asking = Man(D, 3), torch.randn(1, 5, D), torch.randn(1, 3, D)
    steps, _ = shown(module, items, query_items=asking)
    changed = Intervention(overrides=(Override("weights, hop 1", (0, 2), 5.0),))
    moved, _ = shown(module, items, intervention=changed, query_items=asking)
    assert not torch.equal(moved["context, hop 1"], steps["context, hop 1"])
    for name in ("query, hop 2", "weights, hop 2", "query, hop 3", "weights, hop 3"):
        testing.assert_close(moved[name], steps[name], rtol=0, atol=0)


def test_the_first_hops_do_not_depend_on_how_many_follow():
    long, items, asking = Man(D, 3), torch.randn(1, 5, D), torch.randn(1, 3, D)
    short = Man(D, 2)
    short.load_state_dict(long.state_dict())
    _, more = shown(long, items, query_items=asking)
    _, fewer = shown(short, items, query_items=asking)
    for name in ("weights", "query weights"):
        testing.assert_close(fewer[name], more[name][:2], **close)


def test_a_gate_is_symmetric_in_what_it_compares():
    gate, one, other = Gate(D), torch.randn(1, 1, D), torch.randn(1, 1, D)
    swapped = Gate(D)
    swapped.of_item, swapped.of_query, swapped.weigh = gate.of_query, gate.of_item, gate.weigh
    testing.assert_close(gate(one, other), swapped(other, one), **close)


def test_maps_have_a_row_for_each_hop():
    with record() as recording, torch.no_grad():
        Man(D)(torch.randn(1, 5, D), query_items=torch.randn(1, 3, D))
    kinds = {found.name: tuple(axis.kind for axis in found.axes) for found in recording.maps()}
    assert kinds == {"weights": ("hop", "query", "key"), "query weights": ("hop", "query", "query_item")}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_any_precision_and_finite_gradients(dtype):
    module = Man(D, 3, n_times=5).to(dtype)
    items, mask = torch.randn(2, 5, D, dtype=dtype) * 20, torch.tensor([[True] * 5, [False] * 5])
    found = module(items, mask, query_items=torch.randn(2, 3, D, dtype=dtype))
    assert found.dtype == dtype
    found.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


def test_wrong_position_and_too_many_items_are_named():
    with pytest.raises(OptionError, match="'sine'; choose one of none, paper, code"):
        Man(D, position="sine")
    with pytest.raises(ShapeError, match="6 items and 5 learned times"):
        Man(D, n_times=5)(torch.randn(1, 6, D), query_items=torch.randn(1, 2, D))


def test_cost_counts_each_matrix_product():
    n, d = 5, 6
    # A f, B x, W_q h and V_q g; for each hop W_m m and V_m o, both weighed, then scores and sums of words and items.
    assert cost(n, d, Options(3)).multiplications == 4 * n * d * d + 3 * (2 * d * d + 2 * d + 4 * n * d)


def test_the_registry_builds_each_choice():
    about = get("man")
    for n_hops in (1, 2, 3):
        module = about.build(D, about.parse({"n_hops": str(n_hops)}), d_items=V, n_times=4, d_auxiliary=3)
        _, maps = shown(module, torch.randn(1, 4, V), query_items=torch.randn(1, 2, V))
        assert len(maps["weights"]) == n_hops
