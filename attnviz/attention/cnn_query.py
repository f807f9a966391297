"""A picture's own global vector as the query (Jetley et al. 2018): the whole picture asks its parts."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.pooling import mean_item
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.recording import note

SCORES = {"dot": r"e_i = l_i^\top g", "additive": r"e_i = u^\top (l_i + g)"}
STEPS = {
    "values": r"l_i = f_i \text{ (the places of the feature map)}",
    "mean": r"\bar f = \tfrac{1}{n} \sum_i f_i",
    "queries": r"g = \mathrm{ReLU}(W_g \bar f + b_g)",
    "scores": r"e_i = \mathrm{score}(l_i, g)",
    "weights": r"a_i = \mathrm{softmax}_i(e_i)",
    "context": r"c = \sum_i a_i\, l_i",
    "output": r"y = c",
}


@dataclass(frozen=True)
class Options:
    """Options of the picture's own query."""

    score: str = option(
        "dot",
        choices=tuple(SCORES),
        label="score function",
        help="the paper has both; in the additive one g adds the same to every place, and the softmax takes it out",
    )


def cost(n: int, d: int, options: Options) -> Cost:
    """The mean and its layer; a score and a share of the sum for each place."""
    return Cost(d * d + 2 * n * d, n * d + 2 * d + n)


@mechanism(
    name="cnn_query",
    title="The picture's own vector as query",
    short="CNN vector",
    family="basic query",
    paper="Jetley et al. 2018 (Learn to pay attention), with the mean of the feature map as the global vector; "
    "the survey has no such query, a blog adds it",
    formula=r"c = \sum_i \mathrm{softmax}_i(l_i^\top g)\, l_i, \quad g = \mathrm{ReLU}(W_g \bar f + b_g)",
    query="The whole picture, as one vector, asks its own parts.",
    look_for="Does the weight lie on the thing that the picture is of?",
    yields="vector",
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols={
        "l": "the feature vector of one place",
        "g": "the picture's global vector",
        "u": "a learned vector",
        "i": "counts the places",
    },
    kinds=("image",),
    disputes=(
        Dispute(
            "A blog on the survey",
            "Lists a CNN's feature vector among the survey's basic queries.",
            "The survey has two: the state of a recurrent net and auxiliary variables. This one is in Jetley et al. "
            "2018.",
        ),
    ),
)
class CnnQuery(nn.Module):
    """g = ReLU(W_g mean(f) + b_g) is compared with every place l_i of the feature map, by l_i'g or by u'(l_i + g).

    With the second, u'g is the same for every place and the softmax takes it out: the weights do not depend on g.
    """

    def __init__(self, d_model: int, score: str = "dot"):
        super().__init__()
        self.ask = nn.Linear(d_model, d_model)  # W_g, b_g
        self.weigh = nn.Linear(d_model, 1, bias=False) if score == "additive" else None  # u
        self.formulas = {"scores": SCORES[score]}
        self.align = Alignment()

    def forward(
        self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None
    ) -> Float[Tensor, "batch d"]:
        """One context vector a row of the batch. `mask` is True where an item may be attended to."""
        v = note("values", items, "key feature")
        mean = note("mean", mean_item(v, mask), "feature")
        g = note("queries", torch.relu(self.ask(mean))[:, None], "query feature")
        a = self.align(self._scores(g, v), "query key", mask=None if mask is None else mask[:, None])
        c = note("context", a @ v, "query feature")
        return note("output", c, "query feature").squeeze(1)

    def _scores(
        self, g: Float[Tensor, "batch 1 d"], v: Float[Tensor, "batch key d"]
    ) -> Float[Tensor, "batch query key"]:
        if self.weigh is None:
            return g @ v.transpose(-1, -2)
        return self.weigh(v + g).transpose(-1, -2)
