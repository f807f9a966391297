"""Film review sentiment (Stanford Sentiment Treebank, Socher et al. 2013): five degrees."""

import gzip
import json
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from attnviz.tasks.registry import DataSource, Examples, Task, accuracy, data_file, register

_FILES = {"train": "train.jsonl.gz", "val": "dev.jsonl.gz", "test": "test.jsonl.gz"}


def sentences(folder: Path, split: str) -> list[dict[str, Any]]:
    """The rows of a split: label, tokens, token_labels, phrases [[start, end, label] …]."""
    with gzip.open(data_file(folder, _FILES[split]), "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def read(folder: Path, split: str) -> Examples:
    """Whole sentences with their label, 0 (very negative) to 4 (very positive)."""
    rows = sentences(folder, split)
    return Examples([" ".join(row["tokens"]) for row in rows], torch.tensor([row["label"] for row in rows]))


def read_phrases(folder: Path) -> Examples:
    """Every different phrase of the training sentences, single words included, with its label."""
    labels: dict[str, int] = {}
    for row in sentences(folder, "train"):
        tokens = row["tokens"]
        spans = [*row["phrases"], *([i, i + 1, label] for i, label in enumerate(row["token_labels"]))]
        spans.append([0, len(tokens), row["label"]])
        labels |= {" ".join(tokens[start:end]): label for start, end, label in spans}
    return Examples(list(labels), torch.tensor(list(labels.values())))


def metric(probabilities: Float[Tensor, "n 5"], labels: Int[Tensor, " n"]) -> dict[str, float]:
    """Five-class accuracy, and that of two classes: neutral sentences left out, the sides of the scale summed."""
    told = labels != 2
    positive = probabilities[told, 3:].sum(1) > probabilities[told, :2].sum(1)
    two = (positive == (labels[told] > 2)).double().mean()
    return accuracy(probabilities, labels) | {"two-class accuracy": float(two)}


register(
    Task(
        name="sst",
        title="Film sentiment",
        kind="text",
        predicts="how much a reviewer liked a film",
        classes=("very negative", "negative", "neutral", "positive", "very positive"),
        examples=(
            "The plot is thin , but the two leads are wonderful together .",
            "A dull , endless film that wastes a fine cast .",
            "One of the most moving pictures of the year .",
            "It is neither good nor bad , it simply ends .",
            "Not funny at all .",
            "I never expected to enjoy a film about accountants this much .",
        ),
        pairs=(
            ("This film is really good .", "This film is not good ."),
            ("A funny and clever story .", "A dull and clumsy story ."),
            ("The plot is thin , but the actors are wonderful .", "The actors are wonderful , but the plot is thin ."),
        ),
        data=DataSource("sst", "Stanford Sentiment Treebank, 8,544 training sentences with phrases", "C: none stated"),
        read=read,
        metric=metric,
    )
)
