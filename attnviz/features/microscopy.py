"""Feature model for microscope pictures: one grey picture, or two side by side, as a grid of feature vectors."""

from jaxtyping import Float, UInt8
from PIL import Image, ImageOps
from torch import Tensor, nn

SIDE = 128
STRIDE = 8  # one feature vector stands for 8 x 8 pixels
CUT = 0.5  # per cent of the pixels, at each end, that may become black or white


def n_pictures(width: int, height: int) -> int:
    """Whether a picture is one or a sheet of two: whichever keeps more of it, its middle square or its middle 2:1."""
    return 2 if width * width > 2 * height * height else 1


def prepared(image: Image.Image) -> Image.Image:
    """A picture of 128 x 128, or a sheet of two such pictures, grey; the contrast of each is stretched.

    What is too long loses its ends. Dark pictures become as legible as others; a bright spot can be a nucleus or a gap.
    """
    n = n_pictures(*image.size)
    fitted = ImageOps.fit(image.convert("RGB"), (n * SIDE, SIDE), Image.Resampling.LANCZOS).convert("L")
    parts = (fitted.crop((i * SIDE, 0, (i + 1) * SIDE, SIDE)) for i in range(n))
    return sheet(*(ImageOps.autocontrast(part, cutoff=CUT) for part in parts)).convert("RGB")


def sheet(*pictures: Image.Image) -> Image.Image:
    """Grey pictures of 128 x 128 side by side."""
    whole = Image.new("L", (len(pictures) * SIDE, SIDE))
    for i, picture in enumerate(pictures):
        whole.paste(picture, (i * SIDE, 0))
    return whole


def _convolution(n_in: int, n_out: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, stride, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
    )


class MicroscopyFeatures(nn.Module):
    """Five convolutions: a vector sees 63 x 63 pixels, a few nuclei and the ground that they are on.

    So it knows of which kind its own place in a sheet is, but not what else the sheet shows. Pixels
    `(batch, channel, height, width)`, 0 to 255, of which the first channel is read, become `(batch, patch, d)`.
    """

    def __init__(self, d_model: int = 48):
        super().__init__()
        self.d_model = d_model
        self.body = nn.Sequential(
            _convolution(1, 16, stride=2),
            _convolution(16, 32, stride=2),
            _convolution(32, d_model, stride=2),
            _convolution(d_model, d_model),
            _convolution(d_model, d_model, dilation=2),
        )
        self.norm = nn.LayerNorm(d_model)

    def forward(
        self, pixels: UInt8[Tensor, "batch channel height width"] | Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch patch d"]:
        """Feature vectors, row by row."""
        x = pixels[:, :1].to(self.norm.weight.dtype) / 255
        return self.norm(self.body(x).flatten(2).transpose(1, 2))

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the feature map for a picture of that size in pixels."""
        return -(-height // STRIDE), -(-width // STRIDE)
