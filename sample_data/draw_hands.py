"""Draws the sample hands, `python sample_data/draw_hands.py`: a palm, an arm, and fingers that are up or folded."""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

SIDE, FINER = 128, 4  # pixels of a picture, how much finer it is drawn first
WALL, SKIN, CREASE = (206, 204, 200), (196, 144, 108), (118, 78, 56)
Point = tuple[float, float]
FINGERS: dict[str, tuple[Point, Point]] = {  # base and tip
    "little": ((47, 71), (35, 42)),
    "ring": ((56, 67), (51, 29)),
    "middle": ((66, 66), (67, 24)),
    "index": ((76, 68), (83, 31)),
    "thumb": ((78, 88), (103, 66)),
}
UP = {
    1: ("index",),
    3: ("middle", "index", "thumb"),
    4: ("little", "ring", "middle", "index"),
    5: ("little", "ring", "middle", "index", "thumb"),
}
KNUCKLES = {"little": (48, 80), "ring": (57, 78), "middle": (66, 77), "index": (75, 79)}
THUMB_ACROSS: list[Point] = [(80, 92), (76, 82), (60, 82)]


def limb(pen: ImageDraw.ImageDraw, points: list[Point], width: float) -> None:
    """A line with round ends and a darker edge."""
    for colour, more in ((CREASE, 1.6), (SKIN, 0.0)):
        scaled = [(x * FINER, y * FINER) for x, y in points]
        size = (width + more) * FINER
        pen.line(scaled, fill=colour, width=round(size), joint="curve")
        for x, y in scaled:
            pen.ellipse((x - size / 2, y - size / 2, x + size / 2, y + size / 2), fill=colour)


def draw(digit: int) -> Image.Image:
    """The hand that shows a digit, before a wall that is darker at its edges."""
    picture = Image.new("RGB", (SIDE * FINER, SIDE * FINER), WALL)
    pen = ImageDraw.Draw(picture)
    limb(pen, [(62, 135), (63, 96)], 27)
    up = UP[digit]
    for name in up:
        limb(pen, list(FINGERS[name]), 11 if name == "thumb" else 10)
    limb(pen, [(54, 80), (70, 80), (69, 96), (58, 96)], 24)
    pen.rectangle([v * FINER for v in (52, 72, 73, 100)], fill=SKIN)
    pen.line([(v * FINER) for v in (51, 88, 70, 84)], fill=CREASE, width=FINER // 2)
    for name in KNUCKLES:
        if name not in up:
            x, y = KNUCKLES[name]
            limb(pen, [(x, y - 11), (x, y)], 8)
    if "thumb" not in up:
        limb(pen, THUMB_ACROSS, 9)
    return _photographed(picture)


def _photographed(picture: Image.Image) -> Image.Image:
    small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(0.6))
    shade = Image.radial_gradient("L").resize((SIDE, SIDE)).point(lambda v: v // 4)
    return Image.composite(Image.new("RGB", small.size, (90, 88, 86)), small, shade)


def main(folder: Path) -> None:
    """Write a file for each digit into the folder."""
    folder.mkdir(exist_ok=True)
    for digit in UP:
        draw(digit).save(folder / f"{digit}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "hands")
