"""A drawing of 28 x 28 cells with 16 levels of ink, as MNIST's digits are."""

import base64
import re

import numpy as np
from PIL import Image

from attnviz.errors import PictureError
from attnviz.features.picture import Picture
from attnviz.ui.inputs import editor
from attnviz.ui.inputs.field import Field

SIDE = 28
_BYTES = SIDE * SIDE // 2  # two cells in one
_TEXT = re.compile(r"[A-Za-z0-9_-]{523}")  # as many bytes in base64
_FULL = 15


def ask(field: Field) -> Picture:
    """What was drawn. PictureError if that is nothing yet."""
    return picture(edit(field))


def edit(field: Field) -> str:
    """The pad, and what is drawn on it, as a text."""
    return editor.edit(field, "drawing", read, {})


def picture(text: str) -> Picture:
    """A drawing as a picture, white on black. PictureError if nothing is drawn."""
    ink = read(text)
    if not ink.any():
        raise PictureError(
            "Nothing is drawn yet. Draw in the black square: with the mouse, a finger, or the arrow keys and Space."
        )
    grey = Image.fromarray((ink * (255 // _FULL)).astype(np.uint8))
    return Picture(grey.convert("RGB"), name="drawing")


def read(text: str) -> np.ndarray:
    """The ink of each cell (28, 28), 0 to 15; an empty text is an empty drawing. ValueError if the text is none."""
    if not text:
        return np.zeros((SIDE, SIDE), np.uint8)
    if not _TEXT.fullmatch(text):
        raise ValueError("it is not a drawing.")
    cells = np.frombuffer(base64.urlsafe_b64decode(f"{text}="), np.uint8)
    return np.stack([cells >> 4, cells & _FULL], axis=1).reshape(SIDE, SIDE)
