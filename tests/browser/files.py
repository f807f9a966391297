"""Files that people upload, made in memory: good, odd and broken pictures, and what the page says to each."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.helpers import png


def saved(image: Image.Image, kind: str = "png", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def plain(mode: str = "RGB", size: tuple[int, int] = (48, 32)) -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert(mode)


def bomb() -> bytes:
    """A PNG that claims 20,000 x 20,000 pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunks = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunks + b"\x00\x00\x00\x00IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


def palette_with_alpha() -> bytes:
    image = plain("RGB").quantize(4)
    return saved(image, transparency=0)


def turned() -> bytes:
    exif = Image.Exif()
    exif[274] = 6
    return saved(plain(), "jpeg", exif=exif)


def animated() -> bytes:
    return saved(plain(), "gif", save_all=True, append_images=[plain().rotate(90 * i) for i in (1, 2)], duration=50)


def sixteen_bits() -> bytes:
    return saved(Image.fromarray(np.arange(48 * 32, dtype=np.uint16).reshape(32, 48) * 40))


FILES = {
    "no picture": (lambda: b"%PDF-1.4 hello", "This file is not a picture that can be read here.", False),
    "empty": (lambda: b"", "The file is empty.", False),
    "truncated": (lambda: png(200, 200)[:2000], "The picture is damaged or breaks off", False),
    "bomb": (bomb, "and 40 megapixels is the limit. Make it smaller", False),
    "cmyk": (lambda: saved(plain("CMYK"), "jpeg"), "The printing colours (CMYK) are turned", True),
    "16 bits": (sixteen_bits, "The 16-bit grey values are brought to 8 bits.", True),
    "palette with alpha": (palette_with_alpha, "Transparent parts are shown on white.", True),
    "animated": (animated, "The first of 3 frames is used.", True),
    "turned": (turned, "The picture is turned upright, as its camera noted.", True),
    "1 x 1": (lambda: saved(plain(size=(1, 1))), "only 1 x 1 pixels, so it is enlarged", True),
    "4000 x 10": (lambda: saved(plain(size=(4000, 10))), "The picture is very long: the middle 20 x 10", True),
}
