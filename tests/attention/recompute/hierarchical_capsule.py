"""Hierarchical capsules in numpy, level by level, from the primary capsules on."""

import numpy as np


def squash(s):
    """|s|^2 / (1 + |s|^2) * s / |s|."""
    return s @ s / (1 + s @ s) * s / np.sqrt(s @ s)


def route(predictions, steps, level, couplings):
    """Capsules and last couplings from predictions (upper, lower, d); the steps of the level are compared."""
    n_iterations = sum(name.startswith(f"{couplings}, iteration") for name in steps)
    logits = np.zeros(predictions.shape[:2])
    for turn in range(1, n_iterations + 1):
        coupling = np.exp(logits) / np.exp(logits).sum(0)
        sums = np.einsum("ul,uld->ud", coupling, predictions)
        capsules = np.array([squash(s) for s in sums])
        agreements = np.einsum("uld,ud->ul", predictions, capsules)
        found = {f"{couplings} scores": logits[:, None], couplings: coupling[:, None], f"{level} sums": sums}
        found |= {f"{level} lengths": np.linalg.norm(capsules, axis=1), f"{level} capsules": capsules}
        if turn < n_iterations:
            found[f"{level} agreements"] = agreements[:, None]
        for name, value in found.items():
            np.testing.assert_allclose(
                steps[f"{name}, iteration {turn}"], value, rtol=1e-9, atol=1e-10, err_msg=f"{name} {turn}"
            )
        logits = logits + agreements
    return capsules, coupling


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """The capsules of the classes."""
    to_mid = np.array([steps["primary"] @ w.T for w in parameters["to_mid"]])
    np.testing.assert_allclose(steps["mid predictions"], to_mid, rtol=1e-9, atol=1e-10)
    mid, low_mid = route(to_mid, steps, "mid", "low to mid")
    to_class = np.array([[w @ v for w, v in zip(row, mid, strict=True)] for row in parameters["to_class"]])
    np.testing.assert_allclose(steps["class predictions"], to_class, rtol=1e-9, atol=1e-10)
    classes, mid_class = route(to_class, steps, "class", "mid to class")
    np.testing.assert_allclose(steps["influence"][:, 0], mid_class @ low_mid, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(steps["probabilities"], np.linalg.norm(classes, axis=1), rtol=1e-9, atol=1e-10)
    return classes
