"""One trace as a still picture with all that belongs to it: weights, legend, prediction, words, what made it."""

import base64
import binascii
import io
import re
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from attnviz.analysis.items import main_map
from attnviz.analysis.sides import asking
from attnviz.analysis.sides import title as map_title
from attnviz.analysis.turns import in_turn, turns
from attnviz.analysis.words import in_words
from attnviz.errors import OptionError
from attnviz.export.drawing import (
    LARGE,
    SMALL,
    Part,
    broken,
    element,
    fitted,
    moved,
    plain_text,
    text,
    text_width,
)
from attnviz.export.figures import FIGURES
from attnviz.export.marks import frame_around, in_last_turn, marks_of
from attnviz.export.origin import caption
from attnviz.export.palette import LOOKS, Theme, palette
from attnviz.export.plain import TraceFileError
from attnviz.export.scene import Scene, chosen_map, views_of
from attnviz.export.strips import grid, stacked
from attnviz.features.picture import as_data_url
from attnviz.trace import AttentionMap, Prediction, Trace

MOST_CLASSES, GAP = 10, 16
BESIDE, WIDEST = 250, 420  # pixels of the prediction: beside the weights, and at most below them
ROOMY = 700  # pixels from which it stands beside them
_PICTURE = re.compile(r"data:image/(png|jpeg);base64,([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True)
class Under:
    """What lies under the weights: a data URL, and its width over its height."""

    url: str = ""
    aspect: float = 1.0


def panel(
    trace: Trace,
    view: str | None,
    which: int | str,
    query: int | None,
    theme: Theme,
    under: Under,
    width: float,
    heading: str = "",
) -> Part:
    """The picture of a trace, see `to_svg`; the prediction stands beside it where there is room."""
    look = LOOKS[theme]
    beside = trace.prediction is not None and width >= ROOMY
    parts = [_figure(trace, view, which, query, theme, under, width - beside * (BESIDE + 24))]
    if trace.prediction is not None:
        untrained = trace.made_by.get("trained") is False
        bars = _prediction(trace.prediction, untrained, theme, BESIDE if beside else min(width, WIDEST))
        parts = [_side_by_side(parts[0], bars, width - BESIDE)] if beside else [*parts, bars]
    if heading:
        parts.insert(0, _paragraph([(heading, True)], width, LARGE, look.ink))
    parts.append(_paragraph(in_words(trace), width, LARGE, look.ink))
    parts.append(_paragraph([(caption(trace), False)], width, SMALL - 1, look.soft))
    return stacked(parts, GAP)


def _figure(
    trace: Trace,
    view: str | None,
    which: int | str,
    query: int | None,
    theme: Theme,
    under: Under,
    width: float,
) -> Part:
    """One view of one map, and its legend."""
    if not trace.maps:
        return Part("", width, 0)
    attention, views = chosen_map(trace, which), views_of(trace, which)
    if view is not None and view not in views:
        raise OptionError(f"There is no view {str(view)[:40]!r} of this map; it can be {', '.join(views)}.")
    if query is not None and not 0 <= query < len(attention.axes[-2]):
        raise OptionError(f"There is no query {query}; this map has {len(attention.axes[-2])}, counted from 0.")
    marks, turn = in_last_turn(marks_of(trace, attention), attention), turns(attention)
    scene = Scene(in_turn(attention), theme, width, query, under.url, under.aspect, marks)
    view = view or views[0]
    figure = FIGURES[view](scene)
    if turn is not None:
        figure = stacked([_paragraph([(turn.labels[-1], False)], width, SMALL, scene.look.soft), figure], 6)
    single = view == "arcs" or (view == "matrix" and len(scene.queries) > 1)
    legend = _legend(scene, scene.scale if single else scene.row_scale)
    figure = Part(
        figure.markup + moved(legend.markup, 0, figure.height + 12), width, figure.height + 12 + legend.height
    )
    return stacked([figure, *_beside(trace, attention, theme, width)], GAP)


def _beside(trace: Trace, attention: AttentionMap, theme: Theme, width: float) -> list[Part]:
    """Below the weights on the items those on the words that asked, each under its name."""
    if attention is not main_map(trace):
        return []
    soft = LOOKS[theme].soft
    return [
        stacked(
            [
                _paragraph([(map_title(found, trace), False)], width, SMALL, soft),
                grid(Scene(replace(found, name=""), theme, width)),
            ],
            4,
        )
        for found in asking(trace)
    ]


def _legend(scene: Scene, scale: float) -> Part:
    """The ramp from the smallest to the largest weight, linear in the weight, so that its curve shows."""
    signed, look, wide = scene.palette.kind == "signed", scene.look, 130
    steps = [(2 * i / (wide / 2 - 1) - 1 if signed else i / (wide / 2 - 1)) for i in range(wide // 2)]
    colours = [scene.palette.css[int(scene.palette.steps(x, 1.0))] for x in steps]
    most = f"{scale:.2f}" if 0.1 <= scale < 10 else f"{scale:.2g}"
    low = f"−{most}" if signed else "0"
    drawn = [text(low, 44, 8, font_size=SMALL, fill=look.soft, text_anchor="end")]
    # Each colour reaches to the end, under those that follow, so that no seam shows between two.
    for i, colour in enumerate(colours):
        drawn.append(element("rect", x=52 + 2 * i, y=4, width=wide - 2 * i, height=8, fill=colour))
    drawn.append(text(most, 60 + wide, 8, font_size=SMALL, fill=look.soft))
    free, beside = "does not sum to one", 110 + wide
    if scene.attention.normalised is None:
        drawn.append(text(free, beside, 8, font_size=SMALL, fill=look.soft))
        beside += text_width(free, SMALL) + 24
    if scene.marks.target:
        drawn.append(text("target", beside, 8, font_size=SMALL, fill=look.soft))
        drawn.append(frame_around(beside, 8, text_width("target", SMALL), SMALL, look.ink))
    return Part("".join(drawn), 52 + wide, 16)


def _prediction(found: Prediction, untrained: bool, theme: Theme, width: float) -> Part:
    look = LOOKS[theme]
    order = list(range(len(found.labels)))
    if len(order) > MOST_CLASSES and not found.sequence:
        order = sorted(order, key=lambda i: -found.probabilities[i])[:MOST_CLASSES]
    drawn = [text("Prediction", 0, 9, font_size=SMALL, font_weight=600, fill=look.soft)]
    y = 24.0
    notes = ["untrained: random weights"] if untrained else []
    said = "each word's own probability" if found.sequence else "independent yes/no per class"
    for note in [*notes, said] if found.independent else notes:
        drawn.append(text(note, 0, y + 3, font_size=SMALL, fill=look.soft))
        y += 18
    best, label, room = -1 if found.sequence else int(found.probabilities.argmax()), 100, width - 100 - 44
    fill = palette(theme, "one").css[240]
    for i in order:
        share = min(1.0, max(0.0, float(found.probabilities[i])))
        weight = {"font_weight": 600} if i == best else {}
        ink = look.ink if i == best else look.soft
        name = fitted(found.labels[i], label - 8, SMALL)
        drawn.append(text(name, 0, y + 12, font_size=SMALL, fill=look.ink, **weight))
        drawn.append(element("rect", x=label, y=y + 7, width=max(1, share * room), height=10, rx=3, fill=fill))
        number = f"{found.probabilities[i]:.2f}"
        drawn.append(text(number, width, y + 12, font_size=SMALL, fill=ink, text_anchor="end", **weight))
        y += 25
    return Part("".join(drawn), width, y)


def _side_by_side(left: Part, right: Part, at: float) -> Part:
    return Part(left.markup + moved(right.markup, at, 0), at + right.width, max(left.height, right.height))


def _paragraph(pieces: list[tuple[str, bool]], width: float, size: float, ink: str) -> Part:
    lines = broken(pieces, width, size)
    drawn = []
    for n, line in enumerate(lines):
        spans = "".join(
            element("tspan", plain_text(word), font_weight=600) if strong else plain_text(word) for word, strong in line
        )
        drawn.append(element("text", spans, x=0, y=size * (1 + 1.45 * n), font_size=size, fill=ink))
    return Part("".join(drawn), width, size * 1.45 * len(lines))


def under(picture: Any) -> Under:
    """A Pillow image, a data URL or nothing, as it is drawn; nothing else gets into the file."""
    if picture is None:
        return Under()
    if isinstance(picture, Image.Image):
        return Under(as_data_url(picture, longest=1200), picture.width / picture.height)
    found = _PICTURE.fullmatch(picture) if isinstance(picture, str) else None
    try:
        with Image.open(io.BytesIO(base64.b64decode(found[2]))) as image:
            return Under(found[0], image.width / image.height)
    except (TypeError, OSError, binascii.Error, Image.DecompressionBombError):
        raise TraceFileError("The picture is neither a Pillow image nor a data URL with a PNG or JPEG in it.") from None
