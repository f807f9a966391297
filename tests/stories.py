"""Where things are in a story of the first three bAbI tasks, by acting it out."""

import re
from collections.abc import Sequence

from attnviz.tasks.babi_words import DROPS, MOVES, TAKES

_DONE = {"moves": MOVES, "takes": TAKES, "drops": DROPS}


def _read(fact: str) -> tuple[str, str, str]:
    """Who does what, and where or with what."""
    for kind, phrases in _DONE.items():
        found = re.fullmatch(rf"(\w+) (?:{'|'.join(phrases)}) the (\w+)( there)?\.?", fact.strip().lower())
        if found:
            return found[1], kind, found[2]
    raise ValueError(fact)


def answer(facts: Sequence[str], question: str) -> str:
    """The right answer to "Where is X?" or "Where was X before the Y?"."""
    been: dict[str, list[str]] = {}  # the places of a person or thing, one after the other
    has: dict[str, set[str]] = {}
    for who, done, what in map(_read, facts):
        if done == "moves":
            for one in (who, *has.get(who, ())):
                been.setdefault(one, []).append(what)
        elif done == "takes":
            has.setdefault(who, set()).add(what)
            been.setdefault(what, []).extend(been.get(who, [])[-1:])
        else:
            has.get(who, set()).discard(what)
            been.setdefault(what, []).extend(been.get(who, [])[-1:])
    asked = re.findall(r"\w+", question.lower())
    if "before" not in asked:
        return been[asked[-1]][-1]
    places = been[asked[3]]
    last = len(places) - 1 - places[::-1].index(asked[-1])
    return next(place for place in reversed(places[:last]) if place != asked[-1])
