"""One of a few choices: a row of them, or a list where they are many."""

import streamlit as st

from attnviz.ui import link
from attnviz.ui.inputs.field import Field

_LIST = 260  # pixels
_IN_A_ROW = 48  # letters of all choices together, up to which they stand beside each other


def ask(field: Field) -> str:
    """What was chosen."""
    choices = list(field.part.choices)
    link.start(field.key, choices, field.example)
    common = {"key": field.key, "help": field.part.help or None, "label_visibility": field.visibility}
    if sum(map(len, choices)) <= _IN_A_ROW:
        value = st.segmented_control(field.label, choices, required=True, width="content", **common)
    else:
        value = st.selectbox(field.label, choices, width=_LIST, **common)
    link.keep(field.key, value, field.example)
    return value
