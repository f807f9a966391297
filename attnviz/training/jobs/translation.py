"""How the translators are trained: word vectors are counted, then encoder and decoder learn together, form by form."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from torch import Tensor, nn

from attnviz.attention.registry import Mechanism
from attnviz.errors import DataError
from attnviz.features import translation as text
from attnviz.features.translation import BEGIN, END, LANGUAGES, LONGEST, PAD, SPECIAL, WordVectors, collate
from attnviz.tasks.registry import Examples, Task
from attnviz.tasks.translation import DECODING, Translator, Way, search
from attnviz.training import recipes
from attnviz.training.progress import Progress
from attnviz.training.text_features import batches
from attnviz.zoo import models as zoo
from attnviz.zoo import store

N_ENGLISH = 3600  # pieces
RARE = 2  # a Chinese character that occurs less often is unknown
TOKENS_IN_BATCH = 700  # of both languages together
EPOCHS = 24
PRODUCTS = 0.1  # of the rate: scores that are products, which nothing bounds, would soon be all or nothing
NEAR = 2  # words each way that count as neighbours
OTHER = dict(zip(LANGUAGES, reversed(LANGUAGES), strict=True))
NAMES = {"en": "English", "zh": "Chinese"}


class Pair(NamedTuple):
    """A sentence and its translation, as numbers."""

    source: list[int]
    target: list[int]


def english_pieces(sentences: Sequence[str]) -> list[str]:
    """WordPieces of English; the first word of a sentence counts as it is mostly spelt inside of one."""
    split = [text.words(s, "en") for s in sentences]
    inside = Counter(word for words in split for word in words[1:])
    for words in split:
        small = words[0][:1].lower() + words[0][1:]
        if words[0] != "I" and not words[0].startswith("I'") and inside[words[0]] <= inside[small]:
            words[0] = small
    tokenizer = Tokenizer(models.WordPiece(unk_token=SPECIAL[1]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(vocab_size=N_ENGLISH, special_tokens=list(SPECIAL), show_progress=False)
    tokenizer.train_from_iterator((" ".join(words) for words in split), trainer)
    return sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)


def chinese_pieces(sentences: Sequence[str]) -> list[str]:
    """The characters, foreign words and marks that are not rare, the most frequent first."""
    counted = Counter(word for s in sentences for word in text.words(s, "zh"))
    return [*SPECIAL, *(word for word, n in counted.most_common() if n >= RARE)]


def numbers(sentence: str, language: str) -> list[int]:
    """The numbers of a sentence's pieces."""
    return [number for _, number in text.pieces(sentence, language)][:LONGEST]


def pairs(examples: Examples, target: str) -> list[Pair]:
    """Sentences as numbers, to be translated into `target`."""
    both = [{language: numbers(row[language], language) for language in LANGUAGES} for row in examples.inputs]
    return [Pair(row[OTHER[target]], row[target]) for row in both]


def loss_of(way: Way, vectors: WordVectors, source: str, group: Sequence[Pair]) -> Float[Tensor, ""]:
    """From the language `source`: smoothed cross entropy of the next word, teacher-forced, averaged over the words."""
    given = collate([p.source for p in group])
    said = collate([[BEGIN, *p.target] for p in group])
    wanted = collate([[*p.target, END] for p in group])
    attended = way(vectors(given, source), given != PAD, said)
    real = wanted != PAD
    return F.cross_entropy(way.logits(attended[real]), wanted[real], label_smoothing=0.1 if way.training else 0.0)


