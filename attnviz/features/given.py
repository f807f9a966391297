"""What was given, as the mechanisms take it: feature vectors with labels, and what stands beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image
from torch import Tensor

from attnviz.trace import Axis


@dataclass(frozen=True)
class Input:
    """What the mechanisms attend over: feature vectors (1, n, d), an axis with their labels, and what was given.

    `source` is the text or the picture's name, or a text for each part of the input. `notes` are sentences saying what
    was cut or changed; `picture` is the picture under the patches. `sides` are further arguments of a mechanism's
    `forward`, each a batch of one; `axes` label further named axes, such as "query_item". `classes` are the possible
    answers where they depend on the input. `marked` are the numbers of items to mark, such as the target's words.
    """

    items: Tensor
    axis: Axis
    source: str | Mapping[str, str]
    notes: tuple[str, ...] = ()
    picture: Image.Image | None = None
    sides: Mapping[str, Tensor] = field(default_factory=dict)
    axes: Mapping[str, Axis] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    marked: tuple[int, ...] = ()
