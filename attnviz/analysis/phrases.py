"""The words that sentences about a trace are made of: names of items, places on a picture, numbers, plurals."""

from collections.abc import Iterable

from attnviz.trace import Axis

NOUNS = {"token": "word", "key": "item", "query": "query", "mid": "middle capsule", "": "map"}
PLURALS = {"patch": "patches", "class": "classes", "query": "queries", "entity": "entities"}
LONGEST = 24  # letters of a word; a fact is a sentence
LONGEST_FACT = 64


def place(index: int, grid: tuple[int, int]) -> str:
    """Where a patch lies on its picture: "the upper left", "the centre" …"""
    row, column = divmod(index, grid[1])
    down = _third((row + 0.5) / grid[0], "upper", "lower")
    across = _third((column + 0.5) / grid[1], "left", "right")
    if down and across:
        return f"the {down} {across}"
    return "the " + (across or {"upper": "top", "lower": "bottom", "": "centre"}[down])


def _third(position: float, low: str, high: str) -> str:
    return low if position < 1 / 3 else high if position > 2 / 3 else ""


def named(axis: Axis, index: int) -> str:
    """What a sentence calls an item: its word or fact in quotation marks, or where its patch lies."""
    if axis.grid:
        return f"a patch at {place(index, axis.grid)}"
    label, is_fact = axis.labels[index], axis.kind == "fact"
    words = label.rstrip(" .") or label if is_fact else label
    longest = LONGEST_FACT if is_fact else LONGEST
    short = words if len(words) <= longest else f"{words[: longest - 1]}…"
    if axis.labels.count(label) == 1:
        return f"“{short}”"
    again = f"fact {index + 1}" if is_fact else f"number {axis.labels[:index].count(label) + 1}"
    return f"“{short}” ({again})"


def item(axis: Axis) -> str:
    """What an axis counts, as a noun for one of them."""
    return NOUNS.get(axis.kind, axis.kind)


def plural(noun: str) -> str:
    """The noun for several."""
    return PLURALS.get(noun, f"{noun}s")


def count(n: int, noun: str) -> str:
    """A number with its noun: 1 word, 2 words."""
    return f"{n} {noun if n == 1 else plural(noun)}"


def number(value: float) -> str:
    """A weight with two decimals."""
    return "less than 0.01" if 0 < value < 0.005 else f"{value:.2f}"


def listed(names: Iterable[str], most: int = 3) -> str:
    """Names joined as in a sentence: "a, b and c"; of many only the first few."""
    names = list(names)
    if len(names) > most + 1:
        names = [*names[:most], f"{len(names) - most} others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def capital(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


def lower(text: str) -> str:
    """The text with a small letter at its start."""
    return text[:1].lower() + text[1:]
