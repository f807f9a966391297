"""An auxiliary variable as the query: numbers from outside, such as a patient's, say what to look for in the items."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import D_AUXILIARY, Cost, Dispute, NoOptions, mechanism
from attnviz.attention.scores import General
from attnviz.recording import note

STEPS = {
    "auxiliary": r"p",
    "queries": r"q = \tanh(W_p\, p + b_p)",
    "keys": r"k_l = W_K f_l",
    "values": r"v_l = W_V f_l",
    "scores": General.formula.replace("W q", "W_g q"),
    "weights": r"a_l = \mathrm{softmax}_l(e_l)",
    "context": r"c = \sum_l a_l v_l",
    "output": r"y = c",
}


def cost(n: int, d: int, options: NoOptions) -> Cost:
    """The query and its transform once; key, value, score and share of the sum for each item."""
    return Cost(2 * n * d * d + (D_AUXILIARY + d) * d + 2 * n * d, 2 * n * d + n)


@mechanism(
    name="auxiliary",
    title="Auxiliary variable",
    short="Auxiliary",
    family="basic query",
    paper="survey, section 3.3.1, which describes it in words; the equations are chosen here",
    formula=r"c = \sum_l \mathrm{softmax}_l\!\left(k_l^\top W_g \tanh(W_p\, p + b_p)\right) v_l",
    query="A variable beside the input, such as how a picture was taken, says what to look for.",
    look_for="Change the variable and leave the input: which items gain weight, and which lose it?",
    yields="vector",
    steps=STEPS,
    cost=cost,
    symbols={"p": "the auxiliary variable", "b": "a bias", "W": "a matrix; W_g compares query and keys"},
    asks=("auxiliary",),
    sizes=("d_auxiliary",),
    disputes=(
        Dispute(
            "The survey",
            "Names patient features as a query, without an equation.",
            "Our form: q = tanh(W p + b), and a bilinear score.",
        ),
    ),
)
class Auxiliary(nn.Module):
    """q = tanh(W_p p + b_p) from the auxiliary vector p, and general scores e_l = k_l' W_g q.

    Only the weights depend on p: what an item contributes, its value, does not.
    """

    def __init__(self, d_model: int, d_auxiliary: int = D_AUXILIARY):
        super().__init__()
        self.ask = nn.Linear(d_auxiliary, d_model)  # W_p, b_p
        self.keys = nn.Linear(d_model, d_model, bias=False)
        self.values = nn.Linear(d_model, d_model, bias=False)
        self.score = General(d_model, d_model)
        self.align = Alignment()

    def forward(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None = None,
        *,
        auxiliary: Float[Tensor, "batch d_auxiliary"],
    ) -> Float[Tensor, "batch d"]:
        """One context vector a row of the batch. `mask` is True where an item may be attended to."""
        p = note("auxiliary", auxiliary, "feature")
        q = note("queries", torch.tanh(self.ask(p))[:, None], "query feature")
        k = note("keys", self.keys(items), "key feature")
        v = note("values", self.values(items), "key feature")
        a = self.align(self.score(q, k), "query key", mask=None if mask is None else mask[:, None])
        c = note("context", a @ v, "query feature")
        return note("output", c, "query feature").squeeze(1)
