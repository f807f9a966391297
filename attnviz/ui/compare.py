"""Mechanisms beside each other on one input, one mechanism on two inputs, or all of them: what reruns while typing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import streamlit as st

from attnviz import library
from attnviz.analysis.cost import figures
from attnviz.analysis.pairs import difference_trace
from attnviz.analysis.phrases import listed
from attnviz.analysis.said import said
from attnviz.errors import AttnvizError, PairError
from attnviz.features.picture import as_data_url
from attnviz.intervention import Intervention
from attnviz.tasks.job import Values
from attnviz.tasks.registry import Task
from attnviz.trace import Trace
from attnviz.ui import changes, details, inputs, link, live
from attnviz.ui.panels import Setup, in_words
from attnviz.ui.shown import Shown
from attnviz.views import canvas
from attnviz.views.board import Panel, board
from attnviz.views.frame import frame
from attnviz.views.sheet import sheet
from attnviz.zoo import models

VIEWS = {"side": "Side by side", "inputs": "Two inputs", "all": "All mechanisms"}
TWO = ("A", "B")
_BOARD, _SHEET = "board", "sheet"


def choose_view() -> str:
    """Which comparison is shown."""
    if wanted := st.session_state.pop("_view_wanted", None):
        st.session_state["view"] = wanted
    link.start("view", list(VIEWS), "side")
    view = st.segmented_control(
        "View", list(VIEWS), key="view", required=True, format_func=VIEWS.get, label_visibility="collapsed"
    )
    link.keep("view", view, "side")
    return view


def examples(task: Task, view: str) -> None:
    """Sentences to try; for two inputs, pairs of them that differ in little."""
    if view != "inputs" and task.has_examples:
        inputs.examples(task)
    elif view == "inputs" and task.pairs:
        _pairs({" · ".join(map(_in_line, pair)): pair for pair in task.pairs}, task)


def _in_line(example: Any) -> str:
    return example if isinstance(example, str) else " / ".join(example.values())


def _pairs(known: dict[str, tuple[Any, Any]], task: Task) -> None:
    def write() -> None:
        for slot, example in zip(TWO, known[st.session_state["pair"]], strict=True):
            inputs.fill(task, example, slot)

    st.menu_button("Examples", list(known), key="pair", on_click=write)


@dataclass(frozen=True)
class Source:
    """What all panels, or one of them, look at: the parts of the input, and the same as the models read it."""

    values: Values
    plain: models.Input


@st.fragment
def side_by_side(setups: Sequence[Setup]) -> None:
    """Panels on one input."""
    source, hint = _source(setups[0].task)
    _show(setups, [source] * len(setups), hint, [setup.slot for setup in setups], shared=True)


@st.fragment
def two_inputs(setup: Setup) -> None:
    """One mechanism on two inputs."""
    columns, found = st.columns(2), []
    task = setup.task
    examples = task.pairs[0] if task.pairs else (task.examples[0], task.examples[:2][-1])
    for number, (slot, column) in enumerate(zip(TWO, columns, strict=True)):
        with column:
            found.append(_source(task, slot, number, examples[number]))
    hint = " ".join(dict.fromkeys(problem for _, problem in found if problem))
    _show([setup, setup], [source for source, _ in found], hint, TWO, shared=False)


@st.fragment
def all_mechanisms(reference: Setup) -> None:
    """A small picture of every mechanism with its default options; figures of pairs are those with the reference.

    The temperature and the alignment chosen for the reference are those of all.
    """
    now = changes.now(reference.slot)
    done = Intervention(temperature=now.temperature, alignment=now.alignment)
    source, hint = _source(reference.task)
    given = source.plain
    picture = None if given.picture is None else as_data_url(given.picture)
    known, problems = _all_models(reference)
    panels, seen = {}, []
    for model in known:
        trace = model.trace(given, done)
        framed = frame(trace, picture=picture, text=trace.given)
        name, title = model.mechanism.name, model.mechanism.title
        seen.append(Shown(trace, None, picture, model, given, done, f"-{name}", title))
        panels[name] = _panel(seen[-1], framed, in_words(model.options))
    compared = panels[reference.asked.model.mechanism.name]
    meta, numbers = sheet(list(panels.values()), compared)
    for_all = _for_all(done, compared.trace)
    meta["hint"] = " ".join(filter(None, [hint, *given.notes, for_all, *problems]))
    canvas.sheet(meta, numbers, key=_SHEET, on_event=_put_beside)
    if "_view_wanted" in st.session_state:
        st.rerun()
    details.follow(lambda: seen)


def _all_models(reference: Setup) -> tuple[list[models.Model], list[str]]:
    """The reference as it is and every other mechanism with its default options; what cannot be loaded is said."""
    found, problems = [], []
    for name, spec in library.mechanisms().items():
        if not reference.task.takes(spec):
            continue
        try:
            own = name == reference.asked.model.mechanism.name
            found.append(reference.asked.model if own else models.load(reference.task.name, name))
        except AttnvizError as error:
            problems.append(str(error))
    return found, problems


def _for_all(done: Intervention, trace: Trace) -> str:
    changed = [chip["text"] for chip in said(done, trace)]
    return f"All with {listed(changed)}." if changed else ""


def _put_beside() -> None:
    """A card was chosen: its mechanism comes into the second panel, beside the reference."""
    name = canvas.event(_SHEET).get("mechanism")
    if isinstance(name, str) and name in library.mechanisms():
        st.session_state["mechanism2"], st.session_state["_view_wanted"] = name, "side"


def _show(setups: Sequence[Setup], sources: Sequence[Source], hint: str, slots: Sequence[str], shared: bool) -> None:
    drawn = [_drawn(*of) for of in zip(setups, sources, slots, strict=True)]
    meta, numbers = board([panel for panel, _, _ in drawn])
    meta["hint"] = " ".join(dict.fromkeys(filter(None, [hint, *(note for *_, notes in drawn for note in notes)])))
    canvas.board(meta, numbers, key=_BOARD, on_event=lambda: changes.receive(_BOARD, slots, shared))
    for slot in slots:
        changes.keep(slot)
    changes.follow_controls()
    details.follow(lambda: _with_differences([shown for _, shown, _ in drawn]))


def _with_differences(seen: list[Shown]) -> list[Shown]:
    """The panels, and the difference of each pair that has one."""
    found = list(seen)
    for first, second in combinations(seen, 2):
        try:
            trace = difference_trace(first.trace, second.trace)
        except PairError:
            continue
        title = f"{second.slot} minus {first.slot}"
        found.append(Shown(trace, None, first.picture, slot=f"{first.slot}{second.slot}", title=title))
    return found


def _drawn(setup: Setup, source: Source, slot: str) -> tuple[Panel, Shown, tuple[str, ...]]:
    """A panel with the changes of a slot, what it shows, and notes about its input."""
    shown, notes = live.of_plain(setup.asked, source.values, source.plain, slot)
    meta, weights = frame(shown.trace, before=shown.before, picture=shown.picture, text=shown.trace.given)
    meta["change"] = live.described(shown, slot)
    panel = _panel(shown, (meta, weights), setup.options, slot)
    return panel, replace(shown, title=f"{slot} · {setup.asked.model.mechanism.short}"), notes


def _panel(shown: Shown, framed: tuple[dict, Any], options: str, number: str = "") -> Panel:
    return Panel(shown.trace, *framed, options, figures(shown.model, shown.given), number)


def _source(task: Task, slot: str = "", number: int = 0, example: Any = None) -> tuple[Source, str]:
    """What was typed or chosen; where that cannot be used, the last that could, and a sentence that says so."""
    last = f"_compared_{task.kind}{slot}"
    try:
        found = inputs.ask(task, slot, number, example)
        source = _encoded(task, found.values)
    except AttnvizError as error:
        known = st.session_state.get(last)
        return known or _encoded(task, inputs.values_of(task, example or task.examples[0])), str(error)
    st.session_state[last] = source
    return source, "" if found.shared else "A picture of your own is not part of the link."


def _encoded(task: Task, values: Values) -> Source:
    return Source(values, models.encode(task.name, values))
