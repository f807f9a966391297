"""The list of tasks. A task is one file in this folder that ends in `register(Task(…))`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor

from attnviz.errors import DataError, UnknownNameError
from attnviz.features.picture import fit


@dataclass(frozen=True)
class Examples:
    """Inputs (texts, or pixels (n, 3, height, width) as uint8) and the number of each one's class."""

    inputs: list[str] | Tensor
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
    that weights can be laid over the picture as it was given.
    """

    name: str
    title: str
    kind: Literal["text", "image"]
    predicts: str
    classes: tuple[str, ...]
    examples: tuple[str, ...]
    data: DataSource
    read: Callable[[Path, str], Examples]
    metric: Callable[[Tensor, Tensor], dict[str, float]] = accuracy
    d_model: int = 128
    prepare: Callable[[Image.Image], Image.Image] = fit
    in_place: bool = True
    pairs: tuple[tuple[str, str], ...] = ()


_registry: dict[str, Task] = {}


def register(task: Task) -> Task:
    """Add a task to the list."""
    _registry[task.name] = task
    return task


def unregister(name: str) -> None:
    """Forget a task; for tests and notebooks that define their own."""
    _registry.pop(name, None)


def tasks() -> dict[str, Task]:
    """All tasks by name: texts first, then pictures."""
    package = importlib.import_module("attnviz.tasks")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"attnviz.tasks.{module}")
    return dict(sorted(_registry.items(), key=lambda item: item[1].kind, reverse=True))


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
