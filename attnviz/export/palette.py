"""The colours of the live pictures, for pictures in files: the same ramps, computed in the same way as palette.js."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from attnviz.trace import AttentionMap

STEPS = 256
FINE = 4096  # resolution of the table from a weight to its step
CURVE = 0.6  # small weights are lifted so that they can be told from none
DARK_BELOW = 0.58  # lightness under which a cell carries light numbers

Kind = Literal["one", "free", "signed"]
Theme = Literal["light", "dark"]


class Ramp(NamedTuple):
    """A run of colours in OKLCH: lightness and chroma from and to, a bulge of chroma between, hue in degrees."""

    lightness: tuple[float, float]
    chroma: tuple[float, float]
    bulge: float
    hue: float


@dataclass(frozen=True)
class Look:
    """The colours of a theme besides its ramps; `inks` are for numbers on light and on dark cells."""

    paper: str
    ink: str
    soft: str
    line: str
    inks: tuple[str, str]


RAMPS = {
    "light": {
        "one": Ramp((0.965, 0.31), (0.008, 0.12), 0.03, 262),
        "free": Ramp((0.965, 0.36), (0.008, 0.065), 0.02, 195),
        "below": Ramp((0.965, 0.4), (0.008, 0.1), 0.03, 55),
    },
    "dark": {
        "one": Ramp((0.235, 0.84), (0.015, 0.09), 0.04, 262),
        "free": Ramp((0.235, 0.86), (0.012, 0.08), 0.02, 190),
        "below": Ramp((0.235, 0.82), (0.015, 0.11), 0.02, 65),
    },
}
LOOKS = {
    "light": Look("#ffffff", "#171a21", "#5f6b80", "#e4e7ee", ("#1b1f2a", "#ffffff")),
    "dark": Look("#0f131a", "#e9ecf3", "#9aa4b8", "#2b3242", ("#0f131c", "#f2f5fb")),
}


@dataclass(frozen=True)
class Palette:
    """256 colours of one kind in one theme, and the step of each weight among them."""

    kind: Kind
    colours: UInt8[np.ndarray, "256 3"]
    is_dark: tuple[bool, ...]
    css: tuple[str, ...]

    def steps(self, weights: Float[np.ndarray, "..."], scale: float) -> UInt8[np.ndarray, "..."]:
        """The step of each weight, where `scale` is the largest weight that has a colour of its own."""
        x = np.clip(np.asarray(weights, np.float64) / scale, -1, 1) if scale > 0 else np.zeros(np.shape(weights))
        if self.kind == "signed":
            x = _halves_up((x + 1) / 2 * FINE) / FINE * 2 - 1
            lifted = np.abs(x) ** CURVE
            return _halves_up(np.where(x < 0, 128 - 128 * lifted, 128 + 127 * lifted)).astype(np.uint8)
        x = _halves_up(np.maximum(x, 0) * FINE) / FINE
        return _halves_up(x**CURVE * (STEPS - 1)).astype(np.uint8)


def kind_of(attention: AttentionMap) -> Kind:
    """Which ramp a map is drawn with: one for negative numbers, one for what does not sum to one."""
    if float(attention.weights.min(initial=0.0)) < 0:
        return "signed"
    return "free" if attention.normalised is None else "one"


@cache
def palette(theme: Theme, kind: Kind) -> Palette:
    """The colours for that theme and kind of weights."""
    ramps = RAMPS[theme]
    colours, is_dark = [], []
    for step in range(STEPS):
        t = (step - 128) / (128 if step < 128 else 127) if kind == "signed" else step / (STEPS - 1)
        ramp = ramps[kind] if kind != "signed" else ramps["below" if t < 0 else "one"]
        lightness = _between(ramp.lightness, abs(t))
        chroma = _between(ramp.chroma, abs(t)) + ramp.bulge * 4 * abs(t) * (1 - abs(t))
        colours.append(_colour(lightness, chroma, ramp.hue))
        is_dark.append(lightness < DARK_BELOW)
    css = tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours)
    return Palette(kind, np.array(colours, np.uint8), tuple(is_dark), css)


def _between(ends: tuple[float, float], t: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * t


def _halves_up(x: np.ndarray | float) -> np.ndarray:
    """Rounded as JavaScript rounds: halves go up, not to the even neighbour."""
    return np.floor(np.asarray(x) + 0.5)


def _colour(lightness: float, chroma: float, hue: float) -> tuple[int, int, int]:
    """sRGB, 0 to 255; chroma gives way where the screen cannot show it, lightness never does."""
    angle = hue * math.pi / 180
    while True:
        linear = _linear(lightness, chroma * math.cos(angle), chroma * math.sin(angle))
        if chroma <= 0 or all(-0.0005 <= v <= 1.0005 for v in linear):
            r, g, b = (int(_halves_up(255 * _gamma(min(1.0, max(0.0, v))))) for v in linear)
            return r, g, b
        chroma -= 0.004


def _linear(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """Linear sRGB of an OKLab colour (Ottosson 2020)."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
    )


def _gamma(v: float) -> float:
    return 12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055
