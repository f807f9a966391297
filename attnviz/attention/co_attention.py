"""Co-attention: two sets of items ask each other. Four forms: parallel, alternating, interactive, max-pooled."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.pooling import mean_item
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.attention.scores import ActivatedGeneral, Additive, General
from attnviz.errors import OptionError
from attnviz.recording import note, show

ACTIVATIONS = ("tanh", "none")
WEIGHTS = ("own", "shared")

Items = Float[Tensor, "batch key d"]
Mask = Bool[Tensor, "batch key"] | None
QueryItems = Float[Tensor, "batch query_item d"]
QueryMask = Bool[Tensor, "batch query_item"] | None
Contexts = tuple[Float[Tensor, "batch 1 d"], Float[Tensor, "batch 1 d"]]  # of the query items, of the items

STEPS = {
    "items": r"f_l",
    "query items": r"q_i",
    "affinity": r"C_{il} = \tanh(q_i^\top W_C f_l)",
    "hidden": r"h_l = \tanh\!\left(W_f f_l + \sum_i C_{il} W_q q_i\right)",
    "scores": r"e_l = w_f^\top h_l",
    "weights": r"a_l = \mathrm{softmax}_l(e)",
    "context": r"\hat f = \sum_l a_l f_l",
    "query hidden": r"g_i = \tanh\!\left(W_q q_i + \sum_l C_{il} W_f f_l\right)",
    "query weights scores": r"e_i^q = w_q^\top g_i",
    "query weights": r"a_i^q = \mathrm{softmax}_i(e^q)",
    "query context": r"\hat q = \sum_i a_i^q q_i",
    "output": r"[\hat q; \hat f]",
}
MASK = {"query weights mask": r"m_i = 1 \text{ where there is an item } q_i, \text{ else } 0"}


@dataclass(frozen=True)
class Options:
    """Options of co-attention."""

    form: str = option(
        "parallel",
        choices=("parallel", "alternating", "interactive", "max_pooled"),
        label="form",
        help="both sides at once through an affinity of all pairs; in turns; each asked by the other's mean; or each "
        "item by its best match on the other side",
    )
    affinity: str = option(
        "tanh",
        choices=ACTIVATIONS,
        label="affinity squashed by",
        help="parallel form alone: tanh as in the paper, or nothing, as in many a copy of it",
        only=("form", "parallel"),
    )
    weights: str = option(
        "own",
        choices=WEIGHTS,
        label="weights of the last turn",
        help="alternating form alone: the last turn has its own weights (the authors' code), or shares the first turn's"
        " (the survey)",
        only=("form", "alternating"),
    )
    activation: str = option(
        "tanh",
        choices=ACTIVATIONS,
        label="score squashed by",
        help="interactive form alone: tanh as in the paper; some code has neither it nor a bias",
        only=("form", "interactive"),
    )


class Parallel(nn.Module):
    """Both sides at once: an affinity C of all pairs tells each what there is on the other (survey, 12, 14, 15)."""

    def __init__(self, d_model: int, options: Options):
        super().__init__()
        self.squash = nn.Tanh() if options.affinity == "tanh" else nn.Identity()
        self.formulas = MASK | ({} if options.affinity == "tanh" else {"affinity": r"C_{il} = q_i^\top W_C f_l"})
        self.affinity = nn.Linear(d_model, d_model, bias=False)  # W_C
        self.items = nn.Linear(d_model, d_model, bias=False)  # W_f
        self.query_items = nn.Linear(d_model, d_model, bias=False)  # W_q
        self.weigh_item = nn.Linear(d_model, 1, bias=False)  # w_f
        self.weigh_query_item = nn.Linear(d_model, 1, bias=False)  # w_q
        self.align = Alignment()

    def forward(self, f: Items, mask: Mask, q: QueryItems, query_mask: QueryMask) -> Contexts:
        """The contexts of both sides."""
        products = _real_pairs(q @ self.affinity(f).transpose(-1, -2), mask, query_mask)
        c = show("affinity", self.squash(products), "query_item key")
        from_items, from_query = self.items(f), self.query_items(q)
        h = note("hidden", torch.tanh(from_items + c.transpose(-1, -2) @ from_query), "key feature")
        a = self.align(self.weigh_item(h).transpose(-1, -2), "query key", mask=_row(mask))
        g = note("query hidden", torch.tanh(from_query + c @ from_items), "query_item feature")
        scores = self.weigh_query_item(g).transpose(-1, -2)
        b = self.align(scores, "query query_item", mask=_row(query_mask), name="query weights")
        return _contexts(a, f, b, q)


class Alternating(nn.Module):
    """In turns: the query items alone, the items for what was found there, the query items again (survey, 7 to 9)."""

    FORMULAS = {
        "first query weights scores": r"e_i^0 = w_1^\top \tanh(W_1 q_i + b_1)",
        "first query weights mask": MASK["query weights mask"],
        "first query weights": r"a_i^0 = \mathrm{softmax}_i(e^0)",
        "first query context": r"s = \sum_i a_i^0 q_i",
        "scores": r"e_l = w_2^\top \tanh(W_2 f_l + G_2 s + b_2)",
    }

    def __init__(self, d_model: int, options: Options):
        super().__init__()
        last = "3" if options.weights == "own" else "1"
        scores = rf"e_i^q = w_{last}^\top \tanh(W_{last} q_i + G_3 \hat f + b_{last})"
        self.formulas = MASK | self.FORMULAS | {"query weights scores": scores}
        own = nn.Sequential(nn.Linear(d_model, d_model), nn.Tanh(), nn.Linear(d_model, 1, bias=False))
        self.first = own if options.weights == "own" else None
        self.second = Additive(d_model, d_model)
        self.third = Additive(d_model, d_model)
        self.align = Alignment()

    def forward(self, f: Items, mask: Mask, q: QueryItems, query_mask: QueryMask) -> Contexts:
        """The contexts of the last two turns."""
        row = _row(query_mask)
        alone = self.align(self._alone(q), "query query_item", mask=row, name="first query weights")
        s = note("first query context", alone @ q, "query feature")
        a = self.align(self.second(s, f), "query key", mask=_row(mask))
        found = note("context", a @ f, "query feature")
        b = self.align(self.third(found, q), "query query_item", mask=row, name="query weights")
        return note("query context", b @ q, "query feature"), found

    def _alone(self, q: QueryItems) -> Float[Tensor, "batch 1 query_item"]:
        """Scores that nothing was asked for: with shared weights the last turn's, asked with zeros."""
        if self.first is None:
            return self.third(torch.zeros_like(q[:, :1]), q)
        return self.first(q).transpose(-1, -2)


