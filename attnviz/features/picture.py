"""Pictures from people: an untrusted file becomes a clean RGB picture, and that becomes what the models read."""

import base64
import io
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageOps
from torch import Tensor

from attnviz.errors import PictureError

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
MOST_BYTES = 30_000_000
MOST_PIXELS = 40_000_000
KEPT_PIXELS = 4_000_000  # a larger picture is made smaller, so that what stays in memory is bounded
LONGEST = 2.0  # the longer side over the shorter
SMALL = 32
CHOOSE = "Choose a PNG, JPEG, GIF, WebP, BMP or TIFF file."


@dataclass(frozen=True)
class Picture:
    """An RGB picture without metadata, one sentence for each thing that was changed to get it, and its file's name."""

    image: Image.Image
    notes: tuple[str, ...] = ()
    name: str = ""


def read_picture(data: bytes, name: str = "", longest: float = LONGEST) -> Picture:
    """The picture in an uploaded file: upright, on white, 8 bits a colour, at most `longest` times as long as wide.

    PictureError for a file that is empty, too large, damaged, of another kind, or of more than 40 megapixels; the size
    is read from the header, before anything is decoded.
    """
    if not data:
        raise PictureError(f"The file is empty. {CHOOSE}")
    if len(data) > MOST_BYTES:
        raise PictureError(
            f"The file has {len(data) / 1e6:.0f} MB, and {MOST_BYTES / 1e6:.0f} MB is the limit. Choose a smaller one."
        )
    notes: list[str] = []
    image = _decoded(_opened(data), notes)
    image = _bounded(_cropped(image, longest, notes), notes)
    if min(image.size) < SMALL:
        notes.append(f"The picture is only {image.width} x {image.height} pixels, so it is enlarged.")
    return Picture(_bare(image), tuple(notes), name)


def fit(picture: Picture | Image.Image, side: int = 32, longest: float = LONGEST, multiple: int = 4) -> Image.Image:
    """The picture with its shorter side `side` pixels long, the other at most `longest` times that.

    Both are multiples of `multiple`, so that whole patches cover the whole picture; a longer picture loses its ends.
    """
    image = _cropped(picture.image if isinstance(picture, Picture) else picture, longest, [])
    scale = side / min(image.size)
    width, height = (max(multiple, multiple * round(length * scale / multiple)) for length in image.size)
    return image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)


def pixels(image: Image.Image) -> UInt8[Tensor, "1 3 height width"]:
    """The picture as the image feature model reads it, 0 to 255."""
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].contiguous()


