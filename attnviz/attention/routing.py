"""Dynamic routing between capsules (Sabour, Frosst & Hinton 2017, procedure 1): items divide themselves."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.recording import note

Capsules = tuple[Float[Tensor, "batch class"], Float[Tensor, "batch class d_capsule"]]
SMALLEST = 1e-12  # of a squared length that is divided by
STEPS = {
    "primary": r"u_i = \mathrm{squash}(W_u f_i + b_u)",
    "predictions": r"\hat u_{j|i} = W_j u_i",
    "scores": r"b_{ij} \leftarrow b_{ij} + \hat u_{j|i} \cdot v_j \text{ (zero at first)}",
    "weights": r"c_{ij} = \mathrm{softmax}_j(b_{ij})",
    "sums": r"s_j = \sum_i c_{ij}\, \hat u_{j|i}",
    "lengths": r"\lVert v_j \rVert = \frac{\lVert s_j \rVert^2}{1 + \lVert s_j \rVert^2}",
    "capsules": r"v_j = \lVert v_j \rVert \frac{s_j}{\lVert s_j \rVert}",
    "agreements": r"\hat u_{j|i} \cdot v_j",
    "output": r"v_j \text{ of the last iteration}",
    "probabilities": r"p_j = \lVert v_j \rVert",
}
SYMBOLS = {
    "u": "a primary capsule; with a hat, what it predicts for a capsule of the next level",
    "b": "a routing logit, the sum of the agreements so far; as an index u, a bias",
    "c": "a coupling coefficient: the share of item i that goes to j; over j they sum to one",
    "s": "what a capsule receives",
    "v": "a capsule, its length below one",
    "p": "the probability of a class",
    "i": "counts items",
    "j": "counts classes",
}


@dataclass(frozen=True)
class Options:
    """Options of dynamic routing."""

    n_iterations: int = option(
        3,
        choices=(1, 2, 3, 5),
        label="iterations",
        help="how often the shares follow the agreement; once: equal shares",
    )


def length(capsules: Float[Tensor, "*n d"]) -> Float[Tensor, "*n"]:
    """The norm of each vector, with a gradient of zero, and not NaN, at zero."""
    squared = capsules.square().sum(-1)
    return squared / squared.clamp_min(SMALLEST).sqrt()


def direction(capsules: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
    """Each vector divided by its norm; zero stays zero."""
    return capsules / capsules.square().sum(-1, keepdim=True).clamp_min(SMALLEST).sqrt()


def squashed_length(sums: Float[Tensor, "*n d"]) -> Float[Tensor, "*n"]:
    """|s|^2 / (1 + |s|^2): short vectors shrink to nothing, long ones come close to one (paper, equation 1)."""
    squared = sums.square().sum(-1)
    return squared / (1 + squared)


def squash(sums: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
    """The vectors with their directions kept and their lengths squashed below one."""
    return squashed_length(sums)[..., None] * direction(sums)


def margin_loss(lengths: Float[Tensor, "batch class"], labels: Int[Tensor, " batch"]) -> Float[Tensor, ""]:
    """sum_k T_k max(0, 0.9 - |v_k|)^2 + 0.5 (1 - T_k) max(0, |v_k| - 0.1)^2, averaged (paper, equation 4)."""
    true = functional.one_hot(labels, lengths.shape[-1]).to(lengths.dtype)
    present, absent = (0.9 - lengths).clamp_min(0).square(), (lengths - 0.1).clamp_min(0).square()
    return (true * present + 0.5 * (1 - true) * absent).sum(-1).mean()


class Router(nn.Module):
    """Routing by agreement from lower capsules to higher ones; it has no parameters.

    Its steps are called `level` "sums", "lengths", "capsules" and "agreements", its map of couplings `couplings`.
    `lower` and `upper` name the axes.
    """

    def __init__(
        self,
        n_iterations: int,
        *,
        level: str = "",
        couplings: str = "weights",
        lower: str = "key",
        upper: str = "class",
    ):
        super().__init__()
        self.n_iterations = n_iterations
        self.level = f"{level} " if level else ""
        self.couplings = couplings
        self.upper = upper
        self.pairs = f"iteration* {upper} query {lower}"
        self.align = Alignment()

    def forward(
        self,
        predictions: Float[Tensor, "batch upper lower d"],
        mask: Bool[Tensor, "batch #upper #query lower"] | None = None,
    ) -> tuple[Float[Tensor, "batch upper d"], Float[Tensor, "batch upper query lower"]]:
        """The upper capsules and the couplings of the last iteration, which sum to one over the upper axis.

        The logits that the last agreements would give are not needed and not computed.
        """
        b = predictions.new_zeros(predictions.shape[:-1]).unsqueeze(-2)  # (batch, upper, query, lower), one query
        for left in reversed(range(self.n_iterations)):
            c = self.align(b, self.pairs, mask=mask, over=self.upper, name=self.couplings)
            s = self._note("sums", (c @ predictions).squeeze(-2), "feature")
            v = self._note("lengths", squashed_length(s), "")[..., None] * direction(s)
            v = self._note("capsules", v, "feature")
            if left:
                agreements = (predictions @ v[..., None]).transpose(-1, -2)
                b = b + note(f"{self.level}agreements", agreements, self.pairs)
        return v, c

    def _note(self, name: str, value: Tensor, axis: str) -> Tensor:
        return note(f"{self.level}{name}", value, f"iteration* {self.upper} {axis}")


class RoutedModule(nn.Module):
    """What routed capsules share: primary capsules from the items, lengths as probabilities, and the margin loss."""

    def __init__(self, d_model: int, d_capsule: int):
        super().__init__()
        self.primary = nn.Linear(d_model, d_capsule)

    def objective(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None,
        labels: Int[Tensor, " batch"],
    ) -> Float[Tensor, ""]:
        """The margin loss to train with; `labels` are class numbers. There is no reconstruction."""
        return margin_loss(self(items, mask)[0], labels)

    def _primary(self, items: Tensor) -> Float[Tensor, "batch 1 key d_capsule"]:
        return note("primary", squash(self.primary(items)), "key feature")[:, None]

    def _classes(self, capsules: Float[Tensor, "batch class d_capsule"]) -> Capsules:
        v = note("output", capsules, "class feature")
        return note("probabilities", length(v), "class"), v


def routing_cost(n_lower: int, n_upper: int, d: int, n_iterations: int) -> int:
    """Multiplications to route: each iteration but the last a sum and an agreement, the last a sum."""
    return (2 * n_iterations - 1) * n_lower * n_upper * d


def cost(n: int, d: int, options: Options, n_classes: int = 1, d_capsule: int = 16) -> Cost:
    """Primary capsules, what each predicts for each class, and the routing; all predictions are held."""
    predictions = n * n_classes * d_capsule
    return Cost(
        n * d * d_capsule + predictions * d_capsule + routing_cost(n, n_classes, d_capsule, options.n_iterations),
        n * d_capsule + predictions + 2 * n * n_classes + n_classes * d_capsule,
    )


@mechanism(
    name="routing",
    title="Dynamic routing",
    short="Routing",
    family="capsule",
    paper="Sabour, Frosst & Hinton 2017, procedure 1",
    formula=r"v_j = \mathrm{squash}\Big(\sum_i c_{ij}\, \hat u_{j|i}\Big), \quad c_{ij} = \mathrm{softmax}_j(b_{ij}), "
    r"\quad b_{ij} \leftarrow b_{ij} + \hat u_{j|i} \cdot v_j",
    query="Nobody asks: each item divides itself between the classes, more to those that agree with what it predicts.",
    look_for="From equal shares, which items change sides from one iteration to the next, and do capsules grow longer?",
    yields="classes",
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols=SYMBOLS,
    queries=("capsules>",),
    disputes=(
        Dispute(
            "A blog on the survey",
            "Updates b before the capsules, writes a hat on v, and does not say over what the softmax runs.",
            "Sabour's order: û has the hat, the softmax runs over the upper capsules. If v starts at zero the "
            "numbers are the same.",
        ),
        Dispute(
            "A blog on the survey",
            "Capsule networks are by Hinton et al. 2017.",
            "Sabour, Frosst & Hinton 2017; the idea is from 2011.",
        ),
    ),
    kinds=("image",),
)
class Routing(RoutedModule):
    """One primary capsule an item, one capsule a class, and routing by agreement between them.

    W_j is the same for every item, as in a convolutional capsule layer, so that inputs of any size and shape work; the
    paper's last layer has a W_ij of its own for every place. The length of a class's capsule is its probability; the
    lengths need not sum to one. Some texts update b before the first capsules exist: with v = 0 that adds nothing, and
    the numbers are the same.
    """

    def __init__(self, d_model: int, n_classes: int = 2, n_iterations: int = 3, *, d_capsule: int = 16):
        super().__init__(d_model, d_capsule)
        self.transforms = nn.Parameter(torch.randn(n_classes, d_capsule, d_capsule) * d_capsule**-0.5)  # W_j
        self.route = Router(n_iterations)

    def forward(self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None) -> Capsules:
        """Length (batch, class) and capsule (batch, class, d_capsule) of each class."""
        u = self._primary(items)
        predictions = note("predictions", u @ self.transforms.transpose(-1, -2), "class key feature")
        v, _ = self.route(predictions, None if mask is None else mask[:, None, None])
        return self._classes(v)
