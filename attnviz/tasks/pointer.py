"""Output model of cloze questions: attention points at the words of a text, and equal words add up."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnviz.attention.registry import Mechanism
from attnviz.errors import InputError, OptionError
from attnviz.features import blanks
from attnviz.features.given import Input
from attnviz.features.reader import BLANK, Reader, Reading, page
from attnviz.features.words import Words, foreign
from attnviz.recording import note
from attnviz.tasks.classifier import Output
from attnviz.tasks.job import Values
from attnviz.trace import Axis

MAX_WORDS = 600  # of the text
MAX_ASKED = 80  # of the sentence with the blank
STEPS = {
    "document": r"d_l = W_D f_l",
    "query items": r"q_i = W_Q\,g_i",
    "affinity": r"M_{il} = q_i^\top d_l \quad (\text{scaled: divided by } \sqrt{d})",
    "output": r"c = \sum_l s_l d_l",
    "answer scores": r"\sigma(w) = \sum_{l:\, w_l = w} s_l",
    "class probabilities": r"P(w) = \sigma(w) \,/\, \sum_{v} \sigma(v)",
}


class Pointer(nn.Module):
    """A mechanism that can `point`: the weights of equal words are added, and shared out among the words in question.

    Items and query items go through a linear layer each. They start as the identity, or as much more as the mechanism
    makes products smaller (`factor`), so that untrained it compares vectors as the reader made them.
    """

    formulas = STEPS

    def __init__(self, mechanism: Mechanism, options: object, d_model: int):
        super().__init__()
        self.attention = mechanism.build(d_model, options, 0)
        self.document = nn.Linear(d_model, d_model, bias=False)
        self.question = nn.Linear(d_model, d_model, bias=False)
        for layer in (self.document, self.question):
            layer.weight = nn.Parameter(torch.eye(d_model) / self.attention.factor**0.5)

    def forward(
        self,
        items: Float[Tensor, "batch key d"],
        mask: Bool[Tensor, "batch key"] | None = None,
        *,
        query_items: Float[Tensor, "batch query_item d"],
        query_mask: Bool[Tensor, "batch query_item"] | None = None,
        answers: Int[Tensor, "batch key"],
    ) -> Output:
        """Probabilities (batch, class) of the answers; `answers` says which one each item spells, -1 for none."""
        items = note("features", items, "key feature")
        d = note("document", self.document(items), "key feature")
        s = self.attention.point(d, mask, self.question(query_items), query_mask)
        context = note("output", (s[:, None] @ d).squeeze(1), "feature")
        scores = note("answer scores", added(s, answers), "class")
        shares = scores / scores.sum(1, keepdim=True).clamp_min(1e-12)
        return Output(note("class probabilities", shares, "class"), None, context)


def added(s: Float[Tensor, "batch key"], answers: Int[Tensor, "batch key"]) -> Float[Tensor, "batch class"]:
    """The weights of each answer's words, added; what spells none is left out."""
    totals = s.new_zeros(len(s), int(answers.max()) + 2).scatter_add(1, answers + 1, s)
    return totals[:, 1:]


