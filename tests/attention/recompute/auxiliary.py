"""The auxiliary variable as query in numpy, from the variable, the keys and the values on."""

import numpy as np


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """c = sum_l softmax_l(k_l' W_g tanh(W_p p + b_p)) v_l."""
    query = np.tanh(parameters["ask.weight"] @ steps["auxiliary"] + parameters["ask.bias"])
    scores = steps["keys"] @ (parameters["score.transform.weight"] @ query)
    weights = np.exp(scores) / np.exp(scores).sum()
    context = weights @ steps["values"]
    for name, value in {"queries": query, "scores": scores, "weights": weights, "context": context}.items():
        np.testing.assert_allclose(steps[name][0], value, rtol=1e-9, atol=1e-10, err_msg=name)
    return context[None]
