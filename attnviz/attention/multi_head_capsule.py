"""Multi-head capsules: every class asks several questions. An extension of capsule attention, not in the survey."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention import capsule
from attnviz.attention.capsule import CapsuleModule, Capsules
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.errors import OptionError
from attnviz.recording import note

STEPS = {
    "items": r"f_l",
    **capsule.STEPS,
    "queries": r"q_c^{(m)} \text{ (learned, one for each class and head)}",
    "keys": r"k_{c,l}^{(m)} = W_K^{(c,m)} f_l",
    "values": r"v_{c,l}^{(m)} = W_V^{(c,m)} f_l",
    "scores": r"e_{c,l}^{(m)} = q_c^{(m)\top} k_{c,l}^{(m)}",
    "weights": r"a_{c,l}^{(m)} = \mathrm{softmax}_l(e_{c,l}^{(m)})",
    "context": r"c_c^{(m)} = \sum_l a_{c,l}^{(m)} v_{c,l}^{(m)}",
    "contexts": r"c_c = [c_c^{(1)};\dots;c_c^{(h)}]",
}


@dataclass(frozen=True)
class Options:
    """Options of multi-head capsules."""

    n_heads: int = option(4, choices=(1, 4), label="heads", help="how many questions each class asks")


def cost(n: int, d: int, options: Options, n_classes: int = 1) -> Cost:
    """Each class: keys and values of all heads, scores, sums, probability, capsule."""
    one = Cost(2 * n * d * d + 2 * n * d + 2 * d, 2 * n * d + options.n_heads * n + 3 * d)
    return Cost(n_classes * one.multiplications, n_classes * one.memory)


@mechanism(
    name="multi_head_capsule",
    title="Multi-head capsule attention",
    short="Capsule heads",
    family="capsule",
    paper="An extension of Wang et al. 2018 with the heads of Vaswani et al. 2017; not in the survey",
    formula=r"r_c = p_c\, c_c, \quad c_c = [c_c^{(1)};\dots;c_c^{(h)}], \quad "
    r"c_c^{(m)} = \sum_l \mathrm{softmax}_l\!\left(q_c^{(m)\top} W_K^{(c,m)} f_l\right) W_V^{(c,m)} f_l",
    query="Every class asks several learned questions, one a head.",
    look_for="Do the heads of one class find different evidence for it?",
    yields="classes",
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols={
        "c": "a context; as an index, a class",
        "p": "the probability of a class",
        "r": "the capsule of a class",
        "m": "counts heads",
        "h": "the number of heads",
    },
    disputes=(
        Dispute(
            "A blog on the survey",
            "Names several heads for each capsule as if the survey had them.",
            "An extension: the survey does not have it. One probability is read from all heads of a class.",
        ),
    ),
)
class MultiHeadCapsule(CapsuleModule):
    """h heads for each class, with q, W_K and W_V of their own; their contexts side by side are the class's context.

    d_v = d / h, so that a capsule has the size of an item and the capsule losses apply; one probability a class.
    W_K and W_V start as the h slices of the identity: head m first sees the m-th part of the features, and one head
    is exactly `Capsule`. OptionError if the heads do not divide `d_model`.
    """

    def __init__(
        self, d_model: int, n_classes: int = 2, n_heads: int = 4, loss: str = "paper", *, blog_weight: float = 0.1
    ):
        super().__init__(d_model, n_classes, loss, blog_weight)
        if d_model % n_heads:
            raise OptionError(f"{n_heads} heads do not divide d_model = {d_model}; choose a divisor.")
        d_head = d_model // n_heads
        slices = torch.eye(d_model).view(1, n_heads, d_head, d_model).repeat(n_classes, 1, 1, 1)
        self.queries = nn.Parameter(torch.randn(n_classes, n_heads, d_head) * d_head**-0.5)
        self.key_maps = nn.Parameter(slices.clone())
        self.value_maps = nn.Parameter(slices.clone())

    def forward(self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None) -> Capsules:
        """Probability (batch, class) and capsule (batch, class, d) of each class."""
        q = note("queries", self.queries, "class head feature")
        x = note("items", items, "key feature")[:, None, None]  # (batch, class, head, key, d)
        k = note("keys", x @ self.key_maps.transpose(-1, -2), "class head key feature")
        v = note("values", x @ self.value_maps.transpose(-1, -2), "class head key feature")
        scores = q[:, :, None] @ k.transpose(-1, -2)  # (batch, class, head, query, key)
        a = self.align(scores, "class head query key", mask=None if mask is None else mask[:, None, None, None])
        c = note("context", (a @ v).squeeze(-2), "class head feature")
        c = note("contexts", c.flatten(2), "class feature")
        return self._capsules(c, items, mask)
