"""Which shapes of a scene a sentence names, and how much of the weight lies on them."""

import re
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attnviz.features.scene import GRID
from attnviz.training.scene_pictures import LEAST, coverage
from attnviz.training.scenes import COLOURS, SHAPES, Scene, Thing

_NAME = re.compile(rf"\b({'|'.join(COLOURS)})?\s*\b({'|'.join(SHAPES)})?")

_SINGULAR = {f"{shape}s": shape for shape in SHAPES} | {"block": "square", "blocks": "square"}


def names(sentence: str) -> set[tuple[str, str]]:
    """(colour, shape) of each name in a sentence; "" where it says nothing of one of them.

    "a blue square" names blue squares, "black items" whatever is black, "circles" those of any colour.
    """
    return {(colour, shape) for colour, shape in _NAME.findall(sentence.lower()) if colour or shape}


def told(words: Sequence[str]) -> list[tuple[int, int]]:
    """What each word says of the colour and of the shape of the thing that it names, as numbers.

    In "a blue square" both words tell both. -1 where nothing is told.
    """
    lower = [word.lower() for word in words]
    found = [(_number(word, tuple(COLOURS)), _number(_SINGULAR.get(word, word), SHAPES)) for word in lower]
    for i in range(len(found) - 1):
        (colour, no_shape), (no_colour, shape) = found[i : i + 2]
        if colour >= 0 > no_shape and shape >= 0 > no_colour:
            found[i : i + 2] = [(colour, shape)] * 2
    return found


def _number(word: str, among: Sequence[str]) -> int:
    return among.index(word) if word in among else -1


def is_named(thing: Thing, found: set[tuple[str, str]]) -> bool:
    """Whether one of the names fits."""
    return any(colour in ("", thing.colour) and shape in ("", thing.shape) for colour, shape in found)


def covered(things: list[tuple[int, Thing]]) -> Bool[Tensor, " place"]:
    """The places of which the things, each with the number of its box, cover a good part."""
    total = sum((coverage(thing, box) for box, thing in things), torch.zeros(GRID))
    return (total > LEAST).flatten()


def shares(weights: Float[Tensor, " place"], sentence: str, shown: Scene) -> dict[str, float]:
    """The share of the weight that lies on the shapes that the sentence names, and that of even weights.

    "among shapes" looks only at places that show a shape. Empty if it names none of the scene's shapes, or all.
    """
    things = [(number, thing) for number, box in enumerate(shown) for thing in box]
    found = names(sentence)
    named = covered([(number, thing) for number, thing in things if is_named(thing, found)])
    any_shape = covered(things)
    if not named.any() or named.sum() == any_shape.sum():
        return {}
    on_shapes = float(weights[any_shape].sum())
    return {
        "weight on named shapes": float(weights[named].sum()),
        "their share of the places": float(named.double().mean()),
        "weight on named among shapes": float(weights[named].sum()) / on_shapes if on_shapes else 0.0,
        "their share among shapes": float(named.sum() / any_shape.sum()),
    }
