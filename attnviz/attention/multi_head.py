"""Multi-head attention (Vaswani et al. 2017; survey, equations 38 to 40): several queries asked side by side."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.errors import OptionError
from attnviz.recording import note

FORMULA = (
    r"c = W_O\,[c^{(1)};\dots;c^{(h)}],\quad "
    r"c^{(j)}=\sum_l \mathrm{softmax}_l\!\left(\frac{q^{(j)\top}k_l^{(j)}}{\sqrt{d_h}}\right)v_l^{(j)}"
)
SELF_FORMULA = (
    r"\mathrm{head}^{(j)} = \mathrm{softmax}\!\left("
    r"\frac{XW_Q^{(j)\top}(XW_K^{(j)\top})^\top}{\sqrt{d_h}}\right) X W_V^{(j)\top}"
)
STEPS = {
    "queries": r"q^{(j)} = W_Q^{(j)}\,q",
    "keys": r"k_l^{(j)} = W_K^{(j)} f_l",
    "values": r"v_l^{(j)} = W_V^{(j)} f_l",
    "products": r"q^{(j)\top} k_l^{(j)}",
    "scores": r"e_l^{(j)} = q^{(j)\top} k_l^{(j)} / \sqrt{d_h}",
    "weights": r"a_l^{(j)} = \mathrm{softmax}_l(e_l^{(j)})",
    "context": r"c^{(j)} = \sum_l a_l^{(j)} v_l^{(j)}",
    "output": r"c = W_O\,[c^{(1)};\dots;c^{(h)}] + b_O",
}

SELF_STEPS = {
    "queries": r"q_i^{(j)} = W_Q^{(j)} f_i",
    "keys": r"k_l^{(j)} = W_K^{(j)} f_l",
    "values": r"v_l^{(j)} = W_V^{(j)} f_l",
    "products": r"q_i^{(j)\top} k_l^{(j)}",
    "scores": r"e_{il}^{(j)} = q_i^{(j)\top} k_l^{(j)} / \sqrt{d_h}",
    "weights": r"a_{il}^{(j)} = \mathrm{softmax}_l(e_{il}^{(j)})",
    "context": r"c_i^{(j)} = \sum_l a_{il}^{(j)} v_l^{(j)}",
    "output": r"f_i^{\mathrm{new}} = W_O\,[c_i^{(1)};\dots;c_i^{(h)}] + b_O",
}


@dataclass(frozen=True)
class Options:
    """Options of multi-head attention."""

    n_heads: int = option(8, choices=(1, 2, 4, 8), label="heads", help="how many queries are asked side by side")


class MultiHeadAttention(nn.Module):
    """h heads, each with its own W_Q, W_K, W_V; contexts concatenated and mixed by W_O.

    Equal to `torch.nn.MultiheadAttention` on the same weights. `query` and `items` may differ (cross attention).
    OptionError if the heads do not divide `d_model`.
    """

    def __init__(self, d_model: int, n_heads: int = 8):
        super().__init__()
        if d_model % n_heads:
            raise OptionError(f"{n_heads} heads do not divide d_model = {d_model}; choose a divisor.")
        self.n_heads = n_heads
        self.queries = nn.Linear(d_model, d_model)
        self.keys = nn.Linear(d_model, d_model)
        self.values = nn.Linear(d_model, d_model)
        self.align = Alignment()
        self.output = nn.Linear(d_model, d_model)

    def forward(
        self,
        query: Float[Tensor, "batch query d"],
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | Bool[Tensor, "batch query key"] | None = None,
        asking: str = "query",
    ) -> Float[Tensor, "batch query d"]:
        """One context for each query. `mask` is True where a query may attend; `asking` names the query axis."""
        q = note("queries", self._split(self.queries(query)), f"head {asking} feature")
        k = note("keys", self._split(self.keys(items)), "head key feature")
        v = note("values", self._split(self.values(items)), "head key feature")
        scores = note("products", q @ k.transpose(-1, -2), f"head {asking} key") * q.shape[-1] ** -0.5
        if mask is not None:
            mask = mask[:, None, None, :] if mask.ndim == 2 else mask[:, None]
        a = self.align(scores, f"head {asking} key", mask=mask)
        c = note("context", a @ v, f"head {asking} feature")
        return note("output", self.output(c.transpose(1, 2).flatten(2)), f"{asking} feature")

    def _split(self, x: Float[Tensor, "batch n d"]) -> Float[Tensor, "batch head n d_h"]:
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


def causal(n: int) -> Bool[Tensor, "1 n n"]:
    """The mask that lets item i attend to items 0 to i."""
    return torch.ones(1, n, n, dtype=torch.bool).tril()


def cost(n: int, d: int, options: Options) -> Cost:
    """One learned query: its projection, keys and values, scores and sums, output."""
    return Cost(2 * n * d * d + 2 * d * d + 2 * n * d, 2 * n * d + options.n_heads * n)


def self_cost(n: int, d: int, options: Options) -> Cost:
    """One query an item."""
    return Cost(4 * n * d * d + 2 * n * n * d, 3 * n * d + options.n_heads * n * n)


@mechanism(
    name="multi_head",
    title="Multi-head attention",
    short="Multi-head",
    family="multiple queries",
    paper="Vaswani et al. 2017, section 3.2.2; survey, equations 38 to 40",
    formula=FORMULA,
    query="One learned query, turned into a different question by each head.",
    look_for="Do the heads agree on a word, or does each look for its own?",
    yields="vector",
    steps={"query": r"q \text{ (learned)}", **STEPS},
    cost=cost,
    options=Options,
    symbols={"h": "the number of heads"},
    disputes=(
        Dispute(
            "A blog on the survey",
            "Heads have weights of their own, says its text; they share them, says its table.",
            "Each head has its own W_Q, W_K and W_V.",
        ),
    ),
)
class MultiHead(nn.Module):
    """Multi-head attention with one learned query: every item may answer, one context comes out."""

    def __init__(self, d_model: int, n_heads: int = 8):
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, d_model))
        self.attention = MultiHeadAttention(d_model, n_heads)

    def forward(
        self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None
    ) -> Float[Tensor, "batch d"]:
        """One context vector a row of the batch."""
        query = note("query", self.query, "query feature").expand(len(items), -1, -1)
        return self.attention(query, items, mask).squeeze(1)


@mechanism(
    name="multi_head_self",
    title="Multi-head self-attention",
    short="Multi-head self",
    family="multiple queries",
    paper="Vaswani et al. 2017, section 3.2.3; survey, equations 35 and 38 to 40",
    formula=SELF_FORMULA,
    query="Every item asks its own question in every head.",
    look_for="Point at a word: which words does it collect, and in which head?",
    yields="items",
    steps=SELF_STEPS,
    cost=self_cost,
    options=Options,
    symbols={"h": "the number of heads"},
)
class MultiHeadSelf(nn.Module):
    """Multi-head attention in which queries, keys and values come from the same items."""

    def __init__(self, d_model: int, n_heads: int = 8):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads)

    def forward(
        self, items: Float[Tensor, "batch item d"], mask: Bool[Tensor, "batch item"] | None = None
    ) -> Float[Tensor, "batch item d"]:
        """One new vector for each item."""
        return self.attention(items, items, mask, asking="item")
