"""How the image feature models of the zoo are trained: to classify with a mean and with one learned query."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from attnviz.features.image import ImageFeatures
from attnviz.tasks.registry import Examples
from attnviz.training.progress import Progress
from attnviz.training.readouts import PooledReadout


def augment(
    pixels: UInt8[Tensor, "batch 3 size size"], generator: torch.Generator, *, flip: bool, shift: int
) -> Float[Tensor, "batch 3 size size"]:
    """Random shift, mirror image, brightness and contrast, drawn for each picture."""
    n, _, size, _ = pixels.shape
    padded = F.pad(pixels, (shift,) * 4)
    offsets = torch.randint(0, 2 * shift + 1, (2, n, 1), generator=generator)
    rows = (torch.arange(size) + offsets[0])[:, :, None]
    columns = torch.arange(size).expand(n, size) + offsets[1]
    if flip:
        mirrored = torch.rand(n, 1, generator=generator) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    x = padded.permute(0, 2, 3, 1)[torch.arange(n)[:, None, None], rows, columns[:, None, :]].float()
    gain = 1 + 0.4 * (torch.rand(n, 1, 1, 1, generator=generator) - 0.5)
    lift = 40 * (torch.rand(n, 1, 1, 1, generator=generator) - 0.5)
    return ((x - 120) * gain + 120 + lift).clamp(0, 255).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Cycle:
    """Some epochs in which the learning rate rises to `peak` and falls to zero.

    The first `small` of them see the pictures at three quarters of their size, which costs half and makes the features
    less dependent on scale.
    """

    epochs: int
    peak: float
    small: int = 0

    def rate(self, done: float) -> float:
        """Learning rate when this share of the cycle is done."""
        return self.peak * min(done / 0.2, (1 - done) / 0.8)


def train_image_features(
    train: Examples,
    val: Examples,
    *,
    n_classes: int,
    d_model: int,
    cycles: Sequence[Cycle],
    flip: bool,
    batch: int = 256,
    seed: int = 0,
) -> tuple[ImageFeatures, float]:
    """Train on pictures `(n, 3, size, size)`; the feature model and its accuracy on `val` (the better read-out's)."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    features = ImageFeatures(d_model).to(memory_format=torch.channels_last)
    readout = PooledReadout(d_model, n_classes)
    parameters = [*features.parameters(), *readout.parameters()]
    optimizer = torch.optim.SGD(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 5e-4},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=0.0,
        momentum=0.9,
        nesterov=True,
    )
    progress, accuracy = Progress("image features", sum(c.epochs for c in cycles), seconds=0), 0.0
    for cycle, epoch in ((c, n) for c in cycles for n in range(c.epochs)):
        features.train()
        batches = torch.randperm(len(train.labels), generator=generator).split(batch)
        for step, rows in enumerate(batches):
            for group in optimizer.param_groups:
                group["lr"] = cycle.rate((epoch + (step + 1) / len(batches)) / cycle.epochs)
            x = augment(train.inputs[rows], generator, flip=flip, shift=4)
            if epoch < cycle.small:
                x = F.interpolate(x, scale_factor=0.75, mode="bilinear", antialias=True)
            outputs = readout(features(x))
            sum(F.cross_entropy(logits, train.labels[rows], label_smoothing=0.1) for logits in outputs).backward()
            optimizer.step()
            optimizer.zero_grad()
        accuracy = _accuracy(features.eval(), readout, val)
        progress.step(f"held-out accuracy {accuracy:.4f}")
    return features, accuracy


@torch.inference_mode()
def _accuracy(features: ImageFeatures, readout: PooledReadout, data: Examples) -> float:
    right = torch.zeros(2)
    for x, y in zip(data.inputs.split(500), data.labels.split(500), strict=True):
        right += torch.tensor([(logits.argmax(1) == y).sum() for logits in readout(features(x))])
    return float(right.max() / len(data.labels))
