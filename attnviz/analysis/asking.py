"""Who asks what: every query of a trace as a vector, and what the weights answered it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from attnviz.analysis.items import main_map
from attnviz.analysis.phrases import named
from attnviz.attention import registry
from attnviz.errors import UnknownNameError
from attnviz.trace import AttentionMap, Axis, Step, Trace

MOST = 64  # queries that are shown
FOUND = 3  # largest weights that are named
FLAT = 0.01  # the part of the largest weight by which others must fall short of it, or none is named
ALIKE = "all alike"
_REPEATED = re.compile(r"(.+), (\w+) (\d+)")
_USUAL = ("query", "queries")


@dataclass(frozen=True)
class Asking:
    """One query: what it is called, its numbers, the items with the largest weights it got, and the step it is from.

    `turn` counts the turns of a loop from 0, and is None for a query outside of one. `map` is the name of the map that
    holds its weights, and `row` the number of its row in the main map's query axis (0 if it asks in another map).
    """

    label: str
    vector: Float[np.ndarray, " d"]
    found: tuple[tuple[str, float], ...]
    step: str
    turn: int | None
    row: int
    map: str = ""


def askings(trace: Trace) -> list[Asking]:
    """Every query, in the order of asking; at most 64. Those of a mechanism without a query of its own: none."""
    names, main = queries(trace), main_map(trace)
    found = []
    for step in trace.steps:
        repeated = _REPEATED.fullmatch(step.name)
        base, loop = (repeated[1], (repeated[2], int(repeated[3]) - 1)) if repeated else (step.name, None)
        if not step.axes or step.axes[-1].kind != "feature":
            continue
        name = f"{base}>" if f"{base}>" in names else base
        if name not in names:
            continue
        attention = names[name]
        turn = _next(loop) if name != base else loop or _first_turn(names, attention)
        made = _of_step(step, turn, attention)
        found += made if attention is main else [replace(one, row=0) for one in made]
        if len(found) >= MOST:
            break
    return _told_apart(found[:MOST])


def queries(trace: Trace) -> Mapping[str, AttentionMap | None]:
    """The names of the steps that ask, as in the registry, and the map in which each finds its weights.

    A query of a map that this trace does not have, as with other options, asks nothing.
    """
    found = {}
    maps = {m.name: m for m in trace.maps}
    for declared in _names(trace.mechanism):
        name, _, where = declared.partition(": ")
        if not where:
            found[name] = main_map(trace)
        elif where in maps:
            found[name] = maps[where]
    return found


def likeness(asked: list[Asking]) -> Float[np.ndarray, "asking asking"]:
    """The cosine between every two queries; 0 where one is the zero vector or has another size."""
    found = np.zeros((len(asked), len(asked)))
    for i, one in enumerate(asked):
        for j, other in enumerate(asked):
            size = np.linalg.norm(one.vector) * np.linalg.norm(other.vector)
            if one.vector.shape == other.vector.shape and size > 0:
                found[i, j] = float(one.vector @ other.vector / size)
    return found


def _names(mechanism: str) -> tuple[str, ...]:
    try:
        return registry.get(mechanism).queries
    except UnknownNameError:
        return _USUAL


def _told_apart(asked: list[Asking]) -> list[Asking]:
    """Where several steps ask in the same turn, the step's name stands behind the label."""
    steps: dict[str, set[str]] = {}
    for one in asked:
        steps.setdefault(one.label, set()).add(_base(one))
    return [replace(one, label=f"{one.label} · {_base(one)}") if len(steps[one.label]) > 1 else one for one in asked]


def _base(asking: Asking) -> str:
    return asking.step.split(", ")[0]


def _next(loop: tuple[str, int] | None) -> tuple[str, int] | None:
    """The turn that is asked by what this one left behind."""
    return (loop[0], loop[1] + 1) if loop else None


def _first_turn(names: Mapping[str, AttentionMap | None], attention: AttentionMap | None) -> tuple[str, int] | None:
    """The first turn is asked by a query outside of the loop, where the others are asked by what the last one left."""
    if attention is None or not any(name.endswith(">") for name in names):
        return None
    return attention.axes[0].kind, 0


def _of_step(step: Step, loop: tuple[str, int] | None, attention: AttentionMap | None) -> list[Asking]:
    made = []
    for at in np.ndindex(step.value.shape[:-1]):
        place = {axis.kind: i for axis, i in zip(step.axes[:-1], at, strict=True)}
        labels = [axis.labels[i] for axis, i in zip(step.axes[:-1], at, strict=True) if len(axis) > 1]
        if loop is not None:
            labels.insert(0, _turn_label(loop, attention))
        weights, row = _answer(attention, place, loop)
        made.append(
            Asking(
                label=" · ".join(labels) or step.name,
                vector=step.value[at].astype(np.float64),
                found=() if weights is None or _is_over(loop, attention) else _largest(attention.axes[-1], weights),
                step=step.name,
                turn=loop[1] if loop else None,
                row=row,
                map=attention.name if attention else "",
            )
        )
    return made


def _turn_label(loop: tuple[str, int], attention: AttentionMap | None) -> str:
    """hop 2; where a turn has a label of its own, such as the word that was produced in it, that."""
    kind, turn = loop
    axis = _loop_axis(attention, loop)
    if axis is not None and turn < len(axis):
        return axis.labels[turn]
    return f"after {kind} {turn}" if _is_over(loop, attention) else f"{kind} {turn + 1}"


def _is_over(loop: tuple[str, int] | None, attention: AttentionMap | None) -> bool:
    """Whether there is no such turn any more: what the last one left behind is read, and asks nothing."""
    counts = {axis.kind: len(axis) for axis in attention.axes[:-1]} if attention else {}
    return loop is not None and loop[1] >= counts.get(loop[0], loop[1] + 1)


def _loop_axis(attention: AttentionMap | None, loop: tuple[str, int]) -> Axis | None:
    """The axis of the map that counts the turns: of the loop's kind, or the first that is no head, class or side."""
    for axis in attention.axes[:-1] if attention else ():
        if axis.kind in (loop[0], "token") and len(axis) > loop[1]:
            return axis
    return None


def _answer(
    attention: AttentionMap | None, place: dict[str, int], loop: tuple[str, int] | None
) -> tuple[Float[np.ndarray, " key"] | None, int]:
    """The weights that a query got, mean over what it does not tell apart, and its place in the query axis."""
    if attention is None:
        return None, 0
    turning = _loop_axis(attention, loop) if loop else None
    weights, row = attention.weights, 0
    for dim, axis in reversed(list(enumerate(attention.axes[:-1]))):
        i = loop[1] if axis is turning else place.get(axis.kind, 0 if len(axis) == 1 else None)
        if i is None and axis.kind == "token":  # the items ask: their queries are counted as items
            i = next((place[kind] for kind in ("item", "key", "token", "query") if kind in place), None)
        if dim == len(attention.axes) - 2:
            row = i or 0
        inside = i is not None and i < len(axis)
        weights = weights.take(i, axis=dim) if inside else weights.mean(axis=dim)
    return weights, row


def _largest(keys: Axis, weights: Float[np.ndarray, " key"]) -> tuple[tuple[str, float], ...]:
    """The items with the largest weights; of several in the same place of a picture the first."""
    if len(keys) > 1 and weights.max() - weights.min() < FLAT * abs(weights.max()):
        return ((ALIKE, float(weights.max())),)
    found: dict[str, float] = {}
    for k in np.argsort(-weights, kind="stable"):
        if len(found) == FOUND or weights[k] <= 0:
            break
        found.setdefault(named(keys, int(k)), float(weights[k]))
    return tuple(found.items())
