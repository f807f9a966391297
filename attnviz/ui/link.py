"""State in the address bar. What stands there is untrusted: what does not parse falls back, and a sentence says so.

Streamlit's own binding writes the label that a person reads; `start` and `keep` write names, which stay the same when a
label is reworded. The text field and the sliders, which have no labels, use Streamlit's.
"""

import re
from collections.abc import Callable
from typing import Any

import streamlit as st


def enter(page: str) -> None:
    """Must run first on every page: what was chosen on another page is where this one begins.

    Streamlit takes a control with the same key on another page for a new one, which begins empty, while the key still
    has the old one's value until that page is gone. So the keys are cleared, and `start` fills them again.
    """
    if st.session_state.get("_page", page) != page:
        for name in _chosen():
            st.session_state.pop(name, None)
    st.session_state["_page"] = page


def resume(name: str, default: str) -> None:
    """Give a bound text field what was typed on another page, unless the link says something else."""
    if name in st.session_state or name in st.query_params or name not in _chosen():
        return
    st.session_state[name] = _chosen()[name]
    if _chosen()[name] != default:
        st.query_params[name] = _chosen()[name]  # not bound yet on this page: Streamlit would leave it out of the link


def remember(name: str, value: Any) -> None:
    """Other pages begin with this value."""
    _chosen()[name] = value


def _chosen() -> dict[str, Any]:
    return st.session_state.setdefault("_chosen", {})


def check(name: str, read: Callable[[str], Any]) -> None:
    """Drop the parameter `name` if `read` refuses it (by ValueError), and note a sentence.

    Must run before a widget is bound to it.
    """
    text = st.query_params.get(name)
    if text is None:
        return
    try:
        read(text)
    except ValueError as error:
        del st.query_params[name]
        notes: list[str] = st.session_state.setdefault("_link_notes", [])
        notes.append(f"The link asked for {name} “{_plain(text[:40])}”: {error} The default is shown instead.")


def start(name: str, choices: list[Any], default: Any) -> None:
    """Give the widget with the key `name` its first value: the link's if it is one of `choices`, else the default.

    Coming from another page of the same visit, what was chosen there counts before the default. A value left over from
    other choices is replaced too.
    """
    read = one_of(choices)
    if name not in st.session_state:
        check(name, read)
        chosen = _chosen().get(name, default)
        st.session_state[name] = read(st.query_params[name]) if name in st.query_params else chosen
    if st.session_state[name] not in choices:
        st.session_state[name] = default


def take(name: str, read: Callable[[str], Any], default: str) -> None:
    """Give `name` its first value, where it is any text that `read` accepts: `start` without choices."""
    if name not in st.session_state:
        check(name, read)
        st.session_state[name] = st.query_params.get(name, _chosen().get(name, default))


def begin(name: str, other: str) -> Any:
    """Let `name` begin with what was chosen for `other`, unless it was chosen itself; what that is, or None."""
    if other in _chosen():
        _chosen().setdefault(name, _chosen()[other])
    return _chosen().get(name)


def keep(name: str, value: Any, default: Any) -> None:
    """Write a value into the link, or take it out where it is the default; other pages begin with it too."""
    remember(name, value)
    wanted = None if value == default else str(value)
    if st.query_params.get(name) == wanted:
        return
    if wanted is None:
        del st.query_params[name]
    else:
        st.query_params[name] = wanted


def show() -> None:
    """Say once what was wrong with the link. Must run after everything that reads it."""
    if sentences := st.session_state.pop("_link_notes", []):
        st.warning("  \n".join(sentences))


def _plain(text: str) -> str:
    """Text from the link, so that Markdown shows it as it stands: no picture, link or formula comes out of it."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def one_of(choices: list[Any]) -> Callable[[str], Any]:
    """A reader that accepts the text of one of `choices`."""
    known = {str(choice).lower(): choice for choice in choices}

    def read(text: str) -> Any:
        if text.lower() not in known:
            raise ValueError(f"it can be {', '.join(known)}.")
        return known[text.lower()]

    return read


def between(low: float, high: float) -> Callable[[str], float]:
    """A reader that accepts a number from `low` to `high`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"it must be a number from {low:g} to {high:g}.") from None
        if not low <= value <= high:
            raise ValueError(f"it goes from {low:g} to {high:g}.")
        return value

    return read
