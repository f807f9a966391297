"""Draws the sample microscope pictures and slide sheets, `python sample_data/draw_microscopy.py`: nuclei at random."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 256
Spot = tuple[float, float, float, float, float]  # x, y, half axes, angle


def scattered(rng: np.random.Generator, n: int, radius: float, gap: float = 1.1) -> list[Spot]:
    """Ellipses that do not touch: places drawn at random, and kept if they are far enough from the others."""
    found: list[Spot] = []
    while len(found) < n:
        x, y = rng.uniform(radius, SIDE - radius, 2)
        if all((x - u) ** 2 + (y - v) ** 2 > (2 * gap * radius) ** 2 for u, v, *_ in found):
            long = radius * rng.uniform(0.85, 1.15)
            found.append((x, y, long, long * rng.uniform(0.65, 0.95), rng.uniform(0, np.pi)))
    return found


def outline(spot: Spot, rng: np.random.Generator, rough: float) -> list[tuple[float, float]]:
    """The edge of an ellipse, a little uneven."""
    x, y, long, short, angle = spot
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    uneven = 1 + rough * np.sin(3 * t + rng.uniform(0, 6)) * rng.uniform(0.5, 1)
    along, across = long * uneven * np.cos(t), short * uneven * np.sin(t)
    edge_x = x + along * np.cos(angle) - across * np.sin(angle)
    edge_y = y + along * np.sin(angle) + across * np.cos(angle)
    return list(zip(edge_x.tolist(), edge_y.tolist(), strict=True))


def grainy(image: Image.Image, rng: np.random.Generator, blur: float, grain: float) -> Image.Image:
    """A little out of focus, with the camera's noise."""
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float64)
    return Image.fromarray((pixels + rng.normal(0, grain, pixels.shape)).clip(0, 255).astype(np.uint8))


def fluorescence(n: int, radius: float, seed: int) -> Image.Image:
    """Nuclei that glow on a dark ground."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (SIDE, SIDE), (6, 6, 8))
    pen = ImageDraw.Draw(image)
    for spot in scattered(rng, n, radius):
        light = int(rng.uniform(45, 110))
        pen.polygon(outline(spot, rng, 0.04), fill=(light, light, light))
    return grainy(image, rng, 1.6, 1.0)


def stained_tissue(n: int, radius: float, seed: int) -> Image.Image:
    """Violet nuclei in pink tissue."""
    rng = np.random.default_rng(seed)
    clouds = Image.fromarray(rng.integers(0, 256, (24, 24), dtype=np.uint8)).resize((SIDE, SIDE), Image.BICUBIC)
    pale, strong = (Image.new("RGB", (SIDE, SIDE), colour) for colour in ((226, 190, 214), (206, 160, 196)))
    image = Image.composite(pale, strong, clouds)
    pen = ImageDraw.Draw(image)
    for spot in scattered(rng, n, radius):
        dark = int(rng.uniform(0, 36))
        pen.polygon(outline(spot, rng, 0.08), fill=(96 + dark, 60 + dark, 128 + dark))
    return grainy(image, rng, 1.4, 5.0)


def bright_field(n: int, radius: float, seed: int) -> Image.Image:
    """Pale cells on white, with a small dark nucleus in each."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (SIDE, SIDE), (232, 232, 228))
    pen = ImageDraw.Draw(image)
    cells = scattered(rng, n, radius, gap=0.75)
    for x, y, long, short, angle in cells:
        grey = int(rng.uniform(176, 206))
        pen.polygon(outline((x, y, 1.3 * long, 1.4 * short, angle), rng, 0.12), fill=(grey, grey, grey - 6))
    for x, y, *_ in cells:
        pen.ellipse((x - 2.6, y - 2.4, x + 2.6, y + 2.4), fill=(70, 62, 84))
    return grainy(image, rng, 0.8, 2.0)


PICTURES = {
    "fluorescence_8": lambda: fluorescence(8, 20, seed=1),
    "fluorescence_30": lambda: fluorescence(30, 11, seed=2),
    "stained_tissue_16": lambda: stained_tissue(16, 17, seed=4),
    "stained_tissue_60": lambda: stained_tissue(60, 9, seed=5),
    "bright_field_50": lambda: bright_field(50, 13, seed=6),
}
SINGLES = ("fluorescence_30", "stained_tissue_16")
SHEETS = (
    ("fluorescence_8", "stained_tissue_60"),
    ("bright_field_50", "fluorescence_8"),
    ("stained_tissue_16", "bright_field_50"),
)


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """A slide sheet: two pictures, the second to the right of the first."""
    sheet = Image.new("RGB", (2 * SIDE, SIDE))
    sheet.paste(left, (0, 0))
    sheet.paste(right, (SIDE, 0))
    return sheet


def main(folder: Path) -> None:
    """Write the pictures; the number in a name is that of the nuclei, the left picture of a sheet comes first."""
    folder.mkdir(exist_ok=True)
    for name in SINGLES:
        PICTURES[name]().save(folder / f"{name}.png", optimize=True)
    for left, right in SHEETS:
        sheet = beside(PICTURES[left](), PICTURES[right]())
        sheet.save(folder / f"{left}_beside_{right}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "microscopy")
