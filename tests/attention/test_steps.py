"""Every number on the screen is real: each mechanism's output can be recomputed from the steps that it shows.

For the mechanism `x` the file recompute/x.py has `output(steps, parameters)`, which does so in plain numpy.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from attnviz.attention.registry import example_sides, mechanisms
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
FOLDER = Path(__file__).parent / "recompute"
NAMES = list(mechanisms())


def run(name):
    """The module of that name in float64, its output for five items, and the steps that it showed."""
    mechanism = mechanisms()[name]
    torch.manual_seed(1)
    module = mechanism.build(16).double().eval()
    with record() as recording, torch.no_grad():
        result = module(torch.randn(1, 5, 16), **example_sides(mechanism, 5, 16))
    return module, result, recording.steps(mechanism.steps)


def recompute(name):
    """The numpy function for that mechanism."""
    path = FOLDER / f"{name}.py"
    assert path.exists(), (
        f"No one can check what {name} shows: add tests/attention/recompute/{name}.py with "
        f"output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray, in plain numpy."
    )
    spec = importlib.util.spec_from_file_location(f"recompute_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.output


@pytest.mark.parametrize("name", NAMES)
def test_output_can_be_recomputed_from_the_displayed_steps(name):
    module, _, steps = run(name)
    shown = {step.name: step.value for step in steps}
    expected = shown.pop("output")
    parameters = {key: value.detach().numpy() for key, value in module.named_parameters()}
    found = recompute(name)(shown, parameters)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_every_step_has_a_formula(name):
    _, _, steps = run(name)
    assert [step.name for step in steps if not step.formula.strip()] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_belongs_to_a_step(name):
    _, _, steps = run(name)
    shown = {step.name.split(",")[0] for step in steps}
    assert set(mechanisms()[name].steps) <= shown


@pytest.mark.parametrize("name", NAMES)
def test_forward_returns_what_the_last_steps_show(name):
    _, result, steps = run(name)
    shown = {step.name: step.value for step in steps}
    classes = mechanisms()[name].yields == "classes"
    pairs = zip(("probabilities", "output"), result, strict=True) if classes else [("output", result)]
    for step, found in pairs:
        np.testing.assert_array_equal(found[0].numpy().reshape(shown[step].shape), shown[step])


@pytest.mark.parametrize("name", NAMES)
def test_steps_have_labels_for_every_index(name):
    _, _, steps = run(name)
    for step in steps:
        assert tuple(len(axis) for axis in step.axes) == step.value.shape, step.name
        assert np.isfinite(step.value).all(), step.name


def test_no_recompute_file_without_its_mechanism():
    assert {path.stem for path in FOLDER.glob("*.py")} <= set(NAMES)
