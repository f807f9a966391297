import torch
from PIL import Image, ImageDraw

from attnviz.features.scene import GRID, HEIGHT, WIDTH, SceneFeatures, scene
from attnviz.features.text import collate
from attnviz.features.words import split


def model():
    found = SceneFeatures(16)
    found.embedding = torch.randn(found.embedding.shape)
    return found.eval()


def test_a_picture_of_any_shape_becomes_four_times_as_wide_as_high():
    image = Image.new("RGB", (100, 100))
    ImageDraw.Draw(image).rectangle((50, 0, 99, 49), fill=(255, 255, 0))  # right upper quarter
    found = scene(image)
    assert found.shape == (1, 3, HEIGHT, WIDTH) and found.dtype == torch.uint8
    assert found[0, :, 10, 200].tolist() == [255, 255, 0] and found[0, :, 50, 200].tolist() == [0, 0, 0]


def test_places_come_row_by_row_and_see_seven_places_each_way():
    features = model()
    blank = torch.zeros(1, 3, HEIGHT, WIDTH, dtype=torch.uint8)
    dotted = blank.clone()
    dotted[..., 8 * 6 + 3, 8 * 20 + 3] = 255  # row 6, column 20
    changed = (features.places(dotted) - features.places(blank)).abs().amax(-1).view(GRID) > 0
    columns = changed.any(0).nonzero().flatten().tolist()
    assert changed[6, 20] and 12 <= min(columns) <= 19 and 21 <= max(columns) <= 28
    assert not changed[:, :12].any() and not changed[:, 29:].any()


def test_words_do_not_depend_on_the_padding_beside_them():
    features = model()
    short, long = split("a blue tower"), split("there is a tower with a black block at the top")
    alone = features.words(*collate([short]))
    beside = features.words(*collate([short, long]))
    torch.testing.assert_close(beside[:1, : alone.shape[1]], alone, rtol=1e-4, atol=1e-5)


def test_the_shared_table_is_no_part_of_the_state():
    assert not [name for name in model().state_dict() if "embedding" in name]
