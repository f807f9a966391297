"""A trace as NumPy's own file: each array as it is, and one JSON text that says what the arrays are."""

import io
import json
from typing import Any

import numpy as np

from attnviz.export.plain import plain, refuse_nan
from attnviz.trace import Axis, Trace


def to_npz(trace: Trace) -> bytes:
    """What `numpy.load(file)` reads without pickle; every array keeps its type and all its digits.

    `map_0`, `map_1` … are the weights, `step_0` … the steps, `axis_0` … the labels of axes, then `context` and
    `prediction`. `about` is a JSON text: mechanism, made_by (task, options, intervention, version, seed), and for each
    map and step its name, formula and the kind and labels of its axes, with the arrays called by these names.
    TraceFileError if a number is NaN.
    """
    arrays: dict[str, np.ndarray] = {}
    axes: dict[Axis, str] = {}

    def kept(name: str, values: Any, called: str) -> str:
        refuse_nan(called, np.asarray(values))
        arrays[name] = np.asarray(values)
        return name

    def described(axis: Axis) -> dict[str, Any]:
        if axis not in axes:
            axes[axis] = f"axis_{len(axes)}"
            arrays[axes[axis]] = np.array(axis.labels, dtype=np.str_)
        return {"kind": axis.kind, "labels": axes[axis], "grid": list(axis.grid) if axis.grid else None}

    about = {
        "mechanism": trace.mechanism,
        "made_by": plain(trace.made_by, "made_by"),
        "maps": [
            {
                "name": m.name,
                "normalised": m.normalised,
                "axes": list(map(described, m.axes)),
                "weights": kept(f"map_{i}", m.weights, m.name),
            }
            for i, m in enumerate(trace.maps)
        ],
        "steps": [
            {
                "name": s.name,
                "formula": s.formula,
                "axes": list(map(described, s.axes)),
                "value": kept(f"step_{i}", s.value, s.name),
            }
            for i, s in enumerate(trace.steps)
        ],
        "context": kept("context", trace.context, "context"),
        "prediction": None,
    }
    if (found := trace.prediction) is not None:
        about["prediction"] = {
            "labels": list(found.labels),
            "probabilities": kept("prediction", found.probabilities, "prediction"),
            "independent": found.independent,
            "sequence": found.sequence,
        }
    file = io.BytesIO()
    np.savez_compressed(file, about=np.array(json.dumps(about)), **arrays)
    return file.getvalue()
