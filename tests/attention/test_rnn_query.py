"""Decoders that ask with their state, against the equations in numpy: which state it is that asks is what matters."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn, testing

from attnviz.attention.registry import get
from attnviz.attention.rnn_query import FORMS, FORMULAS, Options, RNNQuery, cost
from attnviz.errors import OptionError
from attnviz.intervention import Edit, Intervention, Override
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D, D_INPUT, N, T = 6, 4, 5, 3


def decoder(form="bahdanau"):
    return RNNQuery(D, form, D_INPUT)


def shown(module, items, inputs, mask=None, intervention=None):
    """The output, the steps of the first of the batch by name, and the maps by name."""
    with record(intervention) as recording, torch.no_grad():
        found = module(items, mask, inputs=inputs)
    steps = {step.name: step.value for step in recording.steps({})}
    return found, steps, {m.name: m for m in recording.maps()}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru(cell, x, h):
    """torch's published equations: r, z, n, then h' = (1 - z) n + z h."""
    w_i, w_h, b_i, b_h = (
        p.detach().numpy().reshape(3, D, -1) for p in (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
    )
    r = sigmoid(w_i[0] @ x + b_i[0, :, 0] + w_h[0] @ h + b_h[0, :, 0])
    z = sigmoid(w_i[1] @ x + b_i[1, :, 0] + w_h[1] @ h + b_h[1, :, 0])
    n = np.tanh(w_i[2] @ x + b_i[2, :, 0] + r * (w_h[2] @ h + b_h[2, :, 0]))
    return (1 - z) * n + z * h


def by_hand(module, items, inputs):
    """Attended states and weights of one sentence, from the papers' equations."""
    weight = {name: p.detach().numpy() for name, p in module.named_parameters()}
    hidden = np.tanh(weight["first.weight"] @ items.mean(0) + weight["first.bias"])
    attended, states, rows = np.zeros(D), [], []
    for y in inputs:
        if module.form == "luong":  # the cell first, with the attended state of the word before; then the question
            hidden = gru(module.cell, np.concatenate([y, attended]), hidden)
            weights = softmax([hidden @ (weight["keys.weight"] @ item) for item in items])
            context = weights @ items
        else:
            context = items.mean(0)
            if module.form == "bahdanau":  # the state of the word before asks
                asked = weight["query.weight"] @ hidden + weight["query.bias"]
                energy = [weight["weigh.weight"][0] @ np.tanh(asked + weight["keys.weight"] @ item) for item in items]
                weights = softmax(energy)
                context = weights @ items
            hidden = gru(module.cell, np.concatenate([y, context]), hidden)
        rows.append(None if module.form == "none" else weights)
        attended = np.tanh(weight["combine.weight"] @ np.concatenate([context, hidden]) + weight["combine.bias"])
        states.append(attended)
    return np.stack(states), rows


def softmax(scores):
    powers = np.exp(np.array(scores) - np.max(scores))
    return powers / powers.sum()


@pytest.mark.parametrize("form", FORMS)
def test_equals_the_equations(form):
    module, items, inputs = decoder(form), torch.randn(1, N, D), torch.randn(1, T, D_INPUT)
    found, _, maps = shown(module, items, inputs)
    states, rows = by_hand(module, items[0].numpy(), inputs[0].numpy())
    np.testing.assert_allclose(found[0], states, rtol=1e-9, atol=1e-10)
    if form == "none":
        assert maps == {}
    else:
        np.testing.assert_allclose(maps["weights"].weights, np.stack(rows), rtol=1e-9, atol=1e-10)
        assert [axis.kind for axis in maps["weights"].axes] == ["word", "key"]


def test_bahdanau_asks_with_the_state_before_the_word_and_luong_with_the_state_after_it():
    items, inputs = torch.randn(1, N, D), torch.randn(1, T, D_INPUT)
    _, steps, _ = shown(decoder("bahdanau"), items, inputs)
    np.testing.assert_array_equal(steps["query, word 1"], steps["first state"])
    for t in range(2, T + 1):
        np.testing.assert_array_equal(steps[f"query, word {t}"], steps[f"state, word {t - 1}"])
    _, steps, _ = shown(decoder("luong"), items, inputs)
    for t in range(1, T + 1):
        np.testing.assert_array_equal(steps[f"query, word {t}"], steps[f"state, word {t}"])


@pytest.mark.parametrize(("form", "first"), [("bahdanau", 1), ("luong", 0)])
def test_a_word_moves_the_weights_of_its_own_turn_only_if_it_is_read_before_asking(form, first):
    module, items, inputs = decoder(form), torch.randn(1, N, D), torch.randn(1, T, D_INPUT)
    other = torch.cat([torch.randn(1, 1, D_INPUT), inputs[:, 1:]], 1)
    (_, _, before), (_, _, after) = (shown(module, items, x) for x in (inputs, other))
    moved = [not np.allclose(a, b) for a, b in zip(before["weights"].weights, after["weights"].weights, strict=True)]
    assert moved == [t >= first for t in range(T)]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_said_later_does_not_change_what_was_said(form):
    module, items, inputs = decoder(form), torch.randn(2, N, D), torch.randn(2, T, D_INPUT)
    testing.assert_close(module(items, inputs=inputs[:, :2]), module(items, inputs=inputs)[:, :2], **close)


@pytest.mark.parametrize("form", FORMS)
def test_step_by_step_is_teacher_forcing(form):
    module, items, inputs = decoder(form), torch.randn(2, N, D), torch.randn(2, T, D_INPUT)
    source, state = module.start(items)
    together = module(items, inputs=inputs)
    for t in range(T):
        state = module.step(inputs[:, t], state, source)
        testing.assert_close(state.attended, together[:, t], **close)


