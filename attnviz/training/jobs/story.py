"""Training on stories: from questions and answers alone. Whether hops find the true facts is only measured."""

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from attnviz.attention.registry import Mechanism
from attnviz.tasks.babi_words import ANSWERS
from attnviz.tasks.registry import Examples, Task
from attnviz.training import recipes
from attnviz.training.stories import Book, Stories, answered, swaps
from attnviz.training.story_fit import Plan, fit
from attnviz.zoo import models, store

N_WAYS = 200  # ways to tell the stories of one task, see `Swaps`
ALL = "babi"  # the twenty tasks at once: people and things have other parts in each, and are not swapped
PLANS = {
    "babi_1": Plan(starts=2, first=6, epochs=15),
    "babi_2": Plan(starts=2, first=10, epochs=25, linear=3),
    "babi_3": Plan(starts=2, first=14, epochs=40, linear=4, joins=0.5, published=3),
    ALL: Plan(starts=1, first=12, epochs=36, linear=3, batch=128),
}


def variants(task: Task, spec: Mechanism) -> list[dict[str, Any]]:
    """The defaults; of the memory network also one and two hops, but not on the twenty tasks at once."""
    swept = spec.name == "memory_network" and task.name != ALL
    return [{}, {"n_hops": 1}, {"n_hops": 2}] if swept else [{}]


def train_features(task: Task, data: Path) -> dict[str, Any]:
    """The file of one-hot words has no weights; its card says how much of the held-out text they cover."""
    started = time.monotonic()
    parts = [task.read(data / task.data.folder, split) for split in ("train", "val")]
    features = task.job.features({})
    told = [word for row in parts[1].inputs for text in (*row["facts"], row["question"]) for word in text.split()]
    known = sum(features.is_known(word.strip(".,?")) for word in told) / len(told)
    card = recipes.card_of(task.name, "features", {}, started, {"share of words known": known})
    card |= recipes.source_of(task, *parts) | {"d_model": task.d_model}
    store.write(store.root() / task.name / "features.safetensors", {}, card)
    models.features.cache_clear()
    return card


def train_head(task: Task, spec: Mechanism, values: dict[str, Any], data: Path) -> dict[str, Any]:
    """One mechanism with its output model, the best of several starts."""
    started = time.monotonic()
    options, plan = spec.parse(values), PLANS[task.name]
    if spec.name == "man":  # its gates have no linear form, and one start is enough to compare with
        plan = replace(plan, linear=0, starts=1)
    examples = [task.read(data / task.data.folder, split) for split in ("train", "val")]
    book = Book(task.job.features({}))
    train, val = (book.stories(part.inputs, part.labels) for part in examples)
    times = torch.tensor([plan.published if row["origin"] == "published" else 1 for row in examples[0].inputs])
    train = train.rows(torch.arange(len(train)).repeat_interleave(times))
    told = None if task.name == ALL else swaps(book, ANSWERS[task.name], N_WAYS, recipes.SEED)
    classifier, losses = fit(
        lambda: task.job.output(spec, options, task.d_model), book.words(), train, told, plan, seed=recipes.SEED
    )
    classifier.half().float()  # as it is stored
    figures = _figures(task, classifier, book, examples[1], val)
    chosen = {name: getattr(options, name) for name in values}
    card = recipes.card_of(task.name, spec.name, chosen, started, figures)
    card |= recipes.source_of(task, *examples)
    card |= {
        "losses": ["cross entropy of the answer; no fact is said to support it"],
        "loss of each start": [round(loss, 4) for loss in losses],
        "parameters": sum(p.numel() for p in classifier.parameters()),
    }
    store.write(models.weights_file(task.name, spec.name, options), classifier.state_dict(), card)
    models.load.cache_clear()
    return card


