"""Multi-hop attention, the survey's general form (equations 41 and 42): query and context refine each other."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.pooling import mean_item
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.attention.scores import Additive
from attnviz.errors import OptionError
from attnviz.recording import note

TRANSFORMS = ("both", "query", "context")
WEIGHTS = ("separate", "same")
STEPS = {
    "values": r"k_l = v_l = f_l",
    "first query": r"q^0 = \tfrac{1}{n}\sum_l f_l",
    "first context": r"c^0 = \tfrac{1}{n}\sum_l v_l",
    "query weights scores": r"t_l^s = w_t^\top \tanh(W_{t1}\,x^{s-1} + b_t + W_{t2} f_l),"
    r"\quad x = [q;c],\ q \text{ or } c",
    "query weights": r"b_l^s = \mathrm{softmax}_l(t_l^s)",
    "query": r"q^s = \sum_l b_l^s f_l \quad (\text{without self-attention: } q^s = \tanh(W_t\,x^{s-1} + b_t))",
    "scores": r"e_l^s = w^\top \tanh(W_1\,[q^s; c^{s-1}] + b + W_2 k_l)",
    "weights": r"a_l^s = \mathrm{softmax}_l(e_l^s)",
    "context": r"c^s = \sum_l a_l^s v_l",
    "output": r"c^H",
}


@dataclass(frozen=True)
class Options:
    """Options of multi-hop attention."""

    n_hops: int = option(3, choices=(1, 2, 3, 4, 6), label="hops", help="how often the items are read")
    transform: str = option(
        "both",
        choices=TRANSFORMS,
        label="query made from",
        help="what the next query is made from: the last query, the last context, or both",
    )
    weights: str = option(
        "separate", choices=WEIGHTS, label="weights of the hops", help="each hop its own, or the same for all"
    )
    self_attention: bool = option(
        True,
        choices=(True, False),
        label="self-attention",
        help="the next query is attended from the items; otherwise it is computed from the last query and context",
    )


class Hop(nn.Module):
    """What one hop learns: how its query is made, and how query and context together score the items."""

    def __init__(self, d_model: int, transform: str, self_attention: bool):
        super().__init__()
        d_asking = 2 * d_model if transform == "both" else d_model
        self.attend = Additive(d_asking, d_model) if self_attention else None
        self.transform = None if self_attention else nn.Linear(d_asking, d_model)
        self.score = Additive(2 * d_model, d_model)


def cost(n: int, d: int, options: Options) -> Cost:
    """For each hop: the transform (over all items, or a map of query and context), then scores and sums."""
    asking = 2 * d if options.transform == "both" else d
    transform = asking * d + (n * d * d + 2 * n * d if options.self_attention else 0)
    score = 2 * d * d + n * d * d + 2 * n * d
    return Cost(options.n_hops * (transform + score), 2 * n * d + options.n_hops * n)


@mechanism(
    name="multi_hop",
    title="Multi-hop attention",
    short="Multi-hop",
    family="multiple queries",
    paper="Survey, section 3.3.2, equations 41 and 42 (Tran & Niederée 2018; Yang et al. 2016)",
    formula=r"q^{s+1} = \mathrm{transform}(q^s, c^s), \quad "
    r"c^{s+1} = \sum_l \mathrm{softmax}_l\!\left(\mathrm{score}([q^{s+1}; c^s], k_l)\right) v_l",
    query="The mean of the items, made anew in each hop from what was asked and what was found.",
    look_for="Does the context settle after a hop or two, or does each hop move on to other items?",
    yields="vector",
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols={
        "s": "counts hops",
        "t": "a score in the making of the query",
        "b": "a weight in the making of the query, or a trained shift",
        "x": "what the new query is made from",
        "H": "the number of hops",
    },
    disputes=(
        Dispute(
            "A blog on the survey",
            "Deep chains of hops suffer from vanishing gradients.",
            "The survey does not say so, and the classic networks add what a hop found to what was asked.",
        ),
    ),
    may_ask=("query_items",),
)
class MultiHop(nn.Module):
    """H hops of q^{s+1} = transform(q^s, c^s) and an additive score of [q^{s+1}; c^s] with each key.

    Keys and values are the items themselves: with additive scores and a linear output model, matrices W_K and W_V would
    be absorbed by the ones that follow. x = q, c or [q; c], as `transform` says ("query", "context", "both").
    With `self_attention` the transform is an additive attention with query x over the query-side features, which are
    the items unless others are given; its map is called "query weights". Without, nothing is attended to make the
    query: q^{s+1} = tanh(W_t x + b_t). `weights` "same" uses one set of weights in all hops, "separate" one a hop.
    OptionError for an unknown transform or weights.
    """

    def __init__(
        self,
        d_model: int,
        n_hops: int = 3,
        transform: str = "both",
        weights: str = "separate",
        self_attention: bool = True,
    ):
        super().__init__()
        if transform not in TRANSFORMS:
            raise OptionError(f"There is no transform {transform!r}; choose one of {', '.join(TRANSFORMS)}.")
        if weights not in WEIGHTS:
            raise OptionError(f"Weights cannot be {weights!r}; choose one of {', '.join(WEIGHTS)}.")
        self.n_hops, self.transform = n_hops, transform
        n_sets = 1 if weights == "same" else n_hops
        self.hops = nn.ModuleList(Hop(d_model, transform, self_attention) for _ in range(n_sets))
        self.align = Alignment()

    def forward(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None = None,
        query_items: Float[Tensor, "batch query_item d"] | None = None,
        query_mask: Bool[Tensor, "batch query_item"] | None = None,
        query: Float[Tensor, "batch d"] | None = None,
    ) -> Float[Tensor, "batch d"]:
        """c^H for each row of the batch.

        `query_items` are the query-side features if they are not the items; `query` is q^0 if it is not their mean.
        """
        side = "key" if query_items is None else "query_item"
        if query_items is None:
            query_items, query_mask = items, mask
        v = note("values", items, "key feature")
        q = mean_item(query_items, query_mask) if query is None else query
        q = note("first query", q[:, None], "query feature")
        c = note("first context", mean_item(v, mask)[:, None], "query feature")
        for s in range(self.n_hops):
            hop = self.hops[s % len(self.hops)]
            q = note("query", self._ask(hop, q, c, query_items, query_mask, side), "hop* query feature")
            scores = hop.score(torch.cat([q, c], dim=-1), v)
            a = self.align(scores, "hop* query key", mask=_rows(mask))
            c = note("context", a @ v, "hop* query feature")
        return note("output", c, "query feature").squeeze(1)

    def _ask(
        self, hop: Hop, q: Tensor, c: Tensor, features: Tensor, mask: Tensor | None, side: str
    ) -> Float[Tensor, "batch query d"]:
        x = {"query": q, "context": c, "both": torch.cat([q, c], dim=-1)}[self.transform]
        if hop.attend is None:
            return torch.tanh(hop.transform(x))
        scores = hop.attend(x, features)
        b = self.align(scores, f"hop* query {side}", mask=_rows(mask), name="query weights")
        return b @ features


def _rows(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else mask[:, None]
