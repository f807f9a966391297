"""MAN, its question side (Tran & Niederée 2018): the words of a question are read hop by hop, and each hop asks."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.memory_network import ages, check_position, sentence
from attnviz.attention.pooling import mean_item
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.recording import note

STEPS = {
    "items": r"f_l",
    "query items": r"x_t",
    "question": r"h_t = B\,x_t",
    "memories": r"g_l = A f_l",
    "first state": r"m^0 = \tfrac{1}{n}\sum_t h_t",
    "query weights scores": r"s_t^k = w^\top\left(\tanh(W_q h_t) \circ \tanh(W_m m^{k-1})\right)",
    "query weights": r"\alpha_t^k = \mathrm{softmax}_t(s_t^k)",
    "query": r"o^k = \sum_t \alpha_t^k h_t",
    "scores": r"e_l^k = v^\top\left(\tanh(V_q g_l) \circ \tanh(V_m o^k)\right)",
    "weights": r"p_l^k = \mathrm{softmax}_l(e_l^k)",
    "context": r"c^k = \sum_l p_l^k g_l",
    "state": r"m^k = m^{k-1} + o^k",
    "output": r"\sum_k c^k",
}


@dataclass(frozen=True)
class Options:
    """Options of MAN."""

    n_hops: int = option(2, choices=(1, 2, 3), label="hops", help="how often the question is read, and then the items")


class Gate(nn.Module):
    """How well two vectors go together: w'(tanh(W_q h) * tanh(W_m m)), feature by feature (Tran & Niederée 2018)."""

    def __init__(self, d_model: int):
        super().__init__()
        self.of_item = nn.Linear(d_model, d_model, bias=False)
        self.of_query = nn.Linear(d_model, d_model, bias=False)
        self.weigh = nn.Linear(d_model, 1, bias=False)

    def forward(
        self, query: Float[Tensor, "batch query d"], items: Float[Tensor, "batch key d"]
    ) -> Float[Tensor, "batch query key"]:
        """A score for each query and item."""
        gate = self.weigh.weight * torch.tanh(self.of_query(query))
        return gate @ torch.tanh(self.of_item(items)).transpose(-1, -2)


def cost(n: int, d: int, options: Options) -> Cost:
    """Embedded items and as many words, and what the gates make of them; then each hop's scores and sums, twice."""
    return Cost(4 * n * d * d + options.n_hops * (2 * d * d + 2 * d + 4 * n * d), 4 * n * d + 2 * options.n_hops * n)


@mechanism(
    name="man",
    title="MAN, question side",
    short="MAN",
    family="multiple queries",
    paper="Tran & Niederée 2018, multihop attention networks; survey, section 3.3.2",
    formula=r"o^k = \sum_t \alpha_t^k h_t, \quad m^k = m^{k-1} + o^k, \quad "
    r"c^k = \sum_l \mathrm{softmax}_l\!\left(v^\top(\tanh(V_q g_l) \circ \tanh(V_m o^k))\right) g_l",
    query="The question, whose words are attended to again in each hop; the items have no say in it.",
    look_for="Which words of the question does each hop ask with? No hop knows what an earlier one has found.",
    yields="vector",
    steps=STEPS,
    cost=cost,
    options=Options,
    asks=("query_items",),
    sizes=("d_items", "position", "n_times"),
    symbols={
        "k": "counts hops",
        "t": "counts the words of the question",
        "h": "a word of the question, embedded",
        "g": "an item, embedded",
        "m": "the state: what has been read of the question so far",
        "s": "a score of a word of the question",
        "o": "what a hop has read of the question; it asks the items",
        "p": "a weight: an item's share of the attention",
        "c": "what a hop has read of the items",
        "A": "trained weights that embed items",
        "B": "trained weights that embed the words of a question",
        "v": "a trained vector that weighs features",
        "w": "a trained vector that weighs features",
        "V": "trained weights",
    },
    disputes=(
        Dispute(
            "The paper",
            "The items are the words of candidate answers, ranked by the sum over the hops of cos(o, c).",
            "There are no candidates: what the hops read of the items is added up, and an output model answers.",
        ),
    ),
)
class Man(nn.Module):
    """K hops over a question, each of which reads the items: o = sum alpha h asks, and c = sum p g is found.

    In the paper the items are the words of a candidate answer, and sum_k cos(o^k, c^k) ranks the candidates; here the
    c^k are added up for an output model. The gates are the same in all hops; their form is the one that reading notes
    of the paper give. Items and words are embedded first, as in the memory network: they have `d_items` numbers if not
    `d_model`; items may come word by word, with the position encoding `position`; `n_times` above zero adds learned
    times. OptionError for an unknown position.
    """

    def __init__(
        self, d_model: int, n_hops: int = 2, *, d_items: int | None = None, position: str = "none", n_times: int = 0
    ):
        super().__init__()
        check_position(position)
        self.n_hops, self.position = n_hops, position
        self.embeddings = nn.ModuleList([nn.Linear(d_items or d_model, d_model, bias=False)])
        self.asking = nn.Linear(d_items or d_model, d_model, bias=False)
        self.times = nn.Parameter(0.1 * torch.randn(1, n_times, d_model)) if n_times else None
        self.ask, self.score = Gate(d_model), Gate(d_model)
        self.align = Alignment()

    def forward(
        self,
        items: Float[Tensor, "batch key d_items"] | Float[Tensor, "batch key word d_items"],
        mask: Bool[Tensor, "batch key"] | None = None,
        *,
        query_items: Float[Tensor, "batch query_item d_items"],
        query_mask: Bool[Tensor, "batch query_item"] | None = None,
    ) -> Float[Tensor, "batch d"]:
        """The sum of the c^k for each row of the batch. ShapeError if there are more items than learned times."""
        items = note("items", items, "key word feature" if items.ndim == 4 else "key feature")
        query_items = note("query items", query_items, "query_item feature")
        stored = self.embeddings[0](items)
        if items.ndim == 4:
            stored = sentence(stored, self.position)
        if self.times is not None:
            stored = stored + self.times[0, ages(items, mask, self.times.shape[1])]
        return self.read(self.asking(query_items), stored, mask, query_mask)

    def read(
        self,
        asked: Float[Tensor, "batch query_item d"],
        stored: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None = None,
        query_mask: Bool[Tensor, "batch query_item"] | None = None,
    ) -> Float[Tensor, "batch d"]:
        """All hops, over words and items that are embedded."""
        h = note("question", asked, "query_item feature")
        g = note("memories", stored, "key feature")
        m = note("first state", mean_item(h, query_mask)[:, None], "query feature")
        found = []
        for hop in range(self.n_hops):
            if hop:
                m = note("state", m + o, "hop* query feature")
            scores = self.ask(m, h)
            alpha = self.align(scores, "hop* query query_item", mask=_rows(query_mask), name="query weights")
            o = note("query", alpha @ h, "hop* query feature")
            p = self.align(self.score(o, g), "hop* query key", mask=_rows(mask))
            found.append(note("context", p @ g, "hop* query feature"))
        return note("output", torch.stack(found).sum(0), "query feature").squeeze(1)


def _rows(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else mask[:, None]
