"""Take it with you: the picture and the numbers as files, the Python that makes them again; and files brought back."""

import re
from collections.abc import Callable

import streamlit as st

from attnviz import export
from attnviz.errors import AttnvizError
from attnviz.trace import Trace

_MOST_MEGABYTES = 20
_RESOLUTIONS = (300, 150, 96)  # dots per inch; the first that a very tall picture allows


def take_it(trace: Trace, picture: str | None = None, key: str = "") -> None:
    """All ways to keep a trace, for a fold that is open; no file is made before it is asked for.

    `picture` is the data URL of what lies under the weights. Several on a page need several keys.
    """
    name = f"take{key}"
    _pictures(trace, picture, name)
    _numbers(trace, name)
    _snippet(trace)
    st.caption("The address of the page is a link to what you see, apart from pictures of your own.")


def open_file(key: str = "open") -> Trace | None:
    """A field for a trace that was saved as JSON, and that trace; None, with a sentence, where there is none."""
    given = st.file_uploader(
        "A trace saved as JSON",
        type="json",
        key=key,
        max_upload_size=_MOST_MEGABYTES,
        help=f"A file made with “Take it with you”, up to {_MOST_MEGABYTES} MB. It stays in this session.",
    )
    if given is None:
        return None
    kept = st.session_state.get(f"_{key}_read")
    if kept is None or kept[0] != given.file_id:
        kept = st.session_state[f"_{key}_read"] = (given.file_id, *_read(given.getvalue()))
    _, trace, problem = kept
    if problem:
        st.warning(problem)
    return trace


def _pictures(trace: Trace, picture: str | None, name: str) -> None:
    st.markdown("**Picture**")
    names = [found.name for found in trace.maps]
    numbers = range(len(names))
    which = st.selectbox("Weights", numbers, format_func=names.__getitem__, key=f"{name}-map") if names[1:] else 0
    views = export.views_of(trace, which) or ("none",)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # One widget for each map: what was chosen for another may not be among the views of this one.
        view = st.segmented_control("View", views, default=views[0], required=True, key=f"{name}-view-{which}")
        theme = st.segmented_control("Colours", ["light", "dark"], default="light", required=True, key=f"{name}-theme")
    drawn = {"view": view, "map": which, "theme": theme, "picture": picture}
    with st.container(horizontal=True):
        _button(trace, name, "SVG", "image/svg+xml", lambda: export.to_svg(trace, **drawn))
        _button(trace, name, "PNG", "image/png", lambda: _png(trace, drawn))
        _button(trace, name, "HTML", "text/html", lambda: export.to_html(trace, picture))
    st.caption("SVG is lines and text, for papers; PNG has 300 dots per inch; HTML stays live, without a server.")


def _numbers(trace: Trace, name: str) -> None:
    st.markdown("**Numbers**")
    with st.container(horizontal=True):
        _button(trace, name, "JSON", "application/json", lambda: export.to_json(trace))
        _button(trace, name, "CSV", "text/csv", lambda: export.to_csv(trace))
        _button(trace, name, "NPZ", "application/octet-stream", lambda: export.to_npz(trace))
    st.caption("JSON and NPZ (for NumPy) hold every step, CSV the weights. A JSON file can be opened here again.")


def _snippet(trace: Trace) -> None:
    st.markdown("**Python**")
    try:
        st.code(export.to_python(trace), wrap_lines=True)
    except AttnvizError as error:
        st.caption(str(error))


def _button(trace: Trace, name: str, kind: str, mime: str, make: Callable[[], str | bytes]) -> None:
    file = re.sub(r"[^\w-]+", "-", f"{trace.mechanism}-{trace.made_by.get('task', '')}")[:80].strip("-")
    st.download_button(kind, make, f"{file or 'trace'}.{kind.lower()}", mime, key=f"{name}-{kind}", on_click="ignore")


def _png(trace: Trace, drawn: dict) -> bytes:
    for dpi in _RESOLUTIONS[:-1]:
        try:
            return export.to_png(trace, dpi=dpi, **drawn)
        except export.TraceFileError:
            continue
    return export.to_png(trace, dpi=_RESOLUTIONS[-1], **drawn)


def _read(data: bytes) -> tuple[Trace | None, str]:
    """The trace in a file, or a sentence saying why there is none."""
    if len(data) > _MOST_MEGABYTES * 1_000_000:
        return None, f"The file has more than {_MOST_MEGABYTES} MB. Save a trace of a shorter input."
    try:
        return export.from_json(data.decode("utf-8-sig")), ""
    except UnicodeDecodeError:
        return None, "This file is not text. Choose a JSON file that attnviz wrote."
    except AttnvizError as error:
        return None, str(error)
