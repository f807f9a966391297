"""The two plain jobs: words of one sentence, patches of one picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image
from torch import nn

from attnviz.attention.registry import Mechanism
from attnviz.features.given import Input
from attnviz.features.image import ImageFeatures
from attnviz.features.picture import pixels
from attnviz.features.text import TextFeatures, collate
from attnviz.features.words import split, with_swapped
from attnviz.tasks.classifier import Classifier
from attnviz.tasks.job import Part, Values
from attnviz.trace import Axis

TEXT, IMAGE = KINDS = "text", "image"
PARTS = {TEXT: (Part("text", "text", "Sentence"),), IMAGE: (Part("picture", "picture", "Picture"),)}


@dataclass(frozen=True)
class ClassifierJob:
    """A job whose answer is one of its task's classes; `sizes` are what it decides of a mechanism."""

    n_classes: int
    sizes: Mapping[str, Any]

    def output(self, mechanism: Mechanism, options: Any, d_model: int) -> Classifier:
        """The mechanism with a linear output model."""
        return Classifier(mechanism, options, d_model, self.n_classes, **self.sizes)


@dataclass(frozen=True)
class TextJob(ClassifierJob):
    """A sentence: its words are the items."""

    def features(self, card: Mapping[str, Any]) -> nn.Module:
        """Word vectors and context layers."""
        return TextFeatures(card["d_model"])

    def encode(self, features: nn.Module, values: Values, swapped: Mapping[int, str]) -> Input:
        """The words of `text`. EmptyTextError if it has none; OptionError if what takes a place is not one word."""
        words = with_swapped(split(values["text"]), swapped)
        items = features(*collate([words]))
        return Input(items, Axis("token", words.labels), values["text"], (words.note,) if words.note else ())


@dataclass(frozen=True)
class PictureJob(ClassifierJob):
    """A picture: its patches are the items."""

    prepare: Callable[[Image.Image], Image.Image]
    in_place: bool

    def features(self, card: Mapping[str, Any]) -> nn.Module:
        """A convolutional net."""
        return ImageFeatures(card["d_model"])

    def encode(self, features: nn.Module, values: Values, swapped: Mapping[int, str]) -> Input:
        """The patches of `picture`; there are no words to swap."""
        picture = values["picture"]
        prepared = self.prepare(picture.image)
        rows, columns = features.grid(prepared.height, prepared.width)
        under = picture.image if self.in_place else prepared
        axis = Axis("patch", places(rows, columns), (rows, columns))
        return Input(features(pixels(prepared)), axis, picture.name, picture.notes, under)


def places(rows: int, columns: int) -> tuple[str, ...]:
    """What the patches of a grid are called, row by row."""
    return tuple(f"row {r + 1}, column {c + 1}" for r in range(rows) for c in range(columns))
