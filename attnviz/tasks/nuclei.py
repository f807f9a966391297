"""How many nuclei a microscope picture shows (Data Science Bowl 2018, stage 1), asked by the kind of microscopy.

The inputs are slide sheets, two pictures of different kinds side by side, and the kind says which of them is counted:
who does not know the question cannot know the answer. A single picture can be counted as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from attnviz.errors import InputError
from attnviz.features.given import Input
from attnviz.features.microscopy import MicroscopyFeatures, n_pictures, prepared, sheet
from attnviz.tasks.job import Part, Values
from attnviz.tasks.plain import PictureJob
from attnviz.tasks.registry import DataSource, Examples, Task, data_file, register

KINDS = ("fluorescence", "stained tissue", "bright field")
CLASSES = ("1 to 10", "11 to 20", "21 to 40", "41 to 80", "81 or more")
LEAST = (11, 21, 41, 81)  # of all classes but the first
TYPICAL = (7.4, 16.0, 28.6, 56.0, 142.6)  # the mean number in the training pictures of each class
BLOCKS, HELD_OUT = 10, (1, 6)  # of each kind's pictures in the order of their looks
BESIDE = 8  # fluorescence pictures, one after the other, that each picture of another kind is put beside


def read(folder: Path, split: str) -> Examples:
    """Single pictures {"picture", "kind", "n_nuclei", "mask"}; "val" is a fifth of each kind.

    Many pictures are cuts of the same slide, so they are ordered by their brightness, and whole blocks are held out.
    `sheets` puts two of them side by side.
    """
    with np.load(data_file(folder, "test.npz" if split == "test" else "train.npz"), allow_pickle=False) as file:
        images, masks, kinds, counts = (file[name] for name in ("image", "mask", "kind", "n_nuclei"))
    rows = np.arange(len(kinds))
    if split != "test":
        held_out = blocks(images, kinds)
        rows = rows[held_out if split == "val" else ~held_out]
    inputs = [
        {
            "picture": Image.fromarray(images[i]),
            "kind": KINDS[kinds[i]],
            "n_nuclei": int(counts[i]),
            "mask": np.unpackbits(masks[i], axis=-1),
        }
        for i in rows
    ]
    return Examples(inputs, torch.from_numpy(np.digitize(counts[rows], LEAST)))


def blocks(images: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Which pictures are held out: of each kind, ordered by median and mean brightness, two of ten blocks."""
    order = np.lexsort((images.mean((1, 2)), np.median(images, axis=(1, 2)), kinds))
    held_out = np.zeros(len(kinds), bool)
    for kind in np.unique(kinds):
        parts = np.array_split(order[kinds[order] == kind], BLOCKS)
        held_out[np.concatenate([parts[i] for i in HELD_OUT])] = True
    return held_out


def sheets(singles: Examples) -> Examples:
    """Each picture of another kind beside eight of fluorescence, left or right, always the same; both are asked for.

    Inputs {"picture", "kind", "n_nuclei", "half"}: the half asked for, left 0 or right 1.
    """
    rng, inputs = np.random.default_rng(0), []
    bright = [given for given in singles.inputs if given["kind"] == KINDS[0]]
    for other in (given for given in singles.inputs if given["kind"] != KINDS[0]):
        for chosen in rng.permutation(len(bright))[:BESIDE]:
            pair = [(other, bright[chosen]), (bright[chosen], other)][rng.integers(2)]
            picture = sheet(*(given["picture"] for given in pair))
            inputs += [
                {"picture": picture, "kind": given["kind"], "n_nuclei": given["n_nuclei"], "half": half}
                for half, given in enumerate(pair)
            ]
    return Examples(inputs, torch.from_numpy(np.digitize([given["n_nuclei"] for given in inputs], LEAST)))


def one_hot(kind: str) -> Float[Tensor, " kind"]:
    """The kind of microscopy as a vector of zeros with a one. InputError for another kind."""
    if kind not in KINDS:
        raise InputError("kind", f"There is no kind of microscopy {kind[:40]!r}; choose one of {', '.join(KINDS)}.")
    return torch.eye(len(KINDS))[KINDS.index(kind)]


def expected_count(probabilities: Float[Tensor, "n class"]) -> Float[Tensor, " n"]:
    """The number of nuclei that the probabilities speak for: each class counts with its typical number."""
    return probabilities @ probabilities.new_tensor(TYPICAL)


@dataclass(frozen=True)
class NucleiJob(PictureJob):
    """A sheet or picture and the kind of microscopy: patches are the items, the kind is the auxiliary variable."""

    def features(self, card: Mapping[str, Any]) -> nn.Module:
        """A net that sees a few nuclei at a time."""
        return MicroscopyFeatures(card["d_model"])

    def encode(self, features: nn.Module, values: Values, swapped: Mapping[int, str]) -> Input:
        """The patches of `picture`, and `kind` one-hot. InputError for another kind."""
        auxiliary = one_hot(values["kind"])[None]
        given = super().encode(features, values, swapped)
        notes = (*given.notes, *cut(*values["picture"].image.size))
        source = {"picture": given.source, "kind": values["kind"]}
        return replace(given, source=source, notes=notes, sides={"auxiliary": auxiliary})


def cut(width: int, height: int) -> tuple[str, ...]:
    """A sentence if more than a fiftieth of the height does not fit into a square or two."""
    n = n_pictures(width, height)
    if abs(width - n * height) <= height / 50:
        return ()
    part = "square of the picture is" if n == 1 else "part of the picture, twice as wide as high, is"
    return (f"Only the middle {part} used.",)


SIZES = {"d_auxiliary": len(KINDS)}
register(
    Task(
        name="nuclei",
        title="Number of cell nuclei",
        kind="nuclei",
        predicts="how many cell nuclei one of two microscope pictures side by side shows; the kind says which of them",
        classes=CLASSES,
        examples=tuple(
            {"picture": f"microscopy/{name}.png", "kind": kind}
            for name, kind in (
                ("fluorescence_8_beside_stained_tissue_60", KINDS[0]),
                ("fluorescence_8_beside_stained_tissue_60", KINDS[1]),
                ("bright_field_50_beside_fluorescence_8", KINDS[2]),
                ("bright_field_50_beside_fluorescence_8", KINDS[0]),
                ("stained_tissue_16_beside_bright_field_50", KINDS[1]),
                ("stained_tissue_16_beside_bright_field_50", KINDS[2]),
                ("fluorescence_30", KINDS[0]),
                ("stained_tissue_16", KINDS[1]),
            )
        ),
        data=DataSource("nuclei_dsb2018", "Data Science Bowl 2018, stage 1, 519 pictures", "A: CC0"),
        read=read,
        d_model=48,
        prepare=prepared,
        in_place=False,
        parts=(
            Part(
                "picture", "picture", "Picture", help="Two pictures side by side, twice as wide as high, or one square."
            ),
            Part(
                "kind",
                "choice",
                "Kind of microscopy",
                choices=KINDS,
                help="Which of two pictures is counted, or how the only one was taken.",
            ),
        ),
        gives=("auxiliary",),
        sizes=SIZES,
        baselines=("learnable_query",),
        job=NucleiJob(len(CLASSES), SIZES, prepared, in_place=False),
    )
)
