"""A trace as a worksheet wants it: every line of the computation with its formula, its labels and its exact numbers.

What a line shows at a time is a table: some axes are held at a place that the reader chooses (a head, a class, a
query), one runs down (keys, classes), one across (features).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float

from attnviz.attention import registry
from attnviz.errors import OptionError, UnknownNameError
from attnviz.intervention import Intervention, Override
from attnviz.trace import Axis, Prediction, Step, Trace
from attnviz.views.formulas import mathml
from attnviz.views.steps import explained
from attnviz.views.working import Working, workings

DOWN, ACROSS = "↓", "→"  # roles of axes; one that is held has the name of its place as its role
LARGE = 500_000  # with more numbers, only those of one query travel

Numbers = Float[np.ndarray, "now_and_before number"]


def worksheet(trace: Trace, before: Trace | None = None, *, query: int = 0) -> tuple[dict[str, Any], Numbers]:
    """(meta, numbers): `numbers[0]` holds all steps one after the other, `meta` says where and what they are.

    Each step's numbers stand in the order of its axes. They are float32 if all steps fit into that exactly, else
    float64. With `before`, the trace without the reader's changes, `numbers[1]` holds what stood there, for the lines
    that say so. Above 500,000 numbers, lines with a row for each query keep that of `query`, as `meta["query"]` says.
    """
    made = workings(trace.steps)
    roles = _all_roles(trace, made)
    cut = query if sum(step.value.size for step in trace.steps) > LARGE else None
    keys = trace.maps[0].axes[-1] if trace.maps else None
    sheet = _Sheet(trace.mechanism)
    old = {step.name: step for step in before.steps} if before else {}
    changed = _overrides(trace)
    for step, kinds, working in zip(trace.steps, roles, made, strict=True):
        sheet.add(step, kinds, working, old.get(step.name), cut, changed)
    rows = [sheet.now, sheet.before] if before else [sheet.now]
    dtype = np.result_type(np.float32, *(step.value.dtype for step in trace.steps))
    meta = {
        "mechanism": trace.mechanism,
        "lines": sheet.lines,
        "formulas": sheet.formulas,
        "labels": sheet.labels,
        "places": _places(trace.steps, roles),
        "query": cut,
        "total": sum(part.size for part in sheet.now),
        "keys": sheet.label_list(keys),
        "grid": list(keys.grid) if keys and keys.grid else None,
        "prediction": _prediction(trace.prediction),
        "before": {"prediction": _prediction(before.prediction)} if before else None,
    }
    return meta, np.stack([np.concatenate([np.empty(0), *row]).astype(dtype) for row in rows])


class _Sheet:
    """The lines so far; labels and formulas that several lines share are kept once."""

    def __init__(self, mechanism: str):
        self.mechanism = mechanism
        self.lines: list[dict[str, Any]] = []
        self.formulas: list[dict[str, Any]] = []
        self.labels: list[list[str]] = []
        self.now: list[np.ndarray] = []
        self.before: list[np.ndarray] = []
        self._known: dict[Any, int] = {}
        self._size = 0

    def add(
        self,
        step: Step,
        roles: Sequence[str],
        working: Working | None,
        old: Step | None,
        cut: int | None,
        changed: Iterable[Override],
    ) -> None:
        """One more line."""
        comparable = old is not None and old.value.shape == step.value.shape
        now, held = _held(step, roles, cut)
        title, turn = _title_and_turn(step.name)
        line = {
            "name": step.name,
            "title": title,
            "turn": turn,
            "formula": self._formula(step.formula),
            "shape": list(now.shape),
            "held": held,
            "offset": self._size,
            "axes": [
                {"role": role, "kind": axis.kind, "labels": self.label_list(axis)}
                for role, axis in zip(roles, step.axes, strict=True)
            ],
            "working": asdict(working) if working else None,
            "set": [list(o.at) for o in changed if o.step == step.name and len(o.at) == step.value.ndim],
            "before": comparable,
            "switch": step.value.dtype == bool,
        }
        self.lines.append(line)
        self.now.append(now.ravel())
        self.before.append((_held(old, roles, cut)[0] if comparable else now).ravel())
        self._size += now.size

    def label_list(self, axis: Axis | None) -> int | None:
        """The position of an axis's labels in `labels`."""
        return None if axis is None else self._kept(self.labels, axis.labels, lambda: list(axis.labels))

    def _formula(self, formula: str) -> int | None:
        if not formula.strip():
            return None
        return self._kept(
            self.formulas, formula, lambda: {"parts": mathml(formula), "meaning": _meaning(self.mechanism, formula)}
        )

    def _kept(self, where: list, name: Any, make: Any) -> int:
        if name not in self._known:
            self._known[name] = len(where)
            where.append(make())
        return self._known[name]


