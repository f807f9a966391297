"""The reader of the hands: whole blocks of pupils are held out, on small files of the published layout, made here."""

import io

import numpy as np
import pytest
from PIL import Image

from attnviz.features.picture import Picture
from attnviz.tasks import registry, sign_digits
from attnviz.tasks.sign_digits import part


def test_no_pupil_is_in_both_parts():
    numbers = np.arange(1118, 5574)
    train, val = part(numbers, "train"), part(numbers, "val")
    assert not (train & val).any()
    distance = np.abs(numbers[train][:, None] - numbers[val][None]).min()
    assert distance > 10  # a pupil's ten photographs run in sequence
    assert 0.1 < val.mean() < 0.2 and train.mean() > 0.8
    assert part(numbers, "test").all()


def test_a_part_does_not_depend_on_the_order_of_the_rows():
    numbers = np.arange(4000, 5000)
    mixed = np.random.default_rng(0).permutation(numbers)
    assert set(numbers[part(numbers, "val")]) == set(mixed[part(mixed, "val")])


def test_photographs_are_unpacked_with_their_labels(tmp_path):
    numbers = np.array([1205, 1150, 1330, 1400, 1120])  # of these 1120 and 1150 are in a held-out block
    files = []
    for i in range(5):
        stream = io.BytesIO()
        Image.new("RGB", (48, 48), (40 * i, 0, 200)).save(stream, "JPEG", quality=95)
        files.append(stream.getvalue())
    np.savez(
        tmp_path / "train.npz", jpeg=np.frombuffer(b"".join(files), np.uint8),
        offset=np.cumsum([0, *map(len, files)]).astype(np.uint32), y=np.arange(5, dtype=np.uint8),
        source_number=numbers.astype(np.int32),
    )  # fmt: skip
    train, val = sign_digits.read(tmp_path, "train"), sign_digits.read(tmp_path, "val")
    assert val.labels.tolist() == [1, 4] and train.labels.tolist() == [2, 3]  # 1205 is too near to 1199
    assert train.inputs.shape == (2, 3, 48, 48)
    assert abs(int(train.inputs[1, 0, 24, 24]) - 120) < 8


@pytest.mark.parametrize("size", [(300, 200), (40, 40), (90, 400)])
def test_pictures_of_any_size_are_prepared(size):
    task = registry.get("sign_digits")
    found = task.prepare(Picture(Image.new("RGB", size)).image)
    assert min(found.size) == 48 and max(found.size) <= 96