def fit(
    way: Way,
    vectors: WordVectors,
    source: str,
    train: Sequence[Pair],
    val: Sequence[Pair],
    *,
    epochs: int = EPOCHS,
    rate: float = 3e-3,
    seed: int = 0,
) -> float:
    """Train in place, leave the way with the weights of its best epoch, return its loss on `val`."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    groups = _groups(way, rate)
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    lengths = [len(p.source) + len(p.target) for p in train]
    plans = [batches(lengths, TOKENS_IN_BATCH, generator) for _ in range(epochs)]
    rates, steps = [group["lr"] for group in groups], sum(map(len, plans))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps, pct_start=0.15)
    progress, best, state = Progress("translate", epochs, seconds=0), float("inf"), {}
    for plan in plans:
        way.train()
        for batch in plan:
            loss_of(way, vectors, source, [train[i] for i in batch]).backward()
            nn.utils.clip_grad_norm_(way.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        loss = held_out_loss(way, vectors, source, val)
        progress.step(f"held-out loss {loss:.4f}")
        if loss < best:
            best, state = loss, {name: value.clone() for name, value in way.state_dict().items()}
    way.load_state_dict(state)
    return best


def _groups(way: Way, rate: float) -> list[dict[str, Any]]:
    """Parameters with their highest rate."""
    careful = way.attention.keys.weight if way.attention.form == "luong" else None
    groups = [{"params": [p for p in way.parameters() if p is not careful], "lr": rate}]
    return groups if careful is None else [*groups, {"params": [careful], "lr": PRODUCTS * rate}]


@torch.inference_mode()
def held_out_loss(way: Way, vectors: WordVectors, source: str, val: Sequence[Pair]) -> float:
    """The mean loss a word."""
    way.eval()
    total, n = 0.0, 0
    for batch in batches([len(p.source) + len(p.target) for p in val], 4 * TOKENS_IN_BATCH):
        group = [val[i] for i in batch]
        words = sum(len(p.target) + 1 for p in group)
        total, n = total + loss_of(way, vectors, source, group).item() * words, n + words
    return total / n


def association(rows: Sequence[Mapping[str, list[int]]], sizes: Mapping[str, int]) -> Float[Tensor, "piece piece"]:
    """How much more often than by chance two pieces go together: positive pointwise mutual information.

    Pieces of one language go together where they are neighbours, pieces of two where one sentence translates the other.
    """
    first = {"en": 0, "zh": sizes["en"]}
    counts = torch.zeros(sum(sizes.values()), sum(sizes.values()))
    for row in rows:
        own = {language: torch.tensor(row[language]) + first[language] for language in LANGUAGES}
        for ids in own.values():
            for away in range(1, NEAR + 1):
                counts.index_put_((ids[:-away], ids[away:]), torch.tensor(1.0), accumulate=True)
        en, zh = (own[language].unique() for language in LANGUAGES)
        counts[en[:, None], zh] += 1
    counts += counts.T.clone()
    for rows_of in counts.split(list(sizes.values())):
        for block in rows_of.split(list(sizes.values()), 1):
            chance = block.sum(1, keepdim=True) * block.sum(0) / block.sum().clamp_min(1)
            block.copy_((block / chance.clamp_min(1e-9)).clamp_min(1).log())
    return counts


def directions(table: Float[Tensor, "piece piece"], d_model: int) -> tuple[Float[Tensor, "piece d"], float]:
    """The strongest `d_model` directions of a symmetric table, all rows of length one; the share that they explain."""
    torch.manual_seed(recipes.SEED)
    u, s, _ = torch.svd_lowrank(table, q=d_model + 16, niter=4)
    explained = s[:d_model].square().sum() / table.square().sum()
    vectors = u[:, :d_model] * s[:d_model].sqrt()
    return F.normalize(vectors, dim=1), float(explained)


def train_features(task: Task, data: Path) -> dict[str, Any]:
    """The pieces of both languages and their vectors, which only count what stands together: no form is favoured."""
    started = time.monotonic()
    train, val = (task.read(data / task.data.folder, split) for split in ("train", "val"))
    for language, pieces in (("en", english_pieces), ("zh", chinese_pieces)):
        lines = pieces([row[language] for row in train.inputs])
        text.vocabulary_file(language).write_text("\n".join(lines) + "\n", encoding="utf-8")
    text.vocabulary.cache_clear()
    sizes = {language: len(text.vocabulary(language)) for language in LANGUAGES}
    rows = [{language: numbers(row[language], language) for language in LANGUAGES} for row in train.inputs]
    found, explained = directions(association(rows, sizes), task.d_model)
    state = {f"tables.{name}.weight": part for name, part in zip(sizes, found.split(list(sizes.values())), strict=True)}
    card = recipes.card_of(task.name, "features", {}, started, {"explained variance": explained})
    card |= recipes.source_of(task, train, val) | {"d_model": task.d_model}
    store.write(store.root() / task.name / "features.safetensors", state, card)
    zoo.features.cache_clear()
    return card


def train_head(task: Task, spec: Mechanism, values: dict[str, Any], data: Path) -> dict[str, Any]:
    """Encoder and decoder of one form, both ways. The encoder is trained along: a form without attention needs another.

    The vectors of the words that are read stay as they are; those of the words that are written start from them.
    """
    started = time.monotonic()
    train, val = (task.read(data / task.data.folder, split) for split in ("train", "val"))
    vectors, _ = zoo.features(task.name)
    model = zoo.untrained(task.name, spec.name, spec.parse(values))
    losses = {}
    for language, way in model.ways.items():
        way.table.load_state_dict(vectors.tables[language].state_dict())
        losses[language] = fit(way, vectors, OTHER[language], pairs(train, language), pairs(val, language))
    about = recipes.source_of(task, train, val)
    about["held-out loss a piece"] = {NAMES[language]: round(loss, 4) for language, loss in losses.items()}
    return _written(task, spec, values, started, model, about, bleu(model.eval(), vectors, val))


def _written(
    task: Task,
    spec: Mechanism,
    values: dict[str, Any],
    started: float,
    model: Translator,
    about: Mapping[str, Any],
    figures: dict[str, float],
) -> dict[str, Any]:
    card = recipes.card_of(task.name, spec.name, values, started, figures)
    card |= about
    card |= {
        "losses": ["smoothed cross entropy of the next piece"],
        "bleu": f"sacrebleu {_sacrebleu().__version__}, cased, 13a for English and zh for Chinese; "
        "equal sentences are translated once, and all their translations are references",
        "encoder": "trained with each form, and kept in its file",
        "parameters": sum(p.numel() for p in model.parameters()),
    }
    store.write(zoo.weights_file(task.name, spec.name, spec.parse(values)), model.state_dict(), card, eight_bits=True)
    zoo.load.cache_clear()
    return card


def evaluate(task: Task, spec: Mechanism, options: Any, data: Path, split: str) -> dict[str, float]:
    """BLEU of one trained form, both ways, greedy and by beam search."""
    vectors, _ = zoo.features(task.name)
    model = zoo.load(task.name, spec.name, options).output
    return bleu(model, vectors, task.read(data / task.data.folder, split))


def bleu(model: Translator, vectors: WordVectors, examples: Examples) -> dict[str, float]:
    """BLEU into each language and for each way of decoding, from 0 to 1."""
    found = {}
    for language, way in model.ways.items():
        known = references(examples, language)
        for decoding, width in DECODING.items():
            said = [translated(way, vectors, sentence, language, width) for sentence in known]
            found[f"BLEU into {NAMES[language]}, {decoding}"] = score(said, list(known.values()), language)
    return found


def references(examples: Examples, target: str) -> Mapping[str, list[str]]:
    """Each different sentence with all its different translations into `target`."""
    found: dict[str, list[str]] = {}
    for row in examples.inputs:
        known = found.setdefault(row[OTHER[target]], [])
        if row[target] not in known:
            known.append(row[target])
    return found


def score(said: Sequence[str], known: Sequence[Sequence[str]], language: str) -> float:
    """Cased BLEU, from 0 to 1; sentences may have different numbers of references."""
    most = max(map(len, known))
    streams = [[refs[i] if i < len(refs) else None for refs in known] for i in range(most)]
    return _sacrebleu().corpus_bleu(list(said), streams, tokenize="zh" if language == "zh" else "13a").score / 100


def _sacrebleu() -> ModuleType:
    if find_spec("sacrebleu") is None:
        raise DataError("BLEU needs sacrebleu: pip install -r requirements-train.txt (for training only).")
    return import_module("sacrebleu")


@torch.inference_mode()
def translated(way: Way, vectors: WordVectors, sentence: str, into: str, width: int) -> str:
    """A sentence in the other language, translated."""
    items = vectors(torch.tensor([numbers(sentence, OTHER[into])]), OTHER[into])
    return text.written(text.labels(search(way, way.encode(items, None), None, width), into), into)
