"""Controls that are built from the registries: which mechanism, which task, which options."""

from dataclasses import fields
from typing import Any

import streamlit as st

from attnviz import library
from attnviz.attention.registry import Mechanism
from attnviz.recording import Intervention
from attnviz.tasks.registry import Task
from attnviz.ui import link
from attnviz.zoo import models

DEFAULT_MECHANISM, DEFAULT_TASK = "multi_head", "trec"
COLDEST, HOTTEST = 0.1, 4.0


def choose_mechanism() -> Mechanism:
    """Family first, then its mechanisms; only the mechanism is part of the link."""
    known = library.mechanisms()
    families = list(dict.fromkeys(spec.family for spec in known.values()))
    link.start("mechanism", list(known), DEFAULT_MECHANISM)
    current = known[st.session_state["mechanism"]]
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


def choose_task() -> Task:
    """What the model predicts."""
    known = library.tasks()
    link.start("task", list(known), DEFAULT_TASK)
    name = st.selectbox(
        "Predicts",
        list(known),
        key="task",
        format_func=lambda n: known[n].title,
        help="What the model was trained to predict, and from what: a sentence or a picture.",
    )
    link.keep("task", name, DEFAULT_TASK)
    return known[name]


def introduced(spec: Mechanism, task: Task) -> str:
    """The mechanism in a line: its title, what its query is, and what to look for in a text or a picture."""
    look_for = spec.look_for
    if task.kind == "image":
        for word, patch in (("words", "patches"), ("word", "patch"), ("text", "picture")):
            look_for = look_for.replace(word, patch)
    return f"**{spec.title}.** {spec.query} {look_for}"


def choose_options(spec: Mechanism, task: Task) -> tuple[Any, str]:
    """The mechanism's own options, as one of the sets that were trained, and a sentence if that is another set."""
    values = {f.name: _control(f) for f in fields(spec.options)}
    wanted = spec.options(**values)
    found = models.nearest(task.name, spec.name, wanted, keep=st.session_state.get("_last_option", ""))
    changed = [
        f"{f.metadata['label']} {getattr(found, f.name)}"
        for f in fields(spec.options)
        if getattr(found, f.name) != getattr(wanted, f.name)
    ]
    if changed:
        return found, f"This combination was not trained; shown with {' and '.join(changed)}."
    return found, ""


def _control(f: Any) -> Any:
    about, choices = f.metadata, list(f.metadata["choices"])
    link.start(f.name, choices, f.default)

    def remember() -> None:
        st.session_state["_last_option"] = f.name

    common = {"key": f.name, "help": about["help"], "on_change": remember}
    label = about["label"].capitalize()
    if isinstance(f.default, bool):
        value = st.toggle(label, width="content", **common)
    elif isinstance(f.default, int):
        value = st.segmented_control(label, choices, required=True, width="content", **common)
    else:
        value = st.selectbox(label, choices, format_func=_readable, width=220, **common)
    link.keep(f.name, value, f.default)
    return value


def choose_temperature() -> Intervention:
    """The softmax temperature: an intervention on any mechanism, not an option that was trained."""
    link.check("temperature", link.between(COLDEST, HOTTEST))
    value = st.slider(
        "Temperature",
        COLDEST,
        HOTTEST,
        1.0,
        0.1,
        key="temperature",
        width=240,
        bind="query-params",
        help="Scores are divided by it before they become weights: below 1 sharpens, above 1 evens out. Trained at 1.",
    )
    return Intervention(temperature=value)


def _readable(name: str) -> str:
    return str(name).replace("_", " ")
