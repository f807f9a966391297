"""Stacked attention in numpy, from the items and the learned question on."""

import numpy as np


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """u^K: every layer adds the average of the items under its weights."""
    np.testing.assert_array_equal(steps["question"][0], parameters["question"])
    values, state = steps["values"], steps["question"][0]
    n_layers = sum(name.endswith("score.weight") for name in parameters)
    for k in range(n_layers):
        own = {name.removeprefix(f"layers.{k}."): value for name, value in parameters.items()}
        asked = own["question.weight"] @ state + own["question.bias"]
        hidden = np.tanh(values @ own["item.weight"].T + asked)
        scores = hidden @ own["score.weight"][0] + own["score.bias"][0]
        weights = np.exp(scores) / np.exp(scores).sum()
        context = values.T @ weights
        state = context + state
        found = {"hidden": hidden, "scores": scores[None], "weights": weights[None], "context": context[None]}
        for name, value in {**found, "state": state[None]}.items():
            np.testing.assert_allclose(steps[f"{name}, hop {k + 1}"], value, rtol=1e-9, atol=1e-10, err_msg=name)
    return state[None]
