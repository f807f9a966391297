"""Whether a sentence about a picture is true (NLVR, Suhr et al. 2017): coloured shapes in three boxes."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from attnviz.attention.registry import Mechanism
from attnviz.errors import EmptyTextError, InputError
from attnviz.features.given import Input
from attnviz.features.picture import Picture
from attnviz.features.scene import GRID, SceneFeatures, scene
from attnviz.features.text import collate
from attnviz.features.words import split, with_swapped
from attnviz.recording import note
from attnviz.tasks.classifier import Classifier
from attnviz.tasks.job import Part, Values
from attnviz.tasks.plain import ClassifierJob, places
from attnviz.tasks.registry import DataSource, Examples, Task, data_file, held_out, register
from attnviz.trace import Axis

PICTURES = "images_200x50_palette.npz"
ANSWERS = ("false", "true")
HELD_OUT = 0.15  # of the sentences


class Comparison(nn.Module):
    """Two layers on the contexts of both sides: whether they agree cannot be said by one."""

    formulas = {
        "comparison": r"g = \mathrm{GELU}(W_g\,c + b_g)",
        "logits": r"z = W_c\,g + b_c",
    }

    def __init__(self, d_context: int, d_hidden: int, n_classes: int):
        super().__init__()
        self.hidden = nn.Linear(d_context, d_hidden)
        self.output = nn.Linear(d_hidden, n_classes)

    def forward(self, context: Float[Tensor, "batch d_context"]) -> Float[Tensor, "batch class"]:
        """Logits."""
        return self.output(note("comparison", nn.functional.gelu(self.hidden(context)), "hidden"))


class Judge(Classifier):
    """A mechanism, and a comparison of what it found in the sentence and in the picture."""

    formulas = Comparison.formulas

    def __init__(self, mechanism: Mechanism, options: object, d_model: int, n_classes: int):
        super().__init__(mechanism, options, d_model, n_classes)
        self.readout = Comparison(self.readout.in_features, d_model, n_classes)


class PairJob(ClassifierJob):
    """A sentence and a picture: the picture's places are the items, the words ask."""

    def features(self, card: Mapping[str, Any]) -> nn.Module:
        """Context layers for the words, a convolutional net for the picture."""
        return SceneFeatures(card["d_model"])

    def encode(self, features: SceneFeatures, values: Values, swapped: Mapping[int, str]) -> Input:
        """Places as items, words as query items. InputError if there is no word or no picture."""
        try:
            words = with_swapped(split(values["sentence"]), swapped)
        except EmptyTextError:
            raise InputError("sentence", "There is no sentence yet. Write what the picture shows.") from None
        picture = values.get("picture")
        if not isinstance(picture, Picture):
            raise InputError("picture", "There is no picture yet. Choose one of the examples, or upload one.")
        pieces, mask = collate([words])
        return Input(
            features.places(scene(picture.image)),
            Axis("patch", places(*GRID), GRID),
            {"sentence": values["sentence"], "picture": picture.name},
            (*((words.note,) if words.note else ()), *picture.notes),
            picture.image,
            sides={"query_items": features.words(pieces, mask), "query_mask": mask},
            axes={"query_item": Axis("token", words.labels)},
        )

    def output(self, mechanism: Mechanism, options: Any, d_model: int) -> Judge:
        """The mechanism with a comparison of both contexts."""
        return Judge(mechanism, options, d_model, self.n_classes)


def read(folder: Path, split_name: str) -> Examples:
    """{"sentence", "picture", "boxes"} of each pair; boxes are lists of the shapes in them.

    The parts dev and test, whose answers are published, are put together. Held out are whole groups of pairs about one
    sentence, told by the prefix of their names; what remains of such a sentence under another name is left out. "test"
    is the part hidden.
    """
    if split_name == "test":
        return _examples(*_part(folder, "hidden"))
    parts = [_part(folder, name) for name in ("dev", "test")]
    rows, pixels = [row for part, _ in parts for row in part], np.concatenate([found for _, found in parts])
    groups = sorted({_group(row) for row in rows})
    val = {groups[i] for i in held_out(len(groups), HELD_OUT)[1].tolist()}
    known = {_plain(row["sentence"]) for row in rows if _group(row) in val}
    if split_name == "val":
        chosen = [i for i, row in enumerate(rows) if _group(row) in val]
    else:
        chosen = [i for i, row in enumerate(rows) if _plain(row["sentence"]) not in known]
    return _examples([rows[i] for i in chosen], pixels[chosen])


def _part(folder: Path, name: str) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Rows, and pixels (n, 50, 200, 3)."""
    with gzip.open(data_file(folder, f"{name}.jsonl.gz"), "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    with np.load(data_file(folder, PICTURES), allow_pickle=False) as file:
        return rows, file["palette"][file[name]]


def _examples(rows: list[dict[str, Any]], pixels: np.ndarray) -> Examples:
    inputs = [
        {"sentence": row["sentence"], "picture": Picture(Image.fromarray(pixel), name=row["id"]), "boxes": row["boxes"]}
        for row, pixel in zip(rows, pixels, strict=True)
    ]
    return Examples(inputs, torch.tensor([ANSWERS.index(row["label"]) for row in rows]))


def _group(row: Mapping[str, Any]) -> str:
    return row["id"].split("-")[0]


def _plain(sentence: str) -> str:
    return " ".join(split(sentence.lower()).labels).rstrip(" .")


register(
    Task(
        name="nlvr",
        title="Sentence and picture",
        kind="pair",
        predicts="whether a sentence about coloured shapes is true of a picture",
        classes=ANSWERS,
        parts=(
            Part("sentence", "text", "Sentence", help="About towers, or about shapes in boxes."),
            Part("picture", "picture", "Picture", help="Three boxes with black, yellow and blue shapes.", longest=4.0),
        ),
        examples=(
            {"sentence": "There is a yellow circle touching the edge.", "picture": "scenes/scattered_1.png"},
            {"sentence": "There is a box with exactly two black items.", "picture": "scenes/scattered_2.png"},
            {"sentence": "There are no blue triangles.", "picture": "scenes/scattered_3.png"},
            {"sentence": "There is a tower with a yellow block at the top.", "picture": "scenes/towers_1.png"},
            {"sentence": "There is exactly one tower with four blocks.", "picture": "scenes/towers_2.png"},
            {"sentence": "There is a blue block over a black block.", "picture": "scenes/towers_3.png"},
        ),
        pairs=(
            (
                {"sentence": "There is a yellow circle.", "picture": "scenes/scattered_1.png"},
                {"sentence": "There is a blue square.", "picture": "scenes/scattered_1.png"},
            ),
        ),
        data=DataSource("nlvr", "NLVR, the parts dev and test, and made scenes with made sentences", "A: CC BY 4.0"),
        read=read,
        d_model=64,
        gives=("query_items",),
        only=("co_attention",),
        baselines=("learnable_query",),
        job=PairJob(len(ANSWERS), {}),
    )
)
