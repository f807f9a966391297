"""A trace to files, and back: CSV for spreadsheets, JSON for programs. JSON keeps every number to the last digit."""

import csv
import io
import json
import math
from collections.abc import Mapping, Set
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from attnviz.errors import AttnvizError
from attnviz.trace import AttentionMap, Axis, Prediction, Step, Trace

FORMAT, VERSION = "attnviz trace", 1
TYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}


class TraceFileError(AttnvizError):
    """A trace that cannot be written to a file, or a file that does not hold a trace."""


def to_csv(trace: Trace) -> str:
    """All weights in long form, one a line: map, one column for each kind of leading axis, query, key, weight.

    Positions count from one; they tell items with the same label apart. Weights carry all their digits. A label that
    a spreadsheet would take for a formula is given an apostrophe in front.
    """
    kinds = list(dict.fromkeys(axis.kind for m in trace.maps for axis in m.axes[:-2]))
    text = io.StringIO(newline="")
    # Every label in quotes: left to itself, the writer does not quote a lone carriage return.
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["map", *map(_cell, kinds), "query position", "query", "key position", "key", "weight"])
    for attention in trace.maps:
        _refuse_nan(attention.name, attention.weights)
        queries, keys = attention.axes[-2:]
        for index in np.ndindex(attention.weights.shape[:-1]):
            named = {axis.kind: axis.labels[i] for axis, i in zip(attention.axes[:-2], index, strict=False)}
            line = [_cell(attention.name), *(_cell(named.get(kind, "")) for kind in kinds)]
            line += [index[-1] + 1, _cell(queries.labels[index[-1]])]
            row = attention.weights[index].tolist()
            writer.writerows([*line, k + 1, _cell(keys.labels[k]), weight] for k, weight in enumerate(row))
    return text.getvalue()


def to_json(trace: Trace) -> str:
    """Maps with their axes, steps with axes and formulas, context, prediction, and what made them.

    TraceFileError if a number is NaN, or if `made_by` holds something that JSON has no word for. Infinities (scores of
    masked items) are written as "Infinity" and "-Infinity".
    """
    document = {
        "format": FORMAT,
        "version": VERSION,
        "mechanism": trace.mechanism,
        "made_by": _plain(trace.made_by, "made_by"),
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
    """The trace that `to_json` wrote; TraceFileError, with what is wrong, for any other text."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise TraceFileError(f"This file is not JSON ({error}). Choose a file that attnviz wrote.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise TraceFileError("This file does not hold a trace. Choose a JSON file that attnviz wrote.")
    if document.get("version") != VERSION:
        raise TraceFileError(
            f"This file is of version {str(document.get('version'))[:20]}, and this attnviz reads version {VERSION}. "
            "Write it again with this attnviz."
        )
    try:
        return _trace(document)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, RecursionError) as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)[:200]
        raise TraceFileError(f"This file is damaged: {what}. Save the trace again and use the new file.") from None


def _cell(label: str) -> str:
    return f"'{label}" if label.startswith(FORMULA_STARTS) else label


def _refuse_nan(name: str, values: np.ndarray) -> None:
    if np.isnan(values).any():
        raise TraceFileError(f"{name!r} holds NaN, which is not a number. Look for the input that made it.")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _axis(axis: Axis) -> dict[str, Any]:
    return {"kind": axis.kind, "labels": list(axis.labels), "grid": list(axis.grid) if axis.grid else None}


def _array(values: np.ndarray, name: str) -> dict[str, Any]:
    """Type, shape, and nested lists; Python writes a float with the digits that bring back the same float."""
    values = np.asarray(values)
    if values.dtype.name not in TYPES:
        raise TraceFileError(f"{name!r} is of type {values.dtype.name}; a trace file holds {', '.join(TYPES)}.")
    _refuse_nan(name, values)
    numbers = values.tolist()
    if np.isinf(values).any():
        numbers = _infinities_named(numbers)
    return {"type": values.dtype.name, "shape": list(values.shape), "numbers": numbers}


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
    }


def _plain(value: Any, where: str) -> Any:
    """The value in JSON's own types, keys sorted; a tuple becomes a list, a set a sorted list."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, np.generic):
        return _plain(value.item(), where)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TraceFileError(f"{where} is {value}, which JSON cannot hold. Give a finite number.")
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value), where)
    if isinstance(value, Mapping):
        items = sorted((str(key), item) for key, item in value.items())
        return {key: _plain(item, f"{where}.{key}") for key, item in items}
    if isinstance(value, Set):
        return sorted((_plain(item, where) for item in value), key=repr)
    if isinstance(value, list | tuple):
        return [_plain(item, where) for item in value]
    raise TraceFileError(f"{where} is a {type(value).__name__}, which JSON cannot hold. Give text, numbers or lists.")


def _trace(document: dict[str, Any]) -> Trace:
    prediction = document["prediction"]
    return Trace(
        mechanism=_text(document["mechanism"]),
        maps=tuple(_read_map(m) for m in document["maps"]),
        steps=tuple(_read_step(s) for s in document["steps"]),
        context=_read_array(document["context"]),
        prediction=None if prediction is None else _read_prediction(prediction),
        made_by=dict(document["made_by"]),
    )


def _read_map(found: dict[str, Any]) -> AttentionMap:
    axes, weights = _read_axes(found["axes"]), _read_array(found["weights"])
    if len(axes) < 2:
        raise ValueError(f"map {_text(found['name'])!r} has {len(axes)} axes, and a map has at least query and key")
    _check_shape(found["name"], weights, axes)
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
    return Prediction(labels, probabilities, bool(found["independent"]))


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
    flat = list(_flat(found["numbers"], len(shape)))
    if len(flat) != math.prod(shape) or min(shape, default=0) < 0:
        raise ValueError(f"{len(flat)} numbers for the shape {shape}")
    return np.array(flat, dtype=found["type"]).reshape(shape)


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
    return value