@dataclass(frozen=True)
class ClozeJob:
    """A text and a sentence with a blank: the words of the text are the items, those of the sentence ask."""

    language: Literal["en", "zh"]

    def features(self, card: Mapping[str, Any]) -> Reader:
        """The reader, with a vocabulary of its own if its card says so."""
        return Reader(card["d_model"], n_vectors=card.get("vectors", 0), n_bytes=card.get("vocabulary bytes", 0))

    def encode(self, features: Reader, values: Values, swapped: Mapping[int, str]) -> Input:
        """The last 600 words of `document` as items, the sentence `question` as query items.

        The answers are all different words of the text. InputError if there is not one blank in the sentence, if the
        text has more than one, or no two words to choose from; OptionError if what takes a place is not one word.
        """
        words = self.words(features)
        document, question = words(values["document"]), words(values["question"])
        _check(document, question)
        kept, asked = blanks.part_of(document, -MAX_WORDS), _around_blank(question)
        kept = _swapped(kept, swapped, words)
        given = page([Reading(blanks.sentences(kept), asked)])
        answers, classes = spelled(kept.labels)
        if len(classes) < 2:
            raise InputError("document", "The text has no two different words to choose from. Write a few sentences.")
        items, query_items = features(given)
        return Input(
            items,
            Axis("token", kept.labels),
            {"document": values["document"], "question": values["question"]},
            (*_notes(document, kept, question, asked), *self._foreign(kept, asked)),
            sides={"query_items": query_items, "answers": answers},
            axes={"query_item": Axis("token", asked.labels)},
            classes=classes,
        )

    def _foreign(self, *parts: Words) -> tuple[str, ...]:
        note = foreign((label for part in parts for label in part.labels), {"en": "LATIN", "zh": "CJK"}[self.language])
        return (note,) if note else ()

    def words(self, features: Reader) -> blanks.Split:
        """How a text is cut into words, blanks among them."""
        if self.language == "en":
            return blanks.english
        vocabulary = features.vocabulary()
        return lambda text: blanks.chinese(text, vocabulary)

    def output(self, mechanism: Mechanism, options: Any, d_model: int) -> Pointer:
        """The mechanism, which must be able to `point`, with the sum over equal words."""
        return Pointer(mechanism, options, d_model)


def is_word(text: str) -> bool:
    """Whether a word can be an answer: it has a letter, a digit or a Chinese character, and it is no blank."""
    return re.search(r"[^\W_]", text) is not None


def spelled(labels: Sequence[str]) -> tuple[Int[Tensor, "1 key"], tuple[str, ...]]:
    """The number of the answer that each word spells, -1 for marks and blanks, and the answers as first written."""
    first: dict[str, str] = {}
    for label in filter(is_word, labels):
        first.setdefault(label.lower(), label)
    numbers = {key: i for i, key in enumerate(first)}
    return torch.tensor([[numbers.get(label.lower(), -1) for label in labels]]), tuple(first.values())


def _check(document: Words, question: Words) -> None:
    n = question.labels.count(BLANK)
    if n != 1:
        found = "no blank" if n == 0 else f"{n} blanks"
        raise InputError("question", f"The sentence has {found}. Write ___ once, where the missing word belongs.")
    if len(question.labels) == 1:
        raise InputError("question", "There is only the blank. Write the sentence in which the word is missing.")
    if not document.labels:
        raise InputError("document", "There is no text yet. Write a few sentences, or choose one of the examples.")
    if document.labels.count(BLANK) > 1:
        raise InputError("document", "The text has several blanks. It may have one at most, that of the sentence.")


def _around_blank(question: Words) -> Words:
    start = max(0, min(question.labels.index(BLANK) - MAX_ASKED // 2, len(question.labels) - MAX_ASKED))
    return blanks.part_of(question, start, start + MAX_ASKED)


def _swapped(words: Words, swapped: Mapping[int, str], cut: blanks.Split) -> Words:
    labels, pieces = list(words.labels), list(words.pieces)
    for i, text in swapped.items():
        found = cut(text)
        if len(found.labels) != 1:
            raise OptionError(f"“{text[:40]}” is not one word. Give a single word, without spaces or hyphens.")
        if i < len(labels):  # else the text has become shorter since
            labels[i], pieces[i] = found.labels[0], found.pieces[0]
    return Words(tuple(labels), words.spans, tuple(pieces))


def _notes(document: Words, kept: Words, question: Words, asked: Words) -> tuple[str, ...]:
    notes = []
    if len(kept.labels) < len(document.labels):
        start = " ".join(kept.labels[:3])
        notes.append(
            f"The text has {len(document.labels):,} words; only the last {MAX_WORDS} are used, from “{start} …” on."
        )
    if len(asked.labels) < len(question.labels):
        notes.append(f"The sentence has {len(question.labels):,} words; only {MAX_ASKED} around the blank are used.")
    return tuple(notes)
