"""Self-attention with residual and layer normalisation in numpy, from the items on."""

import numpy as np


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """f_new = LayerNorm(f + softmax(Q K' / sqrt(d)) V)."""
    items = steps["items"]
    queries, keys, values = (items @ parameters[f"{name}.weight"].T for name in ("queries", "keys", "values"))
    scores = queries @ keys.T / np.sqrt(keys.shape[1])
    weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    context = weights @ values
    found = {"queries": queries, "keys": keys, "values": values}
    for name, value in {**found, "scores": scores, "weights": weights, "context": context}.items():
        np.testing.assert_allclose(steps[name], value, rtol=1e-9, atol=1e-10, err_msg=name)
    total = items + context
    normal = (total - total.mean(1, keepdims=True)) / np.sqrt(total.var(1, keepdims=True) + 1e-5)
    return normal * parameters["norm.weight"] + parameters["norm.bias"]
