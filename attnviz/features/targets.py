"""Where a target stands in a text: which of the words are asked about."""

import re

from attnviz.errors import EmptyTextError, InputError
from attnviz.features.words import Words, split

_NUMBERED = re.compile(r"\s*@\s*(\d{1,4})\s*$")


def find(words: Words, target: str) -> tuple[int, ...]:
    """Positions of the target's words, which follow one another, in capitals or not.

    "food" is the first "food" of the text and "food@2" the second. InputError for the part "target" if it is empty or
    not in the text.
    """
    found = _NUMBERED.search(target)
    wanted = _labels(target[: found.start()] if found else target)
    number = int(found[1]) if found else 1
    if not wanted:
        raise InputError("target", "No target is marked. Mark a word of the review: the thing that is judged.")
    starts = _starts(words, wanted)
    if not starts:
        raise InputError("target", f"“{_short(target)}” is not in the review. Mark one of its words.")
    if not 1 <= number <= len(starts):
        times = "once" if len(starts) == 1 else f"{len(starts)} times"
        raise InputError("target", f"“{_short(target)}”: these words stand in the review {times}. Mark one of them.")
    return tuple(range(starts[number - 1], starts[number - 1] + len(wanted)))


def name(words: Words, start: int, end: int) -> str:
    """What `find` finds the words `start` to `end` (not included) by."""
    text = " ".join(words.labels[start:end])
    number = _starts(words, _labels(text)).index(start) + 1
    return text if number == 1 and not _NUMBERED.search(text) else f"{text}@{number}"


def _labels(target: str) -> tuple[str, ...]:
    try:
        return tuple(label.casefold() for label in split(target).labels)
    except EmptyTextError:
        return ()


def _starts(words: Words, wanted: tuple[str, ...]) -> list[int]:
    """Where the wanted words begin."""
    labels = tuple(label.casefold() for label in words.labels)
    return [i for i in range(len(labels) - len(wanted) + 1) if labels[i : i + len(wanted)] == wanted]


def _short(target: str) -> str:
    return target.strip()[:40]
