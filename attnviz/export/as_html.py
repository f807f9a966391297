"""Traces as one file of HTML with the live pictures in it: it needs no server and no network."""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from attnviz.analysis.said import intervention_of, marks
from attnviz.errors import OptionError
from attnviz.export.as_svg import MOST_COLUMNS, Picture, together
from attnviz.export.drawing import FAMILY
from attnviz.export.origin import caption, origin, sides, title
from attnviz.export.palette import LOOKS, Theme
from attnviz.export.plain import writable
from attnviz.features.picture import as_data_url
from attnviz.trace import Trace
from attnviz.views.frame import frame
from attnviz.views.scripts import picture_code

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline';
 script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
body {{
  margin: 16px; background: var(--st-background-color); color: var(--st-text-color); font-family: var(--st-font);
}}
main {{ display: grid; grid-template-columns: repeat({columns}, minmax(0, 1fr)); gap: 40px 32px; align-items: start; }}
:is(.several, .difference) .cards.cards {{ grid-template-columns: minmax(0, 1fr); }}
.difference .right {{ display: none; }}
@media (max-width: 900px) {{ main {{ grid-template-columns: minmax(0, 1fr); }} }}
h2 {{ margin: 0 0 12px; font-size: 15px; }}
footer {{ margin-top: 16px; font-size: 13px; opacity: 0.7; }}
</style>
</head>
<body>
<main class="{layout}">
{sections}
</main>
<noscript><p>The live picture needs JavaScript, and nothing from the network.</p></noscript>
<script type="application/json" id="attnviz-meta">{meta}</script>
{weights}
<script type="module">{script}</script>
</body>
</html>
"""
_SECTION = """<section class="{kind}">
{heading}<div class="attnviz-picture" role="group"></div>
<noscript><p>{alt}</p></noscript>
<footer>{caption}</footer>
</section>"""
_WEIGHTS = '<script type="text/plain" class="attnviz-weights">{packed}</script>'
_HEIGHT = 720  # pixels of the frame in a notebook; what is larger scrolls


class _View(NamedTuple):
    """One trace as it is drawn: what the live picture takes, and its title, empty where it needs none."""

    trace: Trace
    meta: dict[str, Any]
    weights: np.ndarray
    heading: str = ""


def to_html(
    trace: Trace,
    picture: Picture = None,
    theme: Theme | None = None,
    *,
    before: Trace | None = None,
    linked: bool = True,
) -> str:
    """The live picture of a trace as one file: pointing, pinning, views and thresholds work, without any network.

    `picture` is what lies under the weights: a Pillow image or a data URL. `before` is the trace without its
    intervention: the reader can look at before, after, and their difference. The theme follows the reader's system
    unless it is named. `linked`: what the reader chooses stands in the address behind #. Weights are as exact as on the
    pages (float32; of more than 65,536 weights each is one of 65,536 steps); JSON and NPZ keep all digits. No text of
    the trace is ever markup, and the page's own rules allow its one script and nothing from outside. OptionError for an
    unknown theme.
    """
    return _page([_view(trace, before, picture)], 1, theme, linked)


def sheet_html(
    traces: Sequence[Trace],
    titles: Sequence[str] | None = None,
    *,
    columns: int = 2,
    theme: Theme | None = None,
    pictures: Sequence[Picture] | None = None,
    befores: Sequence[Trace | None] | None = None,
) -> str:
    """Several live pictures as one file, in rows of `columns` where the window is wide enough; see `to_html`.

    `titles` are those of the mechanisms unless they are given; `pictures` and `befores` belong to one trace each.
    OptionError where the numbers of these differ, and for no trace at all.
    """
    headings, given = together(traces, titles, pictures)
    earlier = [None] * len(traces) if befores is None else list(befores)
    if len(earlier) != len(traces):
        raise OptionError(f"{len(traces)} traces with {len(earlier)} before them. Give one, or None, to each trace.")
    of = zip(traces, earlier, given, headings, strict=True)
    return _page([_view(*found) for found in of], columns, theme, True)


def in_notebook(trace: Trace) -> str:
    """The live picture for a notebook's cell, in a frame that can reach neither the notebook nor the network.

    A trace does not hold the picture it attended to, so its patches are shown without it.
    """
    page = html.escape(to_html(trace, linked=False))
    style = f"width: 100%; height: {_HEIGHT}px; border: 0"
    return f'<iframe sandbox="allow-scripts" style="{style}" title="{_escaped(title(trace))}" srcdoc="{page}"></iframe>'


def _view(trace: Trace, before: Trace | None, picture: Picture, heading: str = "") -> _View:
    meta, weights = frame(
        trace,
        before=before,
        picture=as_data_url(picture) if isinstance(picture, Image.Image) else picture,
        text=trace.given,
        title=title(trace),
    )
    return _View(trace, {**meta, "marks": marks(intervention_of(trace), trace)}, weights, heading)


def _page(views: Sequence[_View], columns: int, theme: Theme | None, linked: bool) -> str:
    if theme is not None and theme not in LOOKS:
        raise OptionError(f"There is no theme {str(theme)[:40]!r}; it can be light or dark.")
    if not 1 <= columns <= MOST_COLUMNS:
        raise OptionError(f"{columns} columns; there can be 1 to {MOST_COLUMNS}.")
    script = _script()
    return _PAGE.format(
        hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        title=_escaped(", ".join(view.heading or title(view.trace) for view in views)),
        style=_style(theme),
        layout="several" if min(columns, len(views)) > 1 else "single",
        columns=min(columns, len(views)),
        sections="\n".join(map(_section, views)),
        meta=_json(_described(views, linked)),
        weights="\n".join(_WEIGHTS.format(packed=_packed(view.weights)) for view in views),
        script=script,
    )


def _described(views: Sequence[_View], linked: bool) -> dict[str, Any]:
    """What the page's script reads. A picture that lies under several weights is in it once, called by its number."""
    pictures = list(dict.fromkeys(view.meta["picture"] for view in views if view.meta["picture"]))
    links = [f"p{i + 1}." for i in range(len(views))] if views[1:] else [""]
    return {
        "pictures": pictures,
        "views": [
            {
                "meta": {**view.meta, "picture": pictures.index(url) if (url := view.meta["picture"]) else None},
                "link": link if linked else None,
                "made_by": origin(view.trace),
            }
            for view, link in zip(views, links, strict=True)
        ],
    }


def _section(view: _View) -> str:
    heading = f"<h2>{_escaped(view.heading)}</h2>\n" if view.heading else ""
    return _SECTION.format(
        kind="difference" if sides(view.trace) else "weights",  # a difference has no prediction and is spread nowhere
        heading=heading,
        alt=_escaped(view.meta["alt"]),
        caption=_escaped(caption(view.trace)),
    )


def _packed(weights: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(weights).astype(weights.dtype.newbyteorder("<"))).decode()


def _script() -> str:
    return f"{picture_code()}\n{Path(__file__).with_name('page.js').read_text(encoding='utf-8')}"


def _style(theme: Theme | None) -> str:
    if theme is not None:
        return _colours(theme)
    return f"{_colours('light')}\n@media (prefers-color-scheme: dark) {{ {_colours('dark')} }}"


def _colours(theme: Theme) -> str:
    look = LOOKS[theme]
    return (
        f":root {{ color-scheme: {theme}; --st-background-color: {look.paper}; --st-text-color: {look.ink}; "
        f"--st-font: {FAMILY}; }}"
    )


def _json(value: Any) -> str:
    """JSON that may stand in an HTML page: in ASCII, and without a character that HTML would read."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _escaped(text: str) -> str:
    return html.escape(writable(text))
