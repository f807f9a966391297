"""Trained models: a task's feature model, a mechanism and its output model, ready to be asked."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from attnviz import recording
from attnviz.attention import registry as mechanisms
from attnviz.errors import ZooError
from attnviz.features import text as text_features
from attnviz.features.image import ImageFeatures
from attnviz.features.picture import Picture, pixels
from attnviz.features.words import split, with_swapped
from attnviz.intervention import Intervention
from attnviz.tasks import classifier as output
from attnviz.tasks import registry as tasks
from attnviz.trace import Axis, Prediction, Trace
from attnviz.version import VERSION
from attnviz.zoo import store

_BASE = {"text": "text", "image": "cifar10"}  # whose features serve a task that has none of its own


@dataclass(frozen=True)
class Input:
    """What the mechanisms attend over: feature vectors (1, n, d), an axis with their labels, and what was given.

    `notes` are sentences saying what was cut or changed; `picture` is the picture under the patches.
    """

    items: Tensor
    axis: Axis
    source: str
    notes: tuple[str, ...] = ()
    picture: Image.Image | None = None


@lru_cache(maxsize=8)
def features(task: str) -> tuple[nn.Module, dict[str, Any]]:
    """The feature model of a task and its card; a task without one of its own gets the general one of its kind."""
    about = tasks.get(task)
    own = store.root() / task / "features.safetensors"
    path = own if own.is_file() or own.with_suffix(".json").is_file() else store.root() / _BASE[about.kind] / own.name
    state, card = store.read(path)
    model: nn.Module
    if about.kind == "text":
        model = text_features.TextFeatures(card["d_model"])
        table, _ = store.read(store.root() / "text" / "embeddings.safetensors")
        model.embedding = table["numbers"].float() * table["scale"]
    else:
        model = ImageFeatures(card["d_model"])
    _fill(model, state, path.name)
    return model.float().eval().requires_grad_(False), card


@torch.inference_mode()
def encode_text(task: str, text: str, swapped: Mapping[int, str] | None = None) -> Input:
    """The words of a text as items, `swapped` ones in the place of others. EmptyTextError if it has none.

    OptionError if what takes a word's place is not one word.
    """
    words = with_swapped(split(text), swapped or {})
    model, _ = features(task)
    items = model(*text_features.collate([words]))
    return Input(items, Axis("token", words.labels), text, (words.note,) if words.note else ())


@torch.inference_mode()
def encode_picture(task: str, picture: Picture, name: str = "") -> Input:
    """The patches of a picture as items."""
    about = tasks.get(task)
    prepared = about.prepare(picture.image)
    under = picture.image if about.in_place else prepared
    model, _ = features(task)
    grid = model.grid(prepared.height, prepared.width)
    labels = tuple(f"row {r + 1}, column {c + 1}" for r in range(grid[0]) for c in range(grid[1]))
    return Input(model(pixels(prepared)), Axis("patch", labels, grid), name, picture.notes, under)


@dataclass(frozen=True)
class Model:
    """A mechanism with its output model for one task. `card` is None if the weights are random: untrained."""

    task: tasks.Task
    mechanism: mechanisms.Mechanism
    options: Any
    classifier: output.Classifier
    card: dict[str, Any] | None

    @torch.inference_mode()
    def trace(self, given: Input, intervention: Intervention | None = None) -> Trace:
        """Run on `given` and return everything that the forward pass showed."""
        axes = {"key": given.axis, "item": given.axis, "class": Axis("class", self.task.classes)}
        with recording.record(intervention, axes) as heard:
            found = self.classifier(given.items)
        formulas = {**output.STEPS, **self.mechanism.steps, **getattr(self.classifier.attention, "formulas", {})}
        return Trace(
            mechanism=self.mechanism.name,
            maps=heard.maps(),
            steps=heard.steps(formulas),
            context=found.context[0].numpy(),
            prediction=Prediction(
                self.task.classes, found.probabilities[0].numpy(), independent=self.mechanism.yields == "classes"
            ),
            made_by={
                "task": self.task.name,
                "input": given.source,
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

    UnknownNameError for a task or mechanism that does not exist; ZooError if the file is damaged.
    """
    about, spec = tasks.get(task), mechanisms.get(mechanism)
    options = options if options is not None else spec.options()
    classifier = untrained(task, mechanism, options)
    path = weights_file(task, mechanism, options)
    card = None
    if path.is_file() or path.with_suffix(".json").is_file():
        state, card = store.read(path)
        _fill(classifier, state, f"{task}/{mechanism}/{path.name}")
    return Model(about, spec, options, classifier.float().eval().requires_grad_(False), card)


def untrained(task: str, mechanism: str, options: Any) -> output.Classifier:
    """A mechanism with its output model and random weights, the same at every call."""
    _, card = features(task)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return output.Classifier(mechanisms.get(mechanism), options, card["d_model"], len(tasks.get(task).classes))


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


def _fill(model: nn.Module, state: dict[str, Tensor], name: str) -> None:
    try:
        model.load_state_dict(state)
    except RuntimeError:
        raise ZooError(
            f"The weights {name} are another version's. Make them again with `python -m attnviz train`."
        ) from None
