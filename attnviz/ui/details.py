"""Below the picture, each in a fold: what would happen if, the numbers, and all that can be taken along.

What is in a fold is made only while it is open.
"""

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.analysis.phrases import count
from attnviz.trace import Axis
from attnviz.ui import link
from attnviz.ui.shown import Shown
from attnviz.ui.take import take_all, take_it
from attnviz.ui.what_if import what_if
from attnviz.views.steps import weights_table

_FOLDS = {"what_if": "What if", "numbers": "Numbers", "take": "Take it with you"}


def are_open() -> bool:
    """Whether a fold is open, also before the folds are drawn for the first time."""
    for key in _FOLDS:
        link.start(key, [False, True], False)
    return any(st.session_state[key] for key in _FOLDS)


def closed() -> None:
    """The folds while all are closed: outside of what reruns at each key press, since every element costs time."""
    if not are_open():
        for key in _FOLDS:
            _fold(key)


def follow(subjects: Callable[[], Sequence[Shown]]) -> None:
    """The folds if one is open, about what `subjects()` gives: inside of what reruns at each key press."""
    if not are_open():
        if st.session_state.pop("_folds_inside", False):
            st.rerun()  # the last one was closed: the whole page is drawn again, with the folds outside
        return
    st.session_state["_folds_inside"] = True
    seen = subjects()
    for key, fill in _FILLS.items():
        fold = _fold(key)
        if fold.open:
            with fold:
                fill(seen)


def _fold(key: str) -> DeltaGenerator:
    fold = st.expander(_FOLDS[key], on_change="rerun", key=key)
    link.keep(key, fold.open, False)
    return fold


def _chosen(subjects: Sequence[Shown], fold: str) -> Shown:
    """The trace that a fold is about; where there are several, the reader chooses."""
    if len(subjects) == 1:
        return subjects[0]
    known = {shown.title: shown for shown in subjects}
    key = f"of-{fold}"
    link.start(key, list(known), subjects[0].title)
    return known[st.selectbox("Of which", list(known), key=key, width=320)]


def _what_if(seen: Sequence[Shown]) -> None:
    shown = _chosen(seen, "what_if")
    if shown.model is None:
        st.caption("There is no model behind this one that could compute anything else.")
    else:
        what_if(shown.model, shown.given, shown.intervention, shown.trace, shown.slot)


def _numbers(seen: Sequence[Shown]) -> None:
    for found in _chosen(seen, "numbers").trace.maps:
        st.caption(f"{found.name}: {_size(found.axes)}")
        st.dataframe(weights_table(found), width="stretch")


def _take(seen: Sequence[Shown]) -> None:
    take_it(_chosen(seen, "take"))
    if len(seen) > 1:
        take_all(seen)


_FILLS: dict[str, Callable[[Sequence[Shown]], None]] = {"what_if": _what_if, "numbers": _numbers, "take": _take}


def _size(axes: tuple[Axis, ...]) -> str:
    return " × ".join(count(len(axis), axis.kind) for axis in axes)
