"""How the counting of nuclei is trained (kind "nuclei"): the features learn under a read-out that is told the kind."""

import time
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from attnviz import recording
from attnviz.attention import registry as mechanisms
from attnviz.features.microscopy import MicroscopyFeatures, prepared
from attnviz.features.picture import pixels
from attnviz.tasks.nuclei import KINDS, LEAST, expected_count, one_hot
from attnviz.tasks.registry import Examples, Task
from attnviz.training import heads, recipes
from attnviz.training.progress import Progress
from attnviz.zoo import models, store

EPOCHS, HEAD_EPOCHS, BATCH, RATE = 40, 20, 32, 3e-3
AGAINST = 0.3  # what it counts that the kind can be told from the features
WHOLE = 0.4  # share of the pictures that are seen whole; of the others a square part, at least half as wide
Square = Float[Tensor, "n 1 side side"]


def train_features(task: Task, data: Path) -> dict[str, Any]:
    """The feature model. Its read-out is the auxiliary query, so that the features need not tell the kinds apart.

    They are kept from it besides: a linear layer learns to tell the kind from their mean, and the features learn the
    opposite (Ganin & Lempitsky 2015). What they cannot say is left for the query to say.
    """
    started = time.monotonic()
    train, val = (task.read(data / task.data.folder, split) for split in ("train", "val"))
    model, readout = fit_features(task, train, seed=recipes.SEED)
    figures = figures_of(_probabilities(readout.eval(), encode(task, model.eval(), val)), task, val)
    card = recipes.card_of(task.name, "features", {}, started, figures) | recipes.source_of(task, train, val)
    card |= {"d_model": task.d_model, "read-out": "auxiliary"}
    store.write(store.root() / task.name / "features.safetensors", model.state_dict(), card)
    models.features.cache_clear()
    return card


def train_head(task: Task, spec: mechanisms.Mechanism, values: dict[str, Any], data: Path) -> dict[str, Any]:
    """One mechanism with its output model, on the frozen features of parts of the pictures."""
    started = time.monotonic()
    options = spec.parse(values)
    train, val = (task.read(data / task.data.folder, split) for split in ("train", "val"))
    model, _ = models.features(task.name)
    head = models.untrained(task.name, spec.name, options)
    fit_head(model, head, train, seed=recipes.SEED)
    figures = figures_of(_probabilities(head.eval(), encode(task, model, val)), task, val)
    card = recipes.card_of(task.name, spec.name, values, started, figures) | recipes.source_of(task, train, val)
    card |= {"losses": ["cross entropy"], "parameters": sum(p.numel() for p in head.parameters())}
    store.write(models.weights_file(task.name, spec.name, options), head.state_dict(), card)
    models.load.cache_clear()
    return card


def fit_features(
    task: Task, train: Examples, *, seed: int, epochs: int = EPOCHS
) -> tuple[MicroscopyFeatures, nn.Module]:
    """Features and read-out, trained together."""
    torch.manual_seed(seed)
    auxiliary = mechanisms.get("auxiliary")
    readout = task.job.output(auxiliary, auxiliary.options(), task.d_model)
    model, spy = MicroscopyFeatures(task.d_model), nn.Linear(task.d_model, len(KINDS))
    rarity = 1 / _kinds(train).mean(0).clamp_min(0.05)
    step = _optimised([*model.parameters(), *readout.parameters(), *spy.parameters()], len(train.labels), epochs)
    for x, kinds, labels in batches(train, epochs, seed):
        items = model(x)
        loss = F.cross_entropy(readout(items, auxiliary=kinds).logits, labels, label_smoothing=0.1)
        step(loss + F.cross_entropy(spy(_Reversed.apply(items.mean(1))), kinds, weight=rarity))
    return model, readout


def fit_head(
    model: MicroscopyFeatures, head: nn.Module, train: Examples, *, seed: int, epochs: int = HEAD_EPOCHS
) -> None:
    """Train a head in place; the features stay as they are."""
    step = _optimised(list(head.parameters()), len(train.labels), epochs)
    for x, kinds, labels in batches(train, epochs, seed):
        with torch.no_grad():
            items = model(x)
        step(F.cross_entropy(head(items, auxiliary=kinds).logits, labels, label_smoothing=0.1))


