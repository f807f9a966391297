"""A trace as JSON, and back from it to the last digit."""

import base64
import json
import math
from typing import Any

import numpy as np

from attnviz.export.plain import TraceFileError, plain, refuse_nan
from attnviz.trace import AttentionMap, Axis, Prediction, Step, Trace

FORMAT, VERSION = "attnviz trace", 2
READ = (1, 2)  # versions; the first had every number in lists
TYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}
LARGE = 1_000  # more numbers than this are packed: lists of them would be four times as long
MOST_CHARACTERS = 200_000_000  # what a file may have to be read at all
MOST_WEIGHT = 1e30  # in size; sums and squares of it can still be drawn


def to_json(trace: Trace) -> str:
    """Maps with their axes, steps with axes and formulas, context, prediction, and what made them.

    Up to 1,000 numbers of an array stand in nested lists, infinities (scores of masked items) as "Infinity" and
    "-Infinity"; a larger array is packed: its bytes, little-endian and row by row, as base64. TraceFileError if a
    number is NaN, or if `made_by` holds something that JSON has no word for.
    """
    document = {
        "format": FORMAT,
        "version": VERSION,
        "mechanism": trace.mechanism,
        "made_by": plain(trace.made_by, "made_by"),
        "prediction": _prediction(trace.prediction),
        "maps": [
            {
                "name": m.name,
                "normalised": m.normalised,
                "axes": [_axis(axis) for axis in m.axes],
                "weights": _array(m.weights, m.name),
            }
            for m in trace.maps
        ],
        "steps": [
            {
                "name": s.name,
                "formula": s.formula,
                "axes": [_axis(axis) for axis in s.axes],
                "value": _array(s.value, s.name),
            }
            for s in trace.steps
        ],
        "context": _array(trace.context, "context"),
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def from_json(text: str) -> Trace:
    """The trace that `to_json` wrote; TraceFileError, with what is wrong, for any other text.

    The file may come from anybody. What is returned can be drawn: no map or prediction is empty, its numbers are
    finite, and its texts are whole characters.
    """
    if len(text) > MOST_CHARACTERS:
        raise TraceFileError(f"This file is longer than {MOST_CHARACTERS} characters. Save a trace of a shorter input.")
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise TraceFileError(f"This file is not JSON ({error}). Choose a file that attnviz wrote.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise TraceFileError("This file does not hold a trace. Choose a JSON file that attnviz wrote.")
    if document.get("version") not in READ:
        raise TraceFileError(
            f"This file is of version {str(document.get('version'))[:20]}, and this attnviz reads versions up to "
            f"{VERSION}. Write it again with this attnviz."
        )
    try:
        return _trace(document)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, RecursionError) as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)[:200]
        raise TraceFileError(f"This file is damaged: {what}. Save the trace again and use the new file.") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _axis(axis: Axis) -> dict[str, Any]:
    return {"kind": axis.kind, "labels": list(axis.labels), "grid": list(axis.grid) if axis.grid else None}


def _array(values: np.ndarray, name: str) -> dict[str, Any]:
    """Type, shape, and the numbers; Python writes a float with the digits that bring back the same float."""
    values = np.asarray(values)
    if values.dtype.name not in TYPES:
        raise TraceFileError(f"{name!r} is of type {values.dtype.name}; a trace file holds {', '.join(TYPES)}.")
    refuse_nan(name, values)
    found = {"type": values.dtype.name, "shape": list(values.shape)}
    if values.size > LARGE:
        return {**found, "packed": base64.b64encode(_little_endian(values).tobytes()).decode()}
    numbers = values.tolist()
    if np.isinf(values).any():
        numbers = _infinities_named(numbers)
    return {**found, "numbers": numbers}


def _little_endian(values: np.ndarray) -> np.ndarray:
    return values.astype(values.dtype.newbyteorder("<"), copy=False)


def _infinities_named(numbers: Any) -> Any:
    if isinstance(numbers, list):
        return [_infinities_named(n) for n in numbers]
    return ("Infinity" if numbers > 0 else "-Infinity") if math.isinf(numbers) else numbers


def _prediction(prediction: Prediction | None) -> dict[str, Any] | None:
    if prediction is None:
        return None
    return {
        "labels": list(prediction.labels),
        "probabilities": _array(prediction.probabilities, "prediction"),
        "independent": prediction.independent,
        "sequence": prediction.sequence,
    }


