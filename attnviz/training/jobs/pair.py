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

from attnviz import recording
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
from attnviz.training.scene_pictures import kinds, made, pixels, train_pictures
from attnviz.training.scene_sentences import sentence
from attnviz.training.scenes import COLOURS, Scene, Thing
from attnviz.zoo import models, store

N_MADE, N_HELD = 2500, 400  # scenes with made sentences, beside the published pairs; to measure by
COLOURINGS = 2  # of each published pair
PLAIN_EPOCHS, EPOCHS, BATCH, RATE = 18, 20, 64, 3e-3
variants = target.variants
PLAIN = heads.Plan(epochs=8, batch=64, rate=3e-3, patience=8)
PLAN = heads.Plan(epochs=3, batch=64, rate=1e-3)
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
    plain = train_words(task, features, published(train))
    figures = {"colour and shape of a place": places, "plain sentences about new scenes": plain}
    card = card_of(task.name, "features", {}, started, figures) | source_of(task, train, val)
    card |= {"d_model": task.d_model, "made": MADE_FROM}
    store.write(store.root() / task.name / "features.safetensors", features.state_dict(), card)
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


def invented(n: int, draw: random.Random, *, plain: bool = False) -> list[Pair]:
    """Made scenes with made sentences, plain ones or every second one plain."""
    return [_told(made(draw), draw, plain) for _ in range(n)]


def _told(shown: Scene, draw: random.Random, plain: bool) -> Pair:
    return Pair(shown, *sentence(shown, draw, plain=plain or draw.random() < 0.5))


