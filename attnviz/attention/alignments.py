"""Alignment functions: scores become weights (survey section 3.2, equations 25 to 32), and the one place where they do.

All take scores `(..., n)` with the keys along `dim`, and a boolean mask, True = may attend, broadcastable to them.
A row without a single allowed key gets zeros.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz import recording
from attnviz.errors import OptionError

Scores = Float[Tensor, "*batch n"]
Mask = Bool[Tensor, "..."] | None


def softmax(scores: Scores, mask: Mask = None, dim: int = -1) -> Scores:
    """a_l = exp(e_l) / sum_j exp(e_j)  (survey, equation 25: global or soft alignment)."""
    if mask is None:
        return torch.softmax(scores, dim)
    return torch.softmax(_filled(scores, mask, dim), dim).masked_fill(~mask, 0.0)


def sparsemax(scores: Scores, mask: Mask = None, dim: int = -1) -> Scores:
    """Euclidean projection of the scores on the simplex (Martins & Astudillo 2016, algorithm 1); exact zeros."""
    z = _filled(scores, mask, dim)
    ordered = z.sort(dim=dim, descending=True).values
    sums = ordered.cumsum(dim)
    shape = [1] * z.ndim
    shape[dim] = -1
    rank = torch.arange(1, z.shape[dim] + 1, dtype=z.dtype, device=z.device).view(shape)
    support = (1 + rank * ordered > sums).sum(dim, keepdim=True)
    threshold = (sums.gather(dim, support - 1) - 1) / support
    return _masked((z - threshold).clamp_min(0), mask)


def entmax(scores: Scores, mask: Mask = None, dim: int = -1, alpha: float = 1.5) -> Scores:
    """[(alpha - 1) z - tau]_+ ^ (1 / (alpha - 1)), tau such that it sums to one (Peters et al. 2019, equation 5).

    alpha -> 1 is softmax, alpha = 2 sparsemax. tau is bisected; one Newton step, which is differentiated, then makes
    value and gradient exact.
    """
    if alpha <= 1:
        raise OptionError(f"entmax needs alpha above 1, not {alpha}; alpha = 1 is softmax.")
    power = 1 / (alpha - 1)
    z = _filled(scores, mask, dim) * (alpha - 1)
    with torch.no_grad():
        high = z.amax(dim, keepdim=True)
        low = high - 1
        for _ in range(60 if z.dtype == torch.float64 else 30):
            middle = (low + high) / 2
            enough = (z - middle).clamp_min(0).pow(power).sum(dim, keepdim=True) >= 1
            low, high = torch.where(enough, middle, low), torch.where(enough, high, middle)
        inside = z > low
        slope = torch.where(inside, power * (z - low).clamp_min(1e-30).pow(power - 1), 0.0).sum(dim, keepdim=True)
    base = torch.where(inside, z - low, torch.ones_like(z))
    excess = torch.where(inside, base.pow(power), 0.0).sum(dim, keepdim=True) - 1
    threshold = low + excess / slope
    base = torch.where(z > threshold, z - threshold, torch.ones_like(z))
    return _masked(torch.where(z > threshold, base.pow(power), 0.0), mask)


def hard(scores: Scores, mask: Mask = None, dim: int = -1, draw: Tensor | None = None) -> Scores:
    """All the weight on one key (survey, equation 26): the largest score, or the one that `draw` picks.

    `draw`, uniform in [0, 1) with one number a row, picks the first key at which the cumulative softmax passes it.
    The gradient is that of the softmax (straight-through), so that it can be trained without sampling.
    """
    soft = softmax(scores, mask, dim)
    if draw is None:
        chosen = soft.argmax(dim, keepdim=True)
    else:
        total = soft.cumsum(dim)
        chosen = (total <= draw.unsqueeze(dim)).sum(dim, keepdim=True)
        last = soft.shape[dim] - 1 - (soft.flip(dim) > 0).to(torch.int8).argmax(dim, keepdim=True)
        chosen = torch.minimum(chosen, last)
    one = torch.zeros_like(soft).scatter(dim, chosen, 1.0)
    one = one * (soft.sum(dim, keepdim=True) > 0)
    return one + soft - soft.detach() if soft.requires_grad else one


def local_m(scores: Scores, centre: Tensor, mask: Mask = None, window: int = 2) -> Scores:
    """Softmax inside the window |s - centre| <= window, zero outside (survey, equation 27; Luong et al. 2015).

    `centre` (..., broadcastable to the rows) is the position that the query stands at.
    """
    return softmax(scores, _window(scores, centre, mask, window))


def local_p(scores: Scores, centre: Tensor, mask: Mask = None, window: int = 2) -> Scores:
    """Softmax inside the window times exp(-(s - p)^2 / (2 sigma^2)), sigma = window / 2 (survey, equations 28 and 29).

    `centre` is p, a real number in [0, S]; s counts from 0. The weights are not renormalised: they sum to at most 1.
    """
    positions = torch.arange(scores.shape[-1], dtype=scores.dtype, device=scores.device)
    distance = positions - centre[..., None]
    weights = softmax(scores, _window(scores, centre, mask, window))
    return weights * torch.exp(-(distance**2) / (2 * (window / 2) ** 2))


def multi_dimensional(
    scores: Float[Tensor, "*batch n d_v"], mask: Bool[Tensor, "*batch n"] | None = None
) -> Float[Tensor, "*batch n d_v"]:
    """Softmax over the items for each feature by itself (survey, equations 30 to 32): a weight an item and feature."""
    return softmax(scores, None if mask is None else mask[..., None], dim=-2)


def _filled(scores: Tensor, mask: Mask, dim: int) -> Tensor:
    """Scores with -inf where the mask forbids, but zeros in a row that would be all -inf (no NaN, nor in gradients)."""
    if mask is None:
        return scores
    return scores.masked_fill(~mask, float("-inf")).masked_fill(~mask.any(dim, keepdim=True), 0.0)


def _masked(weights: Tensor, mask: Mask) -> Tensor:
    return weights if mask is None else weights.masked_fill(~mask, 0.0)


def _window(scores: Tensor, centre: Tensor, mask: Mask, window: int) -> Tensor:
    positions = torch.arange(scores.shape[-1], device=scores.device)
    inside = (positions - centre[..., None]).abs() <= window
    return (inside if mask is None else inside & mask).expand(scores.shape)


PLAIN: dict[str, Callable[..., Tensor]] = {"softmax": softmax, "sparsemax": sparsemax, "entmax": entmax, "hard": hard}
LOCAL = ("local_m", "local_p")


class Alignment(nn.Module):
    """Where scores become weights. Every mechanism calls it; recordings and interventions act here.

    `function` is one of softmax, sparsemax, entmax (alpha 1.5), hard, local_m, local_p. The last two look at a window
    around a position: local_m around the query's own, local_p around p = S sigmoid(v_p' tanh(W_p q)), S keys, for which
    it has parameters of its own and needs `d_query` (survey, equation 28).
    """

    def __init__(self, function: str = "softmax", *, window: int = 2, d_query: int | None = None):
        super().__init__()
        if function not in PLAIN and function not in LOCAL:
            raise OptionError(f"There is no alignment {function!r}; choose one of {', '.join((*PLAIN, *LOCAL))}.")
        if function == "local_p" and d_query is None:
            raise OptionError("local_p predicts its position from the query: give d_query, the query's dimension.")
        self.function = function
        self.window = window
        if function == "local_p":
            self.position = nn.Sequential(nn.Linear(d_query, d_query, bias=False), nn.Tanh())
            self.position.append(nn.Linear(d_query, 1, bias=False))

    def forward(
        self,
        scores: Float[Tensor, "batch *maps query key"],
        axes: str,
        *,
        mask: Mask = None,
        over: str | None = None,
        name: str = "weights",
        query: Float[Tensor, "batch *maps query d_query"] | None = None,
    ) -> Float[Tensor, "batch *maps query key"]:
        """Weights that sum to one along the axis that `axes` calls `over` (the last by default).

        `axes` says what is counted, such as "head query key" or "hop* query key"; `mask` is True where a query may
        attend. `name` tells maps of one mechanism apart. `query` is needed by local_p alone.
        """
        names = axes.split()
        dim = -1 if over is None else names.index(over) - len(names)
        listening = recording.current()
        if listening is None:
            return self._align(self.function, scores, mask, dim, query)
        scores, mask = listening.before(name, scores, axes, mask)
        function = listening.intervention.alignment or self.function
        if function not in PLAIN and function != self.function:
            raise OptionError(
                f"{function!r} cannot take the place of {self.function}; choose one of {', '.join(PLAIN)}."
            )
        weights = self._align(function, scores, mask, dim, query)
        role = {-1: "key", -2: "query"}.get(dim, over)
        return listening.after(name, weights, axes, dim, None if function == "local_p" else role)

    def _align(self, function: str, scores: Tensor, mask: Mask, dim: int, query: Tensor | None) -> Tensor:
        if function in PLAIN:
            return PLAIN[function](scores, mask, dim)
        if function == "local_m":
            centre = torch.arange(scores.shape[-2], device=scores.device, dtype=scores.dtype)
            return local_m(scores, centre, mask, self.window)
        n_keys = scores.shape[-1] if mask is None else mask.sum(-1).clamp_min(1)
        centre = n_keys * torch.sigmoid(self.position(query)).squeeze(-1)
        return local_p(scores, centre, mask, self.window)
