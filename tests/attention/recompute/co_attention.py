"""Parallel co-attention in numpy, from the items of both sides on."""

import numpy as np


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """[q̂; f̂]: an affinity of all pairs, hidden vectors that mix both sides, weights and sums."""
    of_pairs, of_items, of_query = (parameters[f"form.{name}.weight"] for name in ("affinity", "items", "query_items"))
    items, query_items = steps["items"], steps["query items"]
    affinity = np.tanh(query_items @ of_pairs @ items.T)
    hidden = np.tanh(items @ of_items.T + affinity.T @ query_items @ of_query.T)
    query_hidden = np.tanh(query_items @ of_query.T + affinity @ items @ of_items.T)
    scores = hidden @ parameters["form.weigh_item.weight"][0]
    query_scores = query_hidden @ parameters["form.weigh_query_item.weight"][0]
    weights, query_weights = softmax(scores), softmax(query_scores)
    context, query_context = weights @ items, query_weights @ query_items
    matrices = {"affinity": affinity, "hidden": hidden, "query hidden": query_hidden}
    rows = {"scores": scores, "weights": weights, "context": context}
    rows |= {"query weights scores": query_scores, "query weights": query_weights, "query context": query_context}
    for name, value in {**matrices, **{name: row[None] for name, row in rows.items()}}.items():
        np.testing.assert_allclose(steps[name], value, rtol=1e-9, atol=1e-10, err_msg=name)
    return np.concatenate([query_context, context])
