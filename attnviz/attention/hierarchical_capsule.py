"""Hierarchical capsules: dynamic routing twice, from items to middle capsules and from those to classes."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention import routing
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.attention.routing import Capsules, RoutedModule, Router, routing_cost
from attnviz.recording import note, show

STEPS = {
    "primary": routing.STEPS["primary"],
    "mid predictions": r"\hat u_{m|i} = W_m u_i",
    "low to mid scores": r"b_{im} \leftarrow b_{im} + \hat u_{m|i} \cdot v_m \text{ (zero at first)}",
    "low to mid": r"c_{im} = \mathrm{softmax}_m(b_{im})",
    "mid sums": r"s_m = \sum_i c_{im}\, \hat u_{m|i}",
    "mid lengths": r"\lVert v_m \rVert = \frac{\lVert s_m \rVert^2}{1 + \lVert s_m \rVert^2}",
    "mid capsules": r"v_m = \lVert v_m \rVert \frac{s_m}{\lVert s_m \rVert}",
    "mid agreements": r"\hat u_{m|i} \cdot v_m",
    "class predictions": r"\hat u_{j|m} = W_{mj} v_m",
    "mid to class scores": r"b_{mj} \leftarrow b_{mj} + \hat u_{j|m} \cdot v_j \text{ (zero at first)}",
    "mid to class": r"c_{mj} = \mathrm{softmax}_j(b_{mj})",
    "class sums": r"s_j = \sum_m c_{mj}\, \hat u_{j|m}",
    "class lengths": r"\lVert v_j \rVert = \frac{\lVert s_j \rVert^2}{1 + \lVert s_j \rVert^2}",
    "class capsules": r"v_j = \lVert v_j \rVert \frac{s_j}{\lVert s_j \rVert}",
    "class agreements": r"\hat u_{j|m} \cdot v_j",
    "influence": r"\sum_m c_{im}\, c_{mj} \text{ (last iterations)}",
    "output": routing.STEPS["output"],
    "probabilities": routing.STEPS["probabilities"],
}


@dataclass(frozen=True)
class Options:
    """Options of hierarchical capsules."""

    n_mid: int = option(16, choices=(4, 8, 16), label="middle capsules", help="how many capsules stand in between")
    n_iterations: int = option(
        3, choices=(1, 2, 3), label="iterations", help="how often the shares follow the agreement; once: equal shares"
    )


def cost(n: int, d: int, options: Options, n_classes: int = 1, d_capsule: int = 16) -> Cost:
    """Primary capsules, the predictions of two levels, two routings, and the product of their couplings."""
    n_mid, turns = options.n_mid, options.n_iterations
    pairs = n * n_mid + n_mid * n_classes
    routed = routing_cost(n, n_mid, d_capsule, turns) + routing_cost(n_mid, n_classes, d_capsule, turns)
    return Cost(
        n * d * d_capsule + pairs * d_capsule**2 + routed + n * n_mid * n_classes,
        n * d_capsule + pairs * (d_capsule + 2) + (n_mid + n_classes) * d_capsule + n * n_classes,
    )


@mechanism(
    name="hierarchical_capsule",
    title="Hierarchical capsules",
    short="Hierarchical",
    family="capsule",
    paper="An extension: the routing of Sabour, Frosst & Hinton 2017 twice; not in the survey",
    formula=r"v_m = \mathrm{squash}\Big(\sum_i c_{im}\, \hat u_{m|i}\Big), \quad "
    r"v_j = \mathrm{squash}\Big(\sum_m c_{mj}\, \hat u_{j|m}\Big), \quad "
    r"\text{influence}_{ij} = \sum_m c_{im}\, c_{mj}",
    query="Nobody asks: items divide themselves between middle capsules, and those between the classes.",
    look_for="Which middle capsule collects which parts, and for which class does it speak?",
    yields="classes",
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols=routing.SYMBOLS | {"m": "counts middle capsules", "W": "a matrix; W_m is shared by all items"},
    queries=("mid capsules>: low to mid", "class capsules>: mid to class"),
    disputes=(
        Dispute(
            "A blog on the survey",
            "Names hierarchical capsules, low to middle to high, as if the survey had them.",
            "An extension: two routings, one above the other. The survey does not have it.",
        ),
    ),
    kinds=("image",),
)
class HierarchicalCapsule(RoutedModule):
    """Two levels of routing by agreement, `n_mid` capsules between the items and the classes.

    The matrices W_m to the middle are shared by all items, so that inputs of any size and shape work; each middle
    capsule has its own W_mj to each class. `influence` is the product of the last couplings of both levels: how much of
    an item goes to each class, over which it sums to one.
    """

    def __init__(
        self, d_model: int, n_classes: int = 2, n_mid: int = 16, n_iterations: int = 3, *, d_capsule: int = 16
    ):
        super().__init__(d_model, d_capsule)
        scale = d_capsule**-0.5
        self.to_mid = nn.Parameter(torch.randn(n_mid, d_capsule, d_capsule) * scale)  # W_m
        self.to_class = nn.Parameter(torch.randn(n_classes, n_mid, d_capsule, d_capsule) * scale)  # W_mj
        self.route_to_mid = Router(n_iterations, level="mid", couplings="low to mid", upper="mid")
        self.route_to_class = Router(n_iterations, level="class", couplings="mid to class", lower="mid")

    def forward(self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None) -> Capsules:
        """Length (batch, class) and capsule (batch, class, d_capsule) of each class."""
        u = self._primary(items)
        predictions = note("mid predictions", u @ self.to_mid.transpose(-1, -2), "mid key feature")
        mid, to_mid = self.route_to_mid(predictions, None if mask is None else mask[:, None, None])
        predictions = (self.to_class @ mid[:, None, :, :, None]).squeeze(-1)
        predictions = note("class predictions", predictions, "class mid feature")
        classes, to_class = self.route_to_class(predictions)
        show("influence", to_class @ to_mid.squeeze(-2)[:, None], "class query key", normalised="class")
        return self._classes(classes)
