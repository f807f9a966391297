"""Words of a text: typed, or marked in the text itself."""

import re
import time
from dataclasses import dataclass, replace

import streamlit as st

from attnviz.changes import moved
from attnviz.errors import EmptyTextError, InputError
from attnviz.features import targets
from attnviz.features.words import Words, split
from attnviz.ui.inputs import editor, text
from attnviz.ui.inputs.field import Field

_HINT = "Or mark it here: click a word, then its neighbours"
_PLACE = re.compile(r"(\d{1,4}) (\d{1,4})")
_LATE = 10.0  # seconds in which a browser that is being typed at may still send what the mark was called before


@dataclass(frozen=True)
class _Seen:
    """A text and the name of its mark as they were shown last, and names that the mark has had until then."""

    words: Words
    value: str
    outdated: tuple[str, ...] = ()
    until: float = 0.0

    def now(self, said: str | None) -> str | None:
        """The mark's name, where a browser says `said`: it may not have heard of a new one yet."""
        return self.value if said in self.outdated and time.monotonic() < self.until else said


def ask(field: Field) -> str:
    """The words that are meant: "food", or "food@2" for the second time that it stands in the text."""
    words = _words(st.session_state.get(f"{field.part.of}{field.slot}", ""))
    if words is not None:
        _follow(field, words)
    left, right = st.columns([1, 3])
    with left:
        value = text.ask(field)
    if words is not None:
        seen = st.session_state.get(_seen(field))
        is_same = seen is not None and seen.value == value
        st.session_state[_seen(field)] = replace(seen, words=words) if is_same else _Seen(words, value)
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
        name = targets.name(words, int(found[1]), int(found[2]) + 1)
        st.session_state[_seen(field)] = _Seen(words, name)
        st.session_state[field.key] = name


def _follow(field: Field, words: Words) -> None:
    """The mark stays on its words while others come and go before them."""
    seen = st.session_state.get(_seen(field))
    said = st.session_state.get(field.key)
    if seen is None or seen.now(said) != seen.value:
        return
    name = _moved(seen, words)
    if name != seen.value:
        outdated = (*seen.outdated, seen.value) if time.monotonic() < seen.until else (seen.value,)
        st.session_state[_seen(field)] = _Seen(words, name, outdated, time.monotonic() + _LATE)
    if name != said:
        st.session_state[field.key] = name


def _moved(seen: _Seen, words: Words) -> str:
    """What the marked words are called in a text that has changed; the old name if they are not in it any more."""
    if seen.words.labels == words.labels:
        return seen.value
    before, places = _place(seen.words, seen.value), moved(seen.words.labels, words.labels)
    now = tuple(places[i] for i in before if places[i] is not None)
    if len(now) < 2 or words.labels[now[0] : now[1] + 1] != seen.words.labels[before[0] : before[1] + 1]:
        return seen.value
    return seen.value if _place(words, seen.value) == now else targets.name(words, now[0], now[1] + 1)
