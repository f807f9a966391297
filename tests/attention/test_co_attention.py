"""Co-attention in its four forms against the equations in numpy, and what each of them implies."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing

from attnviz.attention.co_attention import FORMS, CoAttention, Options, cost
from attnviz.attention.registry import get
from attnviz.errors import OptionError
from attnviz.intervention import Intervention
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D, N, T = 6, 5, 3
CHOICES = list(itertools.product(FORMS, ["tanh", "none"], ["own", "shared"], ["tanh", "none"]))
WITH_AFFINITY = ("parallel", "max_pooled")


def shown(module, *inputs, intervention=None, **sides):
    """The steps of the first of the batch by name, and the maps by name."""
    with record(intervention) as recording, torch.no_grad():
        module(*inputs, **sides)
    steps = {step.name: torch.as_tensor(step.value) for step in recording.steps({})}
    return steps, {found.name: found for found in recording.maps()}


def softmax(scores):
    powers = np.exp(np.asarray(scores))
    return powers / powers.sum()


def parallel(own, items, query_items, options):
    w_c, w_f, w_q = own["affinity.weight"], own["items.weight"], own["query_items.weight"]
    c = np.array([[q @ w_c @ f for f in items] for q in query_items])
    c = np.tanh(c) if options.affinity == "tanh" else c
    h = [np.tanh(w_f @ f + sum(c[i, j] * (w_q @ q) for i, q in enumerate(query_items))) for j, f in enumerate(items)]
    g = [np.tanh(w_q @ q + sum(c[i, j] * (w_f @ f) for j, f in enumerate(items))) for i, q in enumerate(query_items)]
    a = softmax([own["weigh_item.weight"][0] @ hidden for hidden in h])
    b = softmax([own["weigh_query_item.weight"][0] @ hidden for hidden in g])
    return {"affinity": c, "weights": a, "query weights": b}


def alternating(own, items, query_items, options):
    w_3, b_3, g_3 = own["third.from_key.weight"], own["third.from_query.bias"], own["third.from_query.weight"]
    last = own["third.weigh.weight"][0]
    if options.weights == "own":
        w_1, b_1, first = own["first.0.weight"], own["first.0.bias"], own["first.2.weight"][0]
    else:
        w_1, b_1, first = w_3, b_3, last
    alone = softmax([first @ np.tanh(w_1 @ q + b_1) for q in query_items])
    s = alone @ query_items
    w_2, b_2, g_2 = own["second.from_key.weight"], own["second.from_query.bias"], own["second.from_query.weight"]
    a = softmax([own["second.weigh.weight"][0] @ np.tanh(w_2 @ f + g_2 @ s + b_2) for f in items])
    b = softmax([last @ np.tanh(w_3 @ q + g_3 @ (a @ items) + b_3) for q in query_items])
    return {"first query weights": alone, "weights": a, "query weights": b}


def interactive(own, items, query_items, options):
    def asked(name, rows, query):
        scores = [row @ own[f"{name}.transform.weight"] @ query for row in rows]
        return softmax(np.tanh(np.array(scores) + own[f"{name}.bias"]) if options.activation == "tanh" else scores)

    a = asked("score_items", items, query_items.mean(0))
    return {"weights": a, "query weights": asked("score_query_items", query_items, items.mean(0))}


def max_pooled(own, items, query_items, options):
    c = [[own["affinity.weight"][0] @ np.concatenate([f, q, f * q]) for f in items] for q in query_items]
    return {"affinity": np.array(c), "weights": softmax(np.max(c, 0)), "query weights": softmax(np.max(c, 1))}


BY_HAND = {"parallel": parallel, "alternating": alternating, "interactive": interactive, "max_pooled": max_pooled}


@pytest.mark.parametrize(("form", "affinity", "weights", "activation"), CHOICES)
def test_equals_the_equations(form, affinity, weights, activation):
    options = Options(form, affinity, weights, activation)
    module, items, query_items = CoAttention(D, form, affinity, weights, activation), *both_sides()
    f, q = items[0].numpy(), query_items[0].numpy()
    own = {name.removeprefix("form."): value.detach().numpy() for name, value in module.named_parameters()}
    expected = BY_HAND[form](own, f, q, options)
    _, maps = shown(module, items, query_items=query_items)
    assert set(maps) == set(expected)
    for name, value in expected.items():
        found = maps[name].weights
        np.testing.assert_allclose(found, value.reshape(found.shape), rtol=1e-9, atol=1e-10, err_msg=name)
    contexts = torch.as_tensor(np.concatenate([expected["query weights"] @ q, expected["weights"] @ f]))
    testing.assert_close(module(items, query_items=query_items)[0].detach(), contexts, **close)


def both_sides(batch=1):
    return torch.randn(batch, N, D), torch.randn(batch, T, D)


@pytest.mark.parametrize("affinity", ["tanh", "none"])
def test_swapping_the_sides_and_their_weights_transposes_the_affinity_and_swaps_the_outputs(affinity):
    module, other, items, query_items = (
        CoAttention(D, "parallel", affinity),
        CoAttention(D, "parallel", affinity),
        *both_sides(),
    )
    state = module.state_dict()
    swap = {
        "items": "query_items",
        "query_items": "items",
        "weigh_item": "weigh_query_item",
        "weigh_query_item": "weigh_item",
    }
    swapped = {f"form.{new}.weight": state[f"form.{old}.weight"] for old, new in swap.items()}
    other.load_state_dict(swapped | {"form.affinity.weight": state["form.affinity.weight"].T})
    one, _ = shown(module, items, query_items=query_items)
    two, _ = shown(other, query_items, query_items=items)
    testing.assert_close(two["affinity"], one["affinity"].T, **close)
    testing.assert_close(two["output"], one["output"].roll(D), **close)


def test_without_an_affinity_each_side_is_asked_nothing():
    module, items, query_items = CoAttention(D), *both_sides()
    with torch.no_grad():
        module.form.affinity.weight.zero_()
    own = {name: value.detach() for name, value in module.form.named_parameters()}
    a = (torch.tanh(items @ own["items.weight"].T) @ own["weigh_item.weight"].T).softmax(1)
    b = (torch.tanh(query_items @ own["query_items.weight"].T) @ own["weigh_query_item.weight"].T).softmax(1)
    constant = torch.cat([(b * query_items).sum(1), (a * items).sum(1)], -1)
    testing.assert_close(module(items, query_items=query_items).detach(), constant, **close)


def test_the_tanh_bounds_the_affinity_and_without_it_the_numbers_differ():
    with_tanh, without, items, query_items = CoAttention(D), CoAttention(D, affinity="none"), *both_sides()
    without.load_state_dict(with_tanh.state_dict())
    squashed, plain = (shown(m, items, query_items=query_items)[0] for m in (with_tanh, without))
    assert squashed["affinity"].abs().max() < 1 < plain["affinity"].abs().max()
    testing.assert_close(plain["affinity"].tanh(), squashed["affinity"], **close)
    assert (plain["weights"] - squashed["weights"]).abs().max() > 1e-3


def test_alternating_starts_without_a_question_and_ends_with_what_was_found():
    module, (items, query_items) = CoAttention(D, "alternating"), both_sides()
    before, _ = shown(module, items, query_items=query_items)
    after, _ = shown(module, torch.randn(1, N, D), query_items=query_items)
    testing.assert_close(after["first query weights"], before["first query weights"], **close)
    assert (after["query weights"] - before["query weights"]).abs().max() > 1e-6


def test_shared_weights_are_own_ones_that_are_copies():
    own, shared, (items, query_items) = (
        CoAttention(D, "alternating"),
        CoAttention(D, "alternating", weights="shared"),
        both_sides(),
    )
    state = shared.state_dict()
    copies = {
        "form.first.0.weight": state["form.third.from_key.weight"],
        "form.first.0.bias": state["form.third.from_query.bias"],
        "form.first.2.weight": state["form.third.weigh.weight"],
    }
    own.load_state_dict(state | copies)
    testing.assert_close(own(items, query_items=query_items), shared(items, query_items=query_items), **close)


def test_interactive_knows_of_the_other_side_its_mean_alone():
    module, (items, query_items) = CoAttention(D, "interactive"), both_sides()
    shift = torch.randn(1, T, D)
    moved = query_items + shift - shift.mean(1, keepdim=True)
    before, _ = shown(module, items, query_items=query_items)
    after, _ = shown(module, items, query_items=moved)
    testing.assert_close(after["weights"], before["weights"], **close)
    assert (after["query weights"] - before["query weights"]).abs().max() > 1e-6
    before, _ = shown(module, items, query_items=query_items)
    assert (before["scores"].abs() < 1).all()


def test_max_pooled_scores_are_the_best_of_each_row_and_column():
    steps, _ = shown(CoAttention(D, "max_pooled"), both_sides()[0], query_items=both_sides()[1])
    testing.assert_close(steps["scores"][0], steps["affinity"].amax(0), **close)
    testing.assert_close(steps["query weights scores"][0], steps["affinity"].amax(1), **close)


def test_padding_is_nobodys_best_match_even_where_all_others_are_bad():
    module, sides = CoAttention(D, "max_pooled"), [side.abs() for side in both_sides()]
    with torch.no_grad():
        module.form.affinity.weight.fill_(-1.0)
    masks = torch.tensor([[True] * 3 + [False] * 2]), torch.tensor([[True] * 2 + [False]])
    steps, _ = shown(module, sides[0], masks[0], query_items=sides[1], query_mask=masks[1])
    real = steps["affinity"][:2, :3]
    assert (real < 0).all()
    testing.assert_close(steps["scores"][0, :3], real.amax(0), **close)
    testing.assert_close(steps["query weights scores"][0, :2], real.amax(1), **close)


@pytest.mark.parametrize("form", FORMS)
def test_distributions_sum_to_one_and_the_affinity_claims_no_such_thing(form):
    _, maps = shown(CoAttention(D, form), both_sides()[0], query_items=both_sides()[1])
    for name, found in maps.items():
        if name == "affinity":
            assert found.normalised is None and [axis.kind for axis in found.axes] == ["query_item", "key"]
            continue
        assert [axis.kind for axis in found.axes] == ["query", "key" if name == "weights" else "query_item"]
        np.testing.assert_allclose(found.weights.sum(-1), 1)
    assert ("affinity" in maps) == (form in WITH_AFFINITY)
    assert ("first query weights" in maps) == (form == "alternating")
    assert next(iter(maps)) == "weights"


@given(st.sampled_from(list(FORMS)), st.integers(1, 6), st.integers(1, 4), st.randoms())
def test_the_order_on_either_side_is_irrelevant_and_contexts_are_averages(form, n, t, random):
    module = CoAttention(D, form).double()
    items, query_items = torch.randn(1, n, D, dtype=torch.float64), torch.randn(1, t, D, dtype=torch.float64)
    found = module(items, query_items=query_items)
    mixed = items[:, random.sample(range(n), n)], query_items[:, random.sample(range(t), t)]
    testing.assert_close(module(mixed[0], query_items=mixed[1]), found, **close)
    for side, context in zip((query_items, items), found.split(D, -1), strict=True):
        assert (context <= side.amax(1) + 1e-9).all() and (context >= side.amin(1) - 1e-9).all()


@pytest.mark.parametrize(("form", "affinity", "weights", "activation"), CHOICES)
def test_a_padded_batch_equals_each_of_its_rows_alone(form, affinity, weights, activation):
    module = CoAttention(D, form, affinity, weights, activation)
    items, query_items = both_sides(3)
    mask = torch.tensor([[True] * 5, [True, False, True, False, False], [True] * 5])
    query_mask = torch.tensor([[True] * 3, [True] * 3, [False, True, True]])
    found = module(items, mask, query_items=query_items, query_mask=query_mask)
    for row, (some, asking) in enumerate(zip(mask, query_mask, strict=True)):
        alone = module(items[row : row + 1, some], query_items=query_items[row : row + 1, asking])
        testing.assert_close(found[row : row + 1], alone, **close)
    _, maps = shown(module, items[1:2], mask[1:2], query_items=query_items[1:2], query_mask=query_mask[2:3])
    for name, seen in maps.items():
        if seen.axes[-1].kind == "key":
            assert not seen.weights[..., ~mask[1].numpy()].any(), name
        for dim in (-1, -2):
            if seen.axes[dim].kind == "query_item":
                assert not np.take(seen.weights, 0, dim).any(), name
    only_items = module(items, mask, query_items=query_items)
    testing.assert_close(only_items[1:2], module(items[1:2, mask[1]], query_items=query_items[1:2]), **close)
    only_query = module(items, query_items=query_items, query_mask=query_mask)
    testing.assert_close(only_query[2:], module(items[2:], query_items=query_items[2:, 1:]), **close)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("empty", ["items", "query_items", "both"])
def test_an_empty_side_is_zeros_and_everything_stays_finite(form, empty):
    module, (items, query_items) = CoAttention(D, form), both_sides(2)
    items.requires_grad_()
    mask, query_mask = torch.ones(2, N, dtype=torch.bool), torch.ones(2, T, dtype=torch.bool)
    mask[1], query_mask[1] = empty == "query_items", empty == "items"
    found = module(items, mask, query_items=query_items, query_mask=query_mask)
    of_query, of_items = found[1].split(D)
    assert found.isfinite().all() and of_query.any() == query_mask[1].any() and of_items.any() == mask[1].any()
    found.square().sum().backward()
    assert items.grad.isfinite().all() and all(p.grad.isfinite().all() for p in module.parameters())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_every_precision_runs(form, dtype):
    module, sides = CoAttention(D, form).to(dtype), [side.to(dtype) for side in both_sides(2)]
    masks = torch.tensor([[True] * N, [True] * 3 + [False] * 2]), torch.tensor([[True] * T, [False] * T])
    found = module(sides[0], masks[0], query_items=sides[1], query_mask=masks[1])
    assert found.dtype == dtype and found.isfinite().all() and found.shape == (2, module.d_out)


@pytest.mark.parametrize(("form", "affinity", "weights", "activation"), CHOICES)
def test_every_parameter_gets_a_gradient(form, affinity, weights, activation):
    module = CoAttention(D, form, affinity, weights, activation)
    items, query_items = both_sides(4)
    found = module(items, query_items=query_items)
    (found * torch.randn_like(found)).sum().backward()
    silent = [name for name, p in module.named_parameters() if p.grad is None or not p.grad.abs().max() > 1e-12]
    assert silent == []


@pytest.mark.parametrize("form", FORMS)
def test_a_hidden_item_gets_no_weight(form):
    items, query_items = both_sides()
    hidden = Intervention(masked=frozenset({2}))
    _, maps = shown(CoAttention(D, form), items, query_items=query_items, intervention=hidden)
    assert not maps["weights"].weights[..., 2].any()
    np.testing.assert_allclose(maps["weights"].weights.sum(-1), 1)
    np.testing.assert_allclose(maps["query weights"].weights.sum(-1), 1)


@pytest.mark.parametrize(("form", "affinity", "weights", "activation"), CHOICES)
def test_the_registry_builds_each_choice_and_knows_a_formula_for_every_step(form, affinity, weights, activation):
    about = get("co_attention")
    values = {"form": form, "affinity": affinity, "weights": weights, "activation": activation}
    module, (items, query_items) = about.build(D, about.parse(values)), both_sides()
    query_mask = torch.ones(1, T, dtype=torch.bool)
    steps, _ = shown(module, items, query_items=query_items, query_mask=query_mask)
    known = {**about.steps, **module.formulas}
    assert set(steps) <= set(known)
    if form == "parallel":
        assert ("tanh" in known["affinity"]) == (affinity == "tanh")
    if form == "interactive":
        assert ("tanh" in known["scores"]) == (activation == "tanh")
    if form == "alternating":
        assert ("W_1" in known["query weights scores"]) == (weights == "shared")


def test_cost_counts_each_matrix_product():
    n, d = 5, 6
    sums = 2 * n * d
    assert cost(n, d, Options("interactive")).multiplications == 2 * (d * d + n * d) + sums
    assert cost(n, d, Options("alternating")).multiplications == 3 * (n * d * d + n * d) + 2 * d * d + n * d + sums
    assert cost(n, d, Options("max_pooled")).multiplications == 2 * n * d + n * d + n * n * d + sums
    assert cost(n, d, Options("parallel")).multiplications == 3 * n * d * d + 3 * n * n * d + 2 * n * d + sums
    assert cost(n, d, Options("parallel")).memory > cost(n, d, Options("interactive")).memory


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"form": "serial"}, "'serial'; choose one of parallel, alternating, interactive, max_pooled"),
        ({"affinity": "relu"}, "activation of the affinity 'relu'; choose one of tanh, none"),
        ({"weights": "some"}, "weights 'some'; choose one of own, shared"),
        ({"activation": "relu"}, "activation 'relu'; choose one of tanh, none"),
    ],
)
def test_unknown_choices_are_named(wrong, message):
    with pytest.raises(OptionError, match=message):
        CoAttention(D, **wrong)
