"""How tasks about marked words are trained (kind "target")."""

from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from attnviz.attention.registry import Mechanism
from attnviz.features import targets
from attnviz.features.words import Words
from attnviz.tasks.registry import Examples, Task
from attnviz.training import aspects, heads

PLAN = heads.Plan(epochs=8, rate=1e-3, patience=3)
FORM_OF = {
    ("co_attention", "weights"): {"form": "alternating"},
    ("co_attention", "activation"): {"form": "interactive"},
}


def train_features(task: Task, data: Path) -> dict[str, Any]:
    """The feature model that all mechanisms of the task share. It never sees the target."""
    return aspects.train_features(task, data, lambda: aspects.TargetReadout(task.d_model, len(task.classes)), question)


def question(words: Words, values: Mapping[str, str]) -> Tensor:
    """The target as a mask over the words."""
    mask = torch.zeros(len(words.labels), dtype=torch.bool)
    mask[list(targets.find(words, values["target"]))] = True
    return mask


def encode(task: Task, features: nn.Module, examples: Examples) -> heads.Encoded:
    """Feature vectors of each review, its target as a mask, and the target's vectors."""
    items, mask, target = aspects.encode(features, examples, question)
    longest = int(target.sum(1).max())
    query_items, query_mask = (
        items.new_zeros(len(items), longest, items.shape[2]),
        target.new_zeros(len(items), longest),
    )
    for row, marked in enumerate(target):
        n = int(marked.sum())
        query_items[row, :n], query_mask[row, :n] = items[row, marked], True
    sides = {"target": target, "query_items": query_items, "query_mask": query_mask}
    return heads.Encoded(items, mask, examples.labels, sides)


def variants(task: Task, spec: Mechanism) -> list[dict[str, Any]]:
    """The option sets that are trained: the defaults, and each other choice of each option alone.

    An option that matters to one form only comes with that form. Baselines, and mechanisms that can do without a
    target, have their defaults.
    """
    if spec.name in task.baselines or not spec.asks:
        return [{}]
    return [{}, *(_with_form(spec, f.name, choice) for f in fields(spec.options) for choice in _others(f))]


def _others(option: Field) -> list[Any]:
    return [choice for choice in option.metadata["choices"] if choice != option.default]


def _with_form(spec: Mechanism, name: str, choice: Any) -> dict[str, Any]:
    return {**FORM_OF.get((spec.name, name), {}), name: choice}
