"""The pieces an SVG is made of: elements with everything escaped, text that is measured, cut and broken into lines."""

import base64
import hashlib
import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from attnviz.export.plain import writable

FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', 'Liberation Sans', sans-serif"
SMALL, LARGE = 13, 15  # pixels, the two sizes of text


@dataclass(frozen=True)
class Part:
    """A piece of a drawing, from (0, 0) to (width, height) in pixels."""

    markup: str
    width: float
    height: float


def element(name: str, content: str = "", **attributes: object) -> str:
    """One SVG element; `content` is markup, values are escaped, an underscore in a name becomes a hyphen."""
    given = "".join(f" {key.replace('_', '-')}={_value(value)}" for key, value in attributes.items())
    return f"<{name}{given}>{content}</{name}>" if content else f"<{name}{given}/>"


def text(words: str, x: float, y: float, **attributes: object) -> str:
    """Text whose middle line is at `y`. Empty text is nothing at all."""
    # A third of an em below the middle is the base line; not every program knows dominant-baseline.
    size = attributes.get("font_size", SMALL)
    return element("text", plain_text(words), x=x, y=y + 0.35 * float(size), **attributes) if words else ""


def plain_text(words: str) -> str:
    """Text as the content of an element."""
    return escape(writable(words))


def moved(markup: str, x: float, y: float) -> str:
    """The markup at another place."""
    return element("g", markup, transform=f"translate({_number(x)} {_number(y)})")


def cells(pixels: UInt8[np.ndarray, "row column channel"], width: float, height: float) -> str:
    """An embedded picture of that size whose pixels stay sharp squares: unlike rectangles, they have no seams."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return picture(url, width, height, image_rendering="pixelated")


def picture(url: str, width: float, height: float, **attributes: object) -> str:
    """An embedded picture, stretched to that size."""
    # The older form of the attribute, with its prefix: every program reads it.
    where = {"xlink:href": url, "width": width, "height": height, "preserveAspectRatio": "none"}
    return element("image", **where, **attributes)


def shared_picture(url: str, width: float, height: float) -> str:
    """A picture that stands once in the document (`definitions`), shown here in that size."""
    scale = f"scale({_number(width)} {_number(height)})"
    return element("use", **{"xlink:href": f"#{_name_of(url)}", "transform": scale})


def definitions(urls: Iterable[str]) -> str:
    """The pictures that are shown anywhere in a document, each once, one pixel large."""
    pictures = [picture(url, 1, 1, id=_name_of(url)) for url in dict.fromkeys(urls) if url]
    return element("defs", "".join(pictures)) if pictures else ""


def _name_of(url: str) -> str:
    return f"picture-{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def text_width(words: str, size: float) -> float:
    """About how wide the text is, in pixels, a little generous: the font is only known where the file is opened."""
    return size * sum(map(_width, words))


def fitted(words: str, width: float, size: float) -> str:
    """The text cut to a width, with an ellipsis; whole where it fits."""
    if text_width(words, size) <= width:
        return words
    room, kept = width / size - _width("…"), 0
    while kept < len(words) and (room := room - _width(words[kept])) >= 0:
        kept += 1
    return f"{words[: max(1, kept)]}…"


def fitted_name(name: str, width: float, size: float) -> str:
    """The name of a map of two parts, “entity · head 3”, cut so that what tells it from its neighbours stays."""
    parts = name.split(" · ")
    if len(parts) < 2 or text_width(name, size) <= width:
        return fitted(name, width, size)
    tail = f" · {parts[-1].split(' ')[-1]}"
    cut, number = fitted(parts[0], width - text_width(tail, size), size), parts[0].split(" ")[-1]
    # Of “hop 2 · left” only the number tells it from “hop 3 · left”.
    return (number if cut != parts[0] and number.isdigit() else cut) + tail


def broken(pieces: list[tuple[str, bool]], width: float, size: float) -> list[list[tuple[str, bool]]]:
    """Pieces of text, each with whether it is emphasised, in lines of at most that width."""
    lines: list[list[tuple[str, bool]]] = [[]]
    used = 0.0
    for piece, strong in pieces:
        for word in piece.replace(" ", "\0 ").split("\0"):
            wide = text_width(word, size) * (1.08 if strong else 1.0)
            if used and used + wide > width:
                lines.append([])
                word, used = word.lstrip(" "), 0.0
            lines[-1].append((word, strong))
            used += wide
    return [[(word, strong) for word, strong in line if word] for line in lines]


def is_right_to_left(words: str) -> bool:
    """Whether the first letter that has a direction is written from right to left."""
    directions = (unicodedata.bidirectional(c) for c in words)
    return next((d in ("R", "AL") for d in directions if d in ("L", "R", "AL")), False)


@lru_cache(maxsize=4096)
def _width(character: str) -> float:
    """In ems, of a sans-serif font."""
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in "iljI.,:;'|!()[]` ‘’":
        return 0.34
    if character in "mwMW—…%@":
        return 0.92
    return 0.7 if character.isupper() else 0.55


def _value(value: object) -> str:
    return quoteattr(_number(value) if isinstance(value, int | float) else writable(str(value)))


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
