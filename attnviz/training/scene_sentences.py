"""Sentences about scenes with their truth: a small grammar of counts, colours, shapes, walls, towers and boxes.

A sentence says how many boxes, towers or things have a property. It is drawn first and judged on the scene afterwards,
so that true and false ones follow the same patterns.
"""

import random
from collections.abc import Callable

from attnviz.training.scenes import COLOURS, SHAPES, Scene, Thing, is_tower

Judge = Callable[[list[Thing]], bool]
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven")
_TOTALS = ("items", "objects")
_COLOURS = tuple(COLOURS)
_TRIES = 12


def sentence(scene: Scene, draw: random.Random, *, plain: bool = False) -> tuple[str, bool]:
    """A sentence about a scene and whether it is true, which about half of them are.

    Whether a `plain` one is true hangs on the things that it names and on nothing else, and takes no counting.
    """
    towers, boxes = (_PLAIN_TOWERS, _PLAIN_BOXES) if plain else (_OF_TOWERS, _OF_BOXES)
    patterns = towers if is_tower(scene[0]) else boxes
    wanted = draw.random() < (0.5 if plain else 0.55)
    for _ in range(_TRIES):
        words, truth = draw.choice(patterns)(scene, draw)
        if truth == wanted:
            break
    return words, truth


def _number(n: int, draw: random.Random) -> str:
    return str(n) if n and draw.random() < 0.4 else _WORDS[n]


def _amount(draw: random.Random, most: int) -> tuple[str, int, Callable[[int], bool]]:
    """A count in words, the number in it, and what it asks of a count."""
    n = min(draw.choice((1, 1, 1, 2, 2, 3, 4)), most)
    word = _number(n, draw)
    exact = word.isdigit()  # in NLVR, figures are meant exactly
    return draw.choice(
        (
            (word, n, lambda k: k == n if exact else k >= n),
            (f"exactly {word}", n, lambda k: k == n),
            (f"only {word}", n, lambda k: k == n),
            (f"at least {word}", n, lambda k: k >= n),
            ("no", 0, lambda k: k == 0),
        )
    )


def _there(n: int) -> str:
    return "there is" if n == 1 else "there are"


def _plural(noun: str, n: int) -> str:
    return noun if n == 1 else f"{noun}es" if noun.endswith("x") else f"{noun}s"


def _count_of(n: int, noun: str, words: str) -> str:
    return f"{words} {_plural(noun, n)}"


def _kind(draw: random.Random, noun: str = "") -> tuple[str, Callable[[Thing], bool]]:
    """A sort of thing: "black circle", "yellow item", "square"."""
    colour = draw.choice((*_COLOURS, *_COLOURS, ""))
    shape = noun or draw.choice((*SHAPES, "item", "object", "item"))
    if not colour and shape in ("item", "object", "block"):
        colour = draw.choice(_COLOURS)
    words = f"{colour} {shape}".strip()
    return words, lambda t: colour in ("", t.colour) and shape in (t.shape, "item", "object", "block")


def _place(draw: random.Random) -> tuple[str, Callable[[Thing], bool]]:
    """Where a thing touches its box, or that it does not."""
    return draw.choice(
        (
            ("touching the edge", lambda t: bool(t.walls())),
            ("touching the wall", lambda t: bool(t.walls())),
            ("not touching any edge", lambda t: not t.walls()),
            ("closely touching the bottom of a box", lambda t: "bottom" in t.walls()),
            ("touching the base", lambda t: "bottom" in t.walls()),
            ("closely touching right wall of a box", lambda t: "right" in t.walls()),
            ("closely touching a corner", lambda t: len(t.walls()) == 2),
        )
    )


def _things(scene: Scene, draw: random.Random) -> tuple[str, bool]:
    """How many things of a sort the picture has, perhaps at a place."""
    kind, is_kind = _kind(draw)
    where, is_there = _place(draw) if draw.random() < 0.75 else ("", lambda t: True)
    words, n, enough = _amount(draw, 4)
    found = sum(is_kind(t) and is_there(t) for box in scene for t in box)
    return f"{_there(n)} {_count_of(n, kind, words)} {where}".strip(), enough(found)


def _one(scene: Scene, draw: random.Random) -> tuple[str, bool]:
    """Whether there is a thing of a sort, perhaps at a place."""
    kind, is_kind = _kind(draw)
    where, is_there = _place(draw) if draw.random() < 0.4 else ("", lambda t: True)
    return f"there is a {kind} {where}".strip(), any(is_kind(t) and is_there(t) for box in scene for t in box)


def _one_end(scene: Scene, draw: random.Random) -> tuple[str, bool]:
    """Whether a tower has a block of a colour at an end."""
    colour, words, at = _coloured_end(draw)
    return f"there is a tower with a {colour} block {words}", any(box[at].colour == colour for box in scene)


def _of_boxes(scene: Scene, draw: random.Random) -> tuple[str, bool]:
    """How many boxes have a property."""
    what, judge = _property(draw, "item", (*_TOTALS,))
    return _quantified(scene, draw, "box", what, judge)


def _of_towers(scene: Scene, draw: random.Random) -> tuple[str, bool]:
    """How many towers have a property."""
    what, judge = draw.choice((_end, _end, _over, _tower_property))(draw)
    return _quantified(scene, draw, "tower", what, judge)


