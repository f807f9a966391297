"""MAN's question side in numpy, from items and question words on; the gates are the same in every hop."""

import numpy as np


def attend(asking, rows, parameters, gate):
    """Gated scores of the rows, their softmax, and the sum of the rows under it."""
    of_item, of_query, weigh = (parameters[f"{gate}.{name}.weight"] for name in ("of_item", "of_query", "weigh"))
    scores = (np.tanh(rows @ of_item.T) * np.tanh(of_query @ asking)) @ weigh[0]
    weights = np.exp(scores) / np.exp(scores).sum()
    return scores, weights, rows.T @ weights


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """The sum of what the hops read of the items."""
    words = steps["query items"] @ parameters["asking.weight"].T
    memories = steps["items"] @ parameters["embeddings.0.weight"].T
    state = words.mean(0)
    for name, value in {"question": words, "memories": memories, "first state": state[None]}.items():
        np.testing.assert_allclose(steps[name], value, rtol=1e-9, atol=1e-10, err_msg=name)
    found = []
    for hop in range(1, 1 + sum(name.startswith("context") for name in steps)):
        asked, asking, query = attend(state, words, parameters, "ask")
        scores, weights, context = attend(query, memories, parameters, "score")
        shown = {"query weights scores": asked, "query weights": asking, "query": query}
        for name, value in {**shown, "scores": scores, "weights": weights, "context": context}.items():
            np.testing.assert_allclose(steps[f"{name}, hop {hop}"][0], value, rtol=1e-9, atol=1e-10, err_msg=name)
        state = state + query
        if f"state, hop {hop}" in steps:  # the last one asks nothing any more
            np.testing.assert_allclose(steps[f"state, hop {hop}"][0], state, rtol=1e-9, atol=1e-10)
        found.append(context)
    return np.sum(found, axis=0)[None]
