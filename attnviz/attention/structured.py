"""Structured self-attention (Lin et al. 2017): several constant queries at once, a matrix out of a sentence."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import Cost, mechanism, option
from attnviz.recording import note

STEPS = {
    "queries": r"q_r = \text{row } r \text{ of } W_2",
    "keys": r"k_l = \tanh(W_1 f_l)",
    "values": r"v_l = f_l",
    "scores": r"e_{rl} = q_r^\top k_l",
    "weights": r"A_{rl} = \mathrm{softmax}_l(e_{r})",
    "context": r"m_r = \sum_l A_{rl} f_l",
    "output": r"y = W_O\,[m_1;\dots;m_R] + b_O",
}


@dataclass(frozen=True)
class Options:
    """Options of structured self-attention."""

    n_rows: int = option(4, choices=(1, 2, 4, 8), label="rows", help="how many aspects of the text are read apart")


def cost(n: int, d: int, options: Options) -> Cost:
    """Keys once for all rows; a score and a share of a sum for each row and item; the output's projection."""
    r = options.n_rows
    return Cost(n * d * d + 2 * r * n * d + r * d * d, n * d + r * n + r * d)


def penalty(weights: Float[Tensor, "batch row query key"]) -> Float[Tensor, " batch"]:
    """|A A' - I|_F^2 (Lin et al. 2017, equation 8), A the rows of weights: small when rows look at different items."""
    a = weights.flatten(1, 2)
    excess = a @ a.transpose(-1, -2) - torch.eye(a.shape[1], dtype=a.dtype, device=a.device)
    return excess.square().sum((-1, -2))


@mechanism(
    name="structured",
    title="Structured self-attention (Lin 2017)",
    short="Structured",
    family="self-attention",
    paper="Lin et al. 2017, equations 5 to 8",
    formula=r"A = \mathrm{softmax}\!\left(W_2 \tanh(W_1 X^\top)\right),\quad M = AX",
    query="One constant query for each row, trained and the same for every input.",
    look_for="Does each row read another part of the text, or do they repeat one another?",
    yields="vector",
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols={
        "A": "weights, a row for each query",
        "r": "counts rows",
        "m": "the context of a row",
        "M": "the contexts, one a row",
        "R": "the number of rows",
        "e": "a score",
    },
)
class Structured(nn.Module):
    """`n_rows` weighted means of the items, M = A X; they are concatenated and projected to one vector."""

    def __init__(self, d_model: int, n_rows: int = 4):
        super().__init__()
        self.keys = nn.Linear(d_model, d_model, bias=False)  # W_1
        self.queries = nn.Linear(d_model, n_rows, bias=False)  # W_2, a query in each row
        self.align = Alignment()
        self.output = nn.Linear(n_rows * d_model, d_model)

    def forward(
        self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None
    ) -> Float[Tensor, "batch d"]:
        """One vector a row of the batch. `mask` is True where an item may be attended to."""
        q = note("queries", self.queries.weight[:, None], "row query feature")
        k = note("keys", torch.tanh(self.keys(items)), "key feature")
        v = note("values", items, "key feature")
        e = q @ k[:, None].transpose(-1, -2)  # (batch, row, query, key), one query a row
        a = self.align(e, "row query key", mask=None if mask is None else mask[:, None, None])
        m = note("context", a @ v[:, None], "row query feature")
        return note("output", self.output(m.flatten(1)), "feature")
