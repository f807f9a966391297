"""What a capsule model is trained with: the paper's hinges, the released code's margins, and a blog's variant.

All take one probability and one capsule for each class, and average over the batch.
"""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

Classes = Float[Tensor, "batch class"]
Labels = Int[Tensor, " batch"]
LOSSES = ("paper", "official", "blog")


def signed_hinge(values: Classes, labels: Labels) -> Float[Tensor, ""]:
    """max(0, 1 + sum_c t_c x_c), t_c = -1 for the true class and +1 for the others: one hinge around the whole sum."""
    signs = 1 - 2 * functional.one_hot(labels, values.shape[-1]).to(values.dtype)
    return (1 + (signs * values).sum(-1)).clamp_min(0).mean()


def paper_loss(probabilities: Classes, similarities: Classes, labels: Labels) -> Float[Tensor, ""]:
    """J + U of RNN-Capsule (Wang et al. 2018): hinges on the p_c and on the similarities f̄'r_c, without a factor."""
    return signed_hinge(probabilities, labels) + signed_hinge(similarities, labels)


def official_loss(probabilities: Classes, similarities: Classes, labels: Labels) -> Float[Tensor, ""]:
    """The released code's loss: (1/C) sum over wrong classes i of max(0, 1 - x_y + x_i), for p and for f̄'r.

    With two classes the first term is half the paper's; with more the two losses differ.
    """
    return functional.multi_margin_loss(probabilities, labels) + functional.multi_margin_loss(similarities, labels)


def blog_loss(
    probabilities: Classes,
    capsules: Float[Tensor, "batch class d"],
    mean: Float[Tensor, "batch d"],
    labels: Labels,
    weight: float = 0.1,
) -> Float[Tensor, ""]:
    """-log p_y + weight * sum_c ||r_c - f̄||^2: neither in the paper nor in the survey, and degenerate.

    The p_c are independent, so that the first term vanishes as soon as every class says one: nothing penalises a wrong
    class. The second pulls all classes to the mean, where the paper pushes the wrong ones away.
    """
    chosen = probabilities.gather(-1, labels[:, None]).squeeze(-1)
    distance = (capsules - mean[:, None]).square().sum((-1, -2))
    return (-chosen.clamp_min(1e-12).log() + weight * distance).mean()
