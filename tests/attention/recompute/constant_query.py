"""The constant query in numpy, from the displayed steps."""

import numpy as np


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """c = sum_l softmax_l(w' tanh(W k_l + b)) v_l."""
    hidden = np.tanh(steps["keys"] @ parameters["hidden.weight"].T + parameters["hidden.bias"])
    scores = parameters["weigh.weight"] @ hidden.T
    weights = np.exp(scores) / np.exp(scores).sum()
    context = weights @ steps["values"]
    for name, value in {"hidden": hidden, "scores": scores, "weights": weights, "context": context}.items():
        np.testing.assert_allclose(steps[name], value, rtol=1e-9, atol=1e-10, err_msg=name)
    return context
