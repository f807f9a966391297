"""What if: one control over its whole range, and every part taken away in turn. Each number is a run of the model."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from attnviz.analysis.items import foremost, items
from attnviz.analysis.pairs import shares, variation
from attnviz.analysis.phrases import capital, item, named
from attnviz.attention.alignments import PLAIN
from attnviz.changes import changed
from attnviz.errors import OptionError
from attnviz.intervention import Intervention
from attnviz.trace import AttentionMap, Axis, Prediction, Trace
from attnviz.zoo import models
from attnviz.zoo.models import Input, Model

MOST = 64  # parts that are taken away in turn
N_TEMPERATURES = 12  # on each side of 1
N_WEIGHTS = 21
TRAINED = "as trained"

Watch = Callable[[Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True)
class Control:
    """Something that can be set: its `values` in order, the one it has `now`, and what to run `at` a value.

    `scale` says how the values lie: even after the logarithm, evenly, in steps with an order, or as names without one.
    """

    name: str
    title: str
    values: tuple[Any, ...]
    now: Any
    scale: Literal["log", "linear", "steps", "names"]
    at: Callable[[Any], tuple[Model, Intervention]]


@dataclass(frozen=True)
class Sweep:
    """The prediction at each value of a control; `trained` says which values have trained weights."""

    title: str
    values: tuple[Any, ...]
    now: Any
    scale: str
    labels: tuple[str, ...]
    probabilities: Float[np.ndarray, "value class"]
    trained: tuple[bool, ...]


@dataclass(frozen=True)
class Removal:
    """One part taken away: the probability of the class that was predicted before, and how far all of them moved.

    `distance` is the total variation distance of the class probabilities (see `pairs.variation`; 0 where there are
    none); `best` is the class that is predicted now, and `changes` whether it is another one than before.
    """

    label: str
    index: int
    before: float
    after: float
    distance: float
    best: str
    changes: bool

    @property
    def change(self) -> float:
        """How far the probability rose; below zero where it fell."""
        return self.after - self.before


@dataclass(frozen=True)
class Ablation:
    """Parts of one `kind` (head, hop, word …) taken away one by one.

    The largest change of probability comes first; of equal ones that with the larger distance. `predicted` is the class
    whose probability is watched; `left_out` is how many parts were not tried.
    """

    kind: str
    predicted: str
    removals: tuple[Removal, ...]
    left_out: int


def sweep(control: Control, given: Input, watch: Watch = iter) -> Sweep:
    """The prediction at each value. `watch` is handed the values and gives them back, to see how far the sweep is.

    OptionError where words are produced. Where the possible answers depend on the run, those of the first are followed.
    """
    traces, trained = [], []
    for value in watch(control.values):
        model, intervention = control.at(value)
        traces.append(model.trace(given, intervention))
        trained.append(model.card is not None)
        _one_answer(traces[-1].prediction)
    labels = traces[0].prediction.labels
    return Sweep(
        title=control.title,
        values=control.values,
        now=control.now,
        scale=control.scale,
        labels=labels,
        probabilities=np.stack([_of(trace.prediction, labels) for trace in traces]),
        trained=tuple(trained),
    )


def temperature(model: Model, intervention: Intervention, coldest: float, hottest: float) -> Control:
    """The temperature from the coldest to the hottest, with 1, where it was trained, and where it stands."""
    below, above = np.geomspace(coldest, 1, N_TEMPERATURES), np.geomspace(1, hottest, N_TEMPERATURES)
    values = sorted({*below.tolist(), 1.0, *above.tolist(), intervention.temperature})
    now = intervention.temperature
    return Control(
        "temperature", "Temperature", tuple(values), now, "log", lambda t: (model, replace(intervention, temperature=t))
    )


def weights(model: Model, intervention: Intervention, trace: Trace, most: int = 6) -> tuple[Control, ...]:
    """The largest weights of a trace, each from 0 to 1, while the others of its row share what is left."""
    return tuple(
        _weight(f"weight {rank}", model, intervention, found, at)
        for rank, (found, at) in enumerate(_top(trace, most), 1)
    )


def options(model: Model, intervention: Intervention) -> tuple[Control, ...]:
    """Each option that was trained at several values while the others stand as they do."""
    known = {model.options, *models.trained(model.task.name, model.mechanism.name)}
    controls = (_option(f, known, model, intervention) for f in fields(model.mechanism.options))
    return tuple(control for control in controls if len(control.values) > 1)


def alignment(model: Model, intervention: Intervention) -> tuple[Control, ...]:
    """The alignment as trained and each other that can take its place; none where it is an option of the mechanism."""
    if "alignment" in {f.name for f in fields(model.mechanism.options)}:
        return ()
    return (
        Control(
            "align",
            "Alignment",
            (TRAINED, *PLAIN),
            intervention.alignment or TRAINED,
            "names",
            lambda name: (model, replace(intervention, alignment=None if name == TRAINED else name)),
        ),
    )


def removable(trace: Trace) -> dict[str, Axis]:
    """What can be taken away one by one, by its kind: the maps along each leading axis, and the items."""
    found: dict[str, Axis] = {}
    for axis in [axis for m in foremost(trace) for axis in m.axes[:-2] if len(axis) > 1]:
        found.setdefault(axis.kind, axis)
    axis = items(trace)
    return {**found, item(axis): axis} if len(axis) else found


def ablate(
    model: Model, given: Input, intervention: Intervention, kind: str, most: int = MOST, watch: Watch = iter
) -> Ablation:
    """Every head, hop, class … switched off in turn, or every item masked in turn, on top of `intervention`.

    `kind` is one of `removable`. What is off or masked already is not tried again; of more than `most` items those with
    the largest shares of the weight are. `watch` is as in `sweep`.
    """
    before = model.trace(given, intervention)
    _one_answer(before.prediction)
    axis = removable(before)[kind]
    if axis == items(before):
        there = [i for i in np.argsort(-shares(before), kind="stable").tolist() if i not in intervention.masked]
        events = {i: {"what": "mask", "key": i, "on": True} for i in there}
    else:
        there = [i for i in range(len(axis)) if i not in intervention.off.get(kind, ())]
        events = {i: {"what": "off", "kind": kind, "index": i, "on": True} for i in there}
    removals = []
    for i in watch(there[:most]):
        after = model.trace(given, changed(intervention, events[i]))
        removals.append(_removal(_name(axis, i), i, before.prediction, after.prediction))
    removals.sort(key=lambda r: (-abs(r.change), -r.distance, r.index))
    return Ablation(kind, before.prediction.best, tuple(removals), max(0, len(there) - most))


def _one_answer(prediction: Prediction) -> None:
    if prediction.sequence:
        raise OptionError("Words are produced here one after the other: there is no single answer to follow.")


def _of(prediction: Prediction, labels: tuple[str, ...]) -> Float[np.ndarray, " label"]:
    """The probabilities of these labels; 0 for one that is no longer among the answers."""
    if prediction.labels == labels:
        return prediction.probabilities.astype(np.float64)
    known = dict(zip(prediction.labels, prediction.probabilities.tolist(), strict=True))
    return np.array([known.get(label, 0.0) for label in labels])


def _removal(label: str, index: int, before: Prediction, after: Prediction) -> Removal:
    watched = int(before.probabilities.argmax())
    p, q = _of(before, before.labels), _of(after, before.labels)
    return Removal(
        label=label,
        index=index,
        before=float(p[watched]),
        after=float(q[watched]),
        distance=variation(p, q) or 0.0,
        best=after.best,
        changes=after.best != before.best,
    )


def _weight(name: str, model: Model, intervention: Intervention, found: AttentionMap, at: tuple[int, ...]) -> Control:
    """One weight; the value that it has now is one of those that are run."""
    now = float(found.weights[at])
    values = sorted({*np.linspace(0, 1, N_WEIGHTS).tolist(), min(1.0, max(0.0, now))})

    def run(weight: float) -> tuple[Model, Intervention]:
        event = {"what": "edit", "map": found.name, "at": list(at), "weight": weight}
        return model, changed(intervention, event)

    return Control(name, _weight_title(found, at), tuple(values), now, "linear", run)


def _weight_title(found: AttentionMap, at: tuple[int, ...]) -> str:
    """Weight of “novel” in head 1, from “time”."""
    *leading, queries, keys = found.axes
    places = [called(axis.kind, axis.labels[i]) for axis, i in zip(leading, at, strict=False) if len(axis) > 1]
    within = f" in {', '.join(places)}" if places else ""
    origin = f", from {called(item(queries), _name(queries, at[-2]))}" if len(queries) > 1 else ""
    kind = capital(found.name.replace("_", " ").removesuffix("s"))
    return f"{kind} of {called(item(keys), _name(keys, at[-1]))}{within}{origin}"


def _top(trace: Trace, most: int) -> Iterator[tuple[AttentionMap, tuple[int, ...]]]:
    """The largest weights of the foremost map, largest first. Not all are sorted: there may be half a million."""
    for found in foremost(trace)[:1]:
        flat = found.weights.ravel()
        largest = np.argpartition(-flat, most - 1)[:most] if len(flat) > most else np.arange(len(flat))
        for i in sorted(largest.tolist(), key=lambda i: (-flat[i], i)):
            if flat[i] > 0:
                yield found, tuple(int(k) for k in np.unravel_index(i, found.weights.shape))


def _option(f: Any, known: set[Any], model: Model, intervention: Intervention) -> Control:
    """One option at the values of those `known` sets that agree with the model's own in everything else.

    An alignment that a reader put in the place of the trained one makes way where alignments are what is swept.
    """
    now = getattr(model.options, f.name)
    near = {getattr(found, f.name): found for found in known if replace(found, **{f.name: now}) == model.options}
    choices = [choice for choice in f.metadata["choices"] if choice in near]
    ordered = isinstance(f.default, int) and not isinstance(f.default, bool)
    task, mechanism = model.task.name, model.mechanism.name
    as_trained = replace(intervention, alignment=None) if f.name == "alignment" else intervention
    return Control(
        f.name,
        capital(f.metadata["label"]),
        tuple(sorted(choices) if ordered else choices),
        now,
        "steps" if ordered else "names",
        lambda value: (models.load(task, mechanism, near[value]), as_trained),
    )


def called(kind: str, label: str) -> str:
    """A part in a sentence: head 1 and “word” as they are, but class human, patch row 1, column 2."""
    return label if label.startswith((kind, "“")) else f"{kind} {label}"


def _name(axis: Axis, index: int) -> str:
    """What to call one of an axis where its kind is known; each patch has its own row and column."""
    return named(axis, index) if axis.kind == "token" else axis.labels[index]
