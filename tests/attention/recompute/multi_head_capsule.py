"""Multi-head capsules in numpy, class by class and head by head, from the items on."""

import numpy as np


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """r_c = p_c [c_c^(1); ...; c_c^(h)] for each class c."""
    items = steps["items"]
    mean = items.mean(0)
    np.testing.assert_array_equal(steps["queries"], parameters["queries"])
    np.testing.assert_allclose(steps["mean"], mean, rtol=1e-9, atol=1e-10)
    capsules = []
    for c, heads in enumerate(steps["queries"]):
        contexts = []
        for m, query in enumerate(heads):
            keys = items @ parameters["key_maps"][c, m].T
            values = items @ parameters["value_maps"][c, m].T
            scores = keys @ query
            weights = np.exp(scores) / np.exp(scores).sum()
            contexts.append(values.T @ weights)
            found = {"keys": keys, "values": values, "scores": scores[None], "weights": weights[None]}
            for name, value in {**found, "context": contexts[m]}.items():
                np.testing.assert_allclose(steps[name][c, m], value, rtol=1e-9, atol=1e-10, err_msg=name)
        context = np.concatenate(contexts)
        evidence = parameters["classifier.weight"][c] @ context + parameters["classifier.bias"][c]
        probability = 1 / (1 + np.exp(-evidence))
        capsules.append(probability * context)
        found = {"contexts": context, "probabilities": probability, "similarities": mean @ capsules[c]}
        for name, value in found.items():
            np.testing.assert_allclose(steps[name][c], value, rtol=1e-9, atol=1e-10, err_msg=name)
    return np.stack(capsules)
