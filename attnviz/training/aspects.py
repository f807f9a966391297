"""How text features are trained for questions about parts of a text: several questions a sentence, one set of features.

The features never see what is asked. Simple read-outs do, and their loss trains the features, so that a mechanism that
is trained later finds at a word what is said of it, and at an opinion what it is about.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attnviz.features.text import TextFeatures, collate
from attnviz.features.words import Words, split
from attnviz.tasks.registry import Examples, Task
from attnviz.training.progress import Progress
from attnviz.training.recipes import SEED, card_of, source_of
from attnviz.training.text_features import batches
from attnviz.zoo import models, store

EPOCHS, RATE, DROPOUT, HIDDEN = 8, 2e-3, 0.3, 0.1  # HIDDEN: share of the words that training hides
WORDS_IN_BATCH = 1024
Question = Callable[[Words, Mapping[str, str]], Tensor]  # what is asked of a sentence, as a vector
MOST_NEGATIVE = torch.finfo(torch.float32).min  # an empty side then gets equal weights, which the mask takes away


class Asked(NamedTuple):
    """A sentence, what is asked of it (a vector each), and the number of each answer's class."""

    words: Words
    questions: list[Tensor]
    labels: list[int]


class TargetReadout(nn.Module):
    """Three small models of a target in its sentence: its mean alone, what it asks of all words, and of each side."""

    def __init__(self, d_model: int, n_classes: int):
        super().__init__()
        self.query, self.left, self.right = (nn.Linear(d_model, d_model) for _ in range(3))
        self.drop = nn.Dropout(0.2)
        self.outputs = nn.ModuleList(nn.Linear(n * d_model, n_classes) for n in (1, 1, 3))

    def forward(
        self, items: Float[Tensor, "batch item d"], mask: Bool[Tensor, "batch item"], target: Bool[Tensor, "batch item"]
    ) -> list[Float[Tensor, "batch class"]]:
        """Logits of each model."""
        share = target / target.sum(1, keepdim=True)
        mean = (share[:, None] @ items).squeeze(1)
        begun, ended = target.cumsum(1) > 0, target.flip(1).cumsum(1).flip(1) == 0
        whole = _attended(self.query(mean), items, mask)
        left = _attended(self.left(mean), items, mask & ~begun)
        right = _attended(self.right(mean), items, mask & begun & ended)
        contexts = (mean, whole, torch.cat([left, right, mean], dim=1))
        return [output(self.drop(c)) for output, c in zip(self.outputs, contexts, strict=True)]


class CategoryReadout(nn.Module):
    """What a vector of numbers, such as a category, asks of all words."""

    def __init__(self, d_model: int, d_question: int, n_classes: int):
        super().__init__()
        self.query = nn.Sequential(nn.Linear(d_question, d_model), nn.Tanh(), nn.Linear(d_model, d_model))
        self.output = nn.Sequential(nn.Dropout(0.2), nn.Linear(d_model, n_classes))

    def forward(
        self, items: Float[Tensor, "batch item d"], mask: Bool[Tensor, "batch item"], question: Tensor
    ) -> list[Float[Tensor, "batch class"]]:
        """Logits."""
        return [self.output(_attended(self.query(question), items, mask))]


def _attended(query: Tensor, items: Tensor, mask: Tensor) -> Float[Tensor, "batch d"]:
    """Scaled dot-product attention with one query; zeros where the mask is empty."""
    scores = (items @ query[..., None]).squeeze(-1) / items.shape[-1] ** 0.5
    weights = scores.masked_fill(~mask, MOST_NEGATIVE).softmax(-1) * mask
    return (weights[:, None] @ items).squeeze(1)


def train_features(
    task: Task, data: Path, readout: Callable[[], nn.Module], question: Question, *, epochs: int = EPOCHS
) -> dict[str, Any]:
    """Make the feature model that all mechanisms of a task share, write it to the zoo and return its card."""
    started = time.monotonic()
    train, val = (task.read(data / task.data.folder, part) for part in ("train", "val"))
    torch.manual_seed(SEED)
    state, figure = fine_tune(task, readout(), asked(train, question), asked(val, question), epochs=epochs, seed=SEED)
    card = card_of(task.name, "features", {}, started, {"accuracy of simple read-outs": figure})
    card |= source_of(task, train, val) | {"d_model": task.d_model}
    store.write(store.root() / task.name / "features.safetensors", state, card)
    models.features.cache_clear()
    return card


