"""Capsule attention in numpy, class by class, from the items and the classes' queries on."""

import numpy as np


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """r_c = p_c c_c for each class c."""
    np.testing.assert_array_equal(steps["queries"], parameters["queries"])
    np.testing.assert_array_equal(steps["keys"], steps["values"])
    mean = steps["values"].mean(0)
    np.testing.assert_allclose(steps["mean"], mean, rtol=1e-9, atol=1e-10)
    capsules = []
    for c, query in enumerate(steps["queries"]):
        scores = steps["keys"] @ query
        weights = np.exp(scores) / np.exp(scores).sum()
        context = steps["values"].T @ weights
        evidence = parameters["classifier.weight"][c] @ context + parameters["classifier.bias"][c]
        probability = 1 / (1 + np.exp(-evidence))
        capsules.append(probability * context)
        found = {"scores": scores[None], "weights": weights[None], "context": context, "probabilities": probability}
        for name, value in {**found, "similarities": mean @ capsules[c]}.items():
            np.testing.assert_allclose(steps[name][c], value, rtol=1e-9, atol=1e-10, err_msg=name)
    return np.stack(capsules)