def digits(picture: Picture | Image.Image) -> Image.Image:
    """A drawn or photographed digit as MNIST has them, light on dark, 32 x 32, grey in three equal channels.

    As LeCun et al. (1998) made the data set: the ink is scaled into 20 x 20 with its proportions kept, and its centre
    of mass put in the middle of 28 x 28; a black border of 2 makes that 32 x 32. The border of the picture says how
    bright the paper is, and ink is what differs from it, dark or bright, whichever is more. The paper becomes black and
    the strongest ink white. Without ink the picture is black.
    """
    image = picture.image if isinstance(picture, Picture) else picture
    grey = np.asarray(image.convert("L"), dtype=np.float64)
    paper = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    ink = max((paper - grey).clip(0), (grey - paper).clip(0), key=np.sum)
    if ink.max() < 16:
        return Image.new("RGB", (32, 32))
    ink = ink * (255 / ink.max())
    rows, columns = np.flatnonzero((ink > 25).any(1)), np.flatnonzero((ink > 25).any(0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = 20 / max(ink.shape)
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    small = np.asarray(Image.fromarray(ink.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
    return Image.fromarray(_centred(small.astype(np.float64).clip(0, 255))).convert("RGB")


def as_data_url(image: Image.Image, longest: int = 640) -> str:
    """The picture for a page: encoded anew, without metadata, its longer side at most `longest` pixels.

    PNG up to 64 x 64, where every pixel is seen; JPEG above.
    """
    image = _bare(image.convert("RGB"))
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    kind = "png" if max(image.size) <= 64 else "jpeg"
    file = io.BytesIO()
    image.save(file, kind, **({"quality": 85} if kind == "jpeg" else {}))
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def _opened(data: bytes) -> Image.Image:
    """The file with only its header read; nothing is decoded yet."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(_too_many_pixels()) from None
    except Exception:  # decoders of untrusted files raise errors of a dozen kinds, and all mean the same
        raise PictureError(f"This file is not a picture that can be read here. {CHOOSE}") from None
    if image.width * image.height > MOST_PIXELS:
        raise PictureError(_too_many_pixels(image.size))
    return image


def _too_many_pixels(size: tuple[int, int] | None = None) -> str:
    found = f"{size[0]} x {size[1]} pixels" if size else "very many pixels"
    limit = MOST_PIXELS // 1_000_000
    return f"The picture has {found}, and {limit} megapixels is the limit. Make it smaller and try again."


def _decoded(image: Image.Image, notes: list[str]) -> Image.Image:
    """The first frame, upright, in RGB."""
    turned = _orientation(image) in range(2, 9)
    try:
        frames = getattr(image, "n_frames", 1)
        image.seek(0)
        image.load()
        clean = _rgb(ImageOps.exif_transpose(image) if turned else image, notes)
    except Exception:  # as above
        raise PictureError(
            f"The picture is damaged or breaks off ({image.format}, {image.mode}). Save or download it again."
        ) from None
    if frames > 1:
        notes.append(f"The first of {frames} frames is used.")
    if turned:
        notes.append("The picture is turned upright, as its camera noted.")
    return clean


def _orientation(image: Image.Image) -> int:
    """How the camera was held, 1 (upright) to 8; damaged camera data says nothing."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # as above
        return 1


def _rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    if image.mode.startswith("I;16"):
        notes.append("The 16-bit grey values are brought to 8 bits.")
        return _grey(np.asarray(image), 0.0, 65_535.0)
    if image.mode in ("I", "F"):
        notes.append("The grey values are stretched, from the darkest to the brightest.")
        values = np.nan_to_num(np.asarray(image, dtype=np.float32))
        return _grey(values, float(values.min()), float(values.max()))
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"), notes)
    if image.mode == "CMYK":
        notes.append("The printing colours (CMYK) are turned into screen colours.")
    return image.convert("RGB")


def _grey(values: np.ndarray, low: float, high: float) -> Image.Image:
    """Values from `low` (black) to `high` (white) in 8 bits."""
    share = (values.astype(np.float32) - low) / ((high - low) or 1.0)
    return Image.fromarray(np.rint(share * 255).clip(0, 255).astype(np.uint8)).convert("RGB")


def _on_white(image: Image.Image, notes: list[str]) -> Image.Image:
    if image.getextrema()[3][0] < 255:
        notes.append("Transparent parts are shown on white.")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _bounded(image: Image.Image, notes: list[str]) -> Image.Image:
    n = image.width * image.height
    if n <= KEPT_PIXELS:
        return image
    scale = (KEPT_PIXELS / n) ** 0.5
    size = tuple(max(1, round(length * scale)) for length in image.size)
    notes.append(f"The picture is reduced from {image.width} x {image.height} to {size[0]} x {size[1]} pixels.")
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _cropped(image: Image.Image, longest: float, notes: list[str]) -> Image.Image:
    """The middle of a picture that is more than `longest` times as long as it is wide."""
    shorter = min(image.size)
    width, height = (min(length, max(1, int(longest * shorter))) for length in image.size)
    if (width, height) == image.size:
        return image
    which = "long" if image.width > image.height else "tall"
    notes.append(
        f"The picture is very {which}: the middle {width} x {height} of its {image.width} x {image.height} pixels "
        "are used."
    )
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _centred(ink: np.ndarray, side: int = 32) -> np.ndarray:
    """The ink with its centre of mass in the middle of a black square, moved by whole pixels, nothing cut off."""
    total = ink.sum()
    rows, columns = np.arange(ink.shape[0]), np.arange(ink.shape[1])  # pixels count from 0, as in MNIST
    middle = (float(ink.sum(1) @ rows / total), float(ink.sum(0) @ columns / total))
    top, left = (min(max(0, round(side / 2 - m)), side - n) for m, n in zip(middle, ink.shape, strict=True))
    square = np.zeros((side, side), np.uint8)
    square[top : top + ink.shape[0], left : left + ink.shape[1]] = np.rint(ink)
    return square


def _bare(image: Image.Image) -> Image.Image:
    """The pixels alone: no camera data, comments or colour profile."""
    return Image.frombytes("RGB", image.size, image.tobytes())
