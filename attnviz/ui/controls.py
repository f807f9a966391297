"""Controls that are built from the registries: which mechanism, which task, which options.

Each takes a `slot`, which is added to its key and to its name in the link: pages with several pictures have several.
"""

from dataclasses import asdict, fields
from typing import Any

import streamlit as st

from attnviz import library
from attnviz.analysis.sweeps import TRAINED
from attnviz.attention.alignments import PLAIN
from attnviz.attention.registry import Mechanism
from attnviz.tasks.registry import Task
from attnviz.ui import changes, link
from attnviz.zoo import models

DEFAULT_MECHANISM, DEFAULT_TASK = "multi_head", "trec"


def mechanism() -> Mechanism:
    """The mechanism that is chosen, before its control is drawn: the tasks depend on it."""
    known = library.mechanisms()
    link.start("mechanism", list(known), DEFAULT_MECHANISM)
    return known[st.session_state["mechanism"]]


def choose_mechanism() -> Mechanism:
    """Family first, then its mechanisms; only the mechanism is part of the link."""
    known = library.mechanisms()
    families = list(dict.fromkeys(spec.family for spec in known.values()))
    current = mechanism()
    st.session_state["family"] = current.family

    def first_of_family() -> None:
        family = st.session_state["family"]
        st.session_state["mechanism"] = next(spec.name for spec in known.values() if spec.family == family)

    common = {"required": True, "label_visibility": "collapsed"}
    st.segmented_control(
        "Family", families, key="family", format_func=str.capitalize, on_change=first_of_family, **common
    )
    members = [spec.name for spec in known.values() if spec.family == current.family]
    name = st.pills("Mechanism", members, key="mechanism", format_func=lambda n: known[n].short, **common)
    link.keep("mechanism", name, DEFAULT_MECHANISM)
    return known[name]


def pick_mechanism(slot: str, default: str, kind: str | None = None) -> Mechanism:
    """All mechanisms in one list: for a page that has several. With `kind` only those for such an input."""
    known = {name: spec for name, spec in library.mechanisms().items() if kind is None or tasks_of(spec, kind)}
    key = f"mechanism{slot}"
    default = default if default in known else list(known)[(int(slot) - 1) % len(known)]
    link.start(key, list(known), default)
    name = st.selectbox(
        f"Mechanism {slot}", list(known), key=key, format_func=lambda n: known[n].title, label_visibility="collapsed"
    )
    link.keep(key, name, default)
    return known[name]


def tasks_of(spec: Mechanism, kind: str | None = None) -> dict[str, Task]:
    """The tasks that a mechanism is for, by name; with `kind`, only those with that input (text, image …)."""
    return {name: task for name, task in library.tasks().items() if kind in (None, task.kind) and task.takes(spec)}


def choose_task(spec: Mechanism, slot: str = "", default: str = DEFAULT_TASK, kind: str | None = None) -> Task:
    """What the model predicts; with `kind`, only tasks with that input."""
    known = tasks_of(spec, kind)
    key = f"task{slot}"
    default = default if default in known else next(iter(known))
    link.start(key, list(known), default)
    name = st.selectbox(
        "Predicts",
        list(known),
        key=key,
        format_func=lambda n: known[n].title,
        help="What the model was trained to predict, and from what: a sentence or a picture.",
    )
    link.keep(key, name, default)
    return known[name]


def introduced(spec: Mechanism, task: Task) -> str:
    """The mechanism in a line: its title, what its query is, and what to look for in a text or a picture."""
    look_for = spec.look_for
    if any(part.kind == "picture" for part in task.parts):
        for word, patch in (("words", "patches"), ("word", "patch"), ("text", "picture")):
            look_for = look_for.replace(word, patch)
    return f"**{spec.title}.** {spec.query} {look_for}"


def choose_options(spec: Mechanism, task: Task, slot: str = "") -> tuple[Any, str]:
    """The mechanism's own options, as one of the sets that were trained, and a sentence if that is another set."""
    values: dict[str, Any] = {}
    for f in fields(spec.options):
        only = f.metadata.get("only")
        matters = only is None or values[only[0]] == only[1]
        values[f.name] = _control(f, slot) if matters else f.default
    wanted = spec.options(**values)
    found = models.nearest(task.name, spec.name, wanted, keep=st.session_state.get(f"_last_option{slot}", ""))
    changed = [
        f"{f.metadata['label']} {getattr(found, f.name)}"
        for f in fields(spec.options)
        if getattr(found, f.name) != getattr(wanted, f.name)
    ]
    if changed:
        return found, f"This combination was not trained; shown with {' and '.join(changed)}."
    return found, ""


def unchanged(spec: Mechanism, task: Task, options: Any) -> Any:
    """The options without those that count as changes: what "before" is computed with."""
    defaults = {f.name: f.default for f in fields(spec.options) if f.name in changes.OPTIONS}
    return models.nearest(task.name, spec.name, spec.options(**asdict(options) | defaults))


def _control(f: Any, slot: str) -> Any:
    about, choices = f.metadata, list(f.metadata["choices"])
    key = f"{f.name}{slot}"
    if f.name in changes.OPTIONS:
        st.session_state[key] = changes.options(slot).get(f.name, f.default)
    link.start(key, choices, f.default)

    def remember() -> None:
        value = st.session_state[key]
        st.session_state[f"_last_option{slot}"] = f.name
        if f.name in changes.OPTIONS:
            changes.set_option(slot, f.name, None if value == f.default else value)

    common = {"key": key, "help": about["help"], "on_change": remember}
    label = about["label"].capitalize()
    if isinstance(f.default, bool):
        value = st.toggle(label, width="content", **common)
    elif isinstance(f.default, int):
        value = st.segmented_control(label, choices, required=True, width="content", **common)
    else:
        value = st.selectbox(label, choices, format_func=_readable, width=160, **common)
    link.keep(key, value, f.default)
    return value


def choose_temperature(slot: str = "") -> None:
    """The softmax temperature: a change of any mechanism, not an option that was trained."""
    key = f"temperature{slot}"
    st.session_state[key] = changes.now(slot).temperature
    st.slider(
        "Temperature",
        changes.COLDEST,
        changes.HOTTEST,
        step=0.1,
        key=key,
        width=200,
        on_change=lambda: changes.set_intervention(slot, temperature=st.session_state[key]),
        help="Scores are divided by it before they become weights: below 1 sharpens, above 1 evens out. Trained at 1.",
    )


def choose_alignment(spec: Mechanism, slot: str = "") -> None:
    """Another alignment function than the one that was trained, unless the mechanism has such an option itself."""
    if "alignment" in {f.name for f in fields(spec.options)}:
        return
    key = f"align{slot}"
    st.session_state[key] = changes.now(slot).alignment or TRAINED
    st.selectbox(
        "Alignment",
        [TRAINED, *PLAIN],
        key=key,
        format_func=_readable,
        width=160,
        on_change=lambda: changes.set_intervention(slot, alignment=_alignment(st.session_state[key])),
        help="How scores become weights. The model was trained with the first; the others take its place here.",
    )


def _alignment(chosen: str) -> str | None:
    return None if chosen == TRAINED else chosen


def _readable(name: str) -> str:
    return str(name).replace("_", " ")
