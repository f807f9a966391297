"""Trained models: a task's feature model, a mechanism and its output model, ready to be asked."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from attnviz import recording
from attnviz.attention import registry as mechanisms
from attnviz.errors import OptionError, ZooError
from attnviz.features.given import Input
from attnviz.features.picture import Picture
from attnviz.intervention import Intervention
from attnviz.tasks import classifier
from attnviz.tasks import registry as tasks
from attnviz.tasks.job import Values
from attnviz.trace import Axis, Prediction, Trace
from attnviz.version import VERSION
from attnviz.zoo import store


@lru_cache(maxsize=16)
def features(task: str) -> tuple[nn.Module, dict[str, Any]]:
    """The feature model of a task and its card; a task without one of its own has that of another (`features_of`).

    One with a buffer `embedding` that its file leaves out gets the table that all English text shares.
    """
    about = tasks.get(task)
    own = store.root() / task / "features.safetensors"
    has_own = own.is_file() or own.with_suffix(".json").is_file() or not about.features_of
    state, card = store.read(own if has_own else store.root() / about.features_of / own.name)
    model = about.job.features(card)
    if "embedding" in dict(model.named_buffers()) and "embedding" not in state:
        table, _ = store.read(store.root() / "text" / "embeddings.safetensors")
        model.embedding = table["numbers"].float() * table["scale"]
    _fill(model, state, own.name)
    return model.float().eval().requires_grad_(False), card


@torch.inference_mode()
def encode(task: str, values: Values, swapped: Mapping[int, str] | None = None) -> Input:
    """What was given for a task, part by part, as items and sides; `swapped` words stand in the place of others.

    An AttnvizError (EmptyTextError, InputError, OptionError …) says what cannot be used.
    """
    model, _ = features(task)
    return tasks.get(task).job.encode(model, values, swapped or {})


def encode_text(task: str, text: str, swapped: Mapping[int, str] | None = None) -> Input:
    """The words of a text as items, where a text is all that is given."""
    return encode(task, {"text": text}, swapped)


def encode_picture(task: str, picture: Picture) -> Input:
    """The patches of a picture as items, where a picture is all that is given."""
    return encode(task, {"picture": picture})


@dataclass(frozen=True)
class Model:
    """A mechanism with its output model for one task. `card` is None if the weights are random: untrained."""

    task: tasks.Task
    mechanism: mechanisms.Mechanism
    options: Any
    output: nn.Module
    card: dict[str, Any] | None

    @torch.inference_mode()
    def trace(self, given: Input, intervention: Intervention | None = None) -> Trace:
        """Run on `given` and return everything that the forward pass showed."""
        attention = self.output.attention
        axes = {"key": given.axis, "item": given.axis, "class": Axis("class", self.task.classes), **given.axes}
        axes |= {kind: Axis(kind, labels) for kind, labels in getattr(attention, "labels", {}).items()}
        with recording.record(intervention, axes) as heard:
            found = self.output(given.items, **given.sides)
        formulas = {**classifier.STEPS, **self.mechanism.steps, **getattr(attention, "formulas", {})}
        formulas |= getattr(self.output, "formulas", {})
        return Trace(
            mechanism=self.mechanism.name,
            maps=heard.maps(),
            steps=heard.steps(formulas),
            context=found.context[0].numpy(),
            prediction=Prediction(
                found.labels or given.classes or self.task.classes,
                found.probabilities[0].numpy(),
                independent=bool(found.labels) or self.mechanism.yields == "classes",
                sequence=bool(found.labels),
            ),
            made_by={
                "task": self.task.name,
                "input": given.source if isinstance(given.source, str) else dict(given.source),
                **({"marked": list(given.marked)} if given.marked else {}),
                "options": asdict(self.options),
                "intervention": intervention.to_plain() if intervention else {},
                "trained": self.card is not None,
                "seed": self.card["seed"] if self.card else 0,
                "version": VERSION,
            },
        )


@lru_cache(maxsize=64)
def load(task: str, mechanism: str, options: Any = None) -> Model:
    """The model of the zoo for these options; where there is none, one with random weights and no card.

    UnknownNameError for a task or mechanism that does not exist, OptionError if it is not for this task; ZooError if
    the file is damaged.
    """
    about, spec = tasks.get(task), mechanisms.get(mechanism)
    if not about.takes(spec):
        fitting = ", ".join(m.name for m in mechanisms.mechanisms().values() if about.takes(m))
        raise OptionError(f"{spec.title} is not for the task “{about.title}”. For it, choose one of: {fitting}.")
    options = options if options is not None else spec.options()
    model = untrained(task, mechanism, options)
    path = weights_file(task, mechanism, options)
    card = None
    if path.is_file() or path.with_suffix(".json").is_file():
        state, card = store.read(path)
        _fill(model, state, f"{task}/{mechanism}/{path.name}")
    return Model(about, spec, options, model.float().eval().requires_grad_(False), card)


def untrained(task: str, mechanism: str, options: Any) -> nn.Module:
    """A mechanism with its output model and random weights, the same at every call."""
    _, card = features(task)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return tasks.get(task).job.output(mechanisms.get(mechanism), options, card["d_model"])


def weights_file(task: str, mechanism: str, options: Any) -> Any:
    """Where the zoo keeps these weights."""
    return store.root() / task / mechanism / f"{store.variant(options)}.safetensors"


def trained(task: str, mechanism: str) -> tuple[Any, ...]:
    """The options for which the zoo has weights, the defaults first."""
    spec = mechanisms.get(mechanism)
    names = sorted(path.stem for path in (store.root() / task / mechanism).glob("*.safetensors"))
    names.sort(key=lambda name: name != "default")
    return tuple(
        spec.parse(dict(part.split("=", 1) for part in name.split(",")) if name != "default" else {}) for name in names
    )


def nearest(task: str, mechanism: str, options: Any, keep: str = "") -> Any:
    """The trained options that agree with `options` in most fields, and in `keep` if any does; itself if none is."""
    wanted = asdict(options)
    found = trained(task, mechanism)
    if not found or options in found:
        return options
    return max(
        found,
        key=lambda o: (
            keep in wanted and asdict(o)[keep] == wanted[keep],
            sum(asdict(o)[k] == v for k, v in wanted.items()),
        ),
    )


def _fill(model: nn.Module, state: dict[str, torch.Tensor], name: str) -> None:
    try:
        model.load_state_dict(state)
    except RuntimeError:
        raise ZooError(
            f"The weights {name} are another version's. Make them again with `python -m attnviz train`."
        ) from None
