"""Stacked attention (Yang et al. 2016): each layer looks at the items again with a question the last look refined."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import Cost, mechanism, option
from attnviz.recording import note

STEPS = {
    "question": r"u^0 \text{ (learned)}",
    "values": r"v_l = f_l",
    "hidden": r"h_l^k = \tanh(W_I^k v_l + W_Q^k u^{k-1} + b^k)",
    "scores": r"e_l^k = w_P^{k\,\top} h_l^k + b_P^k",
    "weights": r"p_l^k = \mathrm{softmax}_l(e_l^k)",
    "context": r"\tilde v^k = \sum_l p_l^k v_l",
    "state": r"u^k = \tilde v^k + u^{k-1}",
    "output": r"u^K",
}


@dataclass(frozen=True)
class Options:
    """Options of stacked attention."""

    n_hops: int = option(2, choices=(1, 2, 3, 4, 6), label="hops", help="how many attention layers are stacked")


class Layer(nn.Module):
    """h_l = tanh(W_I v_l + W_Q u + b) and its score w_P' h_l + b_P."""

    def __init__(self, d_model: int):
        super().__init__()
        self.item = nn.Linear(d_model, d_model, bias=False)
        self.question = nn.Linear(d_model, d_model)
        self.score = nn.Linear(d_model, 1)

    def forward(
        self, items: Float[Tensor, "batch key d"], question: Float[Tensor, "batch 1 d"]
    ) -> Float[Tensor, "batch key d"]:
        """The hidden vector of each item; `score` makes its score of it."""
        return torch.tanh(self.item(items) + self.question(question))


def cost(n: int, d: int, options: Options) -> Cost:
    """For each layer: items and question mapped, one score and one sum."""
    return Cost(options.n_hops * ((n + 1) * d * d + 2 * n * d), 2 * n * d + options.n_hops * n)


@mechanism(
    name="stacked",
    title="Stacked attention",
    short="Stacked",
    family="multiple queries",
    paper="Yang et al. 2016, section 3.3, equations 15 to 22; survey, section 3.3.2",
    formula=r"u^k = u^{k-1} + \sum_l \mathrm{softmax}_l\!\left(w_P^{k\,\top}"
    r"\tanh(W_I^k v_l + W_Q^k u^{k-1} + b^k) + b_P^k\right) v_l",
    query="A learned question; every layer adds to it what it has seen.",
    look_for="The first layer often looks around, the next one settles: does it here?",
    yields="vector",
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols={
        "k": "counts hops",
        "u": "the state, which asks the next hop",
        "p": "a weight: an item's share of the attention",
        "K": "the number of hops",
    },
    queries=("question", "state>"),
)
class Stacked(nn.Module):
    """K attention layers with weights of their own; the sum of an item average and the question is the next question.

    The items are the values: the paper's layer that brings picture features to the question's size belongs to the
    feature model.
    """

    def __init__(self, d_model: int, n_hops: int = 2):
        super().__init__()
        self.question = nn.Parameter(0.1 * torch.randn(d_model))
        self.layers = nn.ModuleList(Layer(d_model) for _ in range(n_hops))
        self.align = Alignment()

    def forward(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None = None,
        question: Float[Tensor, "batch d"] | None = None,
    ) -> Float[Tensor, "batch d"]:
        """u^K for each row of the batch. Without a `question` a learned one is asked."""
        if question is None:
            question = self.question.expand(len(items), -1)
        u = note("question", question[:, None], "query feature")
        v = note("values", items, "key feature")
        for layer in self.layers:
            h = note("hidden", layer(v, u), "hop* key feature")
            scores = layer.score(h).transpose(-1, -2)  # (batch, query, key)
            p = self.align(scores, "hop* query key", mask=None if mask is None else mask[:, None])
            seen = note("context", p @ v, "hop* query feature")
            u = note("state", seen + u, "hop* query feature")
        return note("output", u, "query feature").squeeze(1)
