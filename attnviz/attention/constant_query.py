"""Attention with a constant query (survey, equation 33): nothing is asked, each key says how much it matters."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import Cost, mechanism, option
from attnviz.recording import note

STEPS = {
    "keys": r"k_l = W_K f_l",
    "values": r"v_l = W_V f_l",
    "hidden": r"h_l = \tanh(W k_l + b)",
    "scores": r"e_l = w^\top h_l",
    "weights": r"a_l = \mathrm{align}_l(e)",
    "context": r"c = \sum_l a_l v_l",
    "output": r"y = c",
}


@dataclass(frozen=True)
class Options:
    """Options of the constant query."""

    alignment: str = option(
        "softmax",
        choices=("softmax", "sparsemax", "entmax", "hard"),
        label="alignment",
        help="how scores become weights: softmax gives every item some, the others can give none",
    )


def cost(n: int, d: int, options: Options) -> Cost:
    """Keys, values and hidden units; then a score and a share of the sum for each item."""
    return Cost(3 * n * d * d + 2 * n * d, 3 * n * d + n)


@mechanism(
    name="constant_query",
    title="Constant query",
    short="Constant",
    family="self-attention",
    paper="Lin et al. 2017; Yang et al. 2016; survey, equation 33",
    formula=r"c = \sum_l \mathrm{softmax}_l\!\left(w^\top \tanh(W k_l + b)\right) v_l",
    query="None: the query is dropped from the additive score; what is left is the same for every input.",
    look_for="Which words does it hold for important whatever stands around them?",
    yields="vector",
    steps=STEPS,
    cost=cost,
    options=Options,
)
class ConstantQuery(nn.Module):
    """e_l = w' tanh(W k_l + b): the additive score without its query, equal to one whose query never changes."""

    def __init__(self, d_model: int, alignment: str = "softmax"):
        super().__init__()
        self.keys = nn.Linear(d_model, d_model, bias=False)
        self.values = nn.Linear(d_model, d_model, bias=False)
        self.hidden = nn.Linear(d_model, d_model)
        self.weigh = nn.Linear(d_model, 1, bias=False)
        self.align = Alignment(alignment)

    def forward(
        self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None
    ) -> Float[Tensor, "batch d"]:
        """One context vector a row of the batch. `mask` is True where an item may be attended to."""
        k = note("keys", self.keys(items), "key feature")
        v = note("values", self.values(items), "key feature")
        h = note("hidden", torch.tanh(self.hidden(k)), "key feature")
        e = self.weigh(h).transpose(-1, -2)  # (batch, query, key), one query
        a = self.align(e, "query key", mask=None if mask is None else mask[:, None])
        c = note("context", a @ v, "query feature")
        return note("output", c, "query feature").squeeze(1)
