import torch

from attnviz.tasks.registry import Examples
from attnviz.training.image_features import Cycle, augment, train_image_features


def test_augmentation_keeps_size_and_range_and_moves_by_at_most_the_shift():
    pixels = torch.zeros(64, 3, 16, 16, dtype=torch.uint8)
    pixels[:, :, 8, 8] = 255
    moved = augment(pixels, torch.Generator().manual_seed(0), flip=False, shift=2)
    assert moved.shape == pixels.shape and moved.min() >= 0 and moved.max() <= 255
    places = moved[:, 0].flatten(1).argmax(1)
    rows, columns = places // 16, places % 16
    assert set((rows - 8).tolist()) <= set(range(-2, 3)) and len(set(rows.tolist())) > 2
    assert set((columns - 8).tolist()) <= set(range(-2, 3)) and len(set(columns.tolist())) > 2


def test_a_mirror_image_is_one():
    pixels = torch.zeros(64, 3, 8, 8, dtype=torch.uint8)
    pixels[..., 0] = 255
    seen = augment(pixels, torch.Generator().manual_seed(0), flip=True, shift=0)[:, 0].mean(1).argmax(1)
    assert set(seen.tolist()) == {0, 7}


def test_the_features_learn_colours_quickly():
    torch.manual_seed(0)
    labels = torch.arange(512) % 2
    pixels = torch.randint(0, 60, (512, 3, 16, 16), dtype=torch.uint8)
    pixels[labels == 1, 0] += 150
    data = Examples(pixels, labels)
    cycles = (Cycle(3, peak=0.1, small=1),)
    features, accuracy = train_image_features(data, data, n_classes=2, d_model=16, cycles=cycles, flip=True, batch=64)
    assert accuracy > 0.95 and not features.training


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero():
    cycle = Cycle(10, peak=0.4)
    assert [round(cycle.rate(done), 3) for done in (0, 0.1, 0.2, 0.6, 1)] == [0, 0.2, 0.4, 0.2, 0]
