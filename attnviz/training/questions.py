"""Cloze questions for training: many more than were published, made of the same texts.

Any word of a sentence that the text has elsewhere can be asked for. Questions are drawn so that those of a batch share
their sentences, and each different sentence is read once; that makes a batch several times as fast.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Protocol

from attnviz.features import blanks
from attnviz.features.reader import Reading
from attnviz.features.segment import Vocabulary
from attnviz.features.words import Words
from attnviz.tasks import cloze
from attnviz.tasks.cloze import MISSING, Question
from attnviz.tasks.pointer import MAX_WORDS, is_word

LONGEST = 60  # words of a sentence that is made a question
RUN, PER_SENTENCE = 10, 4  # English: sentences in a row, questions of each
STORIES = 10  # Chinese: texts in a batch
VECTORS = 8000  # of the Chinese pieces


@dataclass(frozen=True)
class Sample:
    """A reading and the word that is missing, in lower case."""

    reading: Reading
    answer: str


class Source(Protocol):
    """Where questions for training come from."""

    def made(self, rng: random.Random) -> list[Sample]:
        """A batch of questions made of the texts."""

    def published(self, rng: random.Random) -> list[Sample]:
        """A batch of published training questions."""


def reading(question: Question, words: Callable[[str], Words]) -> Reading:
    """The question in words, the text cut to its last sentences."""
    return Reading(_last([words(s) for s in question.document]), words(question.question))


def _last(sentences: Sequence[Words]) -> tuple[Words, ...]:
    found, left = [], MAX_WORDS
    for sentence in reversed([s for s in sentences if s.labels]):
        if len(sentence.labels) >= left:
            found.append(blanks.part_of(sentence, -left))
            break
        found.append(sentence)
        left -= len(sentence.labels)
    return tuple(reversed(found))


class Books:
    """Runs of sentences in books; the text of each is the twenty sentences before it."""

    def __init__(self, folder: Path):
        questions = cloze.lines(folder / "questions.jsonl.gz")
        self.words = lru_cache(maxsize=None)(blanks.english)
        self.books: dict[str, list[Words]] = {}
        self.askable: dict[tuple[str, int], list[int]] = {}
        for name, texts in cloze.books(folder).items():
            end = max(q["query"] for q in questions if q["book"] == name and q["split"] == "train")
            self.books[name] = [self.words(text) for text in texts[: end + 1]]
            for i in range(cloze.WINDOW, end + 1):
                self.askable[name, i] = _askable(self.books[name][i], self._before(name, i))
        self.starts = list(self.askable)
        self.questions = _samples(cloze.read(folder, "train").inputs, self.words)

    def _before(self, name: str, i: int) -> tuple[Words, ...]:
        return _last(self.books[name][i - cloze.WINDOW : i])

    def made(self, rng: random.Random) -> list[Sample]:
        """Questions of two runs of ten sentences."""
        found = []
        for name, start in rng.sample(self.starts, 2):
            for i in range(start, start + RUN):
                places = self.askable.get((name, i), [])
                document = self._before(name, i) if places else ()
                for place in rng.sample(places, min(PER_SENTENCE, len(places))):
                    found.append(_asked(document, self.books[name][i], place, blanks.ENGLISH_BLANK))
        return found or self.made(rng)

    def published(self, rng: random.Random) -> list[Sample]:
        """Forty questions that stand close together, so that they share sentences."""
        return _neighbours(self.questions, 40, rng)


def _askable(sentence: Words, document: Sequence[Words]) -> list[int]:
    """Places of words that the text has too: longer ones, and names (a capital that no sentence begins with)."""
    if not 5 <= len(sentence.labels) <= LONGEST:
        return []
    known = {w.lower() for s in document for w in s.labels}
    return [i for i, w in enumerate(sentence.labels) if w.lower() in known and (_name(w, i) or _long(w))]


def _name(word: str, place: int) -> bool:
    return word.isalpha() and place > 0 and word[0].isupper() and len(word) > 1


def _long(word: str) -> bool:
    return word.isalpha() and word.islower() and len(word) > 3


def _asked(document: tuple[Words, ...], sentence: Words, place: int, piece: tuple[int, ...]) -> Sample:
    return Sample(Reading(document, blanks.blanked(sentence, place, piece)), sentence.labels[place].lower())


def _samples(questions: Sequence[Question], words: Callable[[str], Words]) -> list[Sample]:
    """Those whose answer stands in what is kept of the text."""
    found = [Sample(reading(q, words), q.answer.lower()) for q in questions]
    return [s for s in found if any(s.answer == w.lower() for part in s.reading.document for w in part.labels)]


class Stories:
    """Short texts; a sentence with a blank is taken out of its text, or left in it with the blank."""

    def __init__(self, folder: Path):
        rows = cloze.stories(folder, "train")
        texts = dict.fromkeys(tuple(row["doc"]) for row in rows)
        kept = [[s for s in text if MISSING not in s] for text in texts]
        self.vocabulary = Vocabulary.learnt((w for text in kept for s in text for w in s.split()), n_vectors=VECTORS)
        self.words = lru_cache(maxsize=None)(partial(blanks.segmented, vocabulary=self.vocabulary))
        self.texts = sorted((tuple(self.words(s) for s in text) for text in kept if len(text) > 2), key=_length)
        self.places = [_repeated(text) for text in self.texts]
        asked = [question for row in rows if (question := cloze.story_question(row)) is not None]
        self.questions = sorted(
            _samples(asked, self.words), key=lambda s: sum(len(p.labels) for p in s.reading.document)
        )

    def made(self, rng: random.Random) -> list[Sample]:
        """Questions of ten texts of about the same length."""
        found = []
        for text in _neighbours(range(len(self.texts)), STORIES, rng):
            places = self.places[text]
            for i, place in rng.sample(places, min(PER_SENTENCE, len(places))):
                found.append(self._question(self.texts[text], i, place, stays=rng.random() < 0.5))
        return found

    def _question(self, text: tuple[Words, ...], i: int, place: int, *, stays: bool) -> Sample:
        sample = _asked((), text[i], place, blanks.CHINESE_BLANK)
        question = sample.reading.question
        document = (*text[:i], *((question,) if stays else ()), *text[i + 1 :])
        return Sample(Reading(document, question), sample.answer)

    def published(self, rng: random.Random) -> list[Sample]:
        """Thirty questions with texts of about the same length."""
        return _neighbours(self.questions, 30, rng)


def _length(text: Sequence[Words]) -> int:
    return sum(len(sentence.labels) for sentence in text)


def _neighbours(sequence: Sequence[Any], n: int, rng: random.Random) -> list[Any]:
    """Some of those that stand close together: of a window ten times as wide."""
    width = min(10 * n, len(sequence))
    start = rng.randrange(len(sequence) - width + 1)
    return rng.sample(sequence[start : start + width], min(n, width))


def _repeated(text: Sequence[Words]) -> list[tuple[int, int]]:
    """Sentence and place of words of two characters or more that another sentence of the text has too."""
    among = defaultdict(set)
    for i, sentence in enumerate(text):
        for w in sentence.labels:
            among[w].add(i)
    return [
        (i, place)
        for i, sentence in enumerate(text)
        if 4 <= len(sentence.labels) <= LONGEST
        for place, w in enumerate(sentence.labels)
        if len(w) > 1 and is_word(w) and len(among[w]) > 1
    ]
