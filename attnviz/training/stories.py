"""Stories by number: each different sentence is embedded once in a step, by looking words up, which is fast.

The numbers that come out are the module's own (see tests/training/test_stories.py): a one-hot word times a matrix is a
column of the matrix.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnviz.attention.man import Man
from attnviz.attention.memory_network import MemoryNetwork, sentence
from attnviz.features.story import StoryFeatures
from attnviz.tasks.babi import N_FACTS
from attnviz.tasks.babi_words import DROPS, MOVES, PEOPLE, PLACES, TAKES, THINGS

NOTHING = 0  # the number of the sentence without words: no fact stands here
_PHRASES = {"move": MOVES, "take": TAKES, "drop": DROPS}


@dataclass(frozen=True)
class Stories:
    """Questions by number. The newest fact stands last; `support` has the columns of the supporting facts in order."""

    facts: Int[Tensor, "n fact"]
    questions: Int[Tensor, " n"]
    labels: Int[Tensor, " n"]
    support: Sequence[tuple[int, ...]] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, chosen: Int[Tensor, " m"]) -> "Stories":
        """Some of them, without their support."""
        return Stories(self.facts[chosen], self.questions[chosen], self.labels[chosen])


@dataclass
class Book:
    """Every different sentence, its words small and known, under its number."""

    features: StoryFeatures
    numbers: dict[tuple[str, ...], int] = field(default_factory=lambda: {(): NOTHING})

    def number(self, known: Sequence[str]) -> int:
        """The number of a sentence that `features.known` has been over."""
        return self.numbers.setdefault(tuple(known), len(self.numbers))

    def stories(self, rows: Sequence[Mapping[str, Any]], labels: Tensor) -> Stories:
        """Questions as `tasks.babi.read` gives them, the newest facts of each."""
        facts, questions = torch.zeros(len(rows), N_FACTS, dtype=torch.long), []
        for row, into in zip(rows, facts, strict=True):
            kept = [self.number(self.features.known(fact)) for fact in row["facts"][-N_FACTS:]]
            into[N_FACTS - len(kept) :] = torch.tensor(kept)
            questions.append(self.number(self.features.known(row["question"])))
        support = [tuple(N_FACTS - len(row["facts"]) + i for i in row["support"]) for row in rows]
        return Stories(facts, torch.tensor(questions), labels, support)

    def words(self) -> Int[Tensor, "sentence word"]:
        """The words of every sentence by number; the one after the last of the vocabulary pads."""
        table = torch.full((len(self.numbers), self.features.n_words), len(self.features.vocabulary))
        for known, number in self.numbers.items():
            table[number, : len(known)] = torch.tensor([self.features.numbers[w] for w in known], dtype=torch.long)
        return table


@dataclass(frozen=True)
class Swaps:
    """Ways to tell a story of other people, places and things in other words of the same meaning, all by number."""

    sentences: Int[Tensor, "way sentence"]
    labels: Int[Tensor, "way class"]

    def told(self, stories: Stories, ways: Int[Tensor, " n"]) -> Stories:
        """Each story in its way."""
        return replace(
            stories,
            facts=self.sentences[ways[:, None], stories.facts],
            questions=self.sentences[ways, stories.questions],
            labels=self.labels[ways, stories.labels],
        )


def swaps(book: Book, answers: Sequence[str], n_ways: int, seed: int) -> Swaps:
    """`n_ways` ways for the sentences in the book, the first of which changes nothing; new sentences join the book."""
    draw, known = random.Random(seed), list(book.numbers)
    sentences, labels = [list(range(len(known)))], [list(range(len(answers)))]
    for _ in range(n_ways - 1):
        names = {**_shuffled(PEOPLE, draw), **_shuffled(PLACES, draw), **_shuffled(THINGS, draw)}
        sentences.append([book.number(_retold([names.get(w, w) for w in words], draw)) for words in known])
        labels.append([answers.index(names.get(answer, answer)) for answer in answers])
    return Swaps(torch.tensor(sentences), torch.tensor(labels))


def _shuffled(names: Sequence[str], draw: random.Random) -> dict[str, str]:
    return dict(zip(names, draw.sample(names, len(names)), strict=True))


def _retold(words: Sequence[str], draw: random.Random) -> tuple[str, ...]:
    """The same with another verb of the same meaning; what is taken or dropped may be so "there"."""
    text = " ".join(words)
    for kind, phrases in _PHRASES.items():
        for phrase in phrases:
            if f" {phrase} the " in text:
                text = text.replace(f" {phrase} ", f" {draw.choice(phrases)} ").removesuffix(" there")
                return tuple((text + (" there" if kind != "move" and draw.random() < 0.3 else "")).split())
    return tuple(words)


def joined(stories: Stories, earlier: Stories, chosen: Bool[Tensor, " n"]) -> Stories:
    """The chosen stories with another story before their beginning, so far as there is room."""
    places = torch.arange(N_FACTS) + (stories.facts != NOTHING).sum(1, keepdim=True)
    before = earlier.facts.gather(1, places.clamp_max(N_FACTS - 1))
    return replace(stories, facts=torch.where(chosen[:, None] & (places < N_FACTS), before, stories.facts))


def ages(n: int) -> Int[Tensor, "1 fact"]:
    """How many facts are newer than each of n, the newest of which stands last."""
    return torch.arange(n - 1, -1, -1)[None]


def logits(
    classifier: nn.Module,
    words: Int[Tensor, "sentence word"],
    stories: Stories,
    age: Int[Tensor, "#n fact"],
) -> Float[Tensor, "n class"]:
    """What the classifier answers; `words` are all sentences of the book."""
    attention = classifier.attention
    used, facts = stories.facts.unique(return_inverse=True)
    tables = [sentence(_looked_up(e, words[used]), attention.position) for e in attention.embeddings]
    mask, age = stories.facts != NOTHING, age.expand_as(facts)
    asked_words = words[stories.questions]
    asked = _looked_up(getattr(attention, "asking", None) or attention.embeddings[0], asked_words)
    if isinstance(attention, Man):
        stored = F.embedding(facts, tables[0]) + F.embedding(age, attention.times[0])
        return classifier.readout(attention.read(asked, stored, mask, asked_words < attention.asking.in_features))
    found = _hops(attention, sentence(asked, attention.position), tables, facts, age, mask)
    return classifier.readout(found)


def _hops(
    network: MemoryNetwork,
    u: Float[Tensor, "n d"],
    tables: Sequence[Float[Tensor, "used d"]],
    facts: Int[Tensor, "n fact"],
    age: Int[Tensor, "n fact"],
    mask: Bool[Tensor, "n fact"],
) -> Float[Tensor, "n d"]:
    """u^K: u'(c + t) = u'c + u't, so that scores of sentences and of times are made once and gathered for each fact."""
    for hop in range(network.n_hops):
        m, c = (hop, hop + 1) if network.tying == "adjacent" else (0, 1)
        scores = (u @ tables[m].T).gather(1, facts) + (u @ network.times[m].T).gather(1, age)
        p = network.align(scores[:, None], "hop* query key", mask=mask[:, None])[:, 0]
        of_sentences = p.new_zeros(len(u), len(tables[c])).scatter_add(1, facts, p)
        of_times = p.new_zeros(len(u), len(network.times[c])).scatter_add(1, age, p)
        u = network.carry(u) + of_sentences @ tables[c] + of_times @ network.times[c]
    return u


def _looked_up(embedding: nn.Linear, words: Int[Tensor, "*n word"]) -> Float[Tensor, "*n word d"]:
    """The embedding of one-hot words; zeros for the number that pads."""
    return F.embedding(words, F.pad(embedding.weight.T, (0, 0, 0, 1)))


@torch.inference_mode()
def answered(
    classifier: nn.Module, words: Int[Tensor, "sentence word"], stories: Stories
) -> tuple[Float[Tensor, "n class"], Int[Tensor, "n hop"]]:
    """Logits, and the fact that each hop gives most weight."""
    found, largest = [], []

    def listen(module: nn.Module, inputs: tuple, named: Mapping[str, Any], weights: Tensor) -> None:
        if named.get("name", "weights") == "weights":
            largest[-1].append(weights[:, 0].argmax(-1))

    hook = classifier.attention.align.register_forward_hook(listen, with_kwargs=True)
    for rows in torch.arange(len(stories)).split(250):
        largest.append([])
        found.append(logits(classifier, words, stories.rows(rows), ages(N_FACTS)))
    hook.remove()
    return torch.cat(found), torch.cat([torch.stack(hops, 1) for hops in largest])
