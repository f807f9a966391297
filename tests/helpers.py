"""Small things that several tests need."""

import io

import numpy as np
from PIL import Image


def png(width: int, height: int, seed: int = 0) -> bytes:
    """A small picture as the bytes of a PNG file."""
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()
