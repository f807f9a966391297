"""A live text field, or, for a long text, one of several lines."""

import streamlit as st

from attnviz.ui import link
from attnviz.ui.inputs import editor
from attnviz.ui.inputs.field import Field, make_room

LONGEST = 20_000  # characters that a text may have
_HINT = "Type a sentence: the picture follows"


def ask(field: Field) -> str:
    """What was typed."""
    if field.part.long:
        about = {"hint": field.part.help or _HINT, "longest": LONGEST}
        return editor.edit(field, "longtext", bounded, about)
    link.resume(field.key, field.example)
    make_room(field)
    typed = st.text_input(
        field.label,
        field.example,
        key=field.key,
        live="0ms",
        bind="query-params",
        max_chars=LONGEST,
        placeholder=field.part.help or _HINT,
        label_visibility=field.visibility,
        autocomplete="off",
    )
    link.remember(field.key, typed)
    return typed


def bounded(text: str) -> str:
    """The text; ValueError if it is too long."""
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text):,} characters, and {LONGEST:,} is the limit.")
    return text
