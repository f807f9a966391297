"""How tasks about a category are trained (kind "category")."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from attnviz.features.words import Words
from attnviz.tasks.mams import one_hot
from attnviz.tasks.registry import Examples, Task
from attnviz.training import aspects, heads
from attnviz.training.jobs import target

EPOCHS = 6
PLAN = heads.Plan(epochs=12, rate=1e-3)
variants = target.variants


def train_features(task: Task, data: Path) -> dict[str, Any]:
    """The feature model that all mechanisms of the task share. It never sees the category.

    It is not that of the marked words: sentences that are held out here are among their training sentences.
    """
    n_classes, d_auxiliary = len(task.classes), task.sizes["d_auxiliary"]
    return aspects.train_features(
        task, data, lambda: aspects.CategoryReadout(task.d_model, d_auxiliary, n_classes), question, epochs=EPOCHS
    )


def question(words: Words, values: Mapping[str, str]) -> Tensor:
    """The category as a vector."""
    return one_hot(values["category"])[0]


def encode(task: Task, features: nn.Module, examples: Examples) -> heads.Encoded:
    """Feature vectors of each review, and the category."""
    items, mask, category = aspects.encode(features, examples, question)
    return heads.Encoded(items, mask, examples.labels, {"auxiliary": category})
