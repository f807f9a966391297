"""Bahdanau's decoder in numpy, from the items and the vectors of the words on: the query is the state before."""

import numpy as np


def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def gru(x, h, parameters):
    """One step of a gated recurrent unit, gates in the order r, z, n, as torch documents it."""
    of_x = (parameters["cell.weight_ih"] @ x + parameters["cell.bias_ih"]).reshape(3, -1)
    of_h = (parameters["cell.weight_hh"] @ h + parameters["cell.bias_hh"]).reshape(3, -1)
    r, z = sigmoid(of_x[0] + of_h[0]), sigmoid(of_x[1] + of_h[1])
    return (1 - z) * np.tanh(of_x[2] + r * of_h[2]) + z * h


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """The attended state of every word; what is asked, found and remembered is checked on the way."""
    values = steps["values"]
    keys = values @ parameters["keys.weight"].T
    hidden = np.tanh(parameters["first.weight"] @ values.mean(0) + parameters["first.bias"])
    found = {"keys": keys, "first state": hidden}
    attended = []
    for t in range(1, 1 + sum(name.startswith("input, word ") for name in steps)):
        query = hidden
        asked = parameters["query.weight"] @ query + parameters["query.bias"]
        scores = np.tanh(asked + keys) @ parameters["weigh.weight"][0]
        weights = np.exp(scores) / np.exp(scores).sum()
        context = weights @ values
        hidden = gru(np.concatenate([steps[f"input, word {t}"], context]), hidden, parameters)
        combined = parameters["combine.weight"] @ np.concatenate([context, hidden]) + parameters["combine.bias"]
        attended.append(np.tanh(combined))
        turn = {"query": query, "scores": scores, "weights": weights, "context": context, "state": hidden}
        found |= {f"{name}, word {t}": value for name, value in turn.items()}
        found[f"attended state, word {t}"] = attended[-1]
    for name, value in found.items():
        np.testing.assert_allclose(steps[name], value, rtol=1e-9, atol=1e-10, err_msg=name)
    return np.stack(attended)
