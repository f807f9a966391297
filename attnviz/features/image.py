"""Image feature model: a picture as a grid of feature vectors, one a patch."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

STRIDE = 4  # one feature vector stands for 4 x 4 pixels


def _convolution(n_in: int, n_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(_convolution(width, width), _convolution(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class ImageFeatures(nn.Module):
    """A small residual convolutional net without fully connected layers, so that a picture of any shape works.

    Pixels `(batch, 3, height, width)`, 0 to 255, become features `(batch, d, height / 4, width / 4)`. The items that
    the mechanisms attend over are the positions of that last map (Xu et al. 2015 call them annotation vectors).
    """

    def __init__(self, d_model: int = 128):
        super().__init__()
        stem, middle = d_model // 4, d_model // 2
        self.d_model = d_model
        self.body = nn.Sequential(
            _convolution(3, stem),
            _convolution(stem, middle, stride=2),
            _Residual(middle),
            _convolution(middle, d_model, stride=2),
            _Residual(d_model),
            _Residual(d_model),
        )
        self.norm = nn.LayerNorm(d_model)

    def forward(
        self, pixels: UInt8[Tensor, "batch 3 height width"] | Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch patch d"]:
        """Feature vectors, row by row: patch `r * columns + c` is row r, column c of the map."""
        x = (pixels.to(self.norm.weight.dtype) / 255 - 0.47) / 0.25
        x = self.body(x.contiguous(memory_format=torch.channels_last))
        return self.norm(x.flatten(2).transpose(1, 2))

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the feature map for a picture of that size in pixels."""
        return -(-height // STRIDE), -(-width // STRIDE)
