"""Cause and effect: what the reader changed on a page, the way back, and its place in the link.

A page has one history. Its state holds a change for each slot: a page with one picture has the slot "", one with
several has "1", "2" …, one with several inputs "A", "B". What acts on the input (masked and swapped words) is shared by
slots that show the same input. Slots that a page does not show are kept until a page shows them again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import streamlit as st

from attnviz.attention.alignments import PLAIN
from attnviz.attention.registry import Mechanism
from attnviz.changes import History, changed, moved, with_words
from attnviz.errors import OptionError
from attnviz.features.words import one_word
from attnviz.intervention import Intervention
from attnviz.tasks.registry import Task
from attnviz.ui import link
from attnviz.views.canvas import event

COLDEST, HOTTEST = 0.1, 4.0
OPTIONS = ("score", "alignment")  # options of a mechanism that are changes too: each choice has trained weights
_OF_INPUT = ("mask", "swap")
_LONGEST = 20_000  # characters of a change in a link


@dataclass(frozen=True)
class Change:
    """What is changed in one slot, for which mechanism and kind of input; `options` are those of `OPTIONS`."""

    mechanism: str
    kind: str
    intervention: Intervention = Intervention()
    options: Mapping[str, Any] = field(default_factory=dict)


State = dict[str, Change]


def start(subjects: Mapping[str, tuple[Mechanism, Task]], shared: bool = True) -> None:
    """Begin with what the link says, or go on with what there is; `subjects` gives each slot's mechanism and task.

    What was changed inside another mechanism, or in another kind of input, means nothing here and is dropped. With
    `shared` all slots show the same input: one that comes to others has their words.
    """
    history: History[State] | None = st.session_state.get("_changes")
    shown = history.now if history is not None else {}
    known = st.session_state.setdefault("_changes_kept", {})
    known |= shown
    state = {slot: _started(slot, spec, task.kind, known.get(slot)) for slot, (spec, task) in subjects.items()}
    there = [slot for slot in state if slot in shown]
    if shared and there:
        words = state[there[0]].intervention
        state |= {slot: _with_words_of(words, change) for slot, change in state.items() if slot not in shown}
    if history is None or state != shown:
        st.session_state["_changes"] = History.start(state)
    for slot in subjects:
        keep(slot)


def _started(slot: str, spec: Mechanism, kind: str, known: Change | None) -> Change:
    if known is None:
        return Change(spec.name, kind, _intervention_from_link(slot), _options_from_link(slot, spec))
    if known.kind != kind:
        known = _without_input(known)
    if known.mechanism != spec.name:
        known = replace(known, intervention=replace(known.intervention, off={}, edits=(), overrides=()), options={})
    return replace(known, mechanism=spec.name, kind=kind)


def _with_words_of(other: Intervention, change: Change) -> Change:
    kept = replace(change.intervention, masked=other.masked, swapped=other.swapped)
    return replace(change, intervention=kept)


def _without_input(change: Change) -> Change:
    """Without what was changed in single words or patches."""
    kept = replace(change.intervention, masked=frozenset(), swapped={}, edits=(), overrides=())
    return replace(change, intervention=kept)


def now(slot: str = "") -> Intervention:
    """The intervention of a slot."""
    return _history().now[slot].intervention


def options(slot: str = "") -> Mapping[str, Any]:
    """The options that were changed in a slot, of those in `OPTIONS`."""
    return _history().now[slot].options


def set_intervention(slot: str, **values: Any) -> None:
    """Go on with an intervention in which these fields are others: from a control."""
    change = _history().now[slot]
    _go(slot, replace(change, intervention=replace(change.intervention, **values)))


def set_option(slot: str, name: str, value: Any) -> None:
    """Go on with another value of one of `OPTIONS`; None for its default."""
    change = _history().now[slot]
    kept = {key: old for key, old in change.options.items() if key != name}
    _go(slot, replace(change, options=kept if value is None else {**kept, name: value}))


def follow_words(words: Sequence[str], slot: str = "") -> None:
    """The words of a text, as it is now: what was changed in a word goes with it while words come and go before it."""
    old = st.session_state.get(f"_words{slot}", words)
    st.session_state[f"_words{slot}"] = words
    if len(old) == len(words):
        return
    places = moved(old, words)

    def follow(state: State) -> State:
        change = state[slot]
        return {**state, slot: replace(change, intervention=with_words(change.intervention, places))}

    st.session_state["_changes"] = _history().mapped(follow)


def forget_input() -> None:
    """Another input comes: what was changed in single words or patches of the old one is dropped, with the history."""
    st.session_state["_changes"] = History.start(_all_without_input(_history().now))
    st.session_state["_changes_kept"] = _all_without_input(st.session_state["_changes_kept"])


def _all_without_input(state: State) -> State:
    return {slot: _without_input(change) for slot, change in state.items()}


def receive(key: str, slots: Sequence[str] = ("",), shared: bool = True) -> None:
    """Take the event that the picture with that key sent; its "panel" counts `slots`.

    With `shared` a masked or swapped word is so in all slots. What cannot be done is said once by `problem`.
    """
    found = event(key)
    history, controls = _history(), _controls()
    try:
        panel = found.get("panel", 0)
        slot = slots[panel] if isinstance(panel, int) and 0 <= panel < len(slots) else slots[0]
        st.session_state["_changes"] = _after(history, found, slots if shared else (slot,), slot)
    except OptionError as error:
        st.session_state["_change_problem"] = str(error)
    if _controls() != controls:
        st.session_state["_controls_moved"] = True


def _after(history: History[State], found: dict[str, Any], slots: Sequence[str], slot: str) -> History[State]:
    what = found.get("what")
    if what in ("undo", "redo"):
        return history.undone() if what == "undo" else history.redone()
    if what == "reset":
        return history.then({name: Change(change.mechanism, change.kind) for name, change in history.now.items()})
    if what == "option":
        kept = {key: value for key, value in history.now[slot].options.items() if key != found.get("name")}
        return history.then({**history.now, slot: replace(history.now[slot], options=kept)})
    if what == "swap" and found.get("word") is not None:
        one_word(str(found["word"])[:_LONGEST])
    state = dict(history.now)
    for name in slots if what in _OF_INPUT else (slot,):
        state[name] = replace(state[name], intervention=changed(state[name].intervention, found))
    gesture = found.get("gesture")
    return history.then(state, gesture if isinstance(gesture, int | float) else None)


def problem() -> str:
    """What could not be done, as a sentence; empty if all is well. It is said once."""
    return st.session_state.pop("_change_problem", "")


def follow_controls() -> None:
    """Draw the whole page again if an event moved what stands outside of the fragment: a slider, a choice."""
    if st.session_state.pop("_controls_moved", False):
        st.rerun()


def keep(slot: str = "") -> None:
    """Write a slot's change into the link."""
    plain = now(slot).to_plain()
    link.keep(f"temperature{slot}", plain.pop("temperature", 1.0), 1.0)
    link.keep(f"align{slot}", plain.pop("alignment", ""), "")
    link.keep(f"change{slot}", json.dumps(plain, ensure_ascii=False, separators=(",", ":")), "{}")


