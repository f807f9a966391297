"""Words of a text: typed, or marked in the text itself."""

import re

import streamlit as st

from attnviz.changes import moved
from attnviz.errors import EmptyTextError, InputError
from attnviz.features import targets
from attnviz.features.words import Words, split
from attnviz.ui.inputs import editor, text
from attnviz.ui.inputs.field import Field

_HINT = "Or mark it here: click a word, then its neighbours"
_PLACE = re.compile(r"(\d{1,4}) (\d{1,4})")


def ask(field: Field) -> str:
    """The words that are meant: "food", or "food@2" for the second time that it stands in the text."""
    words = _words(st.session_state.get(f"{field.part.of}{field.slot}", ""))
    if words is not None:
        _follow(field, words)
    left, right = st.columns([1, 3])
    with left:
        value = text.ask(field)
    if words is not None:
        st.session_state[_seen(field)] = (words, value)
        with right:
            _ask_in_text(field, words, value)
    return value


def _ask_in_text(field: Field, words: Words, value: str) -> None:
    """The words of the text, to be marked."""
    glued = [i for i in range(1, len(words.spans)) if words.spans[i][0] == words.spans[i - 1][1]]
    about = {"words": list(words.labels), "glued": glued, "label": _HINT, "seen": True}
    place = " ".join(map(str, _place(words, value)))
    editor.show(field, "marking", place, lambda place: _mark(field, words, place), about)


def forget(field: Field) -> None:
    """Another text comes, with a mark of its own."""
    st.session_state.pop(_seen(field), None)


def _seen(field: Field) -> str:
    return f"_seen_{field.key}"


def _words(written: str) -> Words | None:
    try:
        return split(written)
    except EmptyTextError:
        return None


def _place(words: Words, value: str) -> tuple[int, ...]:
    """First and last of the marked words; nothing without a mark."""
    try:
        marked = targets.find(words, value)
    except InputError:
        return ()
    return marked[0], marked[-1]


def _mark(field: Field, words: Words, place: str) -> None:
    """Take what a browser says is marked: two numbers of words."""
    found = _PLACE.fullmatch(place)
    if found and int(found[1]) <= int(found[2]) < len(words.labels):
        st.session_state[field.key] = targets.name(words, int(found[1]), int(found[2]) + 1)


def _follow(field: Field, words: Words) -> None:
    """The mark stays on its words while others come and go before them."""
    old, value = st.session_state.get(_seen(field), (words, ""))
    if old.labels == words.labels or st.session_state.get(field.key) != value:
        return
    before, places = _place(old, value), moved(old.labels, words.labels)
    now = tuple(places[i] for i in before if places[i] is not None)
    if len(now) < 2 or _place(words, value) == now:
        return
    if words.labels[now[0] : now[1] + 1] == old.labels[before[0] : before[1] + 1]:
        st.session_state[field.key] = targets.name(words, now[0], now[1] + 1)
