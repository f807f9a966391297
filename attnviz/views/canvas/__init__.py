"""The live pictures: components, drawn on canvas in the browser, that follow the typing.

Hovering, pinning, enlarging, hiding small weights happen in the browser alone; what the reader chose is kept in the
part of the link behind `#`, which never reaches the server. What changes the computation comes to the server as one
event, a small dictionary: see `attnviz.changes`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow
import streamlit as st

from attnviz.features.words import whole
from attnviz.views.scripts import page_code

_MOUNT = """
export default function (component) {
  const offered = (globalThis.attnvizCanvas ??= {});
  if (offered.KIND) return offered.KIND(component);
  offered.loaded ??= new Promise((resolve) => (offered.ready = resolve));
  return offered.loaded.then(() => offered.KIND(component));
}
"""


def _component(name: str, kind: str) -> Any:
    """A component whose picture `globalThis.attnvizCanvas[kind]` draws into an empty `div`."""
    html = f'<div class="attnviz-{name}" role="group"></div>'
    return st.components.v2.component(f"attnviz_{name}", html=html, js=_MOUNT.replace("KIND", kind))


# Streamlit sends a component's script along with every change of its data. So the script is a component by itself,
# whose message never changes: the browser keeps it, and a key press costs the weights alone.
_script = st.components.v2.component(
    "attnviz_canvas_script", html="<span hidden></span>", js=page_code() + "\nexport default () => undefined;"
)
_picture = _component("picture", "mount")
_board = _component("board", "board")
_sheet = _component("sheet", "sheet")
_worksheet = _component("worksheet", "worksheet")
_input = _component("input", "input")
_asking = _component("asking", "asking")


def load_code() -> None:
    """Bring the code of the pictures to the browser: once on a page, outside of the fragment that draws them."""
    _script(key="attnviz-canvas-script")


def live_picture(
    meta: dict[str, Any],
    weights: np.ndarray,
    *,
    key: str,
    link: str | None = "",
    on_event: Callable[[], None] | None = None,
) -> None:
    """Draws a frame, see `attnviz.views.frame`: `meta` says what the numbers in `weights` (flat) are.

    `load_code` must have been called on the page. `key` stays the same from run to run, so that typing redraws the
    picture instead of making a new one. The reader's selection stands in the link, each name with `link` before it: two
    pictures on a page need two prefixes. With None it stands nowhere. `meta["hint"]` is a line above the picture.
    `on_event` is called when the reader changes something; `event(key)` then says what.
    """
    data = {"meta": meta, "weights": pyarrow.table({"w": np.ravel(weights)}), "link": link}
    _picture(key=key, data=data, on_event_change=on_event or _nothing)


def board(meta: dict[str, Any], numbers: np.ndarray, *, key: str, on_event: Callable[[], None]) -> None:
    """Draws several pictures and what differs between them, see `attnviz.views.board`; `load_code` goes before.

    Each event says in "panel" which picture sent it. The readers' selections stand in the link as "p1.", "p2." …
    """
    _board(key=key, data={"meta": meta, "weights": pyarrow.table({"w": numbers})}, on_event_change=on_event)


def sheet(meta: dict[str, Any], numbers: np.ndarray, *, key: str, on_event: Callable[[], None]) -> None:
    """Draws all mechanisms on one input, see `attnviz.views.sheet`; `load_code` goes before.

    The event {"what": "show", "mechanism": name} asks for one of them beside the reference.
    """
    _sheet(key=key, data={"meta": meta, "weights": pyarrow.table({"w": numbers})}, on_event_change=on_event)


def live_worksheet(meta: dict[str, Any], numbers: np.ndarray, *, key: str, on_event: Callable[[], None]) -> None:
    """Draws a computation line by line, see `attnviz.views.worksheet`; `load_code` goes before.

    What the reader looks at stands in the link. The event {"what": "look", "query": i} asks for another query's lines,
    where only those of one were sent.
    """
    data = {"meta": meta, "weights": pyarrow.table({"w": np.ravel(numbers)})}
    _worksheet(key=key, data=data, on_event_change=on_event)


def asking(meta: dict[str, Any], numbers: np.ndarray, *, key: str) -> None:
    """Draws the queries of a trace, see `attnviz.views.asking`; `load_code` goes before."""
    _asking(key=key, data={"meta": meta, "weights": pyarrow.table({"w": numbers})})


def live_input(meta: dict[str, Any], *, key: str, on_event: Callable[[], None]) -> None:
    """Asks for what no control of Streamlit asks for while someone types; `load_code` goes before.

    `meta["kind"]` is longtext, marking, facts or drawing, "value" what it shows, and "label" its name, which is "seen"
    or only heard. The event {"value": text, "sent": number} brings what was written; "sent" in `meta` is the number of
    the last that has come. If it is "linked", the event comes once more with "rests" when nothing was written for a
    while. The value is whatever a browser sends.
    """
    _input(key=key, data={"meta": meta}, on_event_change=on_event)


def event(key: str) -> dict[str, Any]:
    """The event that the picture with that key has just sent; empty if it sent none.

    Its texts have no half characters, which neither a link nor a tokeniser could take.
    """
    found = st.session_state.get(key, {}).get("event")
    if not isinstance(found, dict):
        return {}
    return {name: whole(value) if isinstance(value, str) else value for name, value in found.items()}


def _nothing() -> None:
    """The event is ignored."""