def _trace(document: dict[str, Any]) -> Trace:
    prediction = document["prediction"]
    return Trace(
        mechanism=_text(document["mechanism"]),
        maps=tuple(_read_map(m) for m in document["maps"]),
        steps=tuple(_read_step(s) for s in document["steps"]),
        context=_read_array(document["context"]),
        prediction=None if prediction is None else _read_prediction(prediction),
        made_by=_read_origin(document["made_by"]),
    )


def _read_map(found: dict[str, Any]) -> AttentionMap:
    axes, weights = _read_axes(found["axes"]), _read_array(found["weights"])
    if len(axes) < 2:
        raise ValueError(f"map {_text(found['name'])!r} has {len(axes)} axes, and a map has at least query and key")
    _check_shape(found["name"], weights, axes)
    if not weights.size or not (np.abs(weights.astype(np.float64)) <= MOST_WEIGHT).all():
        raise ValueError(f"map {found['name'][:40]!r} has no weights, or weights beyond {MOST_WEIGHT:g}")
    normalised = found["normalised"]
    return AttentionMap(_text(found["name"]), weights, axes, None if normalised is None else _text(normalised))


def _read_step(found: dict[str, Any]) -> Step:
    axes, value = _read_axes(found["axes"]), _read_array(found["value"])
    _check_shape(found["name"], value, axes)
    return Step(_text(found["name"]), _text(found["formula"]), value, axes)


def _check_shape(name: str, values: np.ndarray, axes: tuple[Axis, ...]) -> None:
    labelled = tuple(map(len, axes))
    if values.shape != labelled:
        raise ValueError(f"{_text(name)!r} has numbers of shape {values.shape} and labels for {labelled}")


def _read_prediction(found: dict[str, Any]) -> Prediction:
    labels, probabilities = tuple(map(_text, found["labels"])), _read_array(found["probabilities"])
    if probabilities.shape != (len(labels),):
        raise ValueError(f"the prediction has {len(labels)} labels and probabilities of shape {probabilities.shape}")
    if not labels or not ((probabilities >= -1e-3) & (probabilities <= 1.001)).all():
        raise ValueError("the prediction has no probabilities, or some that are not between 0 and 1")
    return Prediction(labels, probabilities, bool(found["independent"]), bool(found.get("sequence")))


def _read_origin(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise TypeError(f"{str(found)[:20]!r} where it should say what made the trace")
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    return found


def _read_axes(found: list[dict[str, Any]]) -> tuple[Axis, ...]:
    return tuple(_read_axis(axis) for axis in found)


def _read_axis(found: dict[str, Any]) -> Axis:
    labels, grid = tuple(map(_text, found["labels"])), found["grid"]
    if grid is None:
        return Axis(_text(found["kind"]), labels)
    rows, columns = map(int, grid)
    if rows * columns != len(labels) or min(rows, columns) < 1:
        raise ValueError(f"a grid of {rows} x {columns} cannot hold {len(labels)} labels")
    return Axis(_text(found["kind"]), labels, (rows, columns))


def _read_array(found: dict[str, Any]) -> np.ndarray:
    if found["type"] not in TYPES:
        raise ValueError(f"numbers of type {str(found['type'])[:20]!r}")
    shape = tuple(map(int, found["shape"]))
    if "packed" in found:
        return _unpacked(found["packed"], np.dtype(found["type"]), shape)
    flat = list(_flat(found["numbers"], len(shape)))
    if len(flat) != math.prod(shape) or min(shape, default=0) < 0:
        raise ValueError(f"{len(flat)} numbers for the shape {shape}")
    return np.array(flat, dtype=found["type"]).reshape(shape)


def _unpacked(packed: Any, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    data = base64.b64decode(_text(packed), validate=True)
    if len(data) != math.prod(shape) * dtype.itemsize or min(shape, default=0) < 0:
        raise ValueError(f"{len(data)} bytes of {dtype.name} for the shape {shape}")
    if dtype.kind == "b" and data.translate(None, b"\0\1"):
        raise ValueError("bytes that are neither true nor false")
    values = np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
    if np.isnan(values).any():
        raise ValueError("NaN among the numbers")
    return values


def _flat(numbers: Any, depth: int) -> Any:
    if depth:
        for inner in numbers if isinstance(numbers, list) else _refuse(numbers):
            yield from _flat(inner, depth - 1)
    elif isinstance(numbers, int | float):
        yield numbers
    else:
        yield INFINITIES[numbers] if numbers in ("Infinity", "-Infinity") else _refuse(numbers)


def _refuse(value: Any) -> Any:
    raise ValueError(f"{str(value)[:20]!r} where numbers belong")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:20]!r} where a text belongs")
    value.encode()  # ValueError for half a character, which no file could be written with again
    return value
