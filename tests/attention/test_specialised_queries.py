"""Specialised queries under every option: each line has a formula in letters that are explained, and each counts."""

import itertools
import re
from dataclasses import fields

import numpy as np
import pytest
import torch

from attnviz.attention.registry import get
from attnviz.intervention import Intervention, Override
from attnviz.recording import FORMULAS, record
from attnviz.views.steps import SYMBOLS

pytestmark = pytest.mark.usefixtures("double")
D, N, T = 6, 7, 3
KEPT = {"n_hops": [2], "weights": ["separate", "own"]}  # choices that change no line


def cases(name):
    """Each combination of the options that change what is shown."""
    choices = {f.name: f.metadata["choices"] for f in fields(get(name).options)}
    few = {option: [v for v in values if v in KEPT.get(option, values)] for option, values in choices.items()}
    return [(name, dict(zip(few, values, strict=True))) for values in itertools.product(*few.values())]


CASES = [case for name in ("rotatory", "co_attention", "attention_over_attention") for case in cases(name)]


def run(name, values, intervention=None):
    """The module, what it returned for one input with padding, and its steps by name."""
    torch.manual_seed(1)
    module = get(name).build(D, get(name).options(**values)).eval()
    sides = {"query_items": torch.randn(1, T, D), "query_mask": torch.tensor([[True] * (T - 1) + [False]])}
    if name == "rotatory":
        sides = {"target": torch.tensor([[False, False, True, True, False, False, False]])}
    mask = torch.tensor([[True] * (N - 1) + [False]])
    with record(intervention) as heard, torch.no_grad():
        found = module(torch.randn(1, N, D), mask, **sides)
    return module, found, {step.name: step.value for step in heard.steps({})}


def changed(step, value, by):
    """Every number of a step changed, each by another amount: the same for all would go unseen by a softmax."""
    overrides = (Override(step, at, float(value[at]) + k * by) for k, at in enumerate(np.ndindex(value.shape), 1))
    return Intervention(overrides=tuple(overrides))


@pytest.mark.parametrize(("name", "values"), CASES)
def test_every_line_has_a_formula_in_letters_that_are_explained(name, values):
    module, _, steps = run(name, values)
    formulas = FORMULAS | get(name).steps | module.formulas
    letters = set(SYMBOLS) | set(get(name).symbols)
    for step in steps:
        formula = formulas[step.split(",")[0]]
        bare = re.sub(r"\\(text|mathrm)\{[^}]*\}|\\[A-Za-z]+|_[A-Z]", " ", formula)
        assert set(re.findall(r"[A-Za-z]", bare)) <= letters, formula


@pytest.mark.parametrize(("name", "values"), CASES)
def test_every_line_counts_and_its_own_number_changes_nothing(name, values):
    _, found, steps = run(name, values)
    for step, value in steps.items():
        if value.dtype != bool:
            _, other, _ = run(name, values, changed(step, value, 0.1))
            assert not torch.equal(other, found), f"{step} is shown, and nothing follows from it"
            _, same, again = run(name, values, changed(step, value, 0.0))
            assert torch.equal(same, found) and list(again) == list(steps)
