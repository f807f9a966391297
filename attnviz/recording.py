"""How a forward pass becomes a trace: mechanisms call `note` and `Alignment`; a recording listens and intervenes.

A mechanism says what the axes of a tensor count with a string such as "head query key" (the batch axis comes first and
is not named). "hop* query key" says that each call is one hop: repeated calls become a leading hop axis.
Two names are special: "key" is an axis of items that can be attended to, "item" an axis of those items asking.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from attnviz.intervention import Intervention
from attnviz.trace import AttentionMap, Axis, Step, numbered

_NOTHING = Intervention()
MAIN = ("weights", "influence")  # what the map is called that a mechanism is about
FORMULAS = {  # of the steps that only an intervention or a mask brings in
    "tempered scores": r"\tilde e_l = e_l / T",
    "mask": r"m_l = 1 \text{ where item } l \text{ may be attended to, else } 0",
}


class _Note(NamedTuple):
    name: str
    axes: tuple[str, ...]
    loop: str | None
    turn: int
    value: Tensor


@lru_cache(maxsize=256)
def _read(axes: str) -> tuple[str | None, tuple[str, ...]]:
    """The loop and the names of the axes: "hop* query key" says ("hop", ("query", "key"))."""
    names = tuple(axes.split())
    if names and names[0].endswith("*"):
        return names[0].removesuffix("*"), names[1:]
    return None, names


class Recording:
    """What was noted during one forward pass, and the intervention that acts on it."""

    def __init__(self, intervention: Intervention, axes: Mapping[str, Axis]):
        self.intervention = intervention
        self._axes = axes
        self._notes: list[_Note] = []
        self._turns: dict[str, int] = {}
        self._normalised: dict[str, str | None] = {}

    def add(self, name: str, value: Tensor, axes: str) -> Tensor:
        """Keep `value` under `name`, and return it as the mechanism shall go on with it: with overridden numbers.

        Only the first element of the batch is read later.
        """
        loop, names = _read(axes)
        turn = self._turns.get(name, 0)
        self._turns[name] = turn + 1
        if self.intervention.overrides:
            value = self._overridden(_title(name, loop, turn), value, len(names))
        self._notes.append(_Note(name, names, loop, turn, value.detach() if value.requires_grad else value))
        return value

    def _overridden(self, title: str, value: Tensor, n_axes: int) -> Tensor:
        shape = value.shape[value.ndim - n_axes :]
        for wanted in self.intervention.overrides:
            if wanted.step == title and _is_inside(wanted.at, shape):
                value = value.clone()
                value[(..., *wanted.at)] = wanted.value
        return value

    def show(self, name: str, value: Tensor, axes: str, normalised: str | None) -> Tensor:
        """Like `add`, for numbers that are to be seen as a map though no alignment made them."""
        self._normalised[name] = normalised
        return self.add(name, value, axes)

    def label(self, kind: str, axis: Axis) -> None:
        """Labels for an axis that are known only now, such as words that have just been produced."""
        self._axes = {**self._axes, kind: axis}

    def before(self, name: str, scores: Tensor, axes: str, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Scores and mask as the alignment function shall see them; they are noted, with what changes them."""
        prefix = "" if name == "weights" else f"{name} "
        scores = self.add(f"{prefix}scores", scores, axes)
        if self.intervention.temperature != 1.0:
            scores = self.add(f"{prefix}tempered scores", scores / self.intervention.temperature, axes)
        if self.intervention.masked and _read(axes)[1][-1] == "key":
            allowed = torch.ones(scores.shape[-1], dtype=torch.bool, device=scores.device)
            allowed[[k for k in self.intervention.masked if k < len(allowed)]] = False
            mask = allowed if mask is None else mask & allowed
        if mask is not None:
            mask = self.add(f"{prefix}mask", mask.expand(scores.shape), axes)
        return scores, mask

    def after(self, name: str, weights: Tensor, axes: str, over: int, normalised: str | None) -> Tensor:
        """Weights as the mechanism shall go on with them; they are noted."""
        loop, names = _read(axes)
        turn = self._turns.get(name, 0)
        for edit in self.intervention.edits:
            at = edit.at[1:] if loop else edit.at
            if edit.map == name and (loop is None or edit.at[0] == turn) and _is_inside(at, weights.shape[1:]):
                weights = _edited(weights, at, edit.weight, over)
        for kind, indices in self.intervention.off.items():
            if kind == loop and turn in indices:
                weights = torch.zeros_like(weights)
            elif kind in names:
                dim = names.index(kind) - len(names)
                inside = [i for i in indices if i < weights.shape[dim]]
                weights = weights.index_fill(dim, torch.tensor(inside, dtype=torch.long, device=weights.device), 0.0)
        self._normalised[name] = normalised
        return self.add(name, weights, axes)

    def steps(self, formulas: Mapping[str, str]) -> tuple[Step, ...]:
        """Everything noted, in order; a repeated one is called "scores, hop 2"."""
        known = FORMULAS | dict(formulas)
        return tuple(self._step(n, known.get(n.name, "")) for n in self._notes)

    def maps(self) -> tuple[AttentionMap, ...]:
        """One map for each name of an `Alignment` or `show`, repeated calls stacked; the main one comes first."""
        return tuple(self._map(name) for name in sorted(self._normalised, key=lambda name: name not in MAIN))

    def _step(self, n: _Note, formula: str) -> Step:
        value = _first(n)
        axes = tuple(self._axis(name, size) for name, size in zip(n.axes, value.shape, strict=True))
        return Step(_title(n.name, n.loop, n.turn), formula, value, axes)

    def _map(self, name: str) -> AttentionMap:
        notes = [n for n in self._notes if n.name == name]
        weights = np.stack([_first(n) for n in notes]) if notes[0].loop else _first(notes[0])
        kinds = ((notes[0].loop,) if notes[0].loop else ()) + notes[0].axes
        axes = tuple(self._axis(kind, size) for kind, size in zip(kinds, weights.shape, strict=True))
        if notes[0].loop and notes[0].loop not in self._axes:  # counted even if there is one turn
            axes = (Axis(notes[0].loop, tuple(f"{notes[0].loop} {i + 1}" for i in range(len(notes)))), *axes[1:])
        return AttentionMap(name, weights, axes, self._normalised[name])

    def _axis(self, name: str, size: int) -> Axis:
        known = self._axes.get(name)
        return known if known is not None and len(known) == size else numbered(name, size)