def train_words(task: Task, features: SceneFeatures, known: Sequence[Pair]) -> float:
    """Train the text side in place under every form of co-attention; their accuracy on plain sentences, new scenes.

    The picture side stays as it is. Words that name a colour or a shape learn to resemble the places that show it: both
    sides then speak of these in the same numbers. What is said of made scenes is new in every epoch, and plain in
    the first, which leave the published pairs out: only who looks at what is named can tell whether it is true.
    """
    torch.manual_seed(SEED)
    draw, generator = random.Random(SEED + 1), torch.Generator().manual_seed(SEED)
    about = invented(N_HELD, draw, plain=True)
    held = encode_pairs(features, about, draw)
    pairs = [*known, *invented(N_MADE, draw, plain=True)]
    items = place_vectors(features, [pixels(pair.shown, draw) for pair in pairs])
    shown = kinds([pair.shown for pair in pairs[-N_HELD:]], items[-N_HELD:])
    judges = nn.ModuleList(_judges(task))
    parameters = [*features.text.parameters(), *judges.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)
    steps = PLAIN_EPOCHS * -(-N_MADE // BATCH) + (EPOCHS - PLAIN_EPOCHS) * -(-len(pairs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=max(steps, 20), pct_start=0.1)
    progress = Progress("words", EPOCHS, seconds=0)
    for epoch in range(EPOCHS):
        plain = epoch < PLAIN_EPOCHS
        pairs[len(known) :] = [_told(pair.shown, draw, plain) for pair in pairs[len(known) :]]
        features.text.train()
        judges.train()
        first = len(known) if plain else 0
        for rows in (first + torch.randperm(len(pairs) - first, generator=generator)).split(BATCH):
            _loss(features, shown, judges, items[rows].float(), [pairs[i] for i in rows.tolist()]).backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        features.eval()
        held = replace(held, sides=_said(features, about))
        figures = [heads.evaluate(judge, task, held)["accuracy"] for judge in judges]
        progress.step(f"plain sentences {', '.join(f'{figure:.3f}' for figure in figures)}")
    return sum(figures) / len(figures)


def _loss(
    features: SceneFeatures, shown: Sequence[Tensor], judges: nn.ModuleList, items: Tensor, pairs: Sequence[Pair]
) -> Float[Tensor, ""]:
    sentences = [pair.said for pair in pairs]
    sides = word_vectors(features, sentences)
    truth = torch.tensor([pair.truth for pair in pairs]).long()
    told = sum(judge.objective(items, None, truth, **sides) for judge in judges)
    return told + naming(shown, sides["query_items"], sentences)


def naming(
    shown: Sequence[Float[Tensor, "kind d"]], words: Float[Tensor, "batch word d"], sentences: Sequence[str]
) -> Float[Tensor, ""]:
    """How badly words resemble the colour and the shape that they name, among all that are shown."""
    answers = torch.full((*words.shape[:2], len(shown)), -1)
    for row, said in enumerate(sentences):
        told = scene_names.told(split(said).labels)
        answers[row, : len(told)] = torch.tensor(told)
    losses = [
        nn.functional.cross_entropy((words @ vectors.mT).flatten(0, 1), right.flatten(), ignore_index=-1)
        for vectors, right in zip(shown, answers.unbind(-1), strict=True)
        if (right >= 0).any()
    ]
    return sum(losses, words.new_zeros(()))


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
    return heads.Encoded(items, None, truth, _said(features, pairs))


@torch.inference_mode()
def _said(features: SceneFeatures, pairs: Sequence[Pair]) -> dict[str, Tensor]:
    return word_vectors(features, [pair.said for pair in pairs])


class _Encoded(NamedTuple):
    """Plain pairs and held-out ones of them; all pairs to train on; held-out published ones, and as they are."""

    plain: heads.Encoded
    plain_val: heads.Encoded
    train: heads.Encoded
    val: heads.Encoded
    published: Examples


@lru_cache(maxsize=1)
def _encoded(name: str, data: Path) -> _Encoded:
    task = tasks.get(name)
    features, _ = models.features(name)
    draw = random.Random(SEED + 2)
    train, val = (task.read(data / task.data.folder, part) for part in ("train", "val"))
    plain = encode_pairs(features, invented(N_MADE, draw, plain=True), draw)
    plain_val = encode_pairs(features, invented(N_HELD, draw, plain=True), draw)
    pairs = [*published(train), *invented(N_MADE, draw)]
    return _Encoded(plain, plain_val, encode_pairs(features, pairs, draw), encode(task, features, val), val)


def train_head(task: Task, spec: Mechanism, values: Mapping[str, Any], data: Path) -> dict[str, Any]:
    """One mechanism with its output model: on plain sentences about made scenes first, then on all pairs."""
    started = time.monotonic()
    options = spec.parse(values)
    plain, plain_val, train, val, seen = _encoded(task.name, data)
    judge = models.untrained(task.name, spec.name, options)
    heads.fit(judge, task, plain, plain_val, PLAIN, seed=SEED)
    figures = heads.fit(judge, task, train, val, PLAN, seed=SEED)
    figures |= {"accuracy on plain sentences": heads.evaluate(judge, task, plain_val)["accuracy"]}
    figures |= weight_on_named(judge, val, seen)
    card = card_of(task.name, spec.name, values, started, figures) | source_of(task, train, val)
    card |= {"made": MADE_FROM, "losses": ["cross entropy"], "parameters": sum(p.numel() for p in judge.parameters())}
    store.write(models.weights_file(task.name, spec.name, options), judge.state_dict(), card)
    models.load.cache_clear()
    return card


def evaluate(task: Task, spec: Mechanism, options: Any, data: Path, part: str) -> dict[str, float]:
    """Accuracy, and how much of the weight lies on the shapes that a sentence names, against even weights."""
    model = models.load(task.name, spec.name, options)
    features, _ = models.features(task.name)
    examples = task.read(data / task.data.folder, part)
    encoded = encode(task, features, examples)
    return heads.evaluate(model.output, task, encoded) | weight_on_named(model.output, encoded, examples)


@torch.inference_mode()
def weight_on_named(judge: nn.Module, encoded: heads.Encoded, examples: Examples) -> dict[str, float]:
    """Means of `scene_names.shares` over the pairs whose sentence names some of the shapes of the picture, not all."""
    judge.eval()
    found = []
    for row, values in enumerate(examples.inputs):
        items, mask, sides = encoded.batch(torch.tensor([row]))
        with recording.record() as heard:
            judge(items, mask, **sides)
        weights = next(m.weights for m in heard.maps() if m.name == "weights")
        found.append(
            scene_names.shares(torch.from_numpy(weights).flatten(), values["sentence"], scene_of(values["boxes"]))
        )
    found = [shares for shares in found if shares]
    return {name: sum(shares[name] for shares in found) / len(found) for name in found[0]} if found else {}
