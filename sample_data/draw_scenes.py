"""Draws the sample scenes, `python -m sample_data.draw_scenes`: coloured shapes in three boxes, placed by hand."""

from pathlib import Path

from attnviz.training.scenes import TOWER_X, TOWER_Y, Scene, Thing, painted

SCALE = 2
SCATTERED: dict[str, list[list[tuple[str, str, int, int, int]]]] = {  # shape, colour, x, y, size
    "scattered_1": [
        [("circle", "yellow", 80, 34, 20), ("square", "blue", 22, 12, 30), ("triangle", "black", 40, 66, 20)],
        [("square", "black", 12, 60, 20), ("circle", "blue", 58, 24, 30), ("triangle", "yellow", 74, 72, 10)],
        [("triangle", "blue", 16, 20, 30), ("square", "yellow", 62, 50, 20), ("circle", "black", 34, 76, 10)],
    ],
    "scattered_2": [
        [("square", "black", 70, 70, 30), ("circle", "black", 14, 22, 20), ("triangle", "yellow", 52, 30, 20)],
        [("circle", "blue", 30, 48, 30), ("square", "yellow", 72, 10, 20)],
        [
            ("triangle", "black", 10, 64, 20),
            ("square", "blue", 46, 70, 30),
            ("circle", "yellow", 44, 14, 20),
            ("triangle", "yellow", 82, 40, 10),
        ],
    ],
    "scattered_3": [
        [("triangle", "yellow", 18, 70, 30), ("square", "black", 64, 18, 20)],
        [("circle", "blue", 10, 30, 20), ("square", "blue", 48, 8, 20), ("circle", "yellow", 66, 66, 30)],
        [("square", "yellow", 20, 20, 10), ("triangle", "black", 60, 40, 30), ("circle", "blue", 80, 80, 20)],
    ],
}
TOWERS = {  # colours from the base
    "towers_1": [["blue", "black", "yellow"], ["black"], ["yellow", "blue"]],
    "towers_2": [["black", "black"], ["yellow", "blue", "black", "blue"], ["blue", "yellow", "yellow"]],
    "towers_3": [["yellow"], ["black", "blue", "yellow"], ["blue", "yellow", "black", "black"]],
}


def scenes() -> dict[str, Scene]:
    """All sample scenes by name."""
    scattered = {name: [[Thing(*thing) for thing in box] for box in boxes] for name, boxes in SCATTERED.items()}
    return scattered | {name: [_tower(colours) for colours in boxes] for name, boxes in TOWERS.items()}


def _tower(colours: list[str]) -> list[Thing]:
    return [Thing("square", colour, TOWER_X, y, 20) for colour, y in zip(colours, TOWER_Y, strict=False)]


if __name__ == "__main__":
    for name, scene in scenes().items():
        painted(scene, SCALE).save(Path(__file__).parent / "scenes" / f"{name}.png", optimize=True)
