"""Formulas in plain words, and weights as a table with words at its edges."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from attnviz.trace import AttentionMap

SYMBOLS = {  # in the order in which they are explained; a mechanism that uses a letter otherwise says so itself
    "F": "the features of all items",
    "X": "the features of all items, one a row",
    "f": "the features of an item",
    "q": "a query: what is asked",
    "k": "a key: what the query is compared with",
    "v": "a value: what is collected",
    "e": "a score: how well an item answers the query",
    "a": "a weight: an item's share of the attention",
    "c": "a context: values, each taken by its weight, added up",
    "h": "a hidden layer",
    "z": "the logits: one number a class, of any size",
    "y": "the output",
    "W": "trained weights; the index says what they make",
    "w": "trained weights that make one number",
    "b": "a trained shift",
    "l": "counts items",
    "i": "counts items",
    "j": "counts heads",
    "n": "the number of items",
    "d": "how many numbers a vector has",
    "softmax": "softmax: e to the power of each score, divided by their sum",
    "align": "align: softmax, or the alignment that was chosen",
    "sigma": "σ: any number becomes one between 0 and 1",
    "tanh": "tanh: any number becomes one between −1 and 1",
    "top": "⊤: a row times a column is the sum of their products",
    "sum": "Σ: added up",
    "LayerNorm": "LayerNorm: shifted and scaled to mean 0 and variance 1",
}


def explained(formula: str, own: Mapping[str, str] | None = None) -> str:
    """Every symbol of a formula in plain words, as one line; `own` are a mechanism's own meanings."""
    words = set(re.findall(r"\\([A-Za-z]+)", formula)) | set(re.findall(r"\\mathrm\{([A-Za-z]+)\}", formula))
    bare = re.sub(r"\\(text|mathrm)\{[^}]*\}|\\[A-Za-z]+|_[A-Z]", " ", formula)  # W_K: the index only names it
    found = words | set(re.findall(r"[A-Za-z]", bare))
    meanings = ((symbol, meaning) for symbol, meaning in (SYMBOLS | dict(own or {})).items() if symbol in found)
    return " · ".join(meaning if len(symbol) > 1 else f"{symbol}: {meaning}" for symbol, meaning in meanings)


def weights_table(attention: AttentionMap) -> pd.DataFrame:
    """All weights of a map: a row for each map and query, a column for each key."""
    queries, keys = attention.axes[-2:]
    rows = attention.labels
    if len(queries) > 1:
        prefixes = [f"{label} · " for label in rows] if attention.axes[:-2] else [""]
        rows = tuple(f"{prefix}{query}" for prefix in prefixes for query in queries.labels)
    header = pd.Index(_distinct(keys.labels), name=keys.kind)
    values = attention.stacked.reshape(-1, len(keys)).astype(np.float64)
    return pd.DataFrame(values, index=_distinct(rows), columns=header)


def _distinct(labels: tuple[str, ...]) -> list[str]:
    """The labels, the second "the" as "the (2)"; never one that another label already is."""
    taken, seen = set(labels), {}
    distinct = []
    for label in labels:
        turn = seen.get(label, 0) + 1
        name = label
        while turn > 1 and (name := f"{label} ({turn})") in taken:
            turn += 1
        seen[label] = turn
        taken.add(name)
        distinct.append(name)
    return distinct
