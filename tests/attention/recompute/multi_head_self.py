"""Multi-head self-attention in numpy, from queries, keys and values on."""

import numpy as np


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """The sum over heads of softmax(Q K' / sqrt(d_h)) V W_O', plus b_O."""
    h, n, d_h = steps["keys"].shape
    result = np.tile(parameters["attention.output.bias"], (n, 1))
    for j in range(h):
        scores = steps["queries"][j] @ steps["keys"][j].T / np.sqrt(d_h)
        weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        context = weights @ steps["values"][j]
        for name, value in {"scores": scores, "weights": weights, "context": context}.items():
            np.testing.assert_allclose(steps[name][j], value, rtol=1e-9, atol=1e-10, err_msg=name)
        result += context @ parameters["attention.output.weight"][:, j * d_h : (j + 1) * d_h].T
    return result
