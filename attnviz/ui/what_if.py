"""What if: one control over its range, and every part taken away in turn. Made only while its fold is open."""

from collections.abc import Iterable, Iterator
from math import ceil
from time import perf_counter
from typing import Any

import streamlit as st

from attnviz.analysis import sweeps
from attnviz.analysis.phrases import plural
from attnviz.errors import AttnvizError
from attnviz.intervention import Intervention
from attnviz.trace import Trace
from attnviz.ui import link
from attnviz.ui.changes import COLDEST, HOTTEST
from attnviz.views import charts
from attnviz.zoo.models import Input, Model

_LONG = 1.0  # seconds from which on the time that is left is said
_FOUR = "%.4f"


def what_if(model: Model, given: Input, intervention: Intervention, trace: Trace, slot: str = "") -> None:
    """A sweep and a ranking, each with its choice, for this input and on top of what is changed already.

    `trace` is the run of `model` on `given` with `intervention`; `slot` tells several of them on one page apart.
    """
    for column, fill in zip(st.columns(2, gap="large"), (_sweep, _ablation), strict=True):
        with column:
            try:
                fill(model, given, intervention, trace, slot)
            except AttnvizError as error:
                st.text(str(error))


def _sweep(model: Model, given: Input, intervention: Intervention, trace: Trace, slot: str) -> None:
    controls = [
        sweeps.temperature(model, intervention, COLDEST, HOTTEST),
        *sweeps.options(model, intervention),
        *sweeps.alignment(model, intervention),
        *sweeps.weights(model, intervention, trace),
    ]
    titles = {control.name: control.title for control in controls}
    chosen = _choice(f"sweep{slot}", "One control over its range", titles)
    control = next(control for control in controls if control.name == chosen)
    found = sweeps.sweep(control, given, _watched)
    words = charts.sweep_words(found)
    st.altair_chart(charts.sweep_chart(found), width="stretch", alt=f"{found.title} against probability. {words}")
    st.text(words)


def _ablation(model: Model, given: Input, intervention: Intervention, trace: Trace, slot: str) -> None:
    kinds = {kind: plural(kind) for kind in sweeps.removable(trace)}
    kind = _choice(f"without{slot}", "Taken away in turn", kinds)
    found = sweeps.ablate(model, given, intervention, kind, watch=_watched)
    words = charts.ablation_words(found)
    if found.removals:
        st.altair_chart(charts.ablation_chart(found), width="stretch", alt=f"{plural(kind)} ranked. {words}")
    st.text(words)
    if found.removals:
        table = charts.ablation_table(found)
        columns = {name: st.column_config.NumberColumn(format=_FOUR) for name in table.columns[:-1]}
        st.dataframe(table, column_config=columns, height=min(280, 35 * (len(table) + 1) + 3))


def _choice(key: str, label: str, titles: dict[str, str]) -> str:
    """A choice that is part of the link."""
    names = list(titles)
    link.start(key, names, names[0])
    chosen = st.selectbox(label, names, key=key, format_func=lambda name: titles[name])
    link.keep(key, chosen, names[0])
    return chosen


def _watched(values: Iterable[Any]) -> Iterator[Any]:
    """The values one by one; above them, where they take long, a bar and the time that is left."""
    values, place, start = list(values), st.empty(), perf_counter()
    for done, value in enumerate(values):
        spent = perf_counter() - start
        if done and spent / done * len(values) > _LONG:
            left = ceil(spent / done * (len(values) - done))
            place.progress(done / len(values), f"{done} of {len(values)} runs, about {left} s left")
        yield value
    place.empty()
