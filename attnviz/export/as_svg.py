"""Traces as a picture of lines and text: SVG, for papers and slides."""

import json
from collections.abc import Sequence
from typing import Any

from PIL import Image

from attnviz.analysis.words import alt_text
from attnviz.errors import OptionError
from attnviz.export.drawing import FAMILY, SMALL, Part, definitions, element, moved, plain_text
from attnviz.export.origin import origin, title
from attnviz.export.palette import LOOKS, Theme
from attnviz.export.panel import Under, panel, under
from attnviz.export.strips import stacked
from attnviz.trace import Trace

MARGIN, GUTTER = 20, 40
LEAST, MOST = 320, 4000  # pixels of width
MOST_COLUMNS = 6

Picture = Image.Image | str | None


def to_svg(
    trace: Trace,
    view: str | None = None,
    *,
    map: int | str = 0,
    query: int | None = None,
    theme: Theme = "light",
    picture: Picture = None,
    width: int = 960,
) -> str:
    """The trace as an SVG, drawn as on the pages, with the prediction, a sentence in words and what made it.

    `view` is one of `views_of(trace, map)`, such as "tokens" or "matrix"; None takes the first. `map`
    is the number or name of one of `trace.maps`. `query` chooses one of several queries; None shows their mean.
    `picture` is what lies under the weights: a Pillow image, or a data URL (PNG or JPEG). `width` is in pixels, 96 to
    an inch. Text stays text, in the fonts of whoever opens the file. What an intervention changed is marked: masked
    items are struck through and hatched, weights set by hand have a dashed outline. Raises UnknownNameError and
    OptionError for what does not fit the trace.
    """
    _check(theme, width)
    below = under(picture)
    part = panel(trace, view, map, query, theme, below, width - 2 * MARGIN)
    return _document(part, title(trace), alt_text(trace, title(trace)), origin(trace), [below], theme, width)


def sheet_svg(
    traces: Sequence[Trace],
    titles: Sequence[str] | None = None,
    *,
    columns: int = 2,
    theme: Theme = "light",
    pictures: Sequence[Picture] | None = None,
    width: int = 1400,
) -> str:
    """Several traces as one SVG, in rows of `columns`, each with its title and what made it.

    `titles` are those of the mechanisms unless they are given; `pictures` lie under the weights, one for each trace.
    `width` is that of the whole, in pixels. OptionError where the numbers of these differ, and for no trace at all.
    """
    _check(theme, width)
    headings, given = together(traces, titles, pictures)
    if not 1 <= columns <= MOST_COLUMNS:
        raise OptionError(f"{columns} columns; there can be 1 to {MOST_COLUMNS}.")
    columns = min(columns, len(traces))
    each = (width - 2 * MARGIN - (columns - 1) * GUTTER) / columns
    if each < LEAST - 2 * MARGIN:
        raise OptionError(f"{columns} columns do not fit into {width} pixels. Choose fewer, or a larger width.")
    below = [under(picture) for picture in given]
    parts = [
        panel(trace, None, 0, None, theme, picture, each, heading)
        for trace, heading, picture in zip(traces, headings, below, strict=True)
    ]
    rows = [_row(parts[i : i + columns], each) for i in range(0, len(parts), columns)]
    said = " ".join(f"{heading}: {alt_text(trace, heading)}" for heading, trace in zip(headings, traces, strict=True))
    return _document(
        stacked(rows, GUTTER), ", ".join(headings), said, [origin(trace) for trace in traces], below, theme, width
    )


def together(
    traces: Sequence[Trace], titles: Sequence[str] | None, pictures: Sequence[Picture] | None
) -> tuple[list[str], list[Picture]]:
    """A title and a picture, or None, for each trace; OptionError where they differ in number, or for no trace."""
    if not traces:
        raise OptionError("There is no trace to draw. Give at least one.")
    headings = [title(trace) for trace in traces] if titles is None else list(titles)
    given = [None] * len(traces) if pictures is None else list(pictures)
    if not len(headings) == len(given) == len(traces):
        raise OptionError(
            f"{len(traces)} traces with {len(headings)} titles and {len(given)} pictures. Give one of each to a trace."
        )
    return headings, given


def _check(theme: str, width: int) -> None:
    if theme not in LOOKS:
        raise OptionError(f"There is no theme {str(theme)[:40]!r}; it can be light or dark.")
    if not LEAST <= width <= MOST:
        raise OptionError(f"A width of {width} pixels; it goes from {LEAST} to {MOST}.")


def _row(parts: Sequence[Part], each: float) -> Part:
    drawn = [moved(part.markup, i * (each + GUTTER), 0) for i, part in enumerate(parts)]
    return Part("".join(drawn), len(parts) * (each + GUTTER) - GUTTER, max(part.height for part in parts))


def _document(
    part: Part, named: str, said: str, made_by: Any, pictures: Sequence[Under], theme: Theme, width: int
) -> str:
    look, height = LOOKS[theme], round(part.height + 2 * MARGIN)
    head = [
        element("title", plain_text(named) or " "),
        element("desc", plain_text(said)),
        element("metadata", plain_text(json.dumps(made_by, ensure_ascii=False))),
        definitions(picture.url for picture in pictures),
        element("rect", width=width, height=height, fill=look.paper),
        moved(part.markup, MARGIN, MARGIN),
    ]
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + element(
        "svg",
        "\n".join(filter(None, head)),
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        role="img",
        font_family=FAMILY,
        font_size=SMALL,
        **{"xmlns:xlink": "http://www.w3.org/1999/xlink", "xml:space": "preserve"},
    )
