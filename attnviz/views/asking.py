"""The queries of a trace as the Queries page draws them: where each comes from, what it found, how it changed."""

from typing import Any

import numpy as np
from jaxtyping import Float32

from attnviz.analysis.asking import MOST, askings, likeness, queries
from attnviz.attention import registry
from attnviz.trace import Trace
from attnviz.views.formulas import mathml

NOBODY = "This mechanism has no query to show: nothing is compared with the items."


def asking(trace: Trace) -> tuple[dict[str, Any], Float32[np.ndarray, " number"]]:
    """(meta, numbers): the numbers of all queries, one after the other; `meta` says where each begins.

    `like` holds, row by row, the cosine between every two queries, `before` of each the cosine with the query of the
    turn before it (None for the first).
    """
    spec = registry.get(trace.mechanism)
    asked = askings(trace)
    cosines = likeness(asked)
    offset, rows = 0, []
    for i, one in enumerate(asked):
        earlier = _turn_before(asked, i)
        rows.append(
            {
                "label": one.label,
                "offset": offset,
                "size": len(one.vector),
                "length": float(np.linalg.norm(one.vector)),
                "found": [list(pair) for pair in one.found],
                "step": one.step,
                "query": one.row,
                "before": None if earlier is None else float(cosines[i, earlier]),
            }
        )
        offset += len(one.vector)
    meta = {
        "mechanism": spec.name,
        "who": spec.query,
        "nobody": "" if asked else NOBODY,
        "formulas": _formulas(trace),
        "rows": rows,
        "like": np.round(cosines, 4).tolist(),
        "cut": len(asked) == MOST,
    }
    numbers = np.concatenate([one.vector for one in asked]) if asked else np.empty(0)
    return meta, numbers.astype(np.float32)


def _turn_before(asked: list, i: int) -> int | None:
    """The query of the turn before with the same place among those that asked in the same map; None without one."""
    now = asked[i]
    if now.turn is None:
        return None
    place = sum(1 for one in asked[:i] if (one.map, one.turn) == (now.map, now.turn))
    before = [k for k, one in enumerate(asked) if (one.map, one.turn) == (now.map, now.turn - 1)]
    if place >= len(before) or asked[before[place]].vector.shape != now.vector.shape:
        return None
    return before[place]


def _formulas(trace: Trace) -> list[list[Any]]:
    """How the queries are made: each step's formula once."""
    names, shown = queries(trace), {}
    for step in trace.steps:
        base = step.name.split(", ")[0]
        if {base, f"{base}>"} & {*names} and step.formula:
            shown.setdefault(base, step.formula)
    return [[name, mathml(formula)] for name, formula in shown.items()]
