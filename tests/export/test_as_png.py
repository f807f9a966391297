"""The PNG: its size and resolution, its colours, and text in any script."""

import io

import numpy as np
import pytest
from PIL import Image

from attnviz.errors import OptionError
from attnviz.export import TraceFileError, as_png, sheet_png, to_png, to_svg
from attnviz.export.palette import LOOKS, palette
from tests.export.traces import attending, example, odd

HAND = np.array([[[0.7, 0.2, 0.1]], [[0.1, 0.1, 0.8]]])


def opened(trace, **drawn) -> Image.Image:
    return Image.open(io.BytesIO(to_png(trace, **drawn)))


@pytest.mark.parametrize("dpi", [96, 300])
def test_it_has_the_resolution_that_it_says(dpi):
    trace = attending(HAND, ("the", "cat", "sat"))
    image = opened(trace, dpi=dpi, width=480)
    assert abs(image.info["dpi"][0] - dpi) < 0.1  # the file counts in metres
    assert image.width == 480 * dpi // 96
    assert "multi_head" in to_svg(trace) and "Multi-head" in image.info["Description"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colours_of_paper_and_weights_are_in_it(theme):
    image = opened(attending(HAND, ("the", "cat", "sat")), theme=theme)
    found = {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in image.getcolors(1_000_000)}
    ramp = palette(theme, "one")
    assert {LOOKS[theme].paper, *(ramp.css[s] for s in ramp.steps(HAND, 0.8).ravel())} <= found
    assert "#{:02x}{:02x}{:02x}".format(*image.getpixel((2, 2))) == LOOKS[theme].paper


@pytest.mark.parametrize("view", ["tokens", "matrix", "arcs"])
def test_text_in_any_script_does_not_stop_it(view):
    assert opened(odd(), view=view).width == 3000


def test_a_resolution_out_of_bounds_and_a_picture_too_large_are_sentences(monkeypatch):
    with pytest.raises(OptionError, match="from 36 to 1200"):
        to_png(example(), dpi=5000)
    monkeypatch.setattr(as_png, "MOST_PIXELS", 1_000_000)
    with pytest.raises(TraceFileError, match="Choose a smaller dpi"):
        to_png(example())


def test_a_sheet_says_of_each_what_made_it():
    trace = attending(HAND, ("the", "cat", "sat"))
    image = Image.open(io.BytesIO(sheet_png([trace, trace], ["one", "two"], dpi=192, width=1000, theme="dark")))
    assert image.width == 2000 and abs(image.info["dpi"][0] - 192) < 0.1
    assert image.info["Description"].count("Multi-head attention") == 2
    assert image.getpixel((2, 2)) == tuple(bytes.fromhex(LOOKS["dark"].paper[1:]))
