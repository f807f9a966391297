"""Take it with you: the picture and the numbers as files, the Python that makes them again; and files brought back."""

import re
from collections.abc import Callable, Sequence

import streamlit as st

from attnviz import export
from attnviz.errors import AttnvizError
from attnviz.trace import Trace
from attnviz.ui.shown import Shown

_MOST_MEGABYTES = 30
_RESOLUTIONS = (300, 150, 96)  # dots per inch; the first that a very tall picture allows
_THEMES = ("light", "dark")
_ALL = "attnviz-all"
_TYPES = {
    "SVG": "image/svg+xml",
    "PNG": "image/png",
    "HTML": "text/html",
    "JSON": "application/json",
    "CSV": "text/csv",
    "NPZ": "application/octet-stream",
}


def take_it(shown: Shown) -> None:
    """All ways to keep a trace, for a fold that is open; no file is made before it is asked for."""
    trace, name = shown.trace, f"take{shown.slot}"
    _pictures(shown, name)
    _numbers(trace, name)
    _snippet(trace)
    st.caption("The address of the page is a link to what you see, apart from pictures of your own.")


def take_all(subjects: Sequence[Shown]) -> None:
    """Everything that a page shows as one picture, each with its title; made when it is asked for."""
    traces = [shown.trace for shown in subjects]
    titles = [shown.title for shown in subjects]
    pictures = [shown.picture for shown in subjects]
    befores = [shown.before for shown in subjects]
    st.markdown(f"**All {len(subjects)} in one picture**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        theme = st.segmented_control("Colours", _THEMES, default=_THEMES[0], required=True, key="take-all-theme")
    drawn = {"theme": theme, "pictures": pictures}
    with st.container(horizontal=True):
        _button(_ALL, "take-all", "SVG", lambda: export.sheet_svg(traces, titles, **drawn))
        _button(_ALL, "take-all", "PNG", lambda: _png(lambda dpi: export.sheet_png(traces, titles, dpi=dpi, **drawn)))
        _button(_ALL, "take-all", "HTML", lambda: export.sheet_html(traces, titles, pictures=pictures, befores=befores))


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


def _pictures(shown: Shown, name: str) -> None:
    trace = shown.trace
    st.markdown("**Picture**")
    names = [found.name for found in trace.maps]
    numbers = range(len(names))
    which = st.selectbox("Weights", numbers, format_func=names.__getitem__, key=f"{name}-map") if names[1:] else 0
    views = export.views_of(trace, which) or ("none",)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # One widget for each map: what was chosen for another may not be among the views of this one.
        view = st.segmented_control("View", views, default=views[0], required=True, key=f"{name}-view-{which}")
        theme = st.segmented_control("Colours", _THEMES, default=_THEMES[0], required=True, key=f"{name}-theme")
    drawn = {"view": view, "map": which, "theme": theme, "picture": shown.picture}
    file = _file(trace)
    with st.container(horizontal=True):
        _button(file, name, "SVG", lambda: export.to_svg(trace, **drawn))
        _button(file, name, "PNG", lambda: _png(lambda dpi: export.to_png(trace, dpi=dpi, **drawn)))
        _button(file, name, "HTML", lambda: export.to_html(trace, shown.picture, before=shown.before))
    st.caption("SVG is lines and text, for papers; PNG has 300 dots per inch; HTML stays live, without a server.")


def _numbers(trace: Trace, name: str) -> None:
    st.markdown("**Numbers**")
    file = _file(trace)
    with st.container(horizontal=True):
        _button(file, name, "JSON", lambda: export.to_json(trace))
        _button(file, name, "CSV", lambda: export.to_csv(trace))
        _button(file, name, "NPZ", lambda: export.to_npz(trace))
    st.caption("JSON and NPZ (for NumPy) hold every step, CSV the weights. A JSON file can be opened here again.")


def _snippet(trace: Trace) -> None:
    st.markdown("**Python**")
    try:
        st.code(export.to_python(trace), wrap_lines=True)
    except AttnvizError as error:
        st.caption(str(error))


def _file(trace: Trace) -> str:
    """What a file is called, without its kind."""
    return re.sub(r"[^\w-]+", "-", f"{trace.mechanism}-{trace.made_by.get('task', '')}")[:80].strip("-") or "trace"


def _button(file: str, name: str, kind: str, make: Callable[[], str | bytes]) -> None:
    st.download_button(kind, make, f"{file}.{kind.lower()}", _TYPES[kind], key=f"{name}-{kind}", on_click="ignore")


def _png(make: Callable[[int], bytes]) -> bytes:
    for dpi in _RESOLUTIONS[:-1]:
        try:
            return make(dpi)
        except export.TraceFileError:
            continue
    return make(_RESOLUTIONS[-1])


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
