"""Multi-hop attention in numpy, from the items on: queries attended from the items, each hop with its own weights."""

import numpy as np


def attend(asking, items, parameters, prefix):
    """Additive scores of the items, their softmax, and the average of the items under it."""
    own = {name.removeprefix(prefix): value for name, value in parameters.items() if name.startswith(prefix)}
    asked = own["from_query.weight"] @ asking + own["from_query.bias"]
    scores = np.tanh(items @ own["from_key.weight"].T + asked) @ own["weigh.weight"][0]
    weights = np.exp(scores) / np.exp(scores).sum()
    return scores, weights, items.T @ weights


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """c^H: each hop makes its query from the last query and context, then its context from query and last context."""
    items = steps["values"]
    query = context = items.mean(0)
    np.testing.assert_allclose(steps["first query"][0], query, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(steps["first context"][0], context, rtol=1e-9, atol=1e-10)
    n_hops = sum(name.endswith("score.weigh.weight") for name in parameters)
    for s in range(n_hops):
        last = np.concatenate([query, context])
        asked, asking, query = attend(last, items, parameters, f"hops.{s}.attend.")
        scores, weights, context = attend(np.concatenate([query, context]), items, parameters, f"hops.{s}.score.")
        found = {"query weights scores": asked, "query weights": asking, "query": query}
        for name, value in {**found, "scores": scores, "weights": weights, "context": context}.items():
            np.testing.assert_allclose(steps[f"{name}, hop {s + 1}"][0], value, rtol=1e-9, atol=1e-10, err_msg=name)
    return context[None]
