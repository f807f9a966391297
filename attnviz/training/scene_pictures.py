"""How the picture side of the scene features is trained: from made scenes, whose shapes are known place by place."""

import random
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from PIL import Image
from torch import Tensor, nn

from attnviz.features.scene import GRID, SceneFeatures, scene
from attnviz.training.progress import Progress
from attnviz.training.scenes import BOX, COLOURS, SHAPES, SIZES, STEP, Scene, Thing, painted, scattered, towers

N_SCENES, EPOCHS, BATCH, RATE = 4000, 5, 16, 3e-3
PLACE = BOX / GRID[0]  # side of a place in the units of a scene
LEAST = 0.15  # share of a place that a thing covers if the place is to tell of it
MOST = 5  # things of one kind in a box that are counted
_COLOURS = tuple(COLOURS)
# How many answers each question about a place has, 0 being "nothing here": the thing's colour, shape, size; which walls
# it touches; the colour that touches it from below, from above; how many things its box holds, of each colour, of each
# shape. What is at the place itself matters most: co-attention can only find there what can be told there.
ANSWERS = (1 + 3, 1 + 3, 1 + 3, 1 + 16, 2 + 3, 2 + 3, *(2 + 7,), *(2 + MOST,) * 6)
WEIGHTS = (4.0, 4.0, *(1.0,) * 4, *(0.5,) * 7)  # of the questions in the loss


def made(draw: random.Random, share_of_towers: float = 0.55) -> Scene:
    """A random scene; in the data a little more than half of them show towers."""
    return towers(draw) if draw.random() < share_of_towers else scattered(draw)


def pixels(shown: Scene, draw: random.Random) -> UInt8[Tensor, "1 3 height width"]:
    """A scene as the model reads it; most are coarse first, as the published pictures are."""
    picture = painted(shown)
    if draw.random() < 0.7:
        picture = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.NEAREST)
    return scene(picture)


def facts(shown: Scene) -> Int[Tensor, "place question"]:
    """The answers at each place, row by row. A place tells of the thing that covers most of it."""
    found = torch.zeros(*GRID, len(ANSWERS), dtype=torch.long)
    covered = torch.full(GRID, LEAST)
    for number, box in enumerate(shown):
        totals = _totals(box)
        for thing in box:
            answers = torch.tensor([*_about(thing, box), *totals])
            share = coverage(thing, number)
            here = share > covered
            covered[here] = share[here]
            found[here] = answers
    return found.flatten(0, 1)


def coverage(thing: Thing, box: int) -> Float[Tensor, "row column"]:
    """The share of each place that the square around a thing covers."""
    left = box * STEP + thing.x
    down = _overlaps(thing.y, thing.size, GRID[0])
    across = _overlaps(left, thing.size, GRID[1])
    return down[:, None] * across / PLACE**2


def _overlaps(start: int, length: int, n: int) -> Float[Tensor, " n"]:
    low = torch.arange(n) * PLACE
    return ((low + PLACE).clamp(max=start + length) - low.clamp(min=start)).clamp(min=0)


def _about(thing: Thing, box: Sequence[Thing]) -> tuple[int, ...]:
    """Which thing it is, the walls that it touches, and the colours below and above."""
    which = _COLOURS.index(thing.colour), SHAPES.index(thing.shape), SIZES.index(thing.size)
    walls = sum(1 << i for i, wall in enumerate(("left", "top", "right", "bottom")) if wall in thing.walls())
    beside = [t for t in box if t.x < thing.x + thing.size and thing.x < t.x + t.size]
    below = [t.colour for t in beside if abs(t.y - thing.y - thing.size) <= 3]
    above = [t.colour for t in beside if abs(thing.y - t.y - t.size) <= 3]
    return *(1 + kind for kind in which), 1 + walls, _touching(below), _touching(above)


def _touching(colours: list[str]) -> int:
    return 2 + _COLOURS.index(colours[0]) if colours else 1


def _totals(box: Sequence[Thing]) -> list[int]:
    kinds = [*([t.colour == colour for t in box] for colour in _COLOURS)]
    kinds += [[t.shape == shape for t in box] for shape in SHAPES]
    return [1 + len(box), *(1 + min(MOST, sum(kind)) for kind in kinds)]


def train_pictures(features: SceneFeatures, *, n: int = N_SCENES, epochs: int = EPOCHS, seed: int = 0) -> float:
    """Train the picture side in place; how often it tells colour and shape right where new scenes show something."""
    draw = random.Random(seed)
    shown = [made(draw, share_of_towers=0.3) for _ in range(n)]
    seen, answers = torch.cat([pixels(s, draw) for s in shown]), torch.stack([facts(s) for s in shown])
    held = max(1, n // 20)
    questions = nn.Linear(features.d_model, sum(ANSWERS))
    parameters = [*features.picture.parameters(), *features.norm.parameters(), *questions.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)
    generator = torch.Generator().manual_seed(seed)
    plan = [rows for _ in range(epochs) for rows in torch.randperm(n - held, generator=generator).split(BATCH)]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=max(len(plan), 20), pct_start=0.15)
    progress = Progress("pictures", len(plan))
    features.train().picture.to(memory_format=torch.channels_last)  # a third faster
    for rows in plan:
        given = questions(features.places(seen[rows])).flatten(0, 1).split(ANSWERS, -1)
        wanted = answers[rows].flatten(0, 1).unbind(-1)
        loss = sum(w * F.cross_entropy(z, right) for w, z, right in zip(WEIGHTS, given, wanted, strict=True))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        progress.step(f"loss {loss.item():.3f}")
    return _right(features.eval(), questions, seen[-held:], answers[-held:])


@torch.inference_mode()
def _right(features: SceneFeatures, questions: nn.Module, seen: Tensor, answers: Tensor) -> float:
    given = torch.cat([questions(features.places(part)) for part in seen.split(BATCH)]).split(ANSWERS, -1)
    found = torch.stack([z.argmax(-1) for z in given], dim=-1)
    return float((found == answers)[..., :2].all(-1)[answers[..., 0] > 0].double().mean())


@torch.no_grad()
def kinds(
    scenes: Sequence[Scene], items: Float[Tensor, "scene place d"]
) -> tuple[Float[Tensor, "3 d"], Float[Tensor, "3 d"]]:
    """Means of the places that show each colour, and of those that show each shape, less what all of them share."""
    answers = torch.stack([facts(shown) for shown in scenes])
    here = answers[..., 0] > 0
    vectors, answers = items[here].float(), answers[here]
    means = [torch.stack([vectors[answers[:, i] == kind].mean(0) for kind in (1, 2, 3)]) for i in (0, 1)]
    colours, shapes = (mean - mean.mean(0) for mean in means)
    return colours, shapes
