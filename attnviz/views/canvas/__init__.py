"""The live picture: one component, drawn on a canvas in the browser, that follows the typing.

Hovering, pinning, enlarging, switching maps off and hiding small weights happen in the browser alone; what the reader
chose is kept in the part of the link behind `#`, which never reaches the server.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import streamlit as st

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "dom.js",
    "palette.js",
    "frame.js",
    "selection.js",
    "grid.js",
    "figures.js",
    "matrix.js",
    "arcs.js",
    "overlay.js",
    "side.js",
    "tools.js",
    "picture.js",
    "paint.js",
    "mount.js",
)


def _code() -> str:
    """All scripts as one module, with the style sheet as a constant in it."""
    style = (_FOLDER / "canvas.css").read_text(encoding="utf-8")
    scripts = [(_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    return "\n".join([f"const STYLE = {json.dumps(style)};", *scripts, "export default () => undefined;"])


# Streamlit sends a component's script along with every change of its data. So the script is a component by itself,
# whose message never changes: the browser keeps it, and a key press costs the weights alone.
_script = st.components.v2.component("attnviz_canvas_script", html="<span hidden></span>", js=_code())
_picture = st.components.v2.component(
    "attnviz_canvas",
    html='<div class="attnviz-picture" role="group"></div>',
    js="""
export default function (component) {
  const offered = (globalThis.attnvizCanvas ??= {});
  if (offered.mount) return offered.mount(component);
  offered.loaded ??= new Promise((resolve) => (offered.ready = resolve));
  return offered.loaded.then(() => offered.mount(component));
}
""",
)


def load_code() -> None:
    """Bring the code of the pictures to the browser: once on a page, outside of the fragment that draws them."""
    _script(key="attnviz-canvas-script")


def live_picture(meta: dict[str, Any], weights: np.ndarray, *, key: str, link: str | None = "") -> None:
    """Draws a frame, see `attnviz.views.frame`: `meta` says what the numbers in `weights` (flat) are.

    `load_code` must have been called on the page. `key` stays the same from run to run, so that typing redraws the
    picture instead of making a new one. The reader's selection stands in the link, each name with `link` before it: two
    pictures on a page need two prefixes. With None it stands nowhere. `meta["hint"]` is a line above the picture.
    """
    _picture(key=key, data={"meta": meta, "weights": pyarrow.table({"w": np.ravel(weights)}), "link": link})
