"""How the task about a sentence and a picture is trained (kind "pair").

Two thousand published pairs are few, so they are shown in other colours too, and scenes and sentences are made. The
picture side learns from made scenes alone; the words learn from pairs, under all forms of co-attention at once.
"""

import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from attnviz.attention import registry as mechanisms
from attnviz.attention.registry import Mechanism
from attnviz.features.scene import SceneFeatures, scene
from attnviz.features.text import collate
from attnviz.features.words import split
from attnviz.tasks import registry as tasks
from attnviz.tasks.registry import Examples, Task
from attnviz.training import heads, scene_names
from attnviz.training.jobs import target
from attnviz.training.progress import Progress
from attnviz.training.recipes import SEED, card_of, source_of
from attnviz.training.scene_pictures import made, pixels, train_pictures
from attnviz.training.scene_sentences import sentence
from attnviz.training.scenes import COLOURS, Scene, Thing
from attnviz.zoo import models, store

N_MADE = 4000  # scenes with made sentences, beside the published pairs
COLOURINGS = 2  # of each published pair
EPOCHS, BATCH, RATE = 5, 64, 2e-3
variants = target.variants
PLAN = heads.Plan(epochs=6, batch=64, rate=1e-3, patience=3)
MADE_FROM = f"{N_MADE:,} made scenes with made sentences; published pairs in {COLOURINGS} colourings"


class Pair(NamedTuple):
    """A scene, a sentence about it, and whether it is true."""

    shown: Scene
    said: str
    truth: int


def train_features(task: Task, data: Path) -> dict[str, Any]:
    """The feature model that all forms share: pictures first, then words."""
    started = time.monotonic()
    torch.manual_seed(SEED)
    features = SceneFeatures(task.d_model)
    table, _ = store.read(store.root() / "text" / "embeddings.safetensors")
    features.embedding = table["numbers"].float() * table["scale"]
    places = train_pictures(features, seed=SEED)
    train, val = (task.read(data / task.data.folder, part) for part in ("train", "val"))
    state, figure = train_words(task, features, published(train), val)
    figures = {"right answers about places of new scenes": places, "accuracy of the read-outs": figure}
    card = card_of(task.name, "features", {}, started, figures) | source_of(task, train, val)
    card |= {"d_model": task.d_model, "made": MADE_FROM}
    store.write(store.root() / task.name / "features.safetensors", state, card)
    models.features.cache_clear()
    return card


def published(examples: Examples) -> list[Pair]:
    """The pairs of the data, each in several colourings, the given one first."""
    draw = random.Random(SEED)
    others = list(permutations(COLOURS))[1:]
    found = []
    for values, truth in zip(examples.inputs, examples.labels.tolist(), strict=True):
        shown = scene_of(values["boxes"])
        for colours in (tuple(COLOURS), *draw.sample(others, COLOURINGS - 1)):
            found.append(recoloured(Pair(shown, values["sentence"], truth), colours))
    return found


def scene_of(boxes: Sequence[Sequence[Mapping[str, Any]]]) -> Scene:
    """A scene as the data describe it."""
    return [[Thing(o["shape"], o["color"], o["x"], o["y"], o["size"]) for o in box] for box in boxes]


def recoloured(pair: Pair, colours: Sequence[str]) -> Pair:
    """The pair with other colours, in the scene and in the sentence: true and false stay so."""
    new = dict(zip(COLOURS, colours, strict=True))
    shown = [[replace(thing, colour=new[thing.colour]) for thing in box] for box in pair.shown]
    said = re.sub("|".join(COLOURS), lambda found: new[found[0].lower()], pair.said, flags=re.IGNORECASE)
    return Pair(shown, said, pair.truth)


def invented(n: int, draw: random.Random) -> list[Pair]:
    """Made scenes with made sentences."""
    return [Pair(shown, *sentence(shown, draw)) for shown in (made(draw) for _ in range(n))]


