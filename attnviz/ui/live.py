"""The live picture: what was typed goes through the model and into the canvas, and the last good picture is kept."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import streamlit as st

from attnviz.analysis.said import intervention_of, marks, options_said, said
from attnviz.attention import registry
from attnviz.errors import AttnvizError
from attnviz.features.picture import as_data_url
from attnviz.tasks.job import Values
from attnviz.trace import Trace
from attnviz.ui import changes, details, inputs
from attnviz.ui.shown import Shown
from attnviz.views.canvas import live_picture
from attnviz.views.frame import frame
from attnviz.zoo import models

_HINTS = {"text": "Type: the picture follows.", "image": "Choose a picture, or bring your own."}
_HINT = "Change what is given: the picture follows."
_FOLLOWED = ("token", "fact")  # items that come and go one by one, and take with them what was changed in them
KEY = "live-picture"


@dataclass(frozen=True)
class Asked:
    """The model to show, and the one that nothing was changed in: the same unless an option counts as a change."""

    model: models.Model
    plain: models.Model


Draw = Callable[[Shown, tuple[str, ...]], None]  # what a page makes of a trace, and of the notes about its input


@st.fragment
def follow(asked: Asked, draw: Draw | None = None) -> None:
    """Input and picture; only this reruns while someone types or changes something in the picture.

    A page that draws something else than the live picture says so by `draw`.
    """
    task = asked.model.task
    try:
        given = inputs.ask(task)
        shown, notes = of_values(asked, given.values)
    except AttnvizError as error:
        if f"_last_{task.kind}" not in st.session_state:  # a link with nothing in it that can be used
            first = inputs.values_of(task, task.examples[0])
            st.session_state[f"_last_{task.kind}"], _ = of_values(asked, first)
        show_last(task.kind, str(error), draw)
    else:
        own = () if given.shared else ("A picture of your own is not part of the link.",)
        show(shown, (*notes, *own), draw)


def of_values(asked: Asked, values: Values, slot: str = "") -> tuple[Shown, tuple[str, ...]]:
    """What an input shows with the changes of a slot, and notes about it. An AttnvizError if it cannot be used."""
    return of_plain(asked, values, models.encode(asked.model.task.name, values), slot)


def of_plain(asked: Asked, values: Values, plain: models.Input, slot: str = "") -> tuple[Shown, tuple[str, ...]]:
    """The same, where `values` are encoded as they are already."""
    if plain.axis.kind in _FOLLOWED:
        changes.follow_words(plain.axis.labels, slot)
    swapped = changes.now(slot).swapped
    given = models.encode(asked.model.task.name, values, swapped) if swapped else plain
    return of_input(asked, given, plain, slot), given.notes


def of_input(asked: Asked, given: models.Input, plain: models.Input, slot: str = "") -> Shown:
    """The trace with the changes of a slot, and, if there are any, the one without them on the `plain` input."""
    intervention = changes.now(slot)
    is_changed = not intervention.is_nothing or asked.model is not asked.plain
    return Shown(
        asked.model.trace(given, intervention),
        asked.plain.trace(plain) if is_changed else None,
        None if given.picture is None else as_data_url(given.picture),
        asked.model,
        given,
        intervention,
        slot,
    )


def show(shown: Shown, notes: tuple[str, ...] = (), draw: Draw | None = None) -> None:
    """Draw a trace and remember it."""
    st.session_state[f"_last_{_kind(shown)}"] = shown
    (draw or draw_picture)(shown, notes)
    changes.keep()
    changes.follow_controls()
    details.follow(lambda: [shown])


def show_file(trace: Trace, draw: Draw | None = None) -> None:
    """Draw a trace that was saved before. Nothing in it can be changed: there may be no model that made it."""
    (draw or draw_picture)(Shown(trace), ())
    details.follow(lambda: [Shown(trace)])


def _kind(shown: Shown) -> str:
    return shown.model.task.kind if shown.model else ""


def draw_picture(shown: Shown, notes: tuple[str, ...]) -> None:
    """The live picture. Notes stand where the hint stood, so that nothing jumps."""
    meta, weights = frame(shown.trace, before=shown.before, picture=shown.picture, text=shown.trace.given)
    if shown.model is None:
        meta["marks"] = marks(intervention_of(shown.trace), shown.trace)
    else:
        meta["change"] = described(shown)
    if notes:
        st.caption(" ".join(notes))
    else:
        meta["hint"] = _HINTS.get(_kind(shown), _HINT)
    live_picture(meta, weights, key=KEY, on_event=lambda: changes.receive(KEY))


def described(shown: Shown, slot: str = "") -> dict[str, Any]:
    """What the picture needs to know of the changes: chips, marks, and whether there is a way back."""
    done, options = changes.now(slot), changes.options(slot)
    trace = shown.trace
    chips = said(done, trace)
    if options:
        defaults = {f.name: f.default for f in fields(registry.get(trace.mechanism).options)}
        used = trace.made_by["options"]  # another, where what was asked for was not trained
        chips += options_said({name: value for name, value in options.items() if used[name] == value}, defaults)
    return {**changes.can(), **marks(done, trace), "said": chips, "problem": changes.problem()}


def show_last(kind: str, problem: str, draw: Draw | None = None) -> None:
    """Say what is wrong and keep the last good picture of this session, if there is one."""
    shown = st.session_state.get(f"_last_{kind}")
    if shown is None:
        st.caption(problem)
    else:
        show(shown, (problem,), draw)
