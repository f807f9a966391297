"""Dynamic routing in numpy, class by class and item by item, from the primary capsules on."""

import numpy as np


def squash(s):
    """|s|^2 / (1 + |s|^2) * s / |s|."""
    return s @ s / (1 + s @ s) * s / np.sqrt(s @ s)


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """The capsules of the last iteration; on the way everything that the steps say of it is compared."""
    primary, transforms = steps["primary"], parameters["transforms"]
    n_iterations = sum(name.startswith("weights, iteration") for name in steps)
    predictions = np.array([[w @ u for u in primary] for w in transforms])
    np.testing.assert_allclose(steps["predictions"], predictions, rtol=1e-9, atol=1e-10)
    logits = np.zeros(predictions.shape[:2])
    for turn in range(1, n_iterations + 1):
        coupling = np.exp(logits) / np.exp(logits).sum(0)
        sums = np.array([c @ predicted for c, predicted in zip(coupling, predictions, strict=True)])
        capsules = np.array([squash(s) for s in sums])
        lengths = np.linalg.norm(capsules, axis=1)
        found = {"scores": logits[:, None], "weights": coupling[:, None], "sums": sums, "lengths": lengths}
        agreements = np.array([[u @ v for u in row] for row, v in zip(predictions, capsules, strict=True)])
        found |= {"capsules": capsules} | ({"agreements": agreements[:, None]} if turn < n_iterations else {})
        for name, value in found.items():
            np.testing.assert_allclose(
                steps[f"{name}, iteration {turn}"], value, rtol=1e-9, atol=1e-10, err_msg=f"{name} {turn}"
            )
        logits = logits + agreements
    np.testing.assert_allclose(steps["probabilities"], lengths, rtol=1e-9, atol=1e-10)
    return capsules
