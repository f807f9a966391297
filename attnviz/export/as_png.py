"""Traces as a picture of pixels: PNG, for where no SVG is taken."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image, PngImagePlugin

from attnviz.errors import OptionError
from attnviz.export.as_svg import sheet_svg, to_svg
from attnviz.export.origin import caption
from attnviz.export.plain import TraceFileError, writable
from attnviz.trace import Trace

CSS_DPI = 96  # pixels of an SVG to an inch
MOST_PIXELS = 100_000_000


def to_png(trace: Trace, view: str | None = None, *, dpi: int = 300, **drawn: Any) -> bytes:
    """The picture of `to_svg`, with the same arguments, in pixels: `dpi` of them to an inch, as the file says.

    Text is drawn with the fonts of this machine. A character that none of them has is an empty box or missing, and
    without any font there is no text at all: on a bare server install some (Debian: fonts-noto-core, fonts-noto-cjk,
    fonts-noto-color-emoji), or take the SVG. TraceFileError for a picture of more than 100 megapixels.
    """
    return _png(to_svg(trace, view, **drawn), dpi, caption(trace))


def sheet_png(traces: Sequence[Trace], titles: Sequence[str] | None = None, *, dpi: int = 300, **drawn: Any) -> bytes:
    """The picture of `sheet_svg`, with the same arguments, in pixels; see `to_png`."""
    return _png(sheet_svg(traces, titles, **drawn), dpi, "\n".join(map(caption, traces)))


def _png(svg: str, dpi: int, said: str) -> bytes:
    import resvg_py

    if not 36 <= dpi <= 1200:
        raise OptionError(f"A resolution of {dpi} dpi; it goes from 36 to 1200.")
    width, height = _size(svg)
    scale = dpi / CSS_DPI
    if (pixels := width * height * scale**2) > MOST_PIXELS:
        raise TraceFileError(
            f"The picture would have {pixels / 1e6:.0f} megapixels, and {MOST_PIXELS // 1_000_000} is the limit. "
            "Choose a smaller dpi, or take the SVG."
        )
    return _labelled(resvg_py.svg_to_bytes(svg_string=svg, zoom=scale), dpi, said)


def _size(svg: str) -> tuple[int, int]:
    """Width and height as the file's own viewBox says them."""
    _, _, width, height = svg.split('viewBox="', 1)[1].split('"', 1)[0].split()
    return int(width), int(height)


def _labelled(png: bytes, dpi: int, said: str) -> bytes:
    """The same picture; the file says how large it is to be printed, and what made it."""
    words = PngImagePlugin.PngInfo()
    words.add_itxt("Description", writable(said))
    file = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").save(file, "PNG", dpi=(dpi, dpi), pnginfo=words)
    return file.getvalue()