def _all_roles(trace: Trace, made: Sequence[Working | None]) -> list[list[str]]:
    leading = {axis.kind for m in trace.maps for axis in m.axes[:-2]}
    asking = {w.of[0] for w in made if w and w.kind == "product"} | {
        i for i, w in enumerate(made) if w and w.kind == "sum"
    }
    return [_roles(step.axes, leading, i in asking) for i, step in enumerate(trace.steps)]


def _roles(axes: Sequence[Axis], leading: set[str], asks: bool) -> list[str]:
    """For each axis whether it runs down, across, or is held at a place (called "query", or as its kind).

    A step that `asks` belongs to one query: its rows are queries, and one of them is shown.
    """
    roles = [""] * len(axes)
    if axes and axes[-1].kind == "feature":
        roles[-1] = ACROSS
    rest = [i for i, role in enumerate(roles) if not role]
    if len(axes) == 1:
        return roles if roles[0] else [DOWN]
    free = [i for i in rest if axes[i].kind not in leading]
    if free and not (asks and roles[-1] == ACROSS):
        roles[free[-1]] = DOWN
    for i in rest:
        queries = i in free and (axes[i].kind == "query" or axes[i].kind == axes[free[-1]].kind)
        roles[i] = roles[i] or ("query" if queries else axes[i].kind)
    return roles


def _places(steps: Sequence[Step], roles: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """What a reader can choose: each kind of axis that is held, with its labels; the query comes last."""
    found: dict[str, tuple[str, ...]] = {}
    for step, kinds in zip(steps, roles, strict=True):
        for axis, role in zip(step.axes, kinds, strict=True):
            if role not in (DOWN, ACROSS) and len(axis) > len(found.get(role, ())):
                found[role] = axis.labels
    chosen = sorted((kind for kind in found if len(found[kind]) > 1), key=lambda kind: kind == "query")
    return [{"kind": kind, "labels": list(found[kind])} for kind in chosen]


def _held(step: Step, roles: Sequence[str], cut: int | None) -> tuple[np.ndarray, dict[str, int] | None]:
    """The numbers of a step, of one query alone if `cut` says so, and which axis that was."""
    if cut is None or "query" not in roles or step.value.shape[roles.index("query")] < 2:
        return step.value, None
    axis = roles.index("query")
    index = min(cut, step.value.shape[axis] - 1)
    return np.take(step.value, [index], axis), {"axis": axis, "index": index}


def _title_and_turn(name: str) -> tuple[str, str]:
    """ "scores, hop 2" is called "scores" and belongs to "hop 2"."""
    found = re.fullmatch(r"(.+), (\w+ \d+)", name)
    return (found[1], found[2]) if found else (name, "")


def _overrides(trace: Trace) -> tuple[Override, ...]:
    """The numbers that were set by hand; a file may claim anything, so what cannot be read is left out."""
    try:
        return Intervention.from_plain(trace.made_by.get("intervention") or {}).overrides
    except OptionError:
        return ()


def _prediction(prediction: Prediction | None) -> Mapping[str, Any] | None:
    if prediction is None:
        return None
    found = {"labels": list(prediction.labels), "probabilities": prediction.probabilities.tolist()}
    return found | {"text": prediction.best if prediction.sequence else ""}


@lru_cache(maxsize=512)
def _meaning(mechanism: str, formula: str) -> str:
    """The symbols of a formula in words; asking the registry at every key press would be slow."""
    try:
        symbols = registry.get(mechanism).symbols
    except UnknownNameError:  # a trace from a file
        symbols = {}
    return explained(formula, symbols)
