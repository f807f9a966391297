"""Multi-head attention with one learned query in numpy, from its query, keys and values on."""

import numpy as np


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """c = W_O [c^(1); ...; c^(h)] + b_O, head by head."""
    h, _, d_h = steps["keys"].shape
    np.testing.assert_array_equal(steps["query"], parameters["query"])
    query = parameters["attention.queries.weight"] @ steps["query"][0] + parameters["attention.queries.bias"]
    result = parameters["attention.output.bias"].copy()
    for j in range(h):
        rows = slice(j * d_h, (j + 1) * d_h)
        scores = steps["keys"][j] @ query[rows] / np.sqrt(d_h)
        weights = np.exp(scores) / np.exp(scores).sum()
        context = weights @ steps["values"][j]
        found = {"queries": query[rows], "scores": scores, "weights": weights, "context": context}
        for name, value in found.items():
            np.testing.assert_allclose(steps[name][j, 0], value, rtol=1e-9, atol=1e-10, err_msg=name)
        result += parameters["attention.output.weight"][:, rows] @ context
    return result[None]