def batches(train: Examples, epochs: int, seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Parts of the pictures, their kinds and their classes, some epochs long."""
    generator = torch.Generator().manual_seed(seed)
    images, kinds = _pixels(train)[:, :1].float(), _kinds(train)
    masks = torch.stack([torch.from_numpy(given["mask"]) for given in train.inputs])[:, None].float()
    counts = torch.tensor([given["n_nuclei"] for given in train.inputs])
    for _ in range(epochs):
        for rows in torch.randperm(len(counts), generator=generator).split(BATCH):
            x, n_nuclei = parts(images[rows], masks[rows], counts[rows], generator)
            yield x, kinds[rows], torch.bucketize(n_nuclei, torch.tensor(LEAST), right=True)


def _optimised(parameters: list[nn.Parameter], n: int, epochs: int) -> Callable[[Tensor], None]:
    """A function that takes one step against a loss."""
    steps = epochs * -(-n // BATCH)
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=max(steps, 10), pct_start=0.2)
    progress = Progress("nuclei", steps)

    def step(loss: Tensor) -> None:
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        progress.step(f"loss {loss.item():.3f}")

    return step


class _Reversed(torch.autograd.Function):
    """The identity, whose gradient is turned round: what comes before it learns to make the loss larger."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return -AGAINST * gradient


def parts(
    images: Square, masks: Square, counts: Float[Tensor, " n"], generator: torch.Generator
) -> tuple[Square, Float[Tensor, " n"]]:
    """Square parts at random places, turned by right angles and mirrored, enlarged to the whole picture's size.

    How many nuclei a part has is taken from the share of the nuclei's area that it has, rounded.
    """
    n = len(images)
    whole = torch.rand(n, generator=generator) < WHOLE
    side = torch.where(whole, 1.0, 0.5 + 0.5 * torch.rand(n, generator=generator))
    middle = (2 * torch.rand(n, 2, generator=generator) - 1) * (1 - side)[:, None]
    angle = torch.randint(0, 4, (n,), generator=generator) * (torch.pi / 2)
    mirror = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    cosine, sine = angle.cos().round() * side, angle.sin().round() * side
    to = torch.stack(
        [
            torch.stack([cosine * mirror, -sine, middle[:, 0]], 1),
            torch.stack([sine * mirror, cosine, middle[:, 1]], 1),
        ],
        1,
    )
    grid = F.affine_grid(to, list(images.shape), align_corners=False)
    seen = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    inside = F.grid_sample(masks, grid, mode="nearest", align_corners=False)
    share = inside.mean((1, 2, 3)) * side.square() / masks.mean((1, 2, 3)).clamp_min(1e-6)
    return seen, (counts * share).round()


def encode(task: Task, features: nn.Module, examples: Examples) -> heads.Encoded:
    """Feature vectors of each picture, and its kind."""
    with torch.inference_mode():
        items = torch.cat([features(x).half() for x in _pixels(examples).split(100)])
    return heads.Encoded(items, None, examples.labels, {"auxiliary": _kinds(examples)})


def evaluate(task: Task, spec: mechanisms.Mechanism, options: Any, data: Path, split: str) -> dict[str, float]:
    """Accuracy, the error of the expected count, and how far the weights move when only the kind changes."""
    examples = task.read(data / task.data.folder, split)
    encoded = encode(task, models.features(task.name)[0], examples)
    model = models.load(task.name, spec.name, options).output
    figures = figures_of(_probabilities(model, encoded), task, examples)
    if "auxiliary" in spec.asks:
        figures["share of weight that moves with the kind"] = moved(model, encoded)
    return figures


def figures_of(probabilities: Float[Tensor, "n class"], task: Task, examples: Examples) -> dict[str, float]:
    """Accuracy, and the mean distance of the expected count from the number of nuclei."""
    counts = torch.tensor([given["n_nuclei"] for given in examples.inputs])
    error = (expected_count(probabilities) - counts).abs().mean()
    return task.metric(probabilities, examples.labels) | {"mean error of the expected count": float(error)}


@torch.inference_mode()
def moved(model: nn.Module, encoded: heads.Encoded) -> float:
    """Total variation between the weights under two kinds, averaged over pictures and pairs of kinds."""
    found = [
        sum(float((a - b).abs().sum()) / 2 for a, b in combinations(_weights(model, items[None].float()), 2)) / 3
        for items in encoded.items
    ]
    return sum(found) / len(found)


def _weights(model: nn.Module, items: Tensor) -> list[Tensor]:
    """The weights of one picture under each kind."""
    weights = []
    for kind in KINDS:
        with recording.record() as heard:
            model(items, auxiliary=one_hot(kind)[None])
        weights.append(torch.from_numpy(heard.maps()[0].weights))
    return weights


@torch.inference_mode()
def _probabilities(model: nn.Module, encoded: heads.Encoded) -> Float[Tensor, "n class"]:
    items, mask, sides = encoded.batch(torch.arange(len(encoded.labels)))
    return model(items, mask, **sides).probabilities


def _pixels(examples: Examples) -> Tensor:
    return torch.cat([pixels(prepared(given["picture"])) for given in examples.inputs])


def _kinds(examples: Examples) -> Float[Tensor, "n kind"]:
    return torch.stack([one_hot(given["kind"]) for given in examples.inputs])
