"""The mean of a set of items, which several mechanisms start from or compare with."""

from jaxtyping import Bool, Float
from torch import Tensor


def mean_item(
    items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None
) -> Float[Tensor, "batch d"]:
    """The mean of the items that the mask allows; zeros where it allows none."""
    if mask is None:
        return items.mean(1)
    allowed = mask[..., None].to(items.dtype)
    return (items * allowed).sum(1) / allowed.sum(1).clamp_min(1)