def test_the_cell_is_torchs():
    module, items, inputs = decoder("none"), torch.randn(1, N, D), torch.randn(1, 1, D_INPUT)
    cell = nn.GRUCell(D_INPUT + D, D)
    cell.load_state_dict(module.cell.state_dict())
    _, steps, _ = shown(module, items, inputs)
    with torch.no_grad():
        expected = cell(torch.cat([inputs[:, 0], items.mean(1)], -1), torch.as_tensor(steps["first state"])[None])
    np.testing.assert_allclose(steps["state, word 1"], expected[0], rtol=1e-9, atol=1e-10)


@given(st.integers(1, 6), st.integers(1, 4), st.sampled_from(FORMS), st.randoms())
def test_the_order_of_the_items_is_irrelevant(n, n_words, form, random):
    module = decoder(form).double()
    items, inputs = (torch.randn(1, *size, dtype=torch.float64) for size in ((n, D), (n_words, D_INPUT)))
    order = random.sample(range(n), n)
    found, _, maps = shown(module, items, inputs)
    after, _, permuted = shown(module, items[:, order], inputs)
    testing.assert_close(after, found, **close)
    for name in maps:
        np.testing.assert_allclose(permuted[name].weights, maps[name].weights[:, order], rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(maps[name].weights.sum(-1), 1, rtol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_padding_changes_nothing_and_nothing_real_gives_numbers(form):
    module, items, inputs = decoder(form), torch.randn(1, 3, D), torch.randn(1, T, D_INPUT)
    padded = torch.cat([items, torch.full((1, 2, D), 7.0)], 1)
    mask = torch.tensor([[True] * 3 + [False] * 2])
    testing.assert_close(module(padded, mask, inputs=inputs), module(items, inputs=inputs), **close)
    found, _, maps = shown(module, padded, inputs, torch.zeros(1, 5, dtype=torch.bool))
    assert found.isfinite().all()
    assert all(not m.weights.any() for m in maps.values())


@pytest.mark.parametrize("form", ["bahdanau", "luong"])
def test_a_weight_set_by_hand_moves_its_word_and_what_follows(form):
    module, items, inputs = decoder(form), torch.randn(1, N, D), torch.randn(1, T, D_INPUT)
    plain, _, before = shown(module, items, inputs)
    edited, _, after = shown(module, items, inputs, intervention=Intervention(edits=(Edit("weights", (1, 2), 1.0),)))
    np.testing.assert_allclose(after["weights"].weights[1], np.eye(N)[2], atol=1e-12)
    np.testing.assert_array_equal(after["weights"].weights[0], before["weights"].weights[0])
    testing.assert_close(edited[:, 0], plain[:, 0], rtol=0, atol=0)
    assert not torch.allclose(edited[:, 1], plain[:, 1]) and not torch.allclose(edited[:, 2], plain[:, 2])


def test_a_word_that_is_off_finds_nothing():
    _, steps, _ = shown(
        decoder(), torch.randn(1, N, D), torch.randn(1, T, D_INPUT), None, Intervention(off={"word": frozenset({1})})
    )
    assert not steps["context, word 2"].any() and steps["context, word 1"].any()


@pytest.mark.parametrize("form", FORMS)
def test_every_number_shown_counts(form):
    module, items, inputs = decoder(form), torch.randn(1, N, D), torch.randn(1, T, D_INPUT)
    plain, steps, _ = shown(module, items, inputs)
    for name, value in steps.items():
        at = tuple(map(int, np.unravel_index(np.abs(value).argmax(), value.shape)))
        override = Override(name, at, float(value[at]) + 0.75)
        found, _, _ = shown(module, items, inputs, intervention=Intervention(overrides=(override,)))
        assert not torch.equal(found, plain), name


@pytest.mark.parametrize("form", FORMS)
def test_the_formulas_are_those_of_the_form(form):
    module = decoder(form)
    _, steps, _ = shown(module, torch.randn(1, N, D), torch.randn(1, T, D_INPUT))
    assert module.formulas == FORMULAS[form]
    assert {name.split(",")[0] for name in steps} == set(module.formulas)


@pytest.mark.parametrize("form", FORMS)
def test_every_parameter_learns(form):
    module = decoder(form)
    module(torch.randn(2, N, D), inputs=torch.randn(2, T, D_INPUT)).square().sum().backward()
    assert [name for name, p in module.named_parameters() if not (p.grad.isfinite().all() and p.grad.any())] == []


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("form", FORMS)
def test_other_precisions_run(form, dtype):
    found = decoder(form).to(dtype)(torch.randn(2, N, D, dtype=dtype), inputs=torch.randn(2, T, D_INPUT, dtype=dtype))
    assert found.dtype == dtype and found.isfinite().all()


def test_unknown_forms_are_named_and_the_registry_builds_the_others():
    with pytest.raises(OptionError, match="'both'; choose one of bahdanau, luong, none"):
        RNNQuery(D, "both")
    spec = get("rnn_query")
    for form in FORMS:
        assert spec.build(D, spec.parse({"form": form}), d_input=D_INPUT).cell.input_size == D + D_INPUT
    assert spec.build(D).cell.input_size == 2 * D


def test_cost_counts_each_matrix_product():
    n, d = 5, 6
    cell, combine = 3 * d * (d + d) + 3 * d * d, 2 * d * d
    assert cost(n, d, Options("none")).multiplications == n * (cell + combine)
    assert cost(n, d, Options("luong")).multiplications == n * d * d + n * (cell + combine + n * d + n * d)
    assert cost(n, d, Options()).multiplications == n * d * d + n * (cell + combine + d * d + n * d + n * d)
