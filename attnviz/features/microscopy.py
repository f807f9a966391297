"""Feature model for microscope pictures: a square grey picture as a grid of small, local feature vectors."""

import torch.nn.functional as F
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps
from torch import Tensor, nn

from attnviz.features.picture import fit

SIDE = 128
STRIDE = 8  # one feature vector stands for 8 x 8 pixels
CELL = 16  # pixels; the neighbourhood that a pixel is compared with
FLAT = 10.0  # grey levels; a deviation that counts as none
CUT = 0.5  # per cent of the pixels, at each end, that may become black or white


def prepared(image: Image.Image) -> Image.Image:
    """The middle square of a picture, 128 x 128, grey, its contrast stretched: dark pictures are as legible as others.

    Pictures of all kinds look alike then in how bright they are; a bright spot can be a nucleus or a hole.
    """
    return ImageOps.autocontrast(fit(image, SIDE, longest=1.0).convert("L"), cutoff=CUT).convert("RGB")


def locally_normal(
    pixels: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch 1 height width"]:
    """What each pixel differs from the mean around it, over the deviation there; flat places stay near zero."""
    centred = pixels - _around(pixels)
    return centred / (_around(centred.square()) + FLAT**2).sqrt()


def _around(x: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 1 height width"]:
    """The mean of each cell of the picture, smoothly from one cell to the next."""
    cells = F.avg_pool2d(x, CELL, ceil_mode=True)
    return F.interpolate(cells, size=x.shape[-2:], mode="bilinear", align_corners=False)


def _convolution(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)
    )


class MicroscopyFeatures(nn.Module):
    """Three convolutions over the picture with its local brightness and contrast taken out.

    A vector sees 15 x 15 of the 128 x 128 pixels, about one nucleus, and only how they differ from what is around them:
    whether a bright spot is a nucleus or a gap between dark ones is not to be told from it. Pixels
    `(batch, channel, height, width)`, 0 to 255, of which the first channel is read, become `(batch, patch, d)`.
    """

    def __init__(self, d_model: int = 48):
        super().__init__()
        self.d_model = d_model
        self.body = nn.Sequential(
            _convolution(1, 16, stride=2), _convolution(16, 32, stride=2), _convolution(32, d_model, stride=2)
        )
        self.norm = nn.LayerNorm(d_model)

    def forward(
        self, pixels: UInt8[Tensor, "batch channel height width"] | Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch patch d"]:
        """Feature vectors, row by row."""
        x = locally_normal(pixels[:, :1].to(self.norm.weight.dtype))
        return self.norm(self.body(x).flatten(2).transpose(1, 2))

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the feature map for a picture of that size in pixels."""
        return -(-height // STRIDE), -(-width // STRIDE)
