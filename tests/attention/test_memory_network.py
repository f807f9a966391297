"""The memory network against word-embedding look-ups in numpy, and what its equations imply."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing
from torch.nn import functional

from attnviz.attention.memory_network import MemoryNetwork, Options, cost, position_encoding
from attnviz.attention.registry import get
from attnviz.errors import OptionError, ShapeError
from attnviz.intervention import Intervention
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
V, D = 11, 6
STORY = [[1, 4, 2], [3, 3, 10], [5, 0, 0], [7, 8, 0]]  # word 0 is padding
QUESTION = [9, 4, 0]


def one_hot(words):
    """A row for each word; the padding word's is all zeros."""
    rows = functional.one_hot(torch.tensor(words), V).double()
    rows[..., 0] = 0
    return rows


def bag(words):
    """How often each word occurs."""
    return one_hot(words).sum(-2)


def looked_up(network, story, question, encoding=None):
    """The answer state and each hop's weights by looking words up in embedding tables."""
    tables = [embedding.weight.detach().numpy().T.copy() for embedding in network.embeddings]
    times = network.times.detach().numpy() if network.times is not None else np.zeros((len(tables), 99, D))
    asked = tables[0] if network.tying == "adjacent" else network.asking.weight.detach().numpy().T.copy()
    for table in (*tables, asked):
        table[0] = 0
    weigh = 1 if encoding is None else encoding
    u, shown = (asked[question] * weigh).sum(0), []
    for hop in range(network.n_hops):
        a, c = (hop, hop + 1) if network.tying == "adjacent" else (0, 1)
        n = len(story)
        m = [(tables[a][words] * weigh).sum(0) + times[a][n - 1 - i] for i, words in enumerate(story)]
        o = [(tables[c][words] * weigh).sum(0) + times[c][n - 1 - i] for i, words in enumerate(story)]
        scores = np.array([u @ memory for memory in m])
        p = np.exp(scores - scores.max())
        p /= p.sum()
        carried = u if network.tying == "adjacent" else network.carry.weight.detach().numpy() @ u
        u = carried + sum(weight * value for weight, value in zip(p, o, strict=True))
        shown.append(p)
    return torch.as_tensor(u), torch.as_tensor(np.stack(shown))


def weights(network, *inputs):
    """Each hop's weights for the first of the batch, (hop, key)."""
    with record() as recording, torch.no_grad():
        network(*inputs)
    (found,) = recording.maps()
    return torch.as_tensor(found.weights)[:, 0]


@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
@pytest.mark.parametrize("n_hops", [1, 2, 4])
def test_bags_of_words_equal_embedding_look_ups(tying, n_hops):
    network = MemoryNetwork(D, n_hops, tying, d_items=V)
    expected, hops = looked_up(network, STORY, QUESTION)
    inputs = bag(STORY)[None], None, bag(QUESTION)[None]
    testing.assert_close(network(*inputs)[0].detach(), expected, **close)
    testing.assert_close(weights(network, *inputs), hops, **close)


@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
@pytest.mark.parametrize("position", ["none", "paper", "code"])
def test_word_by_word_equals_look_ups_with_position_and_time(tying, position):
    network = MemoryNetwork(D, 3, tying, d_items=V, position=position, n_times=7)
    encoding = None if position == "none" else position_encoding(3, D, position).numpy()
    expected, hops = looked_up(network, STORY, QUESTION, encoding)
    inputs = one_hot(STORY)[None], None, one_hot(QUESTION)[None]
    testing.assert_close(network(*inputs)[0].detach(), expected, **close)
    testing.assert_close(weights(network, *inputs), hops, **close)


def test_position_encodings_by_hand():
    testing.assert_close(position_encoding(2, 2), torch.tensor([[0.5, 0.5], [0.5, 1.0]]), **close)
    testing.assert_close(position_encoding(2, 2, "code"), torch.tensor([[1.25, 0.75], [0.75, 1.25]]), **close)
    with pytest.raises(OptionError, match="paper or code"):
        position_encoding(2, 2, "sine")


@given(st.integers(1, 9), st.integers(1, 9))
def test_the_released_code_doubles_the_papers_encoding_half_a_sample_earlier(n_words, d):
    code = position_encoding(n_words, d, "code")
    paper = position_encoding(n_words, d)
    for j in range(1, n_words + 1):
        for k in range(1, d + 1):
            testing.assert_close(paper[j - 1, k - 1].item(), (1 - j / n_words) - k / d * (1 - 2 * j / n_words), **close)
            x, y = (j - 0.5) / n_words, (k - 0.5) / d
            testing.assert_close(code[j - 1, k - 1].item(), 2 * ((1 - x) - y * (1 - 2 * x)), **close)
    testing.assert_close(code.mean(0), torch.ones(d, dtype=torch.float64), **close)


def test_position_tells_the_order_of_words_and_a_bag_does_not():
    forwards, backwards = [[[1, 2, 3]], [[3, 2, 1]]]
    for position, same in (("none", True), ("paper", False), ("code", False)):
        network = MemoryNetwork(D, 2, d_items=V, position=position)
        one, other = (network(one_hot(story)[None], None, bag(QUESTION)[None]) for story in (forwards, backwards))
        assert torch.allclose(one, other) == same