def evaluate(task: Task, spec: Mechanism, options: Any, data: Path, split: str) -> dict[str, float]:
    """Accuracy, and how often the fact with a hop's largest weight is one that the data say supports the answer.

    "hop 1 on fact 2" is the share of questions in which hop 1 looks most at the second supporting fact, and "facts in
    the order 2, 1" that in which hop 1 looks at the second and hop 2 at the first: it is given for the order of the
    data, and for the most frequent. All are of published questions; in generated ones the order of facts is another.
    """
    examples = task.read(data / task.data.folder, split)
    book = Book(task.job.features({}))
    stories = book.stories(examples.inputs, examples.labels)
    return _figures(task, models.load(task.name, spec.name, options).output, book, examples, stories)


def _figures(task: Task, classifier: nn.Module, book: Book, examples: Examples, stories: Stories) -> dict[str, float]:
    logits, largest = answered(classifier, book.words(), stories)
    right = (logits.argmax(1) == stories.labels).double()
    published = torch.tensor([row["origin"] == "published" for row in examples.inputs])
    numbers = torch.tensor([row["task"] for row in examples.inputs])
    found = {"accuracy": float(right[published].mean())}
    if not published.all():
        found["accuracy on generated stories"] = float(right[~published].mean())
    if task.name == ALL:
        found |= {f"accuracy on task {n}": float(right[numbers == n].mean()) for n in numbers.unique().tolist()}
    rows = published.nonzero().flatten().tolist()
    support = [stories.support[row] for row in rows]
    sizes = [int((stories.facts[row] > 0).sum()) for row in rows]
    found |= {"any supporting fact by chance": sum(len(s) / n for s, n in zip(support, sizes, strict=True)) / len(rows)}
    return found | on_facts(largest[rows], support)


def on_facts(largest: Int[Tensor, "n hop"], support: Sequence[Sequence[int]]) -> dict[str, float]:
    """How often each hop's largest weight is on each supporting fact, on any, and how often all hops follow an order.

    The figure for fact k is of the questions that have so many; orders are counted if all questions have as many facts.
    """
    n_hops, most, fewest = largest.shape[1], max(map(len, support)), min(map(len, support))
    hits = torch.tensor(
        [
            [[i < len(s) and at == s[i] for i in range(most)] for at in row]
            for row, s in zip(largest.tolist(), support, strict=True)
        ]
    )  # (n, hop, fact)
    has = torch.tensor([[i < len(s) for i in range(most)] for s in support])
    found = {f"hop {h + 1} on any supporting fact": float(hits[:, h].any(1).double().mean()) for h in range(n_hops)}
    for h in range(n_hops):
        facts = range(most) if most == fewest else range(h, min(h + 1, most))
        found |= {f"hop {h + 1} on fact {i + 1}": float(hits[has[:, i], h, i].double().mean()) for i in facts}
    return found | (_orders(hits) if most == fewest else {})


def _orders(hits: Bool[Tensor, "n hop fact"]) -> dict[str, float]:
    """The share of questions in which every hop finds its fact, in the data's order and in the most frequent one.

    Of orders that are as frequent the one counts whose hops, each by itself, find their facts more often. Where there
    are more hops than facts, the others may look anywhere: "–".
    """
    _, n_hops, n_facts = hits.shape
    free = [-1] * (n_hops - n_facts)
    given = tuple([*range(n_facts), *free][:n_hops])
    found = {order: _in_order(hits, order) for order in sorted(set(permutations([*range(n_facts), *free], n_hops)))}
    best = max(found, key=lambda order: (found[order], order == given))
    return {f"facts in the order {_said(order)}": found[order][0] for order in dict.fromkeys((given, best))}


def _in_order(hits: Bool[Tensor, "n hop fact"], order: Sequence[int]) -> tuple[float, float]:
    """The share of questions in which every hop finds its fact, and the mean share of a hop."""
    found = torch.stack([hits[:, hop, fact] for hop, fact in enumerate(order) if fact >= 0], 1)
    return float(found.all(1).double().mean()), float(found.double().mean())


def _said(order: Sequence[int]) -> str:
    return ", ".join("–" if i < 0 else str(i + 1) for i in order)
