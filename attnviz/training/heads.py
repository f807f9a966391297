"""How a mechanism is trained: on the frozen features of its task, which are computed once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnviz.features.text import collate
from attnviz.features.words import split
from attnviz.tasks.classifier import Classifier
from attnviz.tasks.registry import Examples, Task
from attnviz.training.progress import Progress


@dataclass(frozen=True)
class Encoded:
    """Feature vectors of many inputs, padded, in half precision; the mask is True on real items.

    `sides` are further arguments of the mechanisms, row by row; those named in `along` count items in their second
    axis, as the mask does.
    """

    items: Float[Tensor, "n item d"]
    mask: Bool[Tensor, "n item"] | None
    labels: Int[Tensor, " n"]
    sides: Mapping[str, Tensor] = field(default_factory=dict)
    along: tuple[str, ...] = ("target",)

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor | None, dict[str, Tensor]]:
        """Items in single precision, mask and sides of some rows, cut to the longest of them."""
        sides = {name: _single(side[rows]) for name, side in self.sides.items()}
        if self.mask is None:
            return self.items[rows].float(), None, sides
        mask = self.mask[rows]
        longest = int(mask.sum(1).max())
        sides |= {name: sides[name][:, :longest] for name in self.along if name in sides}
        return self.items[rows, :longest].float(), mask[:, :longest], sides


def _single(side: Tensor) -> Tensor:
    return side.float() if side.is_floating_point() else side


@torch.inference_mode()
def encode(task: Task, features: nn.Module, examples: Examples) -> Encoded:
    """Run the feature model over all examples."""
    if task.kind == "image":
        parts = [features(pixels).half() for pixels in examples.inputs.split(250)]
        return Encoded(torch.cat(parts), None, examples.labels)
    sentences = [split(text) for text in examples.inputs]
    longest = max(len(s.pieces) for s in sentences)
    items = torch.zeros(len(sentences), longest, features.d_model, dtype=torch.half)
    mask = torch.zeros(len(sentences), longest, dtype=torch.bool)
    for start in range(0, len(sentences), 250):
        pieces, real = collate(sentences[start : start + 250])
        items[start : start + 250, : real.shape[1]] = features(pieces, real).half()
        mask[start : start + 250, : real.shape[1]] = real
    return Encoded(items, mask, examples.labels)


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train; `patience` epochs without a better validation figure end it.

    `rows` bounds the examples of an epoch, drawn anew for each.
    """

    epochs: int
    batch: int = 128
    rate: float = 2e-3
    patience: int = 4
    rows: int = 1_000_000


PLANS = {
    "text": Plan(epochs=24, batch=64, rate=1e-3),
    "image": Plan(epochs=2, batch=256, patience=2),
}
LEAST_STEPS = 300
OWN_PLANS = {
    "capsule": {
        "text": Plan(epochs=12, batch=64, rate=3e-3),
        "image": Plan(epochs=4, batch=256, rate=3e-3, rows=12_000),
    },
    "multi_head_capsule": {  # 2 C d^2 multiplications an item: fewer examples
        "text": Plan(epochs=8, batch=64, rate=1e-3),
        "image": Plan(epochs=4, batch=128, rate=3e-3, rows=6000),
    },
    "routing": {"image": Plan(epochs=3, batch=256, rate=3e-3)},
    "hierarchical_capsule": {"image": Plan(epochs=2, batch=256, rate=3e-3)},
}


def plan_of(mechanism: str, kind: str) -> Plan:
    """The plan for a mechanism on texts or pictures that are given whole; a job has a plan of its own."""
    return {**PLANS, **OWN_PLANS.get(mechanism, {})}[kind]


def for_few(plan: Plan, n: int) -> Plan:
    """The plan for n training examples: where they are too few for `LEAST_STEPS`, smaller batches and more epochs."""
    if plan.epochs * n >= LEAST_STEPS * plan.batch:
        return plan
    batch = min(plan.batch, 64)
    epochs = -(-LEAST_STEPS * batch // n)
    return replace(plan, epochs=epochs, batch=batch, patience=epochs)


def later(plan: Plan) -> Plan:
    """The plan of a later stage: a thirtieth of the rate, a sixth of the epochs."""
    return replace(plan, epochs=max(1, plan.epochs // 6), rate=plan.rate / 30)


def fit(
    classifier: Classifier, task: Task, train: Encoded, val: Encoded, plan: Plan, *, seed: int = 0
) -> dict[str, float]:
    """Train in place, leave the classifier with the weights of its best epoch, return its figures on `val`."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=plan.rate, weight_decay=0.01)
    n = min(plan.rows, len(train.labels))
    steps = plan.epochs * -(-n // plan.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.rate, total_steps=steps, pct_start=0.2)
    progress, best, state, since = Progress("train", plan.epochs, seconds=0), {"accuracy": -1.0}, {}, 0
    for _ in range(plan.epochs):
        classifier.train()
        for rows in torch.randperm(len(train.labels), generator=generator)[:n].split(plan.batch):
            items, mask, sides = train.batch(rows)
            classifier.objective(items, mask, train.labels[rows], **sides).backward()
            nn.utils.clip_grad_norm_(classifier.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        figures = evaluate(classifier, task, val)
        progress.step(f"held-out {shown(figures)}")
        since = 0 if figures["accuracy"] > best["accuracy"] else since + 1
        if since == 0:
            best, state = figures, {name: value.clone() for name, value in classifier.state_dict().items()}
        if since >= plan.patience:
            break
    classifier.load_state_dict(state)
    return best


@torch.inference_mode()
def evaluate(classifier: Classifier, task: Task, data: Encoded) -> dict[str, float]:
    """The task's figures on encoded data."""
    classifier.eval()
    rows: Sequence[Tensor] = torch.arange(len(data.labels)).split(250)
    found = []
    for r in rows:
        items, mask, sides = data.batch(r)
        found.append(classifier(items, mask, **sides).probabilities)
    return task.metric(torch.cat(found), data.labels)


def shown(figures: dict[str, float]) -> str:
    """Figures as text."""
    return ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