def asked(examples: Examples, question: Question) -> list[Asked]:
    """The examples sentence by sentence."""
    found: dict[str, Asked] = {}
    for values, label in zip(examples.inputs, examples.labels.tolist(), strict=True):
        text = values["review"]
        sentence = found.setdefault(text, Asked(split(text), [], []))
        sentence.questions.append(question(sentence.words, values))
        sentence.labels.append(label)
    return list(found.values())


def general_features(d_model: int, dropout: float) -> TextFeatures:
    """The general text feature model of the zoo, to be trained further."""
    base, table = (store.read(store.root() / "text" / f"{name}.safetensors")[0] for name in ("features", "embeddings"))
    features = TextFeatures(d_model, dropout=dropout)
    features.embedding = table["numbers"].float() * table["scale"]
    features.load_state_dict(base)
    return features


def fine_tune(
    task: Task, readout: nn.Module, train: Sequence[Asked], val: Sequence[Asked], *, epochs: int = EPOCHS, seed: int = 0
) -> tuple[dict[str, Tensor], float]:
    """Train the general features under a read-out; the state of the best epoch on `val`, and its accuracy there.

    The accuracy is the mean over the read-out's models, since the features shall serve all.
    """
    generator = torch.Generator().manual_seed(seed)
    features = general_features(task.d_model, DROPOUT)
    parameters = [*features.parameters(), *readout.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)
    plans = [batches([len(a.words.labels) for a in train], WORDS_IN_BATCH, generator) for _ in range(epochs)]
    steps = max(sum(map(len, plans)), 20)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.1)
    best, state, progress = 0.0, {}, Progress("features", epochs, seconds=0)
    for plan in plans:
        features.train()
        readout.train()
        for batch in plan:
            logits, labels = _answers(features, readout, [train[i] for i in batch], HIDDEN, generator)
            sum(F.cross_entropy(z, labels, label_smoothing=0.1) for z in logits).backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        accuracy = _accuracy(features.eval(), readout.eval(), val)
        progress.step(f"held-out accuracy {accuracy:.4f}")
        if accuracy > best:
            best, state = accuracy, {name: value.clone() for name, value in features.state_dict().items()}
    return state, best


def _answers(
    features: TextFeatures,
    readout: nn.Module,
    asked: Sequence[Asked],
    hidden: float = 0.0,
    generator: torch.Generator | None = None,
) -> tuple[list[Tensor], Tensor]:
    """Logits of all questions of some sentences, each model's, and the classes."""
    pieces, mask = collate([a.words for a in asked])
    kept = torch.rand(mask.shape, generator=generator) >= hidden
    items = features(pieces * kept[..., None], mask)
    rows = torch.tensor([row for row, a in enumerate(asked) for _ in a.questions])
    questions = nn.utils.rnn.pad_sequence([q for a in asked for q in a.questions], batch_first=True)
    return readout(items[rows], mask[rows], questions), torch.tensor([label for a in asked for label in a.labels])


@torch.inference_mode()
def _accuracy(features: TextFeatures, readout: nn.Module, asked: Sequence[Asked]) -> float:
    right, n = 0.0, 0
    for batch in batches([len(a.words.labels) for a in asked], 4 * WORDS_IN_BATCH):
        logits, labels = _answers(features, readout, [asked[i] for i in batch])
        right += sum(float((z.argmax(1) == labels).sum()) for z in logits) / len(logits)
        n += len(labels)
    return right / n


@torch.inference_mode()
def encode(
    features: TextFeatures, examples: Examples, question: Question
) -> tuple[Float[Tensor, "n item d"], Bool[Tensor, "n item"], Tensor]:
    """Feature vectors in half precision, the mask of real words, and what is asked, for every example."""
    number = {text: i for i, text in enumerate(dict.fromkeys(values["review"] for values in examples.inputs))}
    words = [split(text) for text in number]
    pieces, mask = collate(words)
    parts = [features(p, m).half() for p, m in zip(pieces.split(250), mask.split(250), strict=True)]
    rows = [number[values["review"]] for values in examples.inputs]
    asked_of = [question(words[row], values) for row, values in zip(rows, examples.inputs, strict=True)]
    return torch.cat(parts)[rows], mask[rows], nn.utils.rnn.pad_sequence(asked_of, batch_first=True)
