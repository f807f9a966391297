"""The live picture: what was typed goes through the model and into the canvas, and the last good picture is kept."""

from dataclasses import dataclass

import streamlit as st

from attnviz.errors import AttnvizError, EmptyTextError
from attnviz.features.picture import as_data_url
from attnviz.recording import Intervention
from attnviz.trace import Trace
from attnviz.ui import details, inputs
from attnviz.views.canvas import live_picture
from attnviz.views.frame import frame
from attnviz.zoo import models

_HINTS = {"text": "Type: the picture follows.", "image": "Choose a picture, or bring your own."}


@dataclass(frozen=True)
class Shown:
    """A trace and the picture that goes with it (a data URL, or None for a text)."""

    trace: Trace
    picture: str | None


@st.fragment
def follow_text(model: models.Model, intervention: Intervention) -> None:
    """Text field and picture; only this reruns while someone types."""
    text = inputs.text_field(model.task)
    try:
        given = models.encode_text(model.task.name, text)
    except EmptyTextError as error:
        if "_last_text" not in st.session_state:  # a link without a word in it
            example = models.encode_text(model.task.name, model.task.examples[0])
            st.session_state["_last_text"] = Shown(model.trace(example, intervention), None)
        show_last("text", str(error))
    else:
        show(Shown(model.trace(given, intervention), None), given.notes)


def follow_picture(model: models.Model, intervention: Intervention) -> None:
    """Gallery, upload, camera, and the picture under the weights."""
    try:
        chosen = inputs.choose_picture(model.task)
        given = models.encode_picture(model.task.name, chosen.picture, chosen.name)
        shown = Shown(model.trace(given, intervention), as_data_url(given.picture))
    except AttnvizError as error:
        show_last("image", str(error))
    else:
        show(shown, given.notes if chosen.shared else (*given.notes, "A picture of your own is not part of the link."))


def show(shown: Shown, notes: tuple[str, ...] = ()) -> None:
    """Draw a trace and remember it. Notes stand where the hint stood, so that nothing jumps."""
    kind = "text" if shown.picture is None else "image"
    st.session_state[f"_last_{kind}"] = shown
    meta, weights = frame(shown.trace, picture=shown.picture, text=str(shown.trace.made_by["input"]))
    if notes:
        st.caption(" ".join(notes))
    else:
        meta["hint"] = _HINTS[kind]
    live_picture(meta, weights, key="live-picture")
    details.follow(shown.trace)


def show_last(kind: str, problem: str) -> None:
    """Say what is wrong and keep the last good picture of this session, if there is one."""
    shown = st.session_state.get(f"_last_{kind}")
    if shown is None:
        st.caption(problem)
    else:
        show(shown, (problem,))
