import pytest
import torch

from attnviz.features.image import ImageFeatures


@pytest.mark.parametrize(("height", "width"), [(32, 32), (32, 64), (64, 32), (32, 44), (4, 4)])
def test_any_shape_gives_the_grid_that_is_announced(height, width):
    features = ImageFeatures(16).eval()
    rows, columns = features.grid(height, width)
    items = features(torch.randint(0, 256, (2, 3, height, width), dtype=torch.uint8))
    assert items.shape == (2, rows * columns, 16)


def test_patches_are_numbered_row_by_row():
    torch.manual_seed(0)
    features = ImageFeatures(16).double().eval()
    pixels = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    before = features(pixels)
    pixels[..., :2, -2:] = 255  # upper right corner
    moved = (features(pixels) - before).abs().sum(-1)[0]
    assert moved.argmax() in (14, 15, 30, 31)  # of 16 columns


def test_uint8_and_float_pixels_agree():
    features = ImageFeatures(16).eval()
    pixels = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    torch.testing.assert_close(features(pixels), features(pixels.float()))