def train_words(
    task: Task, features: SceneFeatures, known: Sequence[Pair], val: Examples
) -> tuple[dict[str, Tensor], float]:
    """Train the text side under every form of co-attention; the best epoch's state of all features, its accuracy.

    The picture side stays as it is. Made scenes get new sentences in every epoch.
    """
    torch.manual_seed(SEED)
    draw, generator = random.Random(SEED + 1), torch.Generator().manual_seed(SEED)
    pairs = [*known, *invented(N_MADE, draw)]
    items = place_vectors(features, [pixels(pair.shown, draw) for pair in pairs])
    held = place_vectors(features, [scene(values["picture"].image) for values in val.inputs])
    judges = nn.ModuleList(_judges(task))
    parameters = [*features.text.parameters(), *judges.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)
    steps = max(EPOCHS * -(-len(pairs) // BATCH), 20)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.1)
    best, state, progress = 0.0, {}, Progress("words", EPOCHS, seconds=0)
    for _ in range(EPOCHS):
        features.text.train()
        judges.train()
        for rows in torch.randperm(len(pairs), generator=generator).split(BATCH):
            chosen = [pairs[i] for i in rows.tolist()]
            sides = word_vectors(features, [pair.said for pair in chosen])
            truth = torch.tensor([pair.truth for pair in chosen]).long()
            sum(judge.objective(items[rows].float(), None, truth, **sides) for judge in judges).backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        features.eval()
        sides = word_vectors(features, [values["sentence"] for values in val.inputs])
        encoded = heads.Encoded(held, None, val.labels, sides)
        figures = [heads.evaluate(judge, task, encoded)["accuracy"] for judge in judges]
        accuracy = sum(figures) / len(figures)
        progress.step(f"held-out accuracy {accuracy:.4f} ({', '.join(f'{figure:.3f}' for figure in figures)})")
        if accuracy > best:
            best, state = accuracy, {name: value.clone() for name, value in features.state_dict().items()}
        pairs[len(known) :] = [Pair(p.shown, *sentence(p.shown, draw)) for p in pairs[len(known) :]]
    return state, best


def _judges(task: Task) -> list[nn.Module]:
    """Co-attention in each of its forms, with its output model."""
    spec = mechanisms.get("co_attention")
    forms = next(f.metadata["choices"] for f in fields(spec.options) if f.name == "form")
    return [task.job.output(spec, spec.options(form=form), task.d_model) for form in forms]


@torch.inference_mode()
def place_vectors(
    features: SceneFeatures, seen: Sequence[UInt8[Tensor, "1 3 height width"]]
) -> Float[Tensor, "n place d"]:
    """The places of many pictures, in half precision."""
    features.eval()
    parts = [features.places(torch.cat(list(seen[i : i + 64]))).half() for i in range(0, len(seen), 64)]
    return torch.cat(parts).clone()


def word_vectors(features: SceneFeatures, sentences: Sequence[str]) -> dict[str, Tensor]:
    """The words of many sentences, as sides."""
    pieces, mask = collate([split(said) for said in sentences])
    return {"query_items": features.words(pieces, mask), "query_mask": mask}


@torch.inference_mode()
def encode(task: Task, features: SceneFeatures, examples: Examples) -> heads.Encoded:
    """Places and words of published pairs."""
    items = place_vectors(features, [scene(values["picture"].image) for values in examples.inputs])
    sides = word_vectors(features, [values["sentence"] for values in examples.inputs])
    return heads.Encoded(items, None, examples.labels, sides)


@torch.inference_mode()
def encode_pairs(features: SceneFeatures, pairs: Sequence[Pair], draw: random.Random) -> heads.Encoded:
    """Places and words of pairs that are painted here."""
    items = place_vectors(features, [pixels(pair.shown, draw) for pair in pairs])
    truth = torch.tensor([pair.truth for pair in pairs]).long()
    return heads.Encoded(items, None, truth, word_vectors(features, [pair.said for pair in pairs]))


@lru_cache(maxsize=1)
def _encoded(name: str, data: Path) -> tuple[heads.Encoded, heads.Encoded]:
    task = tasks.get(name)
    features, _ = models.features(name)
    draw = random.Random(SEED + 2)
    train, val = (task.read(data / task.data.folder, part) for part in ("train", "val"))
    pairs = [*published(train), *invented(N_MADE, draw)]
    return encode_pairs(features, pairs, draw), encode(task, features, val)


def train_head(task: Task, spec: Mechanism, values: Mapping[str, Any], data: Path) -> dict[str, Any]:
    """One mechanism with its output model, on published and made pairs."""
    started = time.monotonic()
    options = spec.parse(values)
    train, val = _encoded(task.name, data)
    judge = models.untrained(task.name, spec.name, options)
    figures = heads.fit(judge, task, train, val, PLAN, seed=SEED)
    card = card_of(task.name, spec.name, values, started, figures) | source_of(task, train, val)
    card |= {"made": MADE_FROM, "losses": ["cross entropy"], "parameters": sum(p.numel() for p in judge.parameters())}
    store.write(models.weights_file(task.name, spec.name, options), judge.state_dict(), card)
    models.load.cache_clear()
    return card


def evaluate(task: Task, spec: Mechanism, options: Any, data: Path, part: str) -> dict[str, float]:
    """Accuracy, and how much of the weight lies on the shapes that a sentence names, against even weights.

    The latter over the sentences that name some of the shapes of their picture, not all.
    """
    model = models.load(task.name, spec.name, options)
    features, _ = models.features(task.name)
    examples = task.read(data / task.data.folder, part)
    figures = heads.evaluate(model.output, task, encode(task, features, examples))
    found = [scene_names.shares(_weights(model, v), v["sentence"], scene_of(v["boxes"])) for v in examples.inputs]
    found = [shares for shares in found if shares]
    return figures | {name: sum(shares[name] for shares in found) / len(found) for name in found[0]}


def _weights(model: models.Model, values: Mapping[str, Any]) -> Float[Tensor, " place"]:
    trace = model.trace(models.encode(model.task.name, values))
    return torch.from_numpy(next(m for m in trace.maps if m.name == "weights").weights).flatten()
