"""The panels of a comparison: each a mechanism with its own options, task and temperature, by number in the link."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.attention.registry import Mechanism
from attnviz.errors import AttnvizError
from attnviz.tasks.registry import Task
from attnviz.ui import changes, controls, link
from attnviz.ui.live import Asked
from attnviz.zoo import models

DEFAULTS = ("multi_head", "multi_hop", "multi_head_self", "capsule")
FEWEST, MOST = 2, len(DEFAULTS)

Picked = tuple[Mechanism, Task, DeltaGenerator]  # with the place for a panel's options


@dataclass(frozen=True)
class Setup:
    """What one panel shows: its models, and its options in words. `slot` is its number, from "1"."""

    slot: str
    task: Task
    asked: Asked
    options: str


def choose_count() -> tuple[str, ...]:
    """How many panels there are, as their slots."""
    counts = list(range(FEWEST, MOST + 1))
    link.start("panels", counts, FEWEST)
    n = st.segmented_control(
        "Panels", counts, key="panels", required=True, format_func=lambda n: f"{n} panels", label_visibility="collapsed"
    )
    link.keep("panels", n, FEWEST)
    return tuple(str(i + 1) for i in range(n))


def choose(slots: Sequence[str], inputs: Sequence[str]) -> list[Setup]:
    """A column of controls for each of the slots; what cannot be shown is left out, with a sentence in its place.

    All tasks have the first one's kind of input. `inputs` are the slots that hold changes: with one mechanism on
    several inputs there are more of them than of mechanisms.
    """
    _begin_as_elsewhere()
    columns = _places(len(slots))
    picked: list[Picked] = []
    for slot, column, default in zip(slots, columns, DEFAULTS, strict=False):
        picked.append(_pick(slot, column, default, picked[0][1] if picked else None))
    subjects = {slot: of[:2] for slot, of in zip(slots, picked, strict=True)}
    own = {slot: picked[0][:2] for slot in inputs if slot not in subjects}
    changes.start({**subjects, **own}, shared=not own)
    found = [_setup(slot, *of) for slot, of in zip(slots, picked, strict=True)]
    for i, slot in enumerate(inputs):
        spec, _, options = picked[min(i, len(picked) - 1)]
        with options:
            if len(inputs) > len(slots):
                st.caption(f"Input {slot}")
            controls.choose_alignment(spec, slot)
            controls.choose_temperature(slot)
    return [setup for setup in found if setup is not None]


def in_words(options: Any) -> str:
    """Options as a short line, 8 heads: what is counted always, others where they are not the default."""
    shown = [f for f in fields(options) if type(f.default) is int or getattr(options, f.name) != f.default]
    return ", ".join(_option(f.metadata["label"], getattr(options, f.name)) for f in shown)


def _option(label: str, value: Any) -> str:
    if isinstance(value, bool):
        return label if value else f"no {label}"
    if isinstance(value, int):
        return f"{value} {label if value != 1 else label.removesuffix('s')}"
    return f"{label}: {value}".replace("_", " ")


def _begin_as_elsewhere() -> None:
    """The first panel begins with mechanism and task of the other pages, and no second one with the same mechanism."""
    link.begin("task1", "task")
    first = link.begin("mechanism1", "mechanism")
    if first in DEFAULTS[1:]:
        st.session_state["_chosen"].setdefault(f"mechanism{DEFAULTS.index(first) + 1}", DEFAULTS[0])


def _places(n: int) -> list[DeltaGenerator]:
    """Two beside each other, as the panels below."""
    return [column for _ in range(0, n, 2) for column in st.columns(min(n, 2))][:n]


def _pick(slot: str, column: DeltaGenerator, default: str, first: Task | None) -> Picked:
    with column.container(horizontal=True, vertical_alignment="bottom"):
        spec = controls.pick_mechanism(slot, default, first and first.kind)
        options = st.popover(f"{slot} · Options", width="content")
    with options:
        if first is None:
            return spec, controls.choose_task(spec, slot), options
        return spec, controls.choose_task(spec, slot, first.name, first.kind), options


def _setup(slot: str, spec: Mechanism, task: Task, options: DeltaGenerator) -> Setup | None:
    with options:
        chosen, untrained = controls.choose_options(spec, task, slot)
        if untrained:
            st.caption(untrained)
    try:
        model = models.load(task.name, spec.name, chosen)
        plain = models.load(task.name, spec.name, controls.unchanged(spec, task, chosen))
    except AttnvizError as error:
        st.caption(f"{slot}: {error}")
        return None
    return Setup(slot, task, Asked(model, plain), in_words(chosen))
