"""What a small photograph shows (CIFAR-10, Krizhevsky 2009): ten classes."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from attnviz.tasks.registry import DataSource, Examples, Task, data_file, held_out, register


def read(folder: Path, split: str) -> Examples:
    """Pictures 32 x 32; "val" is a tenth of the published training part."""
    with np.load(data_file(folder, "test.npz" if split == "test" else "train.npz"), allow_pickle=False) as file:
        labels = torch.from_numpy(file["y"].astype(np.int64))
        pixels = torch.from_numpy(decode(file["jpeg"].tobytes(), file["offset"]))
    if split == "test":
        return Examples(pixels, labels)
    train, val = held_out(len(labels), 0.1)
    chosen = train if split == "train" else val
    return Examples(pixels[chosen], labels[chosen])


def decode(jpegs: bytes, offsets: np.ndarray) -> np.ndarray:
    """Pictures (n, 3, height, width) from JPEG files that stand one after the other, each from its offset."""
    pictures = [
        np.asarray(Image.open(io.BytesIO(jpegs[start:end]), formats=["JPEG"]).convert("RGB"))
        for start, end in zip(offsets, offsets[1:], strict=False)
    ]
    return np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))


register(
    Task(
        name="cifar10",
        title="What is in the picture",
        kind="image",
        predicts="which of ten things a photograph shows",
        classes=(
            "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
        ),
        examples=tuple(f"pictures/{n}.jpg" for n in ("cat", "rocket", "astronaut", "pagoda", "flower", "coffee")),
        data=DataSource("cifar10", "CIFAR-10, 50,000 training pictures", "C: none stated"),
        read=read,
    )
)  # fmt: skip