class Interactive(nn.Module):
    """Each side is asked by the mean of the other (survey, 10 and 11; Ma et al. 2017, an activated general score)."""

    FORMULAS = {
        "query": r"\bar q = \text{mean of the } q_i",
        "scores": r"e_l = \tanh(f_l^\top W_f \bar q + b_f)",
        "returned query": r"\bar f = \text{mean of the } f_l",
        "query weights scores": r"e_i^q = \tanh(q_i^\top W_q \bar f + b_q)",
    }
    WITHOUT_TANH = {"scores": r"e_l = f_l^\top W_f \bar q", "query weights scores": r"e_i^q = q_i^\top W_q \bar f"}

    def __init__(self, d_model: int, options: Options):
        super().__init__()
        score = ActivatedGeneral if options.activation == "tanh" else General
        self.formulas = MASK | self.FORMULAS | (self.WITHOUT_TANH if options.activation == "none" else {})
        self.score_items, self.score_query_items = score(d_model, d_model), score(d_model, d_model)
        self.align = Alignment()

    def forward(self, f: Items, mask: Mask, q: QueryItems, query_mask: QueryMask) -> Contexts:
        """The contexts of both sides."""
        asking = note("query", mean_item(q, query_mask)[:, None], "query feature")
        a = self.align(self.score_items(asking, f), "query key", mask=_row(mask))
        returned = note("returned query", mean_item(f, mask)[:, None], "query feature")
        e = self.score_query_items(returned, q)
        b = self.align(e, "query query_item", mask=_row(query_mask), name="query weights")
        return _contexts(a, f, b, q)


class MaxPooled(nn.Module):
    """The score of an item is its best match on the other side (survey, 13 and 16; Seo et al. 2017)."""

    FORMULAS = {
        "affinity": r"C_{il} = w^\top [f_l; q_i; f_l \circ q_i]",
        "scores": r"e_l = \max_i C_{il}",
        "query weights scores": r"e_i^q = \max_l C_{il}",
    }

    def __init__(self, d_model: int, options: Options):
        super().__init__()
        self.formulas = MASK | self.FORMULAS
        self.affinity = nn.Linear(3 * d_model, 1, bias=False)  # w
        self.align = Alignment()

    def forward(self, f: Items, mask: Mask, q: QueryItems, query_mask: QueryMask) -> Contexts:
        """The contexts of both sides."""
        of_item, of_query, of_both = self.affinity.weight.view(3, -1)  # the pairs [f; q; f∘q] are never built
        c = (f @ of_item)[:, None] + (q @ of_query)[..., None] + (q * of_both) @ f.transpose(-1, -2)
        c = show("affinity", _real_pairs(c, mask, query_mask), "query_item key")
        a = self.align(_best(c, query_mask, dim=1)[:, None], "query key", mask=_row(mask))
        scores = _best(c, mask, dim=2)[:, None]
        b = self.align(scores, "query query_item", mask=_row(query_mask), name="query weights")
        return _contexts(a, f, b, q)


FORMS = {"parallel": Parallel, "alternating": Alternating, "interactive": Interactive, "max_pooled": MaxPooled}


