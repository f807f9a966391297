"""How cloze readers are trained: the reader on questions made of the texts, then the pointer on published ones."""

import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnviz.attention import registry as mechanisms
from attnviz.features import blanks
from attnviz.features.reader import Page, Reader, page
from attnviz.features.words import Words
from attnviz.tasks.cloze import Question
from attnviz.tasks.pointer import Pointer
from attnviz.tasks.registry import Task
from attnviz.training import recipes
from attnviz.training.progress import Progress
from attnviz.training.questions import Books, Sample, Source, Stories, reading
from attnviz.zoo import models, store

MECHANISM = "attention_over_attention"  # what the reader is trained with


@dataclass(frozen=True)
class Plan:
    """Batches, the highest rate, and the share of batches that have published questions."""

    batches: int
    rate: float
    dropout: float = 0.0
    published: float = 0.0


PLANS = {"cloze": Plan(650, 1.5e-3, 0.1), "cloze_zh": Plan(2500, 1.5e-3, 0.1, published=0.3)}
HEAD_PLAN = Plan(50, 5e-4, published=1.0)
CHECKS = 4  # times that validation questions are answered during training; the best weights are kept


def variants(task: Task, spec: mechanisms.Mechanism) -> list[dict[str, Any]]:
    """The defaults, and products that are scaled."""
    return [{}, {"scale": "sqrt"}]


def train_features(task: Task, data: Path) -> dict[str, Any]:
    """The reader, trained with a pointer that compares its vectors as they are."""
    started = time.monotonic()
    source = _source(task.name, data / task.data.folder)
    torch.manual_seed(recipes.SEED)
    model = _untrained(task, source)
    pointer = task.job.output(mechanisms.get(MECHANISM), None, model.d_model).requires_grad_(False)
    val = task.read(data / task.data.folder, "val").inputs
    given = dict(model.named_parameters())
    if isinstance(source, Stories):
        given["embedding"] = model.embedding.requires_grad_()
    model.train()
    kept = _fit(model, pointer, given.values(), source, PLANS[task.name], val)
    state = {name: value for name, value in model.state_dict().items() if task.name != "cloze" or name != "embedding"}
    card = recipes.card_of(task.name, "features", {}, started, measure(model, pointer, source.words, val))
    card |= _about(task, source, val) | {"kept": kept, "d_model": model.d_model}
    if isinstance(source, Stories):
        card |= {"vectors": len(model.embedding), "vocabulary bytes": len(model.spelling)}
    else:
        card["teacher"] = recipes.TEACHER_CARD
    store.write(store.root() / task.name / "features.safetensors", state, card)
    models.features.cache_clear()
    return card


def _untrained(task: Task, source: Source) -> Reader:
    """The English reader starts from the general text features, the Chinese one from nothing."""
    plan = PLANS[task.name]
    if isinstance(source, Stories):
        spelling = source.vocabulary.to_bytes()
        n = min(len(source.vocabulary.pieces), source.vocabulary.n_vectors)
        model = Reader(task.d_model, n_vectors=n, n_bytes=len(spelling), dropout=plan.dropout)
        model.spelling.copy_(spelling)
        nn.init.normal_(model.embedding, std=0.1)
        return model
    model = Reader(task.d_model, dropout=plan.dropout)
    base, table = (store.read(store.root() / "text" / f"{name}.safetensors")[0] for name in ("features", "embeddings"))
    model.embedding = table["numbers"].float() * table["scale"]
    model.load_state_dict(base, strict=False)
    return model


@lru_cache(maxsize=1)
def _source(task: str, folder: Path) -> Source:
    return (Books if task == "cloze" else Stories)(folder)


def train_head(task: Task, spec: mechanisms.Mechanism, values: dict[str, Any], data: Path) -> dict[str, Any]:
    """The pointer's two layers on the frozen reader, with published training questions."""
    started = time.monotonic()
    source = _source(task.name, data / task.data.folder)
    options = spec.parse(values)
    reader, _ = models.features(task.name)
    pointer = models.untrained(task.name, spec.name, options)
    val = task.read(data / task.data.folder, "val").inputs
    kept = _fit(reader, pointer, pointer.parameters(), source, HEAD_PLAN, val)
    card = recipes.card_of(task.name, spec.name, values, started, measure(reader, pointer, source.words, val))
    card |= _about(task, source, val) | {"kept": kept, "parameters": sum(p.numel() for p in pointer.parameters())}
    store.write(models.weights_file(task.name, spec.name, options), pointer.state_dict(), card)
    models.load.cache_clear()
    return card


