"""A trace as one file of HTML with the live picture in it: it needs no server and no network."""

import base64
import hashlib
import html
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from attnviz.errors import OptionError
from attnviz.export.drawing import FAMILY
from attnviz.export.origin import caption, title
from attnviz.export.palette import LOOKS, Theme
from attnviz.export.plain import plain, writable
from attnviz.features.picture import as_data_url
from attnviz.trace import Trace
from attnviz.views.frame import frame

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
footer {{ margin-top: 16px; font-size: 13px; opacity: 0.7; }}
</style>
</head>
<body>
<main><div class="attnviz-picture" role="group"></div></main>
<noscript><p>{alt}</p><p>The live picture needs JavaScript, and nothing from the network.</p></noscript>
<footer>{caption}</footer>
<script type="application/json" id="attnviz-meta">{meta}</script>
<script type="text/plain" id="attnviz-weights">{weights}</script>
<script type="module">{script}</script>
</body>
</html>
"""
_HEIGHT = 720  # pixels of the frame in a notebook; what is larger scrolls


def to_html(
    trace: Trace, picture: Image.Image | str | None = None, theme: Theme | None = None, *, linked: bool = True
) -> str:
    """The live picture of a trace as one file: pointing, pinning, views and thresholds work, without any network.

    `picture` is what lies under the weights: a Pillow image or a data URL. The theme follows the reader's system unless
    it is named. `linked`: what the reader chooses stands in the address behind #. Weights are as exact as on the pages
    (float32; of more than 65,536 weights each is one of 65,536 steps); JSON and NPZ keep all digits. No text of the
    trace is ever markup, and the page's own rules allow its one script and nothing from outside. OptionError for an
    unknown theme.
    """
    if theme is not None and theme not in LOOKS:
        raise OptionError(f"There is no theme {str(theme)[:40]!r}; it can be light or dark.")
    meta, weights = frame(
        trace,
        picture=as_data_url(picture) if isinstance(picture, Image.Image) else picture,
        text=str(trace.made_by.get("input", "")),
    )
    script = _script()
    origin = {"mechanism": trace.mechanism, **plain(trace.made_by, "made_by")}
    return _PAGE.format(
        hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        title=_escaped(title(trace)),
        style=_style(theme),
        alt=_escaped(meta["alt"]),
        caption=_escaped(caption(trace)),
        meta=_json({"meta": meta, "link": "" if linked else None, "made_by": origin}),
        weights=base64.b64encode(np.ascontiguousarray(weights).astype(weights.dtype.newbyteorder("<"))).decode(),
        script=script,
    )


def in_notebook(trace: Trace) -> str:
    """The live picture for a notebook's cell, in a frame that can reach neither the notebook nor the network.

    A trace does not hold the picture it attended to, so its patches are shown without it.
    """
    page = html.escape(to_html(trace, linked=False))
    style = f"width: 100%; height: {_HEIGHT}px; border: 0"
    return f'<iframe sandbox="allow-scripts" style="{style}" title="{_escaped(title(trace))}" srcdoc="{page}"></iframe>'


def _script() -> str:
    # Imported here: beside it lies the app's component, and with it Streamlit, which takes half a second.
    from attnviz.views.canvas.code import code

    return f"{code()}\n{Path(__file__).with_name('page.js').read_text(encoding='utf-8')}"


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
