"""What a reader does to a picture, one event at a time, and the way back.

An event is a small dictionary that a picture sends. It may come from anywhere, so nothing in it is trusted:

{"what": "mask", "key": 3, "on": True}                 an item gets no weight, or gets it again
{"what": "off", "kind": "head", "index": 2, "on": True}   a map is switched off, or on again
{"what": "edit", "map": "weights", "at": [0, 0, 3], "weight": 0.8}   a weight is dragged; "weight": None lets go of it
{"what": "swap", "key": 3, "word": "poem"}             a word takes another's place; "word": None takes it back
{"what": "set", "step": "scores", "at": [0, 0, 3], "value": 1.5}     a number of a step; "value": None takes it back
{"what": "temperature", "value": 0.5}                  the scores are divided by it; None takes it back
{"what": "alignment", "name": "sparsemax"}             another alignment function; None takes it back
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from attnviz.errors import OptionError
from attnviz.intervention import Intervention

State = TypeVar("State")
MOST_STEPS = 200  # that can be undone


def changed(now: Intervention, event: Mapping[str, Any]) -> Intervention:
    """The intervention after the event. OptionError, with what is wrong, for an event that makes no sense."""
    read = _EVENTS.get(str(event.get("what")))
    if read is None:
        raise OptionError(f"There is no change called {str(event.get('what'))[:40]!r}.")
    try:
        wanted = read(now.to_plain(), event)
    except (KeyError, TypeError, ValueError) as error:
        raise OptionError(f"This change cannot be read: {str(error)[:120]}.") from None
    return Intervention.from_plain(wanted)


def _mask(plain: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    return {**plain, "masked": _switched(plain.get("masked", []), event["key"], event["on"])}


def _off(plain: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    off, kind = plain.get("off", {}), event["kind"]
    return {**plain, "off": {**off, kind: _switched(off.get(kind, []), event["index"], event["on"])}}


def _edit(plain: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    place, weight = {"map": event["map"], "at": event["at"]}, event["weight"]
    return {**plain, "edits": _placed(plain.get("edits", []), place, "weight", weight)}


def _set(plain: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    place, value = {"step": event["step"], "at": event["at"]}, event["value"]
    return {**plain, "overrides": _placed(plain.get("overrides", []), place, "value", value)}


def _swap(plain: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    swapped = {k: v for k, v in plain.get("swapped", {}).items() if k != str(event["key"])}
    if event["word"] is not None:
        swapped[str(event["key"])] = event["word"]
    return {**plain, "swapped": swapped}


def _temperature(plain: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    return _replaced(plain, "temperature", event["value"])


def _alignment(plain: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    return _replaced(plain, "alignment", event["name"])


_EVENTS = {
    "mask": _mask,
    "off": _off,
    "edit": _edit,
    "set": _set,
    "swap": _swap,
    "temperature": _temperature,
    "alignment": _alignment,
}


def _replaced(plain: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    rest = {key: kept for key, kept in plain.items() if key != name}
    return rest if value is None else {**rest, name: value}


def _switched(chosen: list[int], index: int, on: bool) -> list[int]:
    rest = [i for i in chosen if i != index]
    return [*rest, index] if on else rest


def _placed(found: list[dict[str, Any]], place: dict[str, Any], name: str, number: float | None) -> list[dict]:
    """The list with one more number at that place, or without one there."""
    rest = [entry for entry in found if any(entry[key] != value for key, value in place.items())]
    return rest if number is None else [*rest, {**place, name: number}]


def moved(old: Sequence[str], new: Sequence[str]) -> dict[int, int | None]:
    """Where each word of the old text stands in the new one, None where it is gone.

    What is equal at the beginning and at the end has stayed. Between them words are gone, unless as many have come:
    then a word is being typed at.
    """
    start = _common(old, new)
    end = min(_common(old[::-1], new[::-1]), len(old) - start, len(new) - start)
    kept = len(old) == len(new)
    return {
        i: i if i < start or kept else i + len(new) - len(old) if i >= len(old) - end else None for i in range(len(old))
    }


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def with_words(now: Intervention, places: Mapping[int, int | None]) -> Intervention:
    """The intervention after words have moved: masked, swapped and hand-weighted ones stay what they are.

    Of an edit the last index is the word that gets the weight. Edits with several words that ask are dropped where the
    words do not stay in place: nothing says here which word asked.
    """
    if all(place == i for i, place in places.items()):
        return now
    there = {i: place for i, place in places.items() if place is not None}
    return replace(
        now,
        masked=frozenset(there[i] for i in now.masked if i in there),
        swapped={there[i]: word for i, word in now.swapped.items() if i in there},
        edits=tuple(
            replace(edit, at=(*edit.at[:-1], there[edit.at[-1]]))
            for edit in now.edits
            if edit.at[-1] in there and edit.at[-2:-1] in ((), (0,))
        ),
    )


@dataclass(frozen=True)
class History(Generic[State]):
    """What was, what is and what was taken back. `gesture` names the drag that made the present state."""

    past: tuple[State, ...]
    now: State
    future: tuple[State, ...] = ()
    gesture: Any = None

    @classmethod
    def start(cls, state: State) -> "History[State]":
        """A history with nothing to undo."""
        return cls((), state)

    def then(self, state: State, gesture: Any = None) -> "History[State]":
        """Goes on to `state`. Within one gesture, such as dragging, the states between are not kept."""
        if state == self.now:
            return self
        if gesture is not None and gesture == self.gesture:
            return replace(self, now=state)
        return History((*self.past, self.now)[-MOST_STEPS:], state, (), gesture)

    def mapped(self, change: Callable[[State], State]) -> "History[State]":
        """The same history with each of its states changed."""
        return History(tuple(map(change, self.past)), change(self.now), tuple(map(change, self.future)), self.gesture)

    def undone(self) -> "History[State]":
        """One step back; the same history if there is none."""
        if not self.past:
            return self
        return History(self.past[:-1], self.past[-1], (self.now, *self.future))

    def redone(self) -> "History[State]":
        """One step forward again; the same history if there is none."""
        if not self.future:
            return self
        return History((*self.past, self.now), self.future[0], self.future[1:])
