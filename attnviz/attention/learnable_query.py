"""Attention with a learnable query (survey, equation 34): one question, found in training, put to every input."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.attention.scores import SCORES, build_score
from attnviz.recording import note

STEPS = {
    "queries": r"q \text{ (learned)}",
    "keys": r"k_l = W_K f_l",
    "values": r"v_l = W_V f_l",
    "scores": r"e_l = \mathrm{score}(q, k_l)",
    "weights": r"a_l = \mathrm{align}_l(e)",
    "context": r"c = \sum_l a_l v_l",
    "output": r"y = c",
}


@dataclass(frozen=True)
class Options:
    """Options of the learnable query."""

    score: str = option("dot", choices=tuple(SCORES), label="score function", help="how a query and a key are compared")
    alignment: str = option(
        "softmax",
        choices=("softmax", "sparsemax", "entmax", "hard"),
        label="alignment",
        help="how scores become weights: softmax gives every item some, the others can give none",
    )


def cost(n: int, d: int, options: Options) -> Cost:
    """Keys, values, a score and a share of the sum for each item; some scores transform the query or the keys first."""
    transforms = {"general": 1, "biased_general": 1, "activated_general": 1, "additive": n + 1, "concat": n + 1}
    hidden = n * d if options.score in ("additive", "concat") else 0
    first = transforms.get(options.score, 0) * d * d
    return Cost(2 * n * d * d + first + 2 * n * d, 2 * n * d + hidden + n)


@mechanism(
    name="learnable_query",
    title="Learnable query",
    short="Learnable",
    family="self-attention",
    paper="survey, equation 34",
    formula=r"c = \sum_l \mathrm{softmax}_l(q^\top k_l)\, v_l",
    query="One vector, trained with the rest of the model and the same for every input.",
    look_for="Which words answer the one question that training settled on?",
    yields="vector",
    steps=STEPS,
    cost=cost,
    options=Options,
    disputes=(
        Dispute(
            "A blog on the survey",
            "Query and key must have the same dimension.",
            "Only for dot products, cosine and distance; general, additive and concat scores take any two.",
            "score",
        ),
    ),
)
class LearnableQuery(nn.Module):
    """e_l = score(q, k_l) with a trainable q `(1, d_model)` and any of the score functions."""

    def __init__(self, d_model: int, score: str = "dot", alignment: str = "softmax"):
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, d_model) * d_model**-0.5)
        self.keys = nn.Linear(d_model, d_model, bias=False)
        self.values = nn.Linear(d_model, d_model, bias=False)
        self.score = build_score(score, d_model, d_model)
        self.formulas = {"scores": self.score.formula}
        self.align = Alignment(alignment)

    def forward(
        self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None
    ) -> Float[Tensor, "batch d"]:
        """One context vector a row of the batch. `mask` is True where an item may be attended to."""
        q = note("queries", self.query, "query feature").expand(len(items), -1, -1)
        k = note("keys", self.keys(items), "key feature")
        v = note("values", self.values(items), "key feature")
        e = self.score(q, k)  # (batch, query, key), one query
        a = self.align(e, "query key", mask=None if mask is None else mask[:, None])
        c = note("context", a @ v, "query feature")
        return note("output", c, "query feature").squeeze(1)
