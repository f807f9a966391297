"""The learnable query (dot score) in numpy, from the displayed steps."""

import numpy as np


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """c = sum_l softmax_l(q' k_l) v_l."""
    np.testing.assert_array_equal(steps["queries"], parameters["query"])
    scores = steps["queries"] @ steps["keys"].T
    weights = np.exp(scores) / np.exp(scores).sum()
    context = weights @ steps["values"]
    for name, value in {"scores": scores, "weights": weights, "context": context}.items():
        np.testing.assert_allclose(steps[name], value, rtol=1e-9, atol=1e-10, err_msg=name)
    return context