def _about(task: Task, source: Source, val: Sequence[Question]) -> dict[str, Any]:
    return {
        "data": task.data.name,
        "licence": task.data.licence,
        "n_train": len(source.questions),
        "n_val": len(val),
        "losses": ["cross entropy"],
    }


def _fit(
    reader: Reader, pointer: Pointer, parameters: Iterable[Tensor], source: Source, plan: Plan, val: Sequence[Question]
) -> str:
    """Train `parameters` in place, leave them at their best on `val`, the beginning included, and say when that was.

    The rate rises for a twentieth of the batches and falls along a cosine.
    """
    parameters, rng, is_reader = list(parameters), random.Random(recipes.SEED), reader.training
    optimizer = torch.optim.AdamW(parameters, lr=plan.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.rate, total_steps=plan.batches, pct_start=0.05)
    figures = measure(reader, pointer, source.words, val)
    best, state, kept = figures["accuracy"], _copies(parameters), 0
    progress, mean = Progress("train", plan.batches, seconds=20), math.nan
    for batch in range(plan.batches):
        reader.train(is_reader)
        samples = source.published(rng) if rng.random() < plan.published else source.made(rng)
        value = loss(reader, pointer, samples)
        value.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        mean = value.item() if math.isnan(mean) else 0.98 * mean + 0.02 * value.item()
        if (batch + 1) % max(1, plan.batches // CHECKS) == 0:
            figures = measure(reader, pointer, source.words, val)
            if figures["accuracy"] > best:
                best, state, kept = figures["accuracy"], _copies(parameters), batch + 1
        progress.step(f"loss {mean:.3f}, held-out accuracy {figures['accuracy']:.4f}")
    for parameter, value in zip(parameters, state, strict=True):
        parameter.data.copy_(value)
    return f"after {kept} of {plan.batches} batches"


def _copies(parameters: Sequence[Tensor]) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in parameters]


def loss(reader: Reader, pointer: Pointer, samples: Sequence[Sample]) -> Float[Tensor, ""]:
    """Minus the logarithm of the missing word's probability among all words of its text, the mean over the samples."""
    given = page([sample.reading for sample in samples])
    right = torch.tensor([given.numbers[sample.answer] for sample in samples])
    found = shares(reader, pointer, given).gather(1, right[:, None] - 1)
    return -found.clamp_min(1e-6).log().mean()


def shares(reader: Reader, pointer: Pointer, given: Page) -> Float[Tensor, "batch word"]:
    """Probability of each word of the page, `numbers` less one."""
    items, query_items = reader(given)
    sides = {"query_items": query_items, "query_mask": given.query_mask, "answers": given.words - 1}
    return pointer(items, given.mask, **sides).probabilities


@torch.inference_mode()
def measure(
    reader: Reader, pointer: Pointer, words: Callable[[str], Words], questions: Sequence[Question]
) -> dict[str, float]:
    """Share of questions whose right option is the most probable one, in all and by kind.

    Beside it the share of those whose right option is the one that stands in the text most often.
    """
    reader.eval()
    right, frequent = defaultdict(list), defaultdict(list)
    for start in range(0, len(questions), 32):
        part = questions[start : start + 32]
        given = page([reading(question, words) for question in part])
        found = shares(reader, pointer, given)
        for question, row in zip(part, found, strict=True):
            for kind in ("accuracy", question.kind):
                right[kind].append(_best(question, row, given.numbers) == question.answer)
                frequent[kind].append(question.frequent == question.answer)
    figures = {kind: sum(told) / len(told) for kind, told in right.items()}
    return figures | {f"most frequent option, {kind}": sum(told) / len(told) for kind, told in frequent.items()}


def _best(question: Question, row: Tensor, numbers: dict[str, int]) -> str:
    """The most probable option; one that the text lacks has no probability."""
    known = [option for option in question.options if option.lower() in numbers]
    return max(known, key=lambda option: float(row[numbers[option.lower()] - 1]), default="")


def evaluate(task: Task, spec: mechanisms.Mechanism, options: Any, data: Path, split: str) -> dict[str, float]:
    """Figures of one trained pointer on a split."""
    model = models.load(task.name, spec.name, options)
    reader, _ = models.features(task.name)
    if task.name == "cloze":
        words = blanks.english
    else:
        words = partial(blanks.segmented, vocabulary=reader.vocabulary())
    return measure(reader, model.output, lru_cache(words), task.read(data / task.data.folder, split).inputs)
