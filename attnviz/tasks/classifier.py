"""Output model: what a mechanism returns becomes a probability for each class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnviz.attention.registry import Mechanism
from attnviz.recording import note

STEPS = {
    "features": r"F = (f_1, \dots, f_n)",
    "mean": r"c = \frac{1}{n} \sum_i f_i^{\mathrm{new}}",
    "logits": r"z = W_c\,c + b_c",
    "class probabilities": r"\hat y = \mathrm{softmax}(z)",
}

MASK_OF = {"query_mask": "query_items"}  # a side that says which of another's vectors are real


@dataclass(frozen=True)
class Output:
    """Probabilities (batch, class), what the loss is computed from, and the context that they were read from.

    An output model that produces words gives them as `labels`, each with its probability.
    """

    probabilities: Float[Tensor, "batch class"]
    logits: Float[Tensor, "batch class"] | None
    context: Float[Tensor, "batch ..."]
    labels: tuple[str, ...] = ()


class Classifier(nn.Module):
    """A mechanism and, unless it gives a probability a class by itself, one linear layer on its context.

    New items are averaged first (survey, equation 5: y = softmax(W_c c + b_c)). Capsules compare features by plain dot
    products; theirs are divided by d^(1/4), so that the products are by sqrt(d), as in scaled dot-product attention.
    """

    def __init__(self, mechanism: Mechanism, options: object, d_model: int, n_classes: int, **sizes: Any):
        super().__init__()
        self.yields = mechanism.yields
        self.takes = {*mechanism.asks, *mechanism.may_ask}
        self.attention = mechanism.build(d_model, options, n_classes, **sizes)
        d_out = getattr(self.attention, "d_out", d_model)
        self.readout = None if self.yields == "classes" else nn.Linear(d_out, n_classes)
        self.scale = d_model**-0.25 if self.yields == "classes" else 1.0

    def forward(
        self,
        items: Float[Tensor, "batch item *word d"],
        mask: Bool[Tensor, "batch item"] | None = None,
        **sides: Tensor,
    ) -> Output:
        """Probabilities for a batch of feature vectors; `mask` is True on real items.

        Of the `sides` the mechanism gets those that it can take.
        """
        items = note("features", items * self.scale, "key word feature" if items.ndim == 4 else "key feature")
        found = self.attention(items, mask, **self._taken(sides))
        if self.readout is None:
            probabilities, capsules = found
            return Output(probabilities, None, capsules)
        context = note("mean", _mean(found, mask), "feature") if self.yields == "items" else found
        logits = note("logits", self.readout(context), "class")
        return Output(note("class probabilities", logits.softmax(-1), "class"), logits, context)

    def _taken(self, sides: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: side for name, side in sides.items() if MASK_OF.get(name, name) in self.takes}

    def objective(
        self, items: Tensor, mask: Tensor | None, labels: Int[Tensor, " batch"], **sides: Tensor
    ) -> Float[Tensor, ""]:
        """What training minimises: the mechanism's own objective if it has one, else smoothed cross entropy."""
        own = getattr(self.attention, "objective", None)
        if own is not None:
            return own(items * self.scale, mask, labels)
        return F.cross_entropy(self(items, mask, **sides).logits, labels, label_smoothing=0.05)


def _mean(items: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return items.mean(1)
    real = mask.unsqueeze(-1).to(items.dtype)
    return (items * real).sum(1) / real.sum(1).clamp_min(1)
