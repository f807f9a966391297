"""Feature model for a sentence and a picture of coloured shapes: words and places as vectors of the same size."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from PIL import Image
from torch import Tensor, nn

from attnviz.features.text import VOCABULARY, TextFeatures

WIDTH, HEIGHT = 256, 64  # of the picture that the model reads
GRID = (8, 32)  # rows and columns of places; a box of the scene is eight places wide and high
_TABLE = 128  # columns of the shared embedding table


def _convolution(n_in: int, n_out: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, stride, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
    )


class _Wider(nn.Module):
    """What stands `dilation` places away, added."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.around = _convolution(width, width, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.around(x)


class SceneFeatures(nn.Module):
    """Words of a sentence by context layers, places of a picture by a convolutional net; neither knows of the other.

    A place sees seven places each way, about the box in which it lies. The text side reads the first columns of the
    embedding table that all texts share: its principal components, in order.
    """

    def __init__(self, d_model: int = 64):
        super().__init__()
        self.d_model = d_model
        self.register_buffer("embedding", torch.zeros(VOCABULARY, _TABLE), persistent=False)
        self.text = TextFeatures(d_model, dropout=0.1)
        self.picture = nn.Sequential(
            _convolution(3, d_model // 4, stride=2),
            _convolution(d_model // 4, d_model // 2, stride=2),
            _convolution(d_model // 2, d_model, stride=2),
            *(_Wider(d_model, dilation) for dilation in (1, 2, 4)),
        )
        self.norm = nn.LayerNorm(d_model)

    def words(
        self, pieces: Int[Tensor, "batch word piece"], mask: Bool[Tensor, "batch word"]
    ) -> Float[Tensor, "batch word d"]:
        """Feature vectors of words; `pieces` are numbers of the vocabulary, 0 where a word has no further piece."""
        self.text.embedding = self.embedding[:, : self.d_model]
        return self.text(pieces, mask)

    def places(self, pixels: UInt8[Tensor, "batch 3 64 256"]) -> Float[Tensor, "batch place d"]:
        """Feature vectors of the places, row by row."""
        x = (pixels.to(self.norm.weight.dtype) / 255 - 0.6) / 0.3
        return self.norm(self.picture(x).flatten(2).transpose(1, 2))


def scene(image: Image.Image) -> UInt8[Tensor, "1 3 64 256"]:
    """Any picture as the model reads scenes: its shape is changed to four times as wide as high."""
    small = image.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].contiguous()
