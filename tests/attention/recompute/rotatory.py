"""Rotatory attention in numpy, from the items on: hops of either side, pairs scaled in every hop."""

import numpy as np

SIDES = (0, 1)


def softmax(scores):
    powers = np.exp(scores - scores.max()) if scores.size else scores
    return powers / powers.sum()


def read(items, region, query, parameters, prefix):
    """Scores of all items, the weights of those in the region (none outside), and the average under them."""
    scores = np.tanh(items @ (parameters[f"{prefix}.transform.weight"] @ query) + parameters[f"{prefix}.bias"])
    weights = np.zeros(len(items))
    weights[region] = softmax(scores[region])
    return scores, weights, weights @ items


def scaled(steps, vectors, parameters, prefix, name, hop):
    """A pair of vectors times their hierarchical weights."""
    scores = np.tanh(vectors @ parameters[f"{prefix}.weight"][0] + parameters[f"{prefix}.bias"])
    weights = softmax(scores)
    found = weights[:, None] * vectors
    check(steps, {f"scaled {name}context": found}, hop)
    np.testing.assert_allclose(steps[f"hierarchical {name}weights scores{hop}"][0], scores, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(steps[f"hierarchical {name}weights{hop}"][0], weights, rtol=1e-9, atol=1e-10)
    return found


def check(steps, lines, hop):
    """Both sides of each of these lines are shown as they are here; there is one query a side."""
    for title, value in lines.items():
        np.testing.assert_allclose(steps[f"{title}{hop}"][:, 0], value, rtol=1e-9, atol=1e-10, err_msg=title)


def output(steps: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> np.ndarray:
    """[r_l; r_r; r_tl; r_tr]: the target asks the sides, what they say asks the target, and so on."""
    items = steps["items"]
    regions = {"contexts": steps["mask, hop 1"][:, 0] != 0, "targets": steps["target weights mask, hop 1"][:, 0] != 0}
    target = items[regions["targets"][0]]
    mean = target.mean(0) if len(target) else np.zeros(items.shape[1])
    np.testing.assert_allclose(steps["target mean"][0], mean, rtol=1e-9, atol=1e-10)
    asking = np.stack([mean, mean])
    n_hops = sum(name.endswith("contexts.0.bias") for name in parameters)
    for s in range(n_hops):
        vectors = {}
        for kind, name in (("contexts", ""), ("targets", "target ")):
            found = [read(items, regions[kind][i], asking[i], parameters, f"hops.{s}.{kind}.{i}") for i in SIDES]
            scores, weights, vectors[kind] = (np.stack(one) for one in zip(*found, strict=True))
            lines = {f"{name}query": asking, f"{name}weights": weights, f"{name}context": vectors[kind]}
            check(steps, lines | {f"{name}weights scores" if name else "scores": scores}, f", hop {s + 1}")
            asking = vectors[kind]
        asking = scaled(
            steps, vectors["targets"], parameters, f"levels.{s}.scores.targets", "target ", f", hop {s + 1}"
        )
    contexts = scaled(steps, vectors["contexts"], parameters, f"levels.{n_hops - 1}.scores.contexts", "", "")
    return np.concatenate([contexts, asking]).ravel()
