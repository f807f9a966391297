"""The list of tasks. A task is one file in this folder that ends in `register(Task(…))`."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from attnviz.attention.registry import Mechanism
from attnviz.errors import DataError, UnknownNameError
from attnviz.features.picture import fit
from attnviz.tasks.job import Job, Part
from attnviz.tasks.plain import IMAGE, KINDS, PARTS, TEXT, PictureJob, TextJob


@dataclass(frozen=True)
class Examples:
    """Inputs (texts, pixels (n, 3, height, width) as uint8, or what a job reads) and the number of each one's class."""

    inputs: list[Any] | Tensor
    labels: Int[Tensor, " n"]


@dataclass(frozen=True)
class DataSource:
    """Which data a task learns from, for the cards: its folder, a name, and its licence class with the reason."""

    folder: str
    name: str
    licence: str


def accuracy(probabilities: Float[Tensor, "n class"], labels: Int[Tensor, " n"]) -> dict[str, float]:
    """Share of examples whose most probable class is the right one."""
    return {"accuracy": float((probabilities.argmax(1) == labels).double().mean())}


@dataclass(frozen=True)
class Task:
    """What a model was trained to predict.

    `predicts` says it in one line; `examples` are sentences, or names of pictures in sample_data, to try, and `pairs`
    are two of them that differ in little but should be told apart; `read`
    gives the examples of a split ("train", "val", "test") from a folder laid out like the published data; `prepare`
    makes the picture that the feature model sees from any picture; `in_place` says that it only changes the size, so
    that weights can be laid over the picture as it was given, and `drawn` that a picture may be drawn by hand.

    The kinds "text" and "image" are one sentence and one picture. A task of another kind has a `job`, and `parts` that
    a person gives; its examples are {part: value}, pictures by name. `gives` names the sides of its inputs and `sizes`
    what it decides of a mechanism that uses them. It is for every mechanism that can ask by one of these sides and asks
    for no other, or `only` for the named ones; besides, for the `baselines`, which ask without it. `features_of` is the
    task whose feature model serves it, if it has none of its own.
    """

    name: str
    title: str
    kind: str
    predicts: str
    classes: tuple[str, ...]
    examples: tuple[Any, ...]
    data: DataSource
    read: Callable[[Path, str], Examples]
    metric: Callable[[Tensor, Tensor], dict[str, float]] = accuracy
    d_model: int = 128
    prepare: Callable[[Image.Image], Image.Image] = fit
    in_place: bool = True
    drawn: bool = False
    pairs: tuple[tuple[Any, Any], ...] = ()
    parts: tuple[Part, ...] = ()
    gives: tuple[str, ...] = ()
    sizes: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    job: Job | None = None
    features_of: str = ""

    def takes(self, mechanism: Mechanism) -> bool:
        """Whether the mechanism can be used for it."""
        if mechanism.name in self.baselines or mechanism.name in self.only:
            return True
        if self.only or (mechanism.kinds and self.kind not in mechanism.kinds):
            return False
        known = set(self.gives)
        asking = {*mechanism.asks, *mechanism.may_ask} & known
        return set(mechanism.asks) <= known and (bool(asking) or not known)

    @property
    def has_examples(self) -> bool:
        """Whether examples are chosen from a list; a single picture is chosen in its gallery."""
        return [part.kind for part in self.parts] != ["picture"]

    def values(self, example: Any) -> dict[str, str]:
        """One of the examples, or pairs, part by part."""
        return dict(example) if isinstance(example, Mapping) else {self.parts[0].name: example}


_registry: dict[str, Task] = {}


def register(task: Task) -> Task:
    """Add a task to the list; one sentence and one picture get their usual job."""
    if task.job is None:
        n_classes = len(task.classes)
        text = TextJob(n_classes, task.sizes)
        job = text if task.kind == TEXT else PictureJob(n_classes, task.sizes, task.prepare, task.in_place)
        base = task.features_of or {TEXT: "text", IMAGE: "cifar10"}[task.kind]
        task = replace(task, job=job, parts=PARTS[task.kind], features_of=base)
    _registry[task.name] = task
    return task


def unregister(name: str) -> None:
    """Forget a task; for tests and notebooks that define their own."""
    _registry.pop(name, None)


def tasks() -> dict[str, Task]:
    """All tasks by name: sentences first, then pictures, then the tasks with jobs of their own."""
    package = importlib.import_module("attnviz.tasks")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"attnviz.tasks.{module}")
    order = {name: KINDS.index(task.kind) if task.kind in KINDS else len(KINDS) for name, task in _registry.items()}
    return dict(sorted(_registry.items(), key=lambda item: order[item[0]]))


def get(name: str) -> Task:
    """The task of that name; UnknownNameError if there is none."""
    known = tasks()
    if name not in known:
        raise UnknownNameError("task", name, known)
    return known[name]


def data_file(folder: Path, *names: str) -> Path:
    """The first of `names` that exists in `folder`; DataError says what was looked for."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(f"No {' or '.join(names)} in {folder}. Give --data the folder that holds {folder.name}/.")


def held_out(n: int, share: float, seed: int = 0) -> tuple[Int[Tensor, " train"], Int[Tensor, " val"]]:
    """Which rows to train on and which to hold out for validation, always the same."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    n_val = round(n * share)
    return order[n_val:], order[:n_val]
