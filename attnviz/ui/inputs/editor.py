"""Parts that a component of our own asks for. Their values stand in the session, and in the link, under their keys."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from attnviz.ui import link
from attnviz.ui.inputs.field import Field, make_room
from attnviz.views import canvas

Read = Callable[[str], Any]  # a value; ValueError, with what is wrong, for a text that is none
_LEAP = 1_000  # more events than can be on their way
_REST = 2.0  # seconds after which nobody writes any more, even if the browser could not say so


def edit(field: Field, kind: str, read: Read, about: Mapping[str, Any]) -> str:
    """The value that a part holds, and an editor for it; `about` is what that kind of editor needs to know.

    It begins with what the link says, unless `read` refuses that, or with what was written before, or the example.
    The link follows when nobody writes, as the browser keeps each one in its history.
    """
    link.take(field.key, read, field.example)
    make_room(field)
    value = st.session_state[field.key]
    show(field, kind, value, lambda text: _write(field, read, text), {**about, "linked": True})
    link.remember(field.key, value)
    if time.monotonic() - st.session_state.get(_written(field), 0.0) > _REST:
        link.keep(field.key, value, field.example)
    st.session_state.setdefault(edited(field.slot), set()).add(field.key)
    return value


def show(field: Field, kind: str, value: str, write: Callable[[str], None], about: Mapping[str, Any]) -> None:
    """An editor that shows a value and gives what a person makes of it to `write`: any text that a browser may send."""
    key = f"edit_{field.key}"

    def receive() -> None:
        found = canvas.event(key)
        text, sent = found.get("value"), found.get("sent")
        if isinstance(text, str) and isinstance(sent, int) and sent >= _sent(field):
            st.session_state[_sent_key(field)] = sent
            st.session_state[_written(field)] = 0.0 if found.get("rests") is True else time.monotonic()
            write(text)

    meta = {"kind": kind, "value": value, "sent": _sent(field), "help": field.part.help}
    seen = {"label": field.label, "seen": not field.alone, "linked": False}
    canvas.live_input(meta | seen | dict(about), key=key, on_event=receive)


def overrule(field: Field) -> None:
    """What an editor has sent up to now, and is still on its way, counts no more: another value has come."""
    st.session_state[_sent_key(field)] = _sent(field) + _LEAP
    st.session_state[_written(field)] = 0.0


def edited(slot: str) -> str:
    """Where a slot's keys are noted that editors have written into the link."""
    return f"_edited{slot}"


def _sent_key(field: Field) -> str:
    return f"_sent_{field.key}"


def _sent(field: Field) -> int:
    """The number of the last event that has come."""
    return st.session_state.get(_sent_key(field), 0)


def _written(field: Field) -> str:
    return f"_written_{field.key}"


def _write(field: Field, read: Read, text: str) -> None:
    try:
        read(text)
    except ValueError:  # the editor's own bounds keep a person from it
        return
    st.session_state[field.key] = text