@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
def test_the_first_hops_do_not_depend_on_how_many_follow(tying):
    long, items = MemoryNetwork(D, 4, tying), torch.randn(1, 5, D)
    for n_hops in (1, 2, 3):
        short = MemoryNetwork(D, n_hops, tying)
        short.load_state_dict({name: long.state_dict()[name] for name in short.state_dict()})
        testing.assert_close(weights(short, items), weights(long, items)[:n_hops], **close)


def test_one_hop_is_attention_with_one_query():
    network, items = MemoryNetwork(D, 1), torch.randn(3, 5, D)
    a, c = network.embeddings
    u = a(network.query).expand(3, 1, -1)
    found = functional.scaled_dot_product_attention(u, a(items), c(items), scale=1.0)
    testing.assert_close(network(items), (u + found)[:, 0], **close)


def test_layerwise_with_nothing_to_carry_is_adjacent_with_equal_matrices():
    adjacent, layerwise = MemoryNetwork(D, 3), MemoryNetwork(D, 3, "layerwise")
    with torch.no_grad():
        shared = adjacent.embeddings[0].weight
        for matrix in (*adjacent.embeddings, *layerwise.embeddings, layerwise.asking):
            matrix.weight.copy_(shared)
        layerwise.carry.weight.copy_(torch.eye(D))
        layerwise.query.copy_(adjacent.query)
    items = torch.randn(2, 5, D)
    testing.assert_close(adjacent(items), layerwise(items), **close)


@given(st.integers(1, 7), st.integers(1, 4), st.sampled_from(["adjacent", "layerwise"]), st.randoms())
def test_without_times_the_order_of_the_memory_is_irrelevant(n, n_hops, tying, random):
    network, items = MemoryNetwork(D, n_hops, tying).double(), torch.randn(1, n, D, dtype=torch.float64)
    order = random.sample(range(n), n)
    testing.assert_close(network(items[:, order]), network(items), **close)
    testing.assert_close(weights(network, items[:, order]), weights(network, items)[:, order], **close)


def test_with_times_the_order_of_the_memory_matters():
    network, items = MemoryNetwork(D, 2, n_times=5), torch.randn(1, 5, D)
    assert not torch.allclose(network(items.flip(1)), network(items))


def test_time_is_counted_from_the_newest_item_whatever_is_padded():
    network, items = MemoryNetwork(D, 2, n_times=5), torch.randn(1, 3, D)
    padded = torch.cat([items, torch.randn(1, 2, D)], 1)
    mask = torch.tensor([[True, True, True, False, False]])
    testing.assert_close(network(padded, mask), network(items), **close)


def test_more_items_than_times_say_what_to_build():
    with pytest.raises(ShapeError, match="6 items and 5 learned times.*n_times=6"):
        MemoryNetwork(D, n_times=5)(torch.randn(1, 6, D))


def test_an_empty_memory_gets_weight_unless_it_is_masked():
    network, items = MemoryNetwork(D, 2), torch.cat([torch.randn(1, 3, D), torch.zeros(1, 1, D)], 1)
    assert (weights(network, items)[:, 3] > 0).all()
    masked = weights(network, items, torch.tensor([[True, True, True, False]]))
    assert not masked[:, 3].any()
    testing.assert_close(masked.sum(1), torch.ones(2), **close)


def test_a_hop_that_is_off_reads_nothing():
    network, items = MemoryNetwork(D, 3), torch.randn(1, 5, D)
    with record(Intervention(off={"hop": frozenset({1})})) as recording, torch.no_grad():
        network(items)
    steps = {step.name: step.value for step in recording.steps({})}
    np.testing.assert_array_equal(steps["state, hop 2"], steps["state, hop 1"])
    assert not np.array_equal(steps["state, hop 3"], steps["state, hop 2"])
    assert recording.maps()[0].labels == ("hop 1", "hop 2", "hop 3")


def test_only_the_learned_query_asks_unless_a_question_is_given():
    network, items = MemoryNetwork(D), torch.randn(2, 5, D)
    testing.assert_close(network(items), network(items, None, network.query.expand(2, -1)), **close)
    assert not torch.allclose(network(items), network(items, None, torch.randn(2, D)))


def test_unknown_tying_and_position_are_named():
    with pytest.raises(OptionError, match="'both'; choose one of adjacent, layerwise"):
        MemoryNetwork(D, tying="both")
    with pytest.raises(OptionError, match="'sine'; choose one of none, paper, code"):
        MemoryNetwork(D, position="sine")


def test_cost_counts_each_matrix_product():
    n, d = 5, 6
    # B q and A, C_1, C_2 of five items; two hops of scores and sums.
    assert cost(n, d, Options(2)).multiplications == (1 + 3 * n) * d * d + 2 * 2 * n * d
    # B q, A and C of five items; two hops of scores, sums and H u.
    assert cost(n, d, Options(2, "layerwise")).multiplications == (1 + 2 * n) * d * d + 2 * (2 * n * d + d * d)


def test_the_registry_builds_each_choice():
    about = get("memory_network")
    for tying in ("adjacent", "layerwise"):
        for n_hops in (1, 6):
            module = about.build(D, about.parse({"n_hops": str(n_hops), "tying": tying}))
            assert len(weights(module, torch.randn(1, 4, D))) == n_hops
