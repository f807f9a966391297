"""Self-attention (survey, equations 35 to 37): every item asks all items, and a new vector comes out for each."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.errors import OptionError
from attnviz.recording import note

NEW_FEATURES = ("residual_norm", "context")
FORMULA = (
    r"C = \mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt{d_k}}\right) V,"
    r"\quad Q = XW_Q^\top,\; K = XW_K^\top,\; V = XW_V^\top"
)
STEPS = {
    "items": r"f_i",
    "queries": r"q_i = W_Q f_i",
    "keys": r"k_l = W_K f_l",
    "values": r"v_l = W_V f_l",
    "products": r"q_i^\top k_l",
    "scores": r"e_{il} = q_i^\top k_l / \sqrt{d_k}",
    "weights": r"a_{il} = \mathrm{align}_l(e_{i})",
    "context": r"c_i = \sum_l a_{il} v_l",
    "output": r"f_i^{\mathrm{new}} = \mathrm{LayerNorm}(f_i + c_i) \quad\text{or}\quad c_i",
}


@dataclass(frozen=True)
class Options:
    """Options of self-attention."""

    new_features: str = option(
        "residual_norm",
        choices=NEW_FEATURES,
        label="new features",
        help="the context added to the old features and normalised, or the context alone",
    )
    alignment: str = option(
        "softmax",
        choices=("softmax", "sparsemax", "entmax", "local_m", "local_p"),
        label="alignment",
        help="how scores become weights; the local ones look only at neighbours",
    )


def cost(n: int, d: int, options: Options) -> Cost:
    """Queries, keys and values, then a score and a share of a sum for each pair of items."""
    return Cost(3 * n * d * d + 2 * n * n * d, 3 * n * d + n * n)


@mechanism(
    name="self_attention",
    title="Self-attention",
    short="Self",
    family="self-attention",
    paper="Vaswani et al. 2017, section 3.2.1; survey, equations 35 to 37",
    formula=FORMULA,
    query="Every item asks a question made from its own features.",
    look_for="Point at a word: which other words does it take up into itself?",
    yields="items",
    steps=STEPS,
    cost=cost,
    options=Options,
    disputes=(
        Dispute(
            "A blog on the survey",
            "Q = W_Q F implements both readings of a self-attentive query.",
            "Three different things: a constant query (survey, equation 33), a learned query (34), and a query for "
            "each item (35), which is this one.",
        ),
    ),
)
class SelfAttention(nn.Module):
    """One head; queries, keys and values come from the same items.

    `new_features` is "context", f = c (survey, equation 36), or "residual_norm", f = LayerNorm(f_old + c) (37).
    OptionError for any other.
    """

    def __init__(self, d_model: int, new_features: str = "residual_norm", alignment: str = "softmax"):
        super().__init__()
        if new_features not in NEW_FEATURES:
            raise OptionError(f"There are no new features {new_features!r}; choose one of {', '.join(NEW_FEATURES)}.")
        self.queries = nn.Linear(d_model, d_model, bias=False)
        self.keys = nn.Linear(d_model, d_model, bias=False)
        self.values = nn.Linear(d_model, d_model, bias=False)
        self.align = Alignment(alignment, d_query=d_model)
        self.norm = nn.LayerNorm(d_model) if new_features == "residual_norm" else None

    def forward(
        self, items: Float[Tensor, "batch item d"], mask: Bool[Tensor, "batch item"] | None = None
    ) -> Float[Tensor, "batch item d"]:
        """One new vector for each item. `mask` is True where an item may be attended to."""
        items = note("items", items, "item feature")
        q = note("queries", self.queries(items), "item feature")
        k = note("keys", self.keys(items), "key feature")
        v = note("values", self.values(items), "key feature")
        e = note("products", q @ k.transpose(-1, -2), "item key") * k.shape[-1] ** -0.5
        a = self.align(e, "item key", mask=None if mask is None else mask[:, None], query=q)
        c = note("context", a @ v, "item feature")
        return note("output", c if self.norm is None else self.norm(items + c), "item feature")
