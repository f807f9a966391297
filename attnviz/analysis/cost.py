"""What a model costs on an input of some size, and how good it is: counted, measured, and read off its card."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch

from attnviz.attention.registry import Cost
from attnviz.features.given import Input
from attnviz.zoo import models
from attnviz.zoo.models import Model

KEPT = 4096  # times that are remembered
RUNS = 5  # forward passes that are measured, after one that is not


@dataclass(frozen=True)
class Figures:
    """What one input costs. Feature model and output model are not counted in `multiplications` and `memory`.

    `multiplications` are scalar ones, `memory` is how many numbers are held at the same time; `parameters` are the
    trained numbers of mechanism and output model; `seconds` is the shortest time of a forward pass of both on the
    machine that runs this, without a recording: what else runs there only adds to it. `accuracy`, from 0 to 1 on
    validation data, is called `metric` on the model's card; both are None where the model is untrained.
    """

    multiplications: int
    memory: int
    parameters: int
    seconds: float
    accuracy: float | None
    metric: str | None


def figures(model: Model, given: Input) -> Figures:
    """The figures for an input. The time is measured once for each number of items, and then remembered."""
    counted = cost(model, len(given.axis))
    metric, accuracy = next(iter(model.card["metric"].items()), (None, None)) if model.card else (None, None)
    return Figures(
        multiplications=counted.multiplications,
        memory=counted.memory,
        parameters=sum(p.numel() for p in model.output.parameters()),
        seconds=_seconds(model, given),
        accuracy=accuracy,
        metric=metric,
    )


def cost(model: Model, n_items: int) -> Cost:
    """What the mechanism costs, with all classes where it answers class by class."""
    classes = (len(model.task.classes),) if model.mechanism.yields == "classes" else ()
    return model.mechanism.cost(n_items, width(model.task.name), model.options, *classes)


def width(task: str) -> int:
    """How many features an item of this task has."""
    return models.features(task)[1]["d_model"]


_measured: dict[tuple[str, str, Any, int], float] = {}


def _seconds(model: Model, given: Input) -> float:
    key = (model.task.name, model.mechanism.name, model.options, len(given.axis))
    if key not in _measured:
        if len(_measured) >= KEPT:
            _measured.clear()
        _measured[key] = _timed(lambda: model.output(given.items, **given.sides))
    return _measured[key]


@torch.inference_mode()
def _timed(run: Callable[[], Any]) -> float:
    """The shortest time of a run, in seconds."""
    run()
    taken = []
    for _ in range(RUNS):
        start = perf_counter()
        run()
        taken.append(perf_counter() - start)
    return min(taken)
