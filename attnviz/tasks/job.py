"""A job: how a task works whose input or answer is more than sentence to class or picture to class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from torch import nn

from attnviz.attention.registry import Mechanism
from attnviz.features.given import Input
from attnviz.features.picture import LONGEST, Picture

Values = Mapping[str, str | Picture]  # what a person gave, part by part


@dataclass(frozen=True)
class Part:
    """One thing that a person gives: a text, words `of` a text, facts (one a line), a choice, a picture, a drawing.

    `help` is a sentence for who does not know what to write there; a `long` text has several lines; a picture
    may be `longest` times as long as it is wide, or the other way round.
    """

    name: str
    kind: Literal["text", "words", "facts", "choice", "picture", "drawing"]
    title: str
    choices: tuple[str, ...] = ()
    of: str = ""
    help: str = ""
    long: bool = False
    longest: float = LONGEST


class Job(Protocol):
    """What a task of its own kind brings along; see `Task.job`."""

    def features(self, card: Mapping[str, Any]) -> nn.Module:
        """The feature model, empty: the zoo fills it."""

    def encode(self, features: nn.Module, values: Values, swapped: Mapping[int, str]) -> Input:
        """What was given as items and sides, `swapped` words in the place of others.

        InputError or another AttnvizError, with a clear sentence, for what cannot be used.
        """

    def output(self, mechanism: Mechanism, options: Any, d_model: int) -> nn.Module:
        """A mechanism (as `.attention`) with its output model: forward(items, mask=None, **sides) gives an Output."""
