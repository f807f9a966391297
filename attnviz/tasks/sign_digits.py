"""Which digit a hand shows (Sign Language Digits, Ankara Ayrancı Anadolu High School): colour photographs."""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from attnviz.features.picture import fit
from attnviz.tasks.cifar10 import decode
from attnviz.tasks.registry import DataSource, Examples, Task, data_file, register

SIDE = 48
BLOCK = 100  # photographs in a row; a pupil's ten run in sequence
HELD_OUT, OF = 3, 8  # one block in eight is for validation
PUPIL = 10


def read(folder: Path, split: str) -> Examples:
    """Pictures 48 x 48; "val" are whole blocks of pupils, and no pupil of theirs is in "train".

    A pupil whose photographs run over the end of a held-out block is in neither.
    """
    with np.load(data_file(folder, "test.npz" if split == "test" else "train.npz"), allow_pickle=False) as file:
        labels = torch.from_numpy(file["y"].astype(np.int64))
        pixels = torch.from_numpy(decode(file["jpeg"].tobytes(), file["offset"]))
        chosen = torch.from_numpy(part(file["source_number"].astype(np.int64), split))
    return Examples(pixels[chosen], labels[chosen])


def part(numbers: np.ndarray, split: str) -> np.ndarray:
    """Which photographs belong to a split, by the numbers of their files."""
    if split == "test":
        return np.ones(len(numbers), bool)
    if split == "val":
        return _held_out(numbers)
    return ~(_held_out(numbers - PUPIL) | _held_out(numbers) | _held_out(numbers + PUPIL))


def _held_out(numbers: np.ndarray) -> np.ndarray:
    return numbers // BLOCK % OF == HELD_OUT


register(
    Task(
        name="sign_digits",
        title="Digit shown by a hand",
        kind="image",
        predicts="which digit a hand shows in Turkish sign language",
        classes=tuple("0123456789"),
        examples=tuple(f"hands/{i}.png" for i in (3, 5, 1, 4)),
        data=DataSource("sign_digits", "Sign Language Digits, 1,647 photographs", "A: Apache-2.0"),
        read=read,
        d_model=64,
        prepare=partial(fit, side=SIDE),
    )
)
