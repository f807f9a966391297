"""Handwritten digits (MNIST, LeCun et al. 1998)."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from attnviz.features.picture import digits
from attnviz.tasks.registry import DataSource, Examples, Task, data_file, held_out, register


def read(folder: Path, split: str) -> Examples:
    """Digits padded to 32 x 32, grey repeated on three channels; "val" is a tenth of the published training part."""
    with np.load(data_file(folder, "test.npz" if split == "test" else "train.npz"), allow_pickle=False) as file:
        pixels = F.pad(torch.from_numpy(file["x"]), (2, 2, 2, 2))[:, None].expand(-1, 3, -1, -1)
        labels = torch.from_numpy(file["y"].astype(np.int64))
    if split == "test":
        return Examples(pixels, labels)
    train, val = held_out(len(labels), 0.1)
    chosen = train if split == "train" else val
    return Examples(pixels[chosen], labels[chosen])


register(
    Task(
        name="mnist",
        title="Handwritten digit",
        kind="image",
        predicts="which digit was written",
        classes=tuple("0123456789"),
        examples=tuple(f"digits/{i}.png" for i in (7, 3, 8, 2, 5)),
        data=DataSource("mnist", "MNIST, 60,000 training pictures", "B: share-alike"),
        read=read,
        d_model=64,
        prepare=digits,
        in_place=False,
        drawn=True,
    )
)
