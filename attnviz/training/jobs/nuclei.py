"""How the counting of nuclei is trained (kind "nuclei"): on sheets of two pictures, of which the kind names one."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from attnviz import recording
from attnviz.attention import registry as mechanisms
from attnviz.features.microscopy import SIDE, STRIDE, MicroscopyFeatures, prepared
from attnviz.features.picture import pixels
from attnviz.tasks.nuclei import LEAST, expected_count, one_hot, sheets
from attnviz.tasks.registry import Examples, Task
from attnviz.training import heads, recipes
from attnviz.training.progress import Progress
from attnviz.zoo import models, store

STEPS, HEAD_STEPS, BATCH, RATE = 900, 250, 32, 3e-3
SINGLES = 4  # every fourth batch is of single pictures
DRAWN = (0.4, 0.4, 0.2)  # how often each kind is drawn for a sheet; there are 425, 83 and 11 pictures of them
WHOLE = 0.4  # share of the pictures that are seen whole; of the others a square part, at least half as wide
Square = Float[Tensor, "n 1 side side"]
Batch = tuple[Float[Tensor, "n 1 height width"], Float[Tensor, "question kind"], Int[Tensor, " question"]]


def train_features(task: Task, data: Path) -> dict[str, Any]:
    """The feature model, trained together with an auxiliary query as its read-out."""
    started = time.monotonic()
    train, val = (task.read(data / task.data.folder, split) for split in ("train", "val"))
    model, readout = fit_features(task, train, seed=recipes.SEED)
    card = _card(task, "features", {}, started, figures_of(task, model.eval(), readout.eval(), val), train, val)
    card |= {"d_model": task.d_model, "read-out": "auxiliary"}
    store.write(store.root() / task.name / "features.safetensors", model.state_dict(), card)
    models.features.cache_clear()
    return card


def train_head(task: Task, spec: mechanisms.Mechanism, values: dict[str, Any], data: Path) -> dict[str, Any]:
    """One mechanism with its output model, on the frozen features of sheets and pictures."""
    started = time.monotonic()
    options = spec.parse(values)
    train, val = (task.read(data / task.data.folder, split) for split in ("train", "val"))
    model, _ = models.features(task.name)
    head = models.untrained(task.name, spec.name, options)
    fit_head(model, head, train, seed=recipes.SEED)
    card = _card(task, spec.name, values, started, figures_of(task, model, head.eval(), val), train, val)
    card |= {"losses": ["cross entropy"], "parameters": sum(p.numel() for p in head.parameters())}
    store.write(models.weights_file(task.name, spec.name, options), head.state_dict(), card)
    models.load.cache_clear()
    return card


def _card(
    task: Task, name: str, values: dict, started: float, figures: dict[str, float], train: Examples, val: Examples
) -> dict[str, Any]:
    inputs = "sheets of two pictures of different kinds, made anew for each step; every fourth batch is single pictures"
    card = recipes.card_of(task.name, name, values, started, figures) | recipes.source_of(task, train, val)
    return card | {"inputs": inputs, "n_val_sheet_questions": len(sheets(val).labels)}


def fit_features(task: Task, train: Examples, *, seed: int, steps: int = STEPS) -> tuple[MicroscopyFeatures, nn.Module]:
    """Features and read-out, trained together."""
    torch.manual_seed(seed)
    auxiliary = mechanisms.get("auxiliary")
    model, readout = MicroscopyFeatures(task.d_model), task.job.output(auxiliary, auxiliary.options(), task.d_model)
    _fit(model, readout, [*model.parameters(), *readout.parameters()], train, seed, steps)
    return model, readout


def fit_head(
    model: MicroscopyFeatures, head: nn.Module, train: Examples, *, seed: int, steps: int = HEAD_STEPS
) -> None:
    """Train a head in place; the features stay as they are."""
    _fit(model.requires_grad_(False), head, list(head.parameters()), train, seed, steps)


def _fit(
    model: nn.Module, head: nn.Module, parameters: list[nn.Parameter], train: Examples, seed: int, steps: int
) -> None:
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=max(steps, 10), pct_start=0.2)
    progress = Progress("nuclei", steps)
    for x, kinds, labels in batches(train, steps, seed):
        items = model(x).repeat_interleave(len(labels) // len(x), 0)
        loss = F.cross_entropy(head(items, auxiliary=kinds).logits, labels, label_smoothing=0.1)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        progress.step(f"loss {loss.item():.3f}")


def batches(train: Examples, steps: int, seed: int) -> Iterator[Batch]:
    """Sheets with both questions, the left picture's first, or single pictures: pixels, kinds asked for, classes."""
    generator = torch.Generator().manual_seed(seed)
    images, kinds = _pixels(train)[:, :1].float(), _kinds(train)
    masks = torch.stack([torch.from_numpy(given["mask"]) for given in train.inputs])[:, None].float()
    counts = torch.tensor([given["n_nuclei"] for given in train.inputs])
    for step in range(steps):
        single = step % SINGLES == SINGLES - 1
        rows = torch.randint(len(counts), (BATCH,), generator=generator) if single else drawn(kinds, generator)
        x, n_nuclei = parts(images[rows], masks[rows], counts[rows], generator)
        x = x if single else torch.cat([x[::2], x[1::2]], -1)
        yield x, kinds[rows], torch.bucketize(n_nuclei, torch.tensor(LEAST), right=True)


