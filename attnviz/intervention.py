"""What a reader changes in a computation, in plain words and numbers, so that it fits into a link and into a file."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from attnviz.errors import OptionError

MOST = 512  # changes of one kind that are read from a link or a file
LARGEST = 1_000_000  # size of a number that is set by hand: what is computed from it stays finite
LONGEST = 60  # characters of a word that takes another's place


@dataclass(frozen=True)
class Edit:
    """One weight set by hand: its map's name, its index (leading axes, query, key) and the weight, 0 to 1.

    The other weights of its row are scaled so that the row keeps its sum.
    """

    map: str
    at: tuple[int, ...]
    weight: float


@dataclass(frozen=True)
class Override:
    """One number of a step set by hand: the step as it is called ("scores", "query, hop 2"), its index, the number.

    Nothing else in the step changes; every step after it is computed from the new number.
    """

    step: str
    at: tuple[int, ...]
    value: float


@dataclass(frozen=True)
class Intervention:
    """What a reader changes, from the words to the output.

    `swapped` words take the place of others before anything is computed; `temperature` divides the scores; `masked`
    keys get no weight; `off` switches whole maps off, such as {"head": {2}}: their weights become zero; `edits` sets
    single weights, the rest of a row shares what is left; `overrides` sets single numbers of any step; `alignment`
    replaces the alignment function by another that needs no parameters of its own (softmax, sparsemax, entmax, hard).
    """

    temperature: float = 1.0
    masked: frozenset[int] = frozenset()
    off: Mapping[str, frozenset[int]] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    alignment: str | None = None
    swapped: Mapping[int, str] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether it changes nothing."""
        return not self.to_plain()

    def to_plain(self) -> dict[str, Any]:
        """What differs from doing nothing, in JSON's own types; `from_plain` reads it back."""
        everything = {
            "temperature": None if self.temperature == 1.0 else self.temperature,
            "alignment": self.alignment,
            "masked": sorted(self.masked),
            "off": {kind: sorted(which) for kind, which in sorted(self.off.items()) if which},
            "edits": [{"map": e.map, "at": list(e.at), "weight": e.weight} for e in self.edits],
            "swapped": {str(i): word for i, word in sorted(self.swapped.items())},
            "overrides": [{"step": o.step, "at": list(o.at), "value": o.value} for o in self.overrides],
        }
        return {name: value for name, value in everything.items() if value}

    @classmethod
    def from_plain(cls, plain: Any) -> "Intervention":
        """What `to_plain` wrote. OptionError, with what is wrong, for anything else: it may come from a link."""
        if not isinstance(plain, Mapping):
            raise OptionError('A change is a list of names and values, such as {"masked": [2]}.')
        if unknown := [str(name)[:40] for name in plain if name not in _READERS]:
            raise OptionError(f"There is no change called {unknown[0]!r}; it can be {', '.join(_READERS)}.")
        try:
            return cls(**{name: _READERS[name](value) for name, value in plain.items()})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)[:120]
            raise OptionError(f"This change cannot be read: {what}.") from None


def _index(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1_000_000:
        raise ValueError(f"{str(value)[:20]!r} where a position belongs")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:20]!r} where a number belongs")
    return float(value)


def _moderate(value: Any) -> float:
    if abs(number := _number(value)) > LARGEST:
        raise ValueError(f"a number of {number:g}; it goes from {-LARGEST:,} to {LARGEST:,}")
    return number


def _positive(value: Any) -> float:
    if (number := _number(value)) <= 0:
        raise ValueError(f"a temperature of {number:g}; it must be above 0")
    return number


def _weight(value: Any) -> float:
    if not 0 <= (number := _number(value)) <= 1:
        raise ValueError(f"a weight of {number:g}; it goes from 0 to 1")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:20]!r} where a text belongs")
    return value


def _word(value: Any) -> str:
    if not (text := _text(value).strip()) or len(text) > LONGEST:
        raise ValueError(f"{text[:20]!r} where a word of at most {LONGEST} characters belongs")
    return text


def _few(values: Any) -> Any:
    if not isinstance(values, list | Mapping):
        raise TypeError(f"{str(values)[:20]!r} where a list belongs")
    if len(values) > MOST:
        raise ValueError(f"{len(values)} changes of one kind; at most {MOST} are read")
    return values


def _indices(values: Any) -> frozenset[int]:
    return frozenset(map(_index, _few(values)))


def _at(values: Any) -> tuple[int, ...]:
    return tuple(map(_index, _few(values)))


def _list_of(read: Callable[[Mapping], Any]) -> Callable[[Iterable], tuple]:
    return lambda values: tuple(map(read, _few(values)))


_READERS: dict[str, Callable[[Any], Any]] = {
    "temperature": _positive,
    "alignment": _text,
    "masked": _indices,
    "off": lambda kinds: {_text(kind): _indices(which) for kind, which in _few(kinds).items()},
    "edits": _list_of(lambda e: Edit(_text(e["map"]), _at(e["at"]), _weight(e["weight"]))),
    "swapped": lambda words: {_index(int(i)): _word(word) for i, word in _few(words).items()},
    "overrides": _list_of(lambda o: Override(_text(o["step"]), _at(o["at"]), _moderate(o["value"]))),
}
