"""Rotatory attention against plain slicing of left context, target and right context in numpy, for every option."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing

from attnviz.attention.registry import get
from attnviz.attention.rotatory import Options, Rotatory, cost
from attnviz.errors import OptionError
from attnviz.intervention import Intervention
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D = 6
METHODS = (0, 1, 2, 3, 4)
CHOICES = list(
    itertools.product(
        METHODS, ["tanh", "none"], ["separate", "shared"], ["target_first", "context_first"], ["after", "before"]
    )
)


def span(n, start, stop):
    """A target from word `start` up to, not including, word `stop`."""
    target = torch.zeros(1, n, dtype=torch.bool)
    target[0, start:stop] = True
    return target


def shown(module, *inputs, intervention=None, **sides):
    """The steps of the first of the batch by name, and the maps by name."""
    with record(intervention) as recording, torch.no_grad():
        module(*inputs, **sides)
    steps = {step.name: torch.as_tensor(step.value) for step in recording.steps({})}
    return steps, {found.name: found for found in recording.maps()}


def share(scores):
    """Softmax of a few numbers."""
    powers = np.exp(np.asarray(scores))
    return powers / powers.sum()


def asked(score, rows, query):
    """Weights of some rows and their average under them; without rows there is nothing to see."""
    if not len(rows):
        return np.zeros(0), np.zeros(D)
    w = score.transform.weight.detach().numpy()
    scores = [row @ w @ query for row in rows]
    if hasattr(score, "bias"):
        scores = [np.tanh(e + score.bias.item()) for e in scores]
    weights = share(scores)
    return weights, sum(a * row for a, row in zip(weights, rows, strict=True))


def weighed(linear, *vectors):
    """Each vector times its share."""
    scores = [linear.weight.detach().numpy()[0] @ v for v in vectors]
    if linear.bias is not None:
        scores = [np.tanh(e + linear.bias.item()) for e in scores]
    return [a * v for a, v in zip(share(scores), vectors, strict=True)]


def mean(rows):
    return rows.mean(0) if len(rows) else np.zeros(D)


def by_hand(module, n_hops, method, order, scale, words, start, stop):
    """[r_l; r_r; r_tl; r_tr], and for each hop the weights over L, R and twice T."""
    left, target, right = words[:start], words[start:stop], words[stop:]
    r_l, r_r, r_tl, r_tr = mean(left), mean(right), mean(target), mean(target)
    rows = []
    for s in range(n_hops):
        hop = module.hops[s if len(module.hops) > 1 else 0]
        if method in (2, 4):
            scorers = module.levels[s if len(module.levels) > 1 else 0].scores
        early = method == 4 and scale == "before"
        for turn in ("contexts", "target") if order == "target_first" else ("target", "contexts"):
            if turn == "contexts":
                (a_l, r_l), (a_r, r_r) = asked(hop["contexts"][0], left, r_tl), asked(hop["contexts"][1], right, r_tr)
                if early:
                    r_l, r_r = weighed(scorers["contexts"], r_l, r_r)
            else:
                (a_tl, r_tl), (a_tr, r_tr) = (
                    asked(hop["targets"][0], target, r_l),
                    asked(hop["targets"][1], target, r_r),
                )
                if early:
                    r_tl, r_tr = weighed(scorers["targets"], r_tl, r_tr)
        if method == 2:
            r_l, r_r, r_tl, r_tr = weighed(scorers["all"], r_l, r_r, r_tl, r_tr)
        if method == 4 and not early and "contexts" in scorers:  # always with shared weights, as in the released code
            r_l, r_r = weighed(scorers["contexts"], r_l, r_r)
        if method == 4 and not early and "targets" in scorers:
            r_tl, r_tr = weighed(scorers["targets"], r_tl, r_tr)
        rows.append((a_l, a_r, a_tl, a_tr))
    if method == 1:
        r_l, r_r, r_tl, r_tr = weighed(module.levels[0].scores["all"], r_l, r_r, r_tl, r_tr)
    if method == 3:
        r_l, r_r = weighed(module.levels[0].scores["contexts"], r_l, r_r)
        r_tl, r_tr = weighed(module.levels[0].scores["targets"], r_tl, r_tr)
    return torch.as_tensor(np.concatenate([r_l, r_r, r_tl, r_tr])), rows


@pytest.mark.parametrize("n_hops", [1, 3])
@pytest.mark.parametrize(("method", "activation", "weights", "order", "scale"), CHOICES)
def test_equals_the_equations(n_hops, method, activation, weights, order, scale):
    module = Rotatory(D, n_hops, method, activation, weights, order, scale)
    for n, start, stop in ((7, 2, 5), (5, 0, 2), (5, 3, 5), (4, 1, 2), (3, 0, 3)):
        items = torch.randn(1, n, D)
        expected, rows = by_hand(module, n_hops, method, order, scale, items[0].numpy(), start, stop)
        testing.assert_close(module(items, target=span(n, start, stop))[0].detach(), expected, **close)
        _, maps = shown(module, items, target=span(n, start, stop))
        for s, (a_l, a_r, a_tl, a_tr) in enumerate(rows):
            around, within = maps["weights"].weights[s, :, 0], maps["target weights"].weights[s, :, 0]
            full = np.zeros((4, n))
            full[0, :start], full[1, stop:], full[2, start:stop], full[3, start:stop] = a_l, a_r, a_tl, a_tr
            np.testing.assert_allclose(np.concatenate([around, within]), full, rtol=1e-9, atol=1e-10)


def test_a_bias_outside_of_a_tanh_would_change_nothing():
    plain, biased = Rotatory(D, 2, 0, "none"), Rotatory(D, 2, 0, "tanh")
    biased.load_state_dict(plain.state_dict() | {k: v + 3 for k, v in biased.state_dict().items() if "bias" in k})
    items, target = torch.randn(1, 6, D), span(6, 2, 4)
    steps, _ = shown(biased, items, target=target)
    without, _ = shown(plain, items, target=target)
    unsquashed = torch.atanh(steps["scores, hop 1"])
    testing.assert_close(unsquashed - 3, without["scores, hop 1"], rtol=1e-6, atol=1e-8)
    allowed = unsquashed.masked_fill(steps["mask, hop 1"] == 0, float("-inf"))
    testing.assert_close(allowed.softmax(-1), without["weights, hop 1"], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("order", ["target_first", "context_first"])
def test_swapping_the_contexts_and_their_weights_swaps_the_outputs(method, order):
    module, mirrored = Rotatory(D, 3, method, order=order), Rotatory(D, 3, method, order=order)
    swap = {f"{kind}.{a}.": f"{kind}.{b}." for kind in ("contexts", "targets") for a, b in (("0", "1"), ("1", "0"))}
    state = {}
    for name, value in module.state_dict().items():
        old = next((part for part in swap if part in name), None)
        state[name if old is None else name.replace(old, swap[old])] = value
    mirrored.load_state_dict(state)
    left, words, right = torch.randn(1, 3, D), torch.randn(1, 2, D), torch.randn(1, 4, D)
    r_l, r_r, r_tl, r_tr = module(torch.cat([left, words, right], 1), target=span(9, 3, 5)).split(D, -1)
    found = mirrored(torch.cat([right, words, left], 1), target=span(9, 4, 6))
    testing.assert_close(found, torch.cat([r_r, r_l, r_tr, r_tl], -1), **close)


@pytest.mark.parametrize("method", [0, 1, 3])
def test_a_target_of_one_word_is_all_that_is_found_there_and_hops_repeat_themselves(method):
    module, items = Rotatory(D, 3, method, weights="shared"), torch.randn(1, 5, D)
    steps, maps = shown(module, items, target=span(5, 2, 3))
    np.testing.assert_allclose(maps["target weights"].weights[..., 2], 1)
    for s in (1, 2, 3):
        testing.assert_close(steps[f"target context, hop {s}"], items[:, 2:3].expand(2, 1, D), **close)
        testing.assert_close(steps[f"context, hop {s}"], steps["context, hop 1"], **close)
        testing.assert_close(steps[f"weights, hop {s}"], steps["weights, hop 1"], **close)


def test_hop_one_asks_with_the_pooled_target_and_later_ones_with_what_was_made_of_it():
    items, target = torch.randn(1, 7, D), span(7, 2, 5)
    steps, _ = shown(Rotatory(D, 3, 4), items, target=target)
    testing.assert_close(steps["query, hop 1"][:, 0], items[0, 2:5].mean(0).expand(2, D), **close)
    testing.assert_close(steps["query, hop 2"], steps["scaled target context, hop 1"], **close)
    testing.assert_close(steps["target query, hop 2"], steps["context, hop 2"], **close)
    steps, _ = shown(Rotatory(D, 3, 4, scale="before"), items, target=target)
    testing.assert_close(steps["target query, hop 2"], steps["scaled context, hop 2"], **close)
    steps, _ = shown(Rotatory(D, 3, 0), items, target=target)
    testing.assert_close(steps["query, hop 3"], steps["target context, hop 2"], **close)


@pytest.mark.parametrize("method", METHODS)
def test_when_it_is_scaled_matters_to_method_four_alone(method):
    after, before = Rotatory(D, 3, method), Rotatory(D, 3, method, scale="before")
    after.load_state_dict(before.state_dict(), strict=False)  # it lacks what scales vectors that nothing reads
    items, target = torch.randn(1, 6, D), span(6, 2, 4)
    assert torch.allclose(after(items, target=target), before(items, target=target)) == (method != 4)


@pytest.mark.parametrize("method", METHODS)
def test_the_first_hops_do_not_depend_on_how_many_follow(method):
    long, short = Rotatory(D, 3, method), Rotatory(D, 2, method)
    short.load_state_dict(long.state_dict(), strict=False)
    items, target = torch.randn(1, 6, D), span(6, 2, 4)
    (_, few), (_, many) = shown(short, items, target=target), shown(long, items, target=target)
    for name in ("weights", "target weights"):
        np.testing.assert_allclose(few[name].weights, many[name].weights[:2], rtol=1e-9, atol=1e-10)


@given(st.integers(1, 9), st.data())
def test_weights_sum_to_one_where_there_is_something_and_tanh_keeps_them_within_e_squared(n, data):
    start = data.draw(st.integers(0, n - 1))
    stop = data.draw(st.integers(start + 1, n))
    module, items = Rotatory(D, 2).double(), 20 * torch.randn(1, n, D, dtype=torch.float64)
    _, maps = shown(module, items, target=span(n, start, stop))
    regions = {"weights": (slice(0, start), slice(stop, n)), "target weights": (slice(start, stop),) * 2}
    for name, sides in regions.items():
        for side, region in enumerate(sides):
            weights = maps[name].weights[:, side, 0]
            inside = weights[:, region]
            np.testing.assert_allclose(weights.sum(-1), inside.sum(-1))
            if inside.shape[-1]:
                np.testing.assert_allclose(inside.sum(-1), 1)
                assert (inside.max(-1) <= np.e**2 * inside.min(-1) * (1 + 1e-9)).all()
    for name in ("hierarchical weights", "hierarchical target weights"):
        np.testing.assert_allclose(maps[name].weights.sum(-1), 1)


@pytest.mark.parametrize(("method", "activation", "weights", "order", "scale"), CHOICES)
def test_empty_contexts_are_read_as_zeros(method, activation, weights, order, scale):
    module = Rotatory(D, 2, method, activation, weights, order, scale)
    items = torch.randn(1, 4, D, requires_grad=True)
    for target, empty in (
        (span(4, 0, 2), [0]),
        (span(4, 2, 4), [1]),
        (span(4, 0, 4), [0, 1]),
        (span(4, 0, 0), range(4)),
    ):
        found = module(items, target=target)
        assert found.isfinite().all()
        for part, vector in enumerate(found[0].split(D)):
            assert bool(vector.any()) == (part not in empty), (target, part)
        found.square().sum().backward()
        assert items.grad.isfinite().all()
        assert all(p.grad is None or p.grad.isfinite().all() for p in module.parameters())


def test_words_between_target_words_belong_to_the_target():
    module, items = Rotatory(D), torch.randn(1, 6, D)
    apart = torch.tensor([[False, True, False, False, True, False]])
    testing.assert_close(module(items, target=apart), module(items, target=span(6, 1, 5)), **close)


@given(st.randoms())
def test_the_order_of_words_within_a_part_is_irrelevant(random):
    module, items = Rotatory(D).double(), torch.randn(1, 9, D, dtype=torch.float64)
    parts = [list(range(3)), list(range(3, 5)), list(range(5, 9))]
    order = [i for part in parts for i in random.sample(part, len(part))]
    testing.assert_close(module(items[:, order], target=span(9, 3, 5)), module(items, target=span(9, 3, 5)), **close)


@pytest.mark.parametrize("order", ["target_first", "context_first"])
def test_a_padded_batch_equals_each_of_its_rows_alone(order):
    module = Rotatory(D, order=order)
    long, short, padding = torch.randn(1, 7, D), torch.randn(1, 4, D), torch.randn(1, 3, D)
    items = torch.cat([long, torch.cat([short, padding], 1), torch.randn(1, 7, D)])
    mask = torch.tensor([[True] * 7, [True] * 4 + [False] * 3, [False] * 7])
    target = torch.cat([span(7, 2, 5), span(7, 1, 2), span(7, 1, 2)])
    found = module(items, mask, target=target)
    testing.assert_close(found[:1], module(long, target=span(7, 2, 5)), **close)
    testing.assert_close(found[1:2], module(short, target=span(4, 1, 2)), **close)
    assert not found[2].any()


def test_a_hole_in_the_mask_is_as_if_the_word_were_not_there():
    module, items = Rotatory(D), torch.randn(1, 9, D)
    mask, target = torch.ones(1, 9, dtype=torch.bool), span(9, 2, 5)
    mask[0, [1, 3, 7]], target[0, 7] = False, True  # a hole on each side and one in the target; one is marked
    holed = module(items, mask, target=target)
    testing.assert_close(holed, module(items[:, mask[0]], target=span(6, 1, 3)), **close)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_every_precision_runs(dtype):
    module, items = Rotatory(D).to(dtype), torch.randn(2, 5, D, dtype=dtype)
    target = span(5, 1, 2).expand(2, -1)
    found = module(items, torch.tensor([[True] * 5, [True] * 3 + [False] * 2]), target=target)
    assert found.dtype == dtype and found.isfinite().all() and found.shape == (2, module.d_out)


@pytest.mark.parametrize(("method", "activation", "weights", "order", "scale"), CHOICES)
def test_every_parameter_gets_a_gradient(method, activation, weights, order, scale):
    module = Rotatory(D, 2, method, activation, weights, order, scale)
    found = module(torch.randn(4, 8, D), target=span(8, 3, 6).expand(4, -1))
    (found * torch.randn_like(found)).sum().backward()
    assert [name for name, p in module.named_parameters() if p.grad is None or not p.grad.abs().max() > 1e-12] == []


def test_a_masked_word_is_not_found_and_a_hop_that_is_off_finds_nothing():
    items, target = torch.randn(1, 6, D), span(6, 2, 4)
    _, maps = shown(Rotatory(D), items, target=target, intervention=Intervention(masked=frozenset({0, 3})))
    for name, sums in (("weights", maps["weights"]), ("target weights", maps["target weights"])):
        assert not sums.weights[..., [0, 3]].any(), name
        np.testing.assert_allclose(sums.weights.sum(-1), 1)
    steps, _ = shown(Rotatory(D), items, target=target, intervention=Intervention(off={"hop": frozenset({2})}))
    assert not steps["output"].any() and steps["context, hop 2"].any()
    steps, _ = shown(Rotatory(D), items, target=target, intervention=Intervention(off={"side": frozenset({0})}))
    assert [bool(part.any()) for part in steps["output"].split(D)] == [False, True, False, True]


def test_the_maps_say_what_they_count():
    items, target = torch.randn(1, 6, D), span(6, 2, 4)
    kinds = {
        method: {
            name: [axis.kind for axis in found.axes]
            for name, found in shown(Rotatory(D, 2, method), items, target=target)[1].items()
        }
        for method in METHODS
    }
    read = {name: ["hop", "side", "query", "key"] for name in ("weights", "target weights")}
    names = "hierarchical weights", "hierarchical target weights"
    assert kinds == {
        0: read,
        1: read | {names[0]: ["query", "part"]},
        2: read | {names[0]: ["hop", "query", "part"]},
        3: read | {name: ["query", "side"] for name in names},
        4: read | {names[0]: ["query", "side"], names[1]: ["hop", "query", "side"]},
    }
    assert {kind: len(labels) for kind, labels in Rotatory.labels.items()} == {"side": 2, "part": 4}


@pytest.mark.parametrize(("method", "activation", "weights", "order", "scale"), CHOICES)
def test_the_registry_builds_each_choice_and_knows_a_formula_for_every_step(method, activation, weights, order, scale):
    about = get("rotatory")
    values = {"hierarchical": str(method), "activation": activation, "weights": weights, "order": order, "scale": scale}
    module = about.build(D, about.parse(values | {"n_hops": "2"}))
    steps, maps = shown(module, torch.randn(1, 4, D), target=span(4, 1, 2))
    assert maps["weights"].weights.shape == (2, 2, 1, 4)
    known = {**about.steps, **module.formulas}
    assert {name.split(",")[0] for name in steps} <= set(known)
    assert ("tanh" in known["scores"]) == (activation == "tanh")


def test_cost_counts_each_matrix_product():
    n, d = 5, 6
    read = 2 * (d * d + n * d + n * d)  # for each side W q, its product with each item, the sum
    assert cost(n, d, Options(2, 0)).multiplications == 2 * (read + read)
    pair = 2 * d + 2 * d  # w'v of two vectors, then both times their weights
    assert cost(n, d, Options(2, 1)).multiplications == 2 * (read + read) + 2 * pair
    assert cost(n, d, Options(2, 2)).multiplications == 2 * (read + read) + 2 * 4 * d + 2 * 2 * d + 2 * d
    assert cost(n, d, Options(2, 3)).multiplications == 2 * (read + read) + 2 * pair
    assert cost(n, d, Options(2, 4)).multiplications == 2 * (read + read) + 2 * pair + pair
    assert cost(n, d, Options(2, 4, scale="before")).multiplications == 2 * (read + read + 2 * pair)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hierarchical": 5}, "hierarchical method 5; choose one of 0, 1, 2, 3, 4"),
        ({"activation": "relu"}, "activation 'relu'; choose one of tanh, none"),
        ({"weights": "some"}, "weights 'some'; choose one of separate, shared"),
        ({"order": "both"}, "order 'both'; choose one of target_first, context_first"),
        ({"scale": "never"}, "time to scale 'never'; choose one of after, before"),
    ],
)
def test_unknown_choices_are_named(wrong, message):
    with pytest.raises(OptionError, match=message):
        Rotatory(D, **wrong)
