"""The weights of a trace as a table for spreadsheets."""

import csv
import io
import json

import numpy as np

from attnviz.export.plain import plain, refuse_nan
from attnviz.trace import Trace

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(trace: Trace) -> str:
    """All weights in long form, one a line: map, one column for each kind of leading axis, query, key, weight.

    Positions count from one; they tell items with the same label apart. Weights carry all their digits. A label that
    a spreadsheet would take for a formula is given an apostrophe in front. The last column, "made by", says in its
    first line what made them (mechanism, task, options, intervention, version, seed), as JSON. It is empty below, since
    all lines have one origin and it would be most of the file.
    """
    kinds = list(dict.fromkeys(axis.kind for m in trace.maps for axis in m.axes[:-2]))
    text = io.StringIO(newline="")
    # Every label in quotes: left to itself, the writer does not quote a lone carriage return.
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["map", *map(_cell, kinds), "query position", "query", "key position", "key", "weight", "made by"])
    origin = json.dumps({"mechanism": trace.mechanism, **plain(trace.made_by, "made_by")}, ensure_ascii=False)
    for attention in trace.maps:
        refuse_nan(attention.name, attention.weights)
        queries, keys = attention.axes[-2:]
        for index in np.ndindex(attention.weights.shape[:-1]):
            named = {axis.kind: axis.labels[i] for axis, i in zip(attention.axes[:-2], index, strict=False)}
            line = [_cell(attention.name), *(_cell(named.get(kind, "")) for kind in kinds)]
            line += [index[-1] + 1, _cell(queries.labels[index[-1]])]
            for k, weight in enumerate(attention.weights[index].tolist()):
                writer.writerow([*line, k + 1, _cell(keys.labels[k]), weight, origin])
                origin = ""
    return text.getvalue()


def _cell(label: str) -> str:
    return f"'{label}" if label.startswith(FORMULA_STARTS) else label
