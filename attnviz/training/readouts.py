"""What feature models are trained under: two simple read-outs, a mean and one learned query."""

from jaxtyping import Bool, Float
from torch import Tensor, nn


class PooledReadout(nn.Module):
    """Logits from the mean of the items and, apart, from a softmax-weighted sum; the loss of both trains the features.

    The mean asks every item to say something, the query rewards items that stand out; a mechanism trained later on the
    frozen features finds both.
    """

    def __init__(self, d_model: int, n_classes: int):
        super().__init__()
        self.query = nn.Linear(d_model, 1, bias=False)
        self.mean_output = nn.Linear(d_model, n_classes)
        self.query_output = nn.Linear(d_model, n_classes)

    def forward(
        self, items: Float[Tensor, "batch item d"], mask: Bool[Tensor, "batch item"] | None = None
    ) -> tuple[Float[Tensor, "batch class"], Float[Tensor, "batch class"]]:
        """Logits of the mean, logits of the query."""
        scores = self.query(items)
        if mask is None:
            return self.mean_output(items.mean(1)), self.query_output((scores.softmax(1) * items).sum(1))
        real = mask.unsqueeze(-1)
        weights = scores.masked_fill(~real, float("-inf")).softmax(1)
        return self.mean_output((items * real).sum(1) / real.sum(1)), self.query_output((weights * items).sum(1))
