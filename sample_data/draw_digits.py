"""Draws the ten sample digits, `python sample_data/draw_digits.py`: strokes by hand, as lists of points, no font."""

import sys
from pathlib import Path

from PIL import Image, ImageDraw

SIDE, FINER, PEN = 112, 4, 12  # pixels of a picture, how much finer it is drawn first, width of the pen
Stroke = list[tuple[float, float]]

STROKES: dict[int, list[Stroke]] = {
    0: [[(58, 16), (40, 22), (30, 42), (29, 66), (38, 89), (56, 96), (74, 86), (82, 62), (79, 36), (69, 20), (55, 16)]],
    1: [[(44, 30), (53, 24), (60, 16), (58, 42), (56, 70), (54, 97)]],
    2: [[(32, 34), (38, 21), (54, 15), (70, 21), (75, 36), (68, 53), (51, 72), (30, 93), (52, 90), (82, 94)]],
    3: [
        [(34, 23), (50, 15), (67, 20), (72, 34), (64, 47), (47, 53)],
        [(47, 53), (68, 57), (78, 71), (72, 88), (54, 97), (32, 90)],
    ],
    4: [[(50, 16), (42, 36), (31, 62), (54, 61), (85, 58)], [(70, 34), (68, 64), (66, 98)]],
    5: [[(76, 17), (40, 19), (36, 50), (54, 44), (72, 52), (78, 70), (68, 89), (50, 96), (31, 88)]],
    6: [[(68, 15), (49, 30), (36, 54), (34, 76), (44, 93), (61, 95), (75, 82), (73, 65), (57, 58), (39, 70)]],
    7: [[(30, 22), (54, 20), (81, 19), (70, 44), (58, 70), (48, 98)]],
    8: [
        [(72, 24), (54, 15), (39, 24), (42, 40), (58, 53), (74, 68), (76, 84), (61, 96), (42, 92), (35, 77)],
        [(35, 77), (44, 62), (60, 50), (73, 38), (72, 24)],
    ],
    9: [[(75, 30), (60, 17), (42, 23), (34, 40), (43, 54), (60, 52), (74, 34), (74, 56), (70, 78), (64, 98)]],
}


def smooth(stroke: Stroke, rounds: int = 4) -> Stroke:
    """The stroke with its corners cut again and again (Chaikin 1974): each line keeps its middle half."""
    for _ in range(rounds):
        cut = [stroke[0]]
        for (x, y), (u, v) in zip(stroke, stroke[1:], strict=False):
            cut += [(0.75 * x + 0.25 * u, 0.75 * y + 0.25 * v), (0.25 * x + 0.75 * u, 0.25 * y + 0.75 * v)]
        stroke = [*cut, stroke[-1]]
    return stroke


def draw(strokes: list[Stroke]) -> Image.Image:
    """Dark ink on white paper, with a round pen."""
    picture = Image.new("L", (SIDE * FINER, SIDE * FINER), 255)
    pen = ImageDraw.Draw(picture)
    radius = PEN * FINER / 2
    for stroke in strokes:
        points = [(x * FINER, y * FINER) for x, y in smooth(stroke)]
        pen.line(points, fill=24, width=PEN * FINER, joint="curve")
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=24)
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def main(folder: Path) -> None:
    """Write 0.png to 9.png into the folder."""
    for digit, strokes in STROKES.items():
        draw(strokes).save(folder / f"{digit}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "digits")
