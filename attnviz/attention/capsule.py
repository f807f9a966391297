"""Capsule-based attention (RNN-Capsule, Wang et al. 2018; survey, equations 43 to 45): one query for each class."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnviz.attention.alignments import Alignment
from attnviz.attention.losses import LOSSES, blog_loss, official_loss, paper_loss
from attnviz.attention.pooling import mean_item
from attnviz.attention.registry import Cost, Dispute, mechanism, option
from attnviz.errors import OptionError
from attnviz.recording import note

Capsules = tuple[Float[Tensor, "batch class"], Float[Tensor, "batch class d"]]
STEPS = {
    "queries": r"q_c \text{ (learned, one for each class)}",
    "keys": r"k_l = f_l",
    "values": r"v_l = f_l",
    "scores": r"e_{c,l} = q_c^\top k_l",
    "weights": r"a_{c,l} = \mathrm{softmax}_l(e_{c,l})",
    "context": r"c_c = \sum_l a_{c,l}\, v_l",
    "probabilities": r"p_c = \sigma(w_c^\top c_c + b_c)",
    "output": r"r_c = p_c\, c_c",
    "mean": r"\bar f = \tfrac{1}{n}\sum_l f_l",
    "similarities": r"\bar f^\top r_c",
}


@dataclass(frozen=True)
class Options:
    """Options of capsule attention."""

    loss: str = option(
        "paper",
        choices=LOSSES,
        label="loss",
        help="trained with the paper's hinges, with the released code's margins, or with a blog's variant",
    )


class CapsuleModule(nn.Module):
    """What capsule mechanisms share: a probability from each class's context, and the losses.

    `loss` is one of paper, official, blog; `blog_weight` is the blog's lambda. OptionError for another loss.
    """

    def __init__(self, d_model: int, n_classes: int, loss: str = "paper", blog_weight: float = 0.1):
        super().__init__()
        if loss not in LOSSES:
            raise OptionError(f"There is no capsule loss {loss!r}; choose one of {', '.join(LOSSES)}.")
        self.loss = loss
        self.blog_weight = blog_weight
        self.classifier = nn.Linear(d_model, n_classes)  # row c is w_c, which reads c_c alone
        self.align = Alignment()

    @property
    def stages(self) -> tuple[str, ...]:
        """The losses to train with, one after the other.

        Alone, the paper's hinges drive every p_c to zero where no class has more than half of the probability: they are
        linear in p. So the released code's margins come first, and the paper's hinges go on from there.
        """
        return ("official", "paper") if self.loss == "paper" else (self.loss,)

    def objective(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None,
        labels: Int[Tensor, " batch"],
    ) -> Float[Tensor, ""]:
        """The loss to train with; `labels` are class numbers."""
        p, r = self(items, mask)
        mean = mean_item(items, mask)
        if self.loss == "blog":
            return blog_loss(p, r, mean, labels, self.blog_weight)
        loss = paper_loss if self.loss == "paper" else official_loss
        return loss(p, similarities(r, mean), labels)

    def _capsules(self, contexts: Float[Tensor, "batch class d"], items: Tensor, mask: Tensor | None) -> Capsules:
        p = torch.sigmoid((contexts * self.classifier.weight).sum(-1) + self.classifier.bias)
        p = note("probabilities", p, "class")
        r = note("output", p[..., None] * contexts, "class feature")
        mean = note("mean", mean_item(items, mask), "feature")
        note("similarities", similarities(r, mean), "class")
        return p, r


def similarities(
    capsules: Float[Tensor, "batch class d"], mean: Float[Tensor, "batch d"]
) -> Float[Tensor, "batch class"]:
    """f̄'r_c: how much each class's capsule looks like the mean of the items."""
    return (capsules @ mean[..., None]).squeeze(-1)


def cost(n: int, d: int, options: Options, n_classes: int = 1) -> Cost:
    """Each class: scores, sum, probability and capsule. The items, keys and values of all classes, are held once."""
    return Cost(n_classes * (2 * n * d + 2 * d), n * d + n_classes * (n + 3 * d))


@mechanism(
    name="capsule",
    title="Capsule attention",
    short="Capsule",
    family="capsule",
    paper="Wang et al. 2018 (RNN-Capsule), section 3; survey, equations 43 to 45",
    formula=r"p_c = \sigma(w_c^\top c_c + b_c), \quad r_c = p_c\, c_c, \quad "
    r"c_c = \sum_l \mathrm{softmax}_l(q_c^\top f_l)\, f_l",
    query="Every class asks its own learned question.",
    look_for="Which words speak for the right class, and where does a wrong class look for its evidence?",
    yields="classes",
    steps=STEPS,
    cost=cost,
    options=Options,
    symbols={
        "c": "a context; as an index, a class",
        "p": "the probability of a class",
        "r": "the capsule of a class",
    },
    disputes=(
        Dispute(
            "A blog on the survey",
            "Trained with −Σ y log p and the distance of every capsule from the mean of the features.",
            "The paper has two hinges on probabilities and on dot products, which push wrong classes away. With the "
            "blog's, nothing speaks against every class saying yes.",
            "loss",
        ),
        Dispute(
            "A blog on the survey",
            "The score uses a query of the item, q_l.",
            "The query belongs to the class: q_c, one for each.",
        ),
    ),
)
class Capsule(CapsuleModule):
    """One query, context, probability and capsule r_c = p_c c_c for each class.

    The p_c are independent answers and do not sum to one; the class with the largest is chosen. As in RNN-Capsule keys
    and values are the items themselves. `projections` gives each class the W_K and W_V of the survey's equation 43
    instead, which start as identities; W_K adds nothing, since q_c can do its work.
    """

    def __init__(
        self,
        d_model: int,
        n_classes: int = 2,
        loss: str = "paper",
        *,
        projections: bool = False,
        blog_weight: float = 0.1,
    ):
        super().__init__(d_model, n_classes, loss, blog_weight)
        self.queries = nn.Parameter(torch.randn(n_classes, d_model) * d_model**-0.5)
        self.key_maps = nn.Parameter(torch.eye(d_model).repeat(n_classes, 1, 1)) if projections else None
        self.value_maps = nn.Parameter(torch.eye(d_model).repeat(n_classes, 1, 1)) if projections else None

    def forward(self, items: Float[Tensor, "batch key d"], mask: Bool[Tensor, "batch key"] | None = None) -> Capsules:
        """Probability (batch, class) and capsule (batch, class, d) of each class."""
        q = note("queries", self.queries, "class feature")
        k = self._projected(items, self.key_maps, "keys")
        v = self._projected(items, self.value_maps, "values")
        scores = q[:, None] @ k.transpose(-1, -2)  # (batch, class, query, key)
        a = self.align(scores, "class query key", mask=None if mask is None else mask[:, None, None])
        c = note("context", (a @ v).squeeze(-2), "class feature")
        return self._capsules(c, items, mask)

    def _projected(self, items: Tensor, maps: Tensor | None, name: str) -> Float[Tensor, "batch class_or_1 key d"]:
        if maps is None:
            return note(name, items, "key feature")[:, None]
        return note(name, items[:, None] @ maps.transpose(-1, -2), "class key feature")
