"""The steps of a computation as tables with words at their edges."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attnviz.trace import Axis, Step

SYMBOLS = {
    "q": "the query: what is asked",
    "k_l": "the key of item l: what the query is compared with",
    "v_l": "the value of item l: what is collected from it",
    "f_l": "the features of item l, as the feature model made them",
    "X": "the features of all items, one a row",
    "e_l": "the score of item l: how well it answers the query",
    "a_l": "the weight of item l: its share of the attention",
    "c": "the context: the values, each taken by its weight, added up",
    "l": "the number of an item",
    "n": "how many items there are",
    "d": "how many numbers describe an item",
    "h": "how many heads there are",
    "d_h": "how many numbers a head works with",
    "(j)": "belonging to head number j",
    "W": "a matrix of trained weights; its index says what it makes",
    "b": "a trained shift, added to the result",
    "softmax": "e to the power of each score, divided by the sum of them all: positive, and one in total",
    "sigma": "the logistic function: any number becomes one between 0 and 1",
    "tanh": "the hyperbolic tangent: any number becomes one between -1 and 1",
    "T": "turned on its side; a row times a column is the sum of their products",
}


@dataclass(frozen=True)
class StepTable:
    """One table of a step; `title` says which part of the step it is, and is empty where it is the whole."""

    title: str
    table: pd.DataFrame


def steps_table(step: Step) -> list[StepTable]:
    """The numbers of a step: one table for each combination of its leading labels, the last two axes as its sides.

    A step with one axis has its labels as rows, features as columns; a single number is a table with one cell. All
    numbers are kept, as float64. Labels that occur several times are numbered, since a table needs them different.
    """
    value, axes = np.asarray(step.value, dtype=np.float64), step.axes
    if len(axes) == 0:
        value, axes = value.reshape(1, 1), (_lone(step.name), _lone("value"))
    elif len(axes) == 1 and axes[0].kind == "feature":
        value, axes = value[None, :], (_lone(step.name), *axes)
    elif len(axes) == 1:
        value, axes = value[:, None], (*axes, _lone("value"))
    *leading, rows, columns = axes
    index = pd.Index(_distinct(rows.labels), name=rows.kind)
    header = pd.Index(_distinct(columns.labels), name=columns.kind)
    return [
        StepTable(
            " · ".join(axis.labels[i] for axis, i in zip(leading, at, strict=True)),
            pd.DataFrame(value[at], index=index, columns=header),
        )
        for at in np.ndindex(value.shape[:-2])
    ]


def _lone(label: str) -> Axis:
    return Axis("", (label,))


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