def _quantified(scene: Scene, draw: random.Random, noun: str, what: str, judge: Judge) -> tuple[str, bool]:
    found = sum(map(judge, scene))
    if draw.random() < 0.12:
        return f"each {noun} has {what}", found == len(scene)
    if draw.random() < 0.5:
        return f"there is {draw.choice(('a', 'one', 'at least one'))} {noun} with {what}", found >= 1
    words, n, enough = _amount(draw, 3)
    return f"{_there(n)} {_count_of(n, noun, words)} with {what}", enough(found)


def _property(draw: random.Random, noun: str, totals: tuple[str, ...]) -> tuple[str, Judge]:
    """What a box or tower holds."""
    return draw.choice((_some, _some, _total, _only, _colours))(draw, noun, totals)


def _some(draw: random.Random, noun: str, totals: tuple[str, ...]) -> tuple[str, Judge]:
    kind, is_kind = _kind(draw, noun if noun == "block" else "")
    words, n, enough = _amount(draw, 4)
    return _count_of(n, kind, "a" if words == "one" else words), lambda box: enough(sum(map(is_kind, box)))


def _total(draw: random.Random, noun: str, totals: tuple[str, ...]) -> tuple[str, Judge]:
    n = draw.randint(1, 4 if noun == "block" else 7)
    words = f"{draw.choice(('', 'exactly ', 'only '))}{_number(n, draw)}"
    name = draw.choice(totals)
    return f"{words} {name.removesuffix('s') if n == 1 else name}", lambda box: len(box) == n


def _only(draw: random.Random, noun: str, totals: tuple[str, ...]) -> tuple[str, Judge]:
    chosen = draw.sample(_COLOURS, draw.choice((1, 1, 2)))
    return f"only {' and '.join(chosen)} {totals[0]}", lambda box: {t.colour for t in box} == set(chosen)


def _colours(draw: random.Random, noun: str, totals: tuple[str, ...]) -> tuple[str, Judge]:
    n = draw.choice((1, 2, 3))
    words = {1: "of only one color", 2: "of 2 different colors", 3: "of all 3 different colors"}[n]
    return f"{totals[0]} {words}", lambda box: len({t.colour for t in box}) == n


def _coloured_end(draw: random.Random) -> tuple[str, str, int]:
    ends = (("at the top", -1), ("at the base", 0), ("on top", -1), ("at the bottom", 0))
    return draw.choice(_COLOURS), *draw.choice(ends)


def _end(draw: random.Random) -> tuple[str, Judge]:
    colour, words, at = _coloured_end(draw)
    if draw.random() < 0.3:
        n = draw.randint(1, 4)
        count = f"{draw.choice(('exactly ', ''))}{_WORDS[n]} {_plural('block', n)}"
        return f"{count} having a {colour} block {words}", lambda box: len(box) == n and box[at].colour == colour
    return f"a {colour} block {words}", lambda box: box[at].colour == colour


def _over(draw: random.Random) -> tuple[str, Judge]:
    upper, lower = draw.choice(_COLOURS), draw.choice(_COLOURS)
    words = draw.choice(("over", "above", "on", "below"))
    pair = (upper, lower) if words == "below" else (lower, upper)  # from the base

    def judge(box: list[Thing]) -> bool:
        return pair in zip((t.colour for t in box), (t.colour for t in box[1:]), strict=False)

    return f"a {upper} block {words} a {lower} block", judge


def _tower_property(draw: random.Random) -> tuple[str, Judge]:
    return _property(draw, "block", ("blocks",))


def _role(scene: Scene, draw: random.Random) -> tuple[str, bool]:
    """How many blocks are the top or the base of a tower."""
    colour = draw.choice(_COLOURS)
    role, at = draw.choice((("top", -1), ("base", 0)))
    words, n, enough = _amount(draw, 3)
    found = sum(box[at].colour == colour for box in scene)
    return f"{_there(n)} {_count_of(n, f'{colour} block', words)} as the {role} of a tower", enough(found)


def _pairs(scene: Scene, draw: random.Random) -> tuple[str, bool]:
    """Whether a block lies on another anywhere."""
    what, judge = _over(draw)
    some = draw.random() < 0.8
    return f"there is {'' if some else 'no '}{what if some else what[2:]}", any(map(judge, scene)) == some


def _whole(scene: Scene, draw: random.Random) -> tuple[str, bool]:
    """A tower of one colour."""
    colour = draw.choice(_COLOURS)
    return f"there is a {colour} tower", any({t.colour for t in box} == {colour} for box in scene)


def _blocks(scene: Scene, draw: random.Random) -> tuple[str, bool]:
    """How many blocks of a colour the picture has."""
    colour = draw.choice(_COLOURS)
    n = draw.randint(1, 5)
    found = sum(t.colour == colour for box in scene for t in box)
    least = draw.random() < 0.3
    words = f"{'at least ' if least else ''}{_number(n, draw)}"
    return f"{_there(n)} {_count_of(n, f'{colour} block', words)}", found >= n if least else found == n


_OF_BOXES = (_things, _things, _of_boxes, _of_boxes)
_OF_TOWERS = (_of_towers, _of_towers, _of_towers, _role, _pairs, _blocks, _whole)
_PLAIN_BOXES = (_one,)
_PLAIN_TOWERS = (_one_end, _pairs)