def cost(n: int, d: int, options: Options) -> Cost:
    """Transforms, pairs, scores and sums, counted for as many query items as there are items."""
    multiplications = {
        "parallel": 3 * n * d * d + 3 * n * n * d + 4 * n * d,
        "alternating": (3 * n + 2) * d * d + 6 * n * d,
        "interactive": 2 * d * d + 4 * n * d,
        "max_pooled": n * n * d + 5 * n * d,
    }[options.form]
    pairs = n * n if options.form in ("parallel", "max_pooled") else 0
    return Cost(multiplications, 4 * n * d + pairs + 2 * n)


@mechanism(
    name="co_attention",
    title="Co-attention",
    short="Co-attention",
    family="specialised query",
    paper="Lu et al. 2016; Ma et al. 2017; Seo et al. 2017; survey, section 3.1.1, equations 7 to 16",
    formula=r"\hat f = \sum_l \mathrm{softmax}_l\!\left(\mathrm{score}(f_l, Q)\right) f_l, \quad "
    r"\hat q = \sum_i \mathrm{softmax}_i\!\left(\mathrm{score}(q_i, F)\right) q_i",
    query="Each side asks the other: the items are read for the query items, and these for the items.",
    look_for="Do both sides pick out parts that belong together?",
    yields="vector",
    asks=("query_items",),
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols={
        "q": "an item of the side that asks first",
        "C": "an affinity: how well a pair of items fits; no share of anything",
        "h": "a hidden vector of an item",
        "g": "a hidden vector of a query item",
        "i": "counts query items",
        "Q": "all query items",
        "m": "the mask",
        "s": "what the query items say by themselves",
        "G": "trained weights that bring in what was found last",
        "max": "max: the largest",
        "circ": "∘: number by number",
    },
    queries=("query items: affinity", "first query context", "query", "returned query: query weights"),
    disputes=(
        Dispute(
            "Paper and copies of it",
            "The paper squashes the affinity by tanh; widely copied programs leave that out.",
            "tanh, as in the paper.",
            "affinity",
        ),
        Dispute(
            "Survey and released code",
            "The third step of alternating co-attention has the first step's weights, says the survey; the authors' "
            "code has weights of its own.",
            "Weights of its own.",
            "weights",
        ),
        Dispute(
            "Survey, in two places",
            "Interactive attention (IAN) has an additive score in one section, activated general in its table.",
            "Activated general, as in the IAN paper; released code has no tanh.",
            "activation",
        ),
    ),
)
class CoAttention(nn.Module):
    """Weights for items and for query items, each in the light of the other; out come both contexts.

    `form` is one of parallel, alternating, interactive, max_pooled. `affinity` concerns the first of them, `weights`
    the second, `activation` the third; see `Options`. OptionError for anything else.
    """

    def __init__(
        self,
        d_model: int,
        form: str = "parallel",
        affinity: str = "tanh",
        weights: str = "own",
        activation: str = "tanh",
    ):
        super().__init__()
        for what, value, choices in (
            ("form of co-attention", form, FORMS),
            ("activation of the affinity", affinity, ACTIVATIONS),
            ("kind of weights", weights, WEIGHTS),
            ("activation", activation, ACTIVATIONS),
        ):
            if value not in choices:
                raise OptionError(f"There is no {what} {value!r}; choose one of {', '.join(choices)}.")
        self.form = FORMS[form](d_model, Options(form, affinity, weights, activation))
        self.formulas = self.form.formulas
        self.d_out = 2 * d_model

    def forward(
        self, items: Items, mask: Mask = None, *, query_items: QueryItems, query_mask: QueryMask = None
    ) -> Float[Tensor, "batch d_out"]:
        """[q̂; f̂] (batch, 2 d): the context of the query items, then that of the items. Masks are True where real."""
        f = note("items", items, "key feature")
        q = note("query items", query_items, "query_item feature")
        return note("output", torch.cat(self.form(f, mask, q, query_mask), dim=-1).squeeze(1), "feature")


def _contexts(a: Tensor, f: Items, b: Tensor, q: QueryItems) -> Contexts:
    found = note("context", a @ f, "query feature")
    return note("query context", b @ q, "query feature"), found


def _row(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else mask[:, None]


def _real_pairs(values: Tensor, mask: Mask, query_mask: QueryMask) -> Float[Tensor, "batch query_item key"]:
    """Zeros where either of a pair is padding."""
    values = values if mask is None else values.masked_fill(~mask[:, None], 0.0)
    return values if query_mask is None else values.masked_fill(~query_mask[..., None], 0.0)


def _best(affinity: Tensor, mask: Tensor | None, dim: int) -> Tensor:
    """The largest along `dim`, padding left out; zero where all is padding."""
    if mask is None:
        return affinity.amax(dim)
    mask = mask.unsqueeze(3 - dim)
    best = affinity.masked_fill(~mask, float("-inf")).amax(dim)
    return best.masked_fill(~mask.any(dim), 0.0)
