"""Step by step: the worksheet of a trace, and what a reader does in it."""

import streamlit as st

from attnviz.ui import changes, live
from attnviz.views.canvas import event, live_worksheet
from attnviz.views.worksheet import worksheet

KEY = "worksheet"


def draw(shown: live.Shown, notes: tuple[str, ...]) -> None:
    """The computation line by line; notes about the input stand above it."""
    meta, numbers = worksheet(shown.trace, shown.before, query=st.session_state.get("_query", 0))
    meta["text"] = shown.trace.given
    meta["picture"] = shown.picture
    hint = "Click a word to follow its numbers."
    if shown.model is not None:
        meta["change"] = live.described(shown)
        hint = "Click a number to change it: all lines below follow."
    st.caption(" ".join(notes) or hint)
    live_worksheet(meta, numbers, key=KEY, on_event=_receive)


def _receive() -> None:
    """An event of the worksheet: either another query is looked at, or something is changed."""
    found = event(KEY)
    if found.get("what") != "look":
        changes.receive(KEY)
    elif isinstance(found.get("query"), int) and found["query"] >= 0:
        st.session_state["_query"] = found["query"]
