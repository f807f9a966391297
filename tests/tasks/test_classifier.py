import numpy as np
import pytest
import torch

from attnviz.attention import registry
from attnviz.recording import record
from attnviz.tasks.classifier import STEPS, Classifier
from tests.helpers import mechanisms_for


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_probabilities_follow_from_the_displayed_steps(name, double):
    spec = registry.get(name)
    classifier = Classifier(spec, spec.options(), 16, 3).eval()
    with torch.inference_mode(), record() as heard:
        found = classifier(torch.randn(1, 5, 16))
    steps = {step.name: step.value for step in heard.steps({**STEPS, **spec.steps})}
    if spec.yields == "classes":
        np.testing.assert_allclose(steps["probabilities"], found.probabilities[0], rtol=1e-9)
        return
    context = steps["output"].mean(0) if spec.yields == "items" else steps["output"].reshape(-1)
    if spec.yields == "items":
        np.testing.assert_allclose(steps["mean"], context, rtol=1e-9, atol=1e-10)
    weights, bias = classifier.readout.weight.detach().numpy(), classifier.readout.bias.detach().numpy()
    logits = weights @ context + bias
    np.testing.assert_allclose(steps["logits"], logits, rtol=1e-9, atol=1e-10)
    expected = np.exp(logits - logits.max())
    np.testing.assert_allclose(steps["class probabilities"], expected / expected.sum(), rtol=1e-9)
    np.testing.assert_allclose(found.probabilities[0], expected / expected.sum(), rtol=1e-9)


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_padding_changes_no_prediction(name, double):
    spec = registry.get(name)
    classifier = Classifier(spec, spec.options(), 16, 3).eval()
    items = torch.randn(2, 6, 16)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    with torch.inference_mode():
        together = classifier(items, mask).probabilities
        alone = classifier(items[1:, :4]).probabilities
    torch.testing.assert_close(together[1:], alone, rtol=1e-9, atol=1e-10)