def _title(name: str, loop: str | None, turn: int) -> str:
    return f"{name}, {loop} {turn + 1}" if loop else name


def _first(n: _Note) -> np.ndarray:
    """The first of the batch; a value without a batch axis (a parameter) is taken whole."""
    value = n.value[0] if n.value.ndim == len(n.axes) + 1 else n.value
    return (value.float() if value.dtype in (torch.bfloat16, torch.float16) else value).cpu().numpy()


def _is_inside(at: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether there is such an index; after a word is deleted there may be none."""
    return len(at) == len(shape) and all(0 <= i < size for i, size in zip(at, shape, strict=True))


def _edited(weights: Tensor, at: tuple[int, ...], weight: float, over: int) -> Tensor:
    """Set one weight; what else stands in its row along `over` shares the rest in the old proportions."""
    index = list(at)
    item = index.pop(len(at) + over)
    place = (slice(None), *index)
    row = weights.movedim(over, -1)[place]
    total = row.sum(-1)
    weight = total.clamp_max(weight)
    others = row.clone()
    others[..., item] = 0
    rest = others.sum(-1, keepdim=True)
    even = torch.ones_like(row) / max(1, row.shape[-1] - 1)
    row = torch.where(rest > 0, others / rest.clamp_min(1e-30), even) * (total - weight)[..., None]
    row[..., item] = weight
    weights = weights.clone()
    weights.movedim(over, -1)[place] = row
    return weights


_current: ContextVar[Recording | None] = ContextVar("recording", default=None)


def current() -> Recording | None:
    """The recording that is on, if one is."""
    return _current.get()


@contextmanager
def record(intervention: Intervention | None = None, axes: Mapping[str, Axis] | None = None) -> Iterator[Recording]:
    """Record every `note` and `Alignment` inside; `axes` gives the labels of named axes ("item", "key", "class" …)."""
    token = _current.set(Recording(intervention or _NOTHING, axes or {}))
    try:
        yield _current.get()
    finally:
        _current.reset(token)


def show(name: str, value: Tensor, axes: str, normalised: str | None = None) -> Tensor:
    """`note`, and a map of that name: for affinities, products of weights and other numbers worth a picture.

    The last two axes are query and key; `normalised` names the axis along which they sum to one, if they do.
    """
    recording = _current.get()
    return value if recording is None else recording.show(name, value, axes, normalised)


def note(name: str, value: Tensor, axes: str) -> Tensor:
    """Return `value`; while a recording is on, keep it as a step called `name`, and set the numbers it overrides."""
    recording = _current.get()
    return value if recording is None else recording.add(name, value, axes)
