"""Below the picture: how it is computed, and the numbers to take along. Made only while they are open."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.analysis.phrases import count
from attnviz.attention import registry
from attnviz.export import to_csv, to_json
from attnviz.trace import Axis, Trace
from attnviz.ui import link
from attnviz.views.steps import explained, steps_table, weights_table

_FOLDS = {"steps": "How it is computed", "numbers": "Numbers"}


def are_open() -> bool:
    """Whether a fold is open, also before the folds are drawn for the first time."""
    for key in _FOLDS:
        link.start(key, [False, True], False)
    return any(st.session_state[key] for key in _FOLDS)


def closed() -> None:
    """Both folds while they are closed: outside of what reruns at each key press, since every element costs time."""
    for key in _FOLDS:
        _fold(key)


def follow(trace: Trace) -> None:
    """Both folds if one is open, with the numbers of this trace: inside of what reruns at each key press."""
    if not are_open():
        if st.session_state.pop("_folds_inside", False):
            st.rerun()  # the last one was closed: the whole page is drawn again, with the folds outside
        return
    st.session_state["_folds_inside"] = True
    for key, fill in (("steps", _steps), ("numbers", _numbers)):
        fold = _fold(key)
        if fold.open:
            with fold:
                fill(trace)


def _fold(key: str) -> DeltaGenerator:
    fold = st.expander(_FOLDS[key], on_change="rerun", key=key)
    link.keep(key, fold.open, False)
    return fold


def _steps(trace: Trace) -> None:
    spec = registry.get(trace.mechanism)
    st.latex(spec.formula)
    st.caption(f"{spec.paper}. Each line is computed from the ones before it, with the numbers of this input.")
    names = [f"{number}. {step.name}" for number, step in enumerate(trace.steps, 1)]
    first = next((n for n, step in enumerate(trace.steps) if step.name.startswith("weights")), 0)
    chosen = st.pills("Step", names, default=names[first], required=True, key=f"step-{trace.mechanism}")
    step = trace.steps[names.index(chosen) if chosen in names else first]
    if step.formula:
        st.latex(step.formula)
        st.caption(explained(step.formula, spec.symbols))
    st.caption(_size(step.axes))
    tables = steps_table(step)
    if len(tables) > 1:
        titles = [table.title for table in tables]
        title = st.selectbox("Part", titles, key="part", width=240)
        tables = [tables[titles.index(title) if title in titles else 0]]
    st.dataframe(tables[0].table, width="stretch")


def _numbers(trace: Trace) -> None:
    for found in trace.maps:
        st.caption(f"{found.name}: {_size(found.axes)}")
        st.dataframe(weights_table(found), width="stretch")
    name = f"{trace.mechanism}-{trace.made_by.get('task', '')}"
    left, right = st.columns(2)
    left.download_button("Weights as CSV", lambda: to_csv(trace), f"{name}.csv", "text/csv", on_click="ignore")
    right.download_button(
        "Whole trace as JSON", lambda: to_json(trace), f"{name}.json", "application/json", on_click="ignore"
    )


def _size(axes: tuple[Axis, ...]) -> str:
    return " × ".join(count(len(axis), axis.kind) for axis in axes)
