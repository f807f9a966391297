"""From the first displayed line to the last, with trained weights, also after a number of the first line was edited."""

import copy

import numpy as np
import pytest
import torch

from attnviz.attention.registry import mechanisms
from attnviz.intervention import Intervention, Override
from attnviz.recording import record
from attnviz.tasks.classifier import STEPS
from attnviz.zoo import models
from tests.attention.test_steps import recompute
from tests.helpers import mechanisms_for

SENTENCE = "Which city has the oldest university in Europe ?"
EDITED = Intervention(overrides=(Override("features", (3, 7), 2.5), Override("features", (0, 0), -1.0)))
NAMES = mechanisms_for("trec")


def displayed(name, intervention):
    """The classifier in float64, and the value of each step that it shows, by name."""
    model = models.load("trec", name)
    items = models.encode_text("trec", SENTENCE).items.double()
    classifier = copy.deepcopy(model.output).double()
    with record(intervention) as heard, torch.inference_mode():
        classifier(items)
    return classifier, {step.name: step.value for step in heard.steps(STEPS)}


def _check_projections(name, module, shown):
    """Keys and values are the features times a matrix, head by head."""
    inner = getattr(module, "attention", module)
    for step in ("keys", "values"):
        linear = getattr(inner, step, None)
        if not isinstance(linear, torch.nn.Linear) or name == "structured":  # its recompute file checks its own keys
            continue
        expected = shown["features"] @ linear.weight.detach().numpy().T
        expected = expected if linear.bias is None else expected + linear.bias.detach().numpy()
        heads = shown[step].reshape(-1, len(expected), shown[step].shape[-1])
        np.testing.assert_allclose(np.concatenate(list(heads), axis=-1), expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("intervention", [Intervention(), EDITED], ids=["as it is", "edited"])
@pytest.mark.parametrize("name", NAMES)
def test_the_last_line_follows_from_the_first(name, intervention):
    classifier, shown = displayed(name, intervention)
    first = "items" if "items" in shown else "values" if name in ("capsule", "multi_hop", "structured") else None
    if first is not None:
        np.testing.assert_array_equal(shown[first], shown["features"])
    _check_projections(name, classifier.attention, shown)
    parameters = {key: value.detach().numpy() for key, value in classifier.attention.named_parameters()}
    expected = recompute(name)(dict(shown), parameters)
    np.testing.assert_allclose(shown["output"], expected.reshape(shown["output"].shape), rtol=1e-9, atol=1e-10)
    if classifier.readout is None:
        return
    context = expected.mean(0) if classifier.yields == "items" else expected.reshape(-1)
    logits = classifier.readout.weight.detach().numpy() @ context + classifier.readout.bias.detach().numpy()
    np.testing.assert_allclose(shown["logits"], logits, rtol=1e-9, atol=1e-9)
    shares = np.exp(logits - logits.max())
    np.testing.assert_allclose(shown["class probabilities"], shares / shares.sum(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_an_edited_first_line_moves_the_last(name):
    last = "probabilities" if mechanisms()[name].yields == "classes" else "class probabilities"
    _, before = displayed(name, Intervention())
    _, after = displayed(name, EDITED)
    assert after["features"][3, 7] == 2.5 and np.abs(after[last] - before[last]).max() > 1e-6
