"""Attention over attention (Cui et al. 2017): how much a query word counts weighs the attention that it pays."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.errors import OptionError
from attnviz.recording import note, show

SCALES = ("none", "sqrt")
STEPS = {
    "items": r"f_l",
    "query items": r"q_i",
    "affinity": r"M_{il} = q_i^\top f_l",
    "document weights scores": r"M_{il}",
    "document weights": r"\alpha_{il} = \mathrm{softmax}_l(M_i)",
    "query weights scores": r"M_{il}",
    "query weights": r"\beta_{il} = \mathrm{softmax}_i(M_l)",
    "mean query weights": r"\bar\beta_i = \tfrac{1}{n}\sum_l \beta_{il}",
    "weights": r"s_l = \sum_i \bar\beta_i\, \alpha_{il}",
    "output": r"c = \sum_l s_l f_l",
}
MASKS = {
    "document weights mask": r"m_l = 1 \text{ where item } l \text{ may be attended to, else } 0",
    "query weights mask": r"m_{il} = 1 \text{ where there are both } q_i \text{ and } f_l, \text{ else } 0",
}


@dataclass(frozen=True)
class Options:
    """Options of attention over attention."""

    scale: str = option(
        "none",
        choices=SCALES,
        label="products divided by",
        help="nothing, as in the paper, or the root of the dimension: nothing is learned here that could make large "
        "products smaller",
    )


def cost(n: int, d: int, options: Options) -> Cost:
    """A product, two weights and a share of s for each pair, counted for as many query items as items; then the sum."""
    return Cost(n * n * d + n * n + n * d, 2 * n * d + 3 * n * n)


@mechanism(
    name="attention_over_attention",
    title="Attention over attention",
    short="Over attention",
    family="specialised query",
    paper="Cui et al. 2017, section 3, equations 3 to 8; the survey names it without an equation",
    formula=r"s = \sum_i \bar\beta_i\, \alpha_i, \quad \alpha_{il} = \mathrm{softmax}_l(q_i^\top f_l), \quad "
    r"\bar\beta_i = \tfrac{1}{n}\sum_l \mathrm{softmax}_i(q_i^\top f_l)",
    query="Every query word asks the document, and the document says how much each of them counts.",
    look_for="Which query words count, and do the others still move the result?",
    yields="vector",
    asks=("query_items",),
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols={
        "q": "a query word",
        "i": "counts query words",
        "M": "an affinity: how well a query word and an item fit; no share of anything",
        "alpha": "α: an item's share of a query word's attention",
        "beta": "β: a query word's share of an item's attention; with a bar, the mean over all items",
        "s": "an item's share in the end",
        "m": "the mask",
    },
    queries=("query items: document weights",),
    disputes=(
        Dispute(
            "A blog on the survey",
            "Attention over attention is stacked attention with several layers of queries.",
            "There are no layers: one attention weighs another. The survey only names it.",
        ),
        Dispute(
            "Paper and this app",
            "The paper compares words by plain dot products.",
            "So here, for a choice: features of unit variance make them large, and dividing by √d keeps the softmax "
            "soft.",
            "scale",
        ),
    ),
)
class AttentionOverAttention(nn.Module):
    """s = Σ_i β̄_i α_i: the attention of each query word over the items, averaged by how much the query word counts.

    There are no layers and nothing is stacked: one attention, β, weighs another, α. Nothing is learned either, the
    items are compared as they are. `scale` "sqrt" divides their products by the root of their dimension, which the
    paper does not. OptionError for another.
    """

    def __init__(self, d_model: int, scale: str = "none"):
        super().__init__()
        if scale not in SCALES:
            raise OptionError(f"There is no scale {scale!r}; choose one of {', '.join(SCALES)}.")
        self.factor = d_model**-0.5 if scale == "sqrt" else 1.0
        self.formulas = MASKS | ({"affinity": r"M_{il} = q_i^\top f_l / \sqrt{d}"} if scale == "sqrt" else {})
        self.align = Alignment()

    def forward(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None = None,
        *,
        query_items: Float[Tensor, "batch query_item d"],
        query_mask: Bool[Tensor, "batch query_item"] | None = None,
    ) -> Float[Tensor, "batch d"]:
        """c = Σ s_l f_l for each row of the batch. Masks are True where there is a word."""
        f = note("items", items, "key feature")
        s = self.point(f, mask, query_items, query_mask)
        return note("output", (s[:, None] @ f).squeeze(1), "feature")

    def point(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None,
        query_items: Float[Tensor, "batch query_item d"],
        query_mask: Bool[Tensor, "batch query_item"] | None = None,
    ) -> Float[Tensor, "batch key"]:
        """s, which sums to one over the items; readers add it up over those that are the same word (equation 8)."""
        q = note("query items", query_items, "query_item feature")
        rows = None if mask is None else mask[:, None]
        pairs = _both(rows, None if query_mask is None else query_mask[..., None])
        m = q @ items.transpose(-1, -2) * self.factor
        m = show("affinity", m if pairs is None else m.masked_fill(~pairs, 0.0), "query_item key")
        alpha = self.align(m, "query_item key", mask=rows, name="document weights")
        beta = self.align(m, "query_item key", mask=pairs, over="query_item", name="query weights")
        # An item that is masked, or that a reader hides, has no β: the mean is over those that have.
        n = (beta != 0).any(-2).sum(-1, keepdim=True).clamp_min(1)
        mean = note("mean query weights", (beta.sum(-1) / n)[:, None], "query query_item")
        return show("weights", mean @ alpha, "query key", normalised="key").squeeze(1)


def _both(rows: Tensor | None, columns: Tensor | None) -> Tensor | None:
    if rows is None or columns is None:
        return columns if rows is None else rows
    return rows & columns