def can(slot: str = "") -> dict[str, bool]:
    """Whether there is something to undo and to redo."""
    history = _history()
    return {"undo": bool(history.past), "redo": bool(history.future)}


def _options_from_link(slot: str, spec: Mechanism) -> dict[str, Any]:
    found = {}
    for f in fields(spec.options):
        if f.name in OPTIONS:
            read = link.one_of(list(f.metadata["choices"]))
            link.check(f"{f.name}{slot}", read)
            value = read(st.query_params.get(f"{f.name}{slot}", str(f.default)))
            found |= {} if value == f.default else {f.name: value}
    return found


def _intervention_from_link(slot: str) -> Intervention:
    link.check(f"temperature{slot}", link.between(COLDEST, HOTTEST))
    link.check(f"align{slot}", link.one_of(list(PLAIN)))
    link.check(f"change{slot}", _read)
    found = _read(st.query_params.get(f"change{slot}", "{}"))
    temperature = float(st.query_params.get(f"temperature{slot}", 1.0))
    return replace(found, temperature=temperature, alignment=st.query_params.get(f"align{slot}"))


def _read(text: str) -> Intervention:
    """ValueError, with what is wrong, unless it is a change that a link may hold."""
    if len(text) > _LONGEST:
        raise ValueError("it is too long.")
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON.") from None
    try:
        found = Intervention.from_plain(plain)
        for word in found.swapped.values():
            one_word(word)
    except OptionError as error:
        raise ValueError(str(error)) from None
    return found


def _go(slot: str, change: Change) -> None:
    history = _history()
    st.session_state["_changes"] = history.then({**history.now, slot: change})


def _history() -> History[State]:
    return st.session_state["_changes"]


def _controls() -> Any:
    """What stands in controls besides the picture."""
    return {
        slot: (change.intervention.temperature, change.intervention.alignment, dict(change.options))
        for slot, change in _history().now.items()
    }
