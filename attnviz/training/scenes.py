"""Scenes of coloured shapes in three boxes, as NLVR (Suhr et al. 2017) has them: made at random, and drawn.

A picture is 400 x 100: three boxes of 100 x 100 with gaps of 50 between them. Either each box holds a tower of equal
squares, or shapes of three sizes lie about in it.
"""

import random
from dataclasses import dataclass

from PIL import Image, ImageDraw

COLOURS = {"black": (0, 0, 0), "yellow": (255, 255, 0), "blue": (0, 153, 255)}
SHAPES = ("triangle", "square", "circle")
SIZES = (10, 20, 30)
BOX, STEP = 100, 150  # side of a box, from one box to the next
PAPER, GAP = (211, 211, 211), (128, 128, 128)
TOWER_X, TOWER_Y = 40, (80, 59, 38, 17)  # where the blocks of a tower stand, from its base


@dataclass(frozen=True)
class Thing:
    """A shape: its left upper corner in its box, from 0 to 100, and its side."""

    shape: str
    colour: str
    x: int
    y: int
    size: int

    def walls(self) -> frozenset[str]:
        """The sides of the box that it touches."""
        low, high = 1, BOX - 1
        sides = {
            "left": self.x <= low,
            "top": self.y <= low,
            "right": self.x + self.size >= high,
            "bottom": self.y + self.size >= high,
        }
        return frozenset(side for side, touched in sides.items() if touched)


Scene = list[list[Thing]]  # box by box; a tower from its base


def is_tower(box: list[Thing]) -> bool:
    """Whether a box holds one tower and nothing else."""
    return bool(box) and all((t.shape, t.x, t.y) == ("square", TOWER_X, y) for t, y in zip(box, TOWER_Y, strict=False))


def towers(draw: random.Random) -> Scene:
    """A tower of one to four blocks in each box."""
    return [
        [Thing("square", draw.choice(tuple(COLOURS)), TOWER_X, y, 20) for y in TOWER_Y[: draw.randint(1, 4)]]
        for _ in range(3)
    ]


def scattered(draw: random.Random) -> Scene:
    """One to seven shapes in each box; half as many as could touch a wall do."""
    return [_scattered_box(draw, draw.randint(1, 7)) for _ in range(3)]


def _scattered_box(draw: random.Random, n: int) -> list[Thing]:
    box: list[Thing] = []
    for _ in range(40):
        size = draw.choice(SIZES)
        most = BOX - size
        place = [draw.randint(0, most), draw.randint(0, most)]
        if draw.random() < 0.3:
            place[draw.randrange(2)] = draw.choice((1, most, most))
        thing = Thing(draw.choice(SHAPES), draw.choice(tuple(COLOURS)), *place, size)
        if len(box) < n and not any(_overlap(thing, other) for other in box):
            box.append(thing)
    return box


def _overlap(a: Thing, b: Thing) -> bool:
    """Whether their squares come nearer than one pixel."""
    return all(
        low < other_low + other.size + 1 and other_low < low + one.size + 1
        for one, other, low, other_low in ((a, b, a.x, b.x), (a, b, a.y, b.y))
    )


def painted(scene: Scene, scale: int = 1) -> Image.Image:
    """The picture, `scale` times 400 x 100."""
    image = Image.new("RGB", ((2 * STEP + BOX) * scale, BOX * scale), GAP)
    pen = ImageDraw.Draw(image)
    for number, box in enumerate(scene):
        left = number * STEP
        pen.rectangle(_corners(left, 0, BOX, scale), fill=PAPER)
        for thing in box:
            _paint(pen, thing, left, scale)
    return image


def _corners(x: int, y: int, size: int, scale: int) -> tuple[int, int, int, int]:
    return x * scale, y * scale, (x + size) * scale - 1, (y + size) * scale - 1


def _paint(pen: ImageDraw.ImageDraw, thing: Thing, left: int, scale: int) -> None:
    x0, y0, x1, y1 = _corners(left + thing.x, thing.y, thing.size, scale)
    colour = COLOURS[thing.colour]
    if thing.shape == "square":
        pen.rectangle((x0, y0, x1, y1), fill=colour)
    elif thing.shape == "circle":
        pen.ellipse((x0, y0, x1, y1), fill=colour)
    else:
        pen.polygon([(x0, y1), (x1, y1), ((x0 + x1) / 2, y0)], fill=colour)
