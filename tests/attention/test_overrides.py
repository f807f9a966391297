"""Any number of any step can be set by hand: the step shows it, what came before stays, what comes after follows."""

from functools import lru_cache

import numpy as np
import pytest
import torch

from attnviz.attention.registry import example_sides, mechanisms
from attnviz.intervention import Intervention, Override
from attnviz.recording import record
from attnviz.tasks.classifier import STEPS, Classifier

NAMES = [name for name, spec in mechanisms().items() if spec.yields != "states"]  # a decoder is no classifier
# What asks by a target has a mask of its own for each side, and scores outside of it do not count; see
# test_specialised_queries.py.
WITHOUT_SIDES = [name for name in NAMES if "target" not in mechanisms()[name].asks]
FOR_DISPLAY = {  # steps that nothing is computed from, and why they are shown
    "capsule": {
        "output": "the capsule itself, which the losses compare",
        "mean": "what the losses compare capsules with",
        "similarities": "what the losses look at",
    },
    "multi_head_capsule": {
        "output": "the capsule itself, which the losses compare",
        "mean": "what the losses compare capsules with",
        "similarities": "what the losses look at",
    },
    "hierarchical_capsule": {"influence": "the product of two levels of couplings"},
}


def run(name, intervention=None, seed=1):
    """The steps by name, and the probabilities, of a small classifier on six items; two of the keys are masked."""
    torch.manual_seed(seed)
    spec = mechanisms()[name]
    model = Classifier(spec, spec.options(), 16, 3).double().eval()
    sides = {side: t.double() if t.is_floating_point() else t for side, t in example_sides(spec, 6, 16).items()}
    with record(intervention) as recording, torch.no_grad():
        found = model(torch.randn(1, 6, 16, dtype=torch.float64), **sides)
    return {step.name: step.value for step in recording.steps(STEPS)}, found.probabilities[0].numpy()


@lru_cache
def plain(name):
    """The same with nothing changed."""
    return run(name)


def of(step, value, by):
    """An override of the number of largest size, which matters most, by `by`."""
    at = np.unravel_index(np.abs(value).argmax(), value.shape)
    number = float(value[at]) + by
    return Override(step, tuple(map(int, at)), float(not by) if value.dtype == bool else number), at


@pytest.mark.parametrize("name", NAMES)
def test_a_number_set_to_itself_changes_nothing(name):
    steps, probabilities = plain(name)
    for step in steps:
        override, _ = of(step, steps[step], 0.0)
        found, same = run(name, Intervention(overrides=(override,)))
        assert list(found) == list(steps)
        for other in steps:
            np.testing.assert_array_equal(found[other], steps[other], err_msg=f"{step} changed {other}")
        np.testing.assert_array_equal(same, probabilities)


@pytest.mark.parametrize("name", NAMES)
def test_another_number_is_shown_and_only_what_follows_moves(name):
    steps, _ = plain(name)
    for position, step in enumerate(steps):
        override, at = of(step, steps[step], 0.75)
        found, _ = run(name, Intervention(overrides=(override,)))
        for before in list(steps)[:position]:
            np.testing.assert_array_equal(found[before], steps[before], err_msg=f"{step} changed {before}")
        expected = steps[step].copy()
        expected[at] = override.value
        np.testing.assert_array_equal(found[step], expected, err_msg=step)
        assert all(np.isfinite(value).all() for value in found.values()), step


@pytest.mark.parametrize("name", WITHOUT_SIDES)
def test_every_step_matters_but_those_that_are_only_shown(name):
    steps, probabilities = plain(name)
    idle = set()
    for step in steps:
        override, _ = of(step, steps[step], 0.75)
        if np.array_equal(run(name, Intervention(overrides=(override,)))[1], probabilities):
            idle.add(step)
    assert idle == set(FOR_DISPLAY.get(name, {}))


@pytest.mark.parametrize("name", WITHOUT_SIDES)
def test_a_mask_can_be_opened_again(name):
    steps, _ = plain(name)
    masked, _ = run(name, Intervention(masked=frozenset({1})))
    mask = next(step for step in masked if step.split(",")[0].endswith("mask"))
    weights = next(name for name in (mask.replace("mask", "weights"), mask.replace(" mask", "")) if name in masked)
    closed = np.argwhere(~masked[mask])
    opened = tuple(Override(mask, tuple(map(int, at)), 1.0) for at in closed)
    found, _ = run(name, Intervention(masked=frozenset({1}), overrides=opened))
    assert not masked[mask][..., 1].any() and found[mask].all()
    np.testing.assert_allclose(found[weights], steps[weights], rtol=1e-12)


def test_a_score_that_is_set_moves_the_weights_as_softmax_says():
    steps, _ = plain("multi_head")
    found, _ = run("multi_head", Intervention(overrides=(Override("scores", (2, 0, 3), 1.25),)))
    scores = steps["scores"][2, 0].copy()
    scores[3] = 1.25
    powers = np.exp(scores - scores.max())
    np.testing.assert_allclose(found["weights"][2, 0], powers / powers.sum(), rtol=1e-12)
    others = [head for head in range(len(steps["weights"])) if head != 2]
    np.testing.assert_array_equal(found["weights"][others], steps["weights"][others])


def test_a_weight_that_is_set_stays_as_it_is_and_the_others_do_not_move():
    steps, _ = plain("self_attention")
    found, _ = run("self_attention", Intervention(overrides=(Override("weights", (1, 2), 0.9),)))
    row = steps["weights"][1].copy()
    row[2] = 0.9
    np.testing.assert_array_equal(found["weights"][1], row)
    np.testing.assert_allclose(found["context"][1], row @ steps["values"], rtol=1e-12)


@pytest.mark.parametrize("at", [(0,), (9, 0, 0), (0, 0, 0, 0), ()])
def test_a_place_that_does_not_exist_is_passed_over(at):
    steps, probabilities = plain("multi_head")
    found, same = run("multi_head", Intervention(overrides=(Override("scores", at, 5.0), Override("nothing", at, 5.0))))
    np.testing.assert_array_equal(same, probabilities)