def drawn(kinds: Float[Tensor, "n kind"], generator: torch.Generator) -> Int[Tensor, " row"]:
    """Rows of pictures, of which each two that follow each other are of different kinds; rare kinds are drawn often."""
    often = torch.tensor(DRAWN) * kinds.any(0)
    pairs = torch.multinomial(often.expand(BATCH // 2, -1), 2, generator=generator)
    return torch.multinomial(kinds.T[pairs.flatten()], 1, generator=generator)[:, 0]


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


@torch.inference_mode()
def encode(task: Task, features: nn.Module, examples: Examples) -> heads.Encoded:
    """Feature vectors of pictures, or of sheets, and the kind that is asked for."""
    items = torch.cat([features(x).half() for x in _pixels(examples).split(100)])
    return heads.Encoded(items, None, examples.labels, {"auxiliary": _kinds(examples)})


def evaluate(task: Task, spec: mechanisms.Mechanism, options: Any, data: Path, split: str) -> dict[str, float]:
    """Figures of one trained model on the sheets and the single pictures of a split."""
    examples = task.read(data / task.data.folder, split)
    model, _ = models.features(task.name)
    return figures_of(task, model, models.load(task.name, spec.name, options).output, examples)


def figures_of(task: Task, features: nn.Module, model: nn.Module, singles: Examples) -> dict[str, float]:
    """Accuracy, error of the count and where the weight is on sheets of the pictures; then on the pictures one by one.

    Where a split has pictures of one kind only, there are no sheets.
    """
    figures, pairs = {}, sheets(singles)
    if pairs.inputs:
        encoded = encode(task, features, pairs)
        figures = task.metric(_probabilities(model, encoded), pairs.labels) | {
            "mean error of the expected count": count_error(_probabilities(model, encoded), pairs),
            "weight on the half asked for": weight_on_half(model, encoded, [given["half"] for given in pairs.inputs]),
        }
    found = _probabilities(model, encode(task, features, singles))
    return figures | {
        "accuracy on single pictures": task.metric(found, singles.labels)["accuracy"],
        "mean error on single pictures": count_error(found, singles),
    }


def count_error(probabilities: Float[Tensor, "n class"], examples: Examples) -> float:
    """The mean distance of the expected count from the number of nuclei."""
    counts = torch.tensor([given["n_nuclei"] for given in examples.inputs])
    return float((expected_count(probabilities) - counts).abs().mean())


@torch.inference_mode()
def weight_on_half(model: nn.Module, encoded: heads.Encoded, asked: list[int]) -> float:
    """The mean share of the weight that lies on the half asked for, left 0 or right 1."""
    found = 0.0
    for row, half in enumerate(asked):
        items, _, sides = encoded.batch(torch.tensor([row]))
        with recording.record() as heard:
            model(items, **sides)
        weights = heard.maps()[0].weights.reshape(-1, 2, SIDE // STRIDE)  # a row of the sheet is one of each half
        found += float(weights[:, half].sum())
    return found / len(asked)


@torch.inference_mode()
def _probabilities(model: nn.Module, encoded: heads.Encoded) -> Float[Tensor, "n class"]:
    items, _, sides = encoded.batch(torch.arange(len(encoded.labels)))
    return model(items, **sides).probabilities


def _pixels(examples: Examples) -> Tensor:
    return torch.cat([pixels(prepared(given["picture"])) for given in examples.inputs])


def _kinds(examples: Examples) -> Float[Tensor, "n kind"]:
    return torch.stack([one_hot(given["kind"]) for given in examples.inputs])
