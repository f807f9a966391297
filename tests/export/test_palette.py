"""The colours of files are those of the live picture. (tests/browser/test_exports.py compares all of them.)"""

import numpy as np
import pytest

from attnviz.export.palette import palette

# Read off palette.js in a browser: the steps 0, 64, 128, 192 and 255 of each ramp.
SEEN = {
    ("light", "one"): ("#f0f4f9", "#aabfe5", "#6b8bc4", "#36599b", "#092a6c"),
    ("light", "free"): ("#eef5f5", "#a7cac9", "#689e9d", "#317272", "#014747"),
    ("light", "signed"): ("#6f3600", "#c28b66", "#f0f4f9", "#6b8bc4", "#092a6c"),
    ("dark", "one"): ("#1a1e25", "#314466", "#506ea4", "#799bdb", "#afcbfe"),
    ("dark", "free"): ("#18201f", "#274d4b", "#3e7e7a", "#62b0ab", "#91e2dc"),
    ("dark", "signed"): ("#f6b575", "#8c6134", "#1a1e25", "#506ea5", "#afcbfe"),
}


@pytest.mark.parametrize("ramp", SEEN)
def test_the_ramps_are_those_of_the_browser(ramp):
    assert tuple(palette(*ramp).css[step] for step in (0, 64, 128, 192, 255)) == SEEN[ramp]


def test_steps_by_hand():
    ramp = palette("light", "one")
    assert ramp.steps(np.array([0.0, 0.5, 1.0, 2.0, -1.0]), 1.0).tolist() == [0, round(255 * 0.5**0.6), 255, 255, 0]
    signed = palette("light", "signed")
    assert signed.steps(np.array([-2.0, 0.0, 2.0]), 2.0).tolist() == [0, 128, 255]
    assert ramp.steps(np.array([0.3]), 0.0).tolist() == [0]


def test_light_numbers_stand_on_dark_cells():
    for theme, darkest in (("light", 255), ("dark", 0)):
        assert palette(theme, "one").is_dark[darkest] and not palette(theme, "one").is_dark[255 - darkest]
