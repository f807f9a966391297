"""How a memory network learns from questions and answers alone: several starts, the best of which goes on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor, nn

from attnviz.training.progress import Progress
from attnviz.training.stories import NOTHING, Stories, Swaps, ages, joined, logits

NOISE = 0.1  # share of facts before which time jumps, as if an empty one stood there


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train.

    Each of `starts` is trained for `first` epochs, `linear` of them without softmax (section 4.2 of the paper: linear
    start); the one with the lowest training loss goes on for `epochs` while the rate falls. `joins` is the share of
    stories that get another one before their beginning; published ones are taken `published` times in an epoch.
    """

    starts: int
    first: int
    epochs: int
    linear: int = 0
    rate: float = 5e-3
    batch: int = 64
    joins: float = 0.0
    published: int = 1


class Linear(nn.Module):
    """In the place of an alignment: weights are the scores themselves."""

    def forward(self, scores: Tensor, axes: str, *, mask: Tensor, name: str = "weights") -> Tensor:
        """Scores, and zero where the mask forbids."""
        return scores.masked_fill(~mask, 0.0)


def fit(
    make: Callable[[], nn.Module],
    words: Int[Tensor, "sentence word"],
    train: Stories,
    swaps: Swaps | None,
    plan: Plan,
    *,
    seed: int,
) -> tuple[nn.Module, list[float]]:
    """The trained classifier and the training loss of each start."""
    starts = []
    progress = Progress("train", plan.starts * plan.first + plan.epochs)
    for start in range(plan.starts):
        torch.manual_seed(seed + start)
        classifier = _small(make())
        loss = _epochs(classifier, words, train, swaps, plan, progress, first=True)
        starts.append((loss, start, classifier))
    _, _, best = min(starts)
    _epochs(best, words, train, swaps, plan, progress, first=False)
    return best, [loss for loss, _, _ in starts]


def _small(classifier: nn.Module) -> nn.Module:
    """Embeddings and output drawn from N(0, 0.1), as in the paper."""
    for weight in (*classifier.attention.embeddings.parameters(), classifier.readout.weight):
        nn.init.normal_(weight, std=0.1)
    return classifier


def _epochs(
    classifier: nn.Module,
    words: Tensor,
    train: Stories,
    swaps: Swaps | None,
    plan: Plan,
    progress: Progress,
    *,
    first: bool,
) -> float:
    """Train in place; the loss of the last epoch. Chance is torch's own, seeded by `fit`."""
    optimizer = torch.optim.Adam(classifier.parameters(), lr=plan.rate)
    n_epochs, loss = plan.first if first else plan.epochs, torch.tensor(0.0)
    softmax = classifier.attention.align
    for epoch in range(n_epochs):
        classifier.attention.align = Linear() if first and epoch < plan.linear else softmax
        if not first:
            left = 1 - epoch / n_epochs
            optimizer.param_groups[0]["lr"] = plan.rate * min(1.0, 1.5 * left)
        total = 0.0
        for rows in torch.randperm(len(train)).split(plan.batch):
            stories, age = _drawn(train, rows, swaps, plan.joins)
            loss = F.cross_entropy(logits(classifier, words, stories, age), stories.labels)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(classifier.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(rows)
        progress.step(f"loss {total / len(train):.4f}")
    classifier.attention.align = softmax
    return total / len(train)


def _drawn(train: Stories, rows: Tensor, swaps: Swaps | None, joins: float) -> tuple[Stories, Tensor]:
    """Some stories as they are told this time, no more columns than the longest needs, and the ages of their facts."""
    stories = _told(train.rows(rows), swaps)
    if joins:
        earlier = _told(train.rows(torch.randint(len(train), (len(rows),))), swaps)
        stories = joined(stories, earlier, torch.rand(len(rows)) < joins)
    empty = int((stories.facts != NOTHING).any(0).long().argmax())
    facts = stories.facts[:, empty:]
    jumps = (torch.rand(facts.shape) < NOISE).long().flip(1).cumsum(1).flip(1)
    age = (ages(facts.shape[1]) + jumps).clamp_max(stories.facts.shape[1] - 1)
    return replace(stories, facts=facts), age


def _told(stories: Stories, swaps: Swaps | None) -> Stories:
    if swaps is None:
        return stories
    return swaps.told(stories, torch.randint(len(swaps.labels), (len(stories),)))
