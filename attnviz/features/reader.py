"""Reader: the feature model of cloze questions. It reads a text with a sentence in mind that lacks a word."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attnviz.features.segment import Vocabulary
from attnviz.features.text import TextFeatures
from attnviz.features.words import Words

BLANK = "___"
CLUES, HINTS = 15, 3  # numbers that `clues` gives for a word of the text, and of the question
_NEAR = torch.tensor([1, 2, 3, 4, 6, 9, 14])  # sentences: where the bins of the distance begin
_GAP = 2  # a convolution of five reaches two words away


@dataclass(frozen=True)
class Reading:
    """A text, sentence by sentence, and the sentence with a blank. That one may stand in the text as well."""

    document: tuple[Words, ...]
    question: Words


@dataclass(frozen=True)
class Page:
    """Several readings as tensors. Every different sentence stands in `pieces` once, one behind the other.

    Empty places between them keep a convolution from seeing two sentences at once, as padding would. `document` and
    `question` say where a word's vector is found, `words` and `asked` give equal numbers to equal words (`numbers`),
    whatever their case; 0 is no word. `capital` is 1 within a sentence, 2 at its start; `away` counts the sentences to
    the blank, negative behind it.
    """

    pieces: Int[Tensor, "1 place piece"]
    document: Int[Tensor, "batch key"]
    words: Int[Tensor, "batch key"]
    capital: Int[Tensor, "batch key"]
    away: Int[Tensor, "batch key"]
    question: Int[Tensor, "batch query_item"]
    asked: Int[Tensor, "batch query_item"]
    numbers: dict[str, int]

    @property
    def mask(self) -> Bool[Tensor, "batch key"]:
        """True where the text has a word."""
        return self.words > 0

    @property
    def query_mask(self) -> Bool[Tensor, "batch query_item"]:
        """True where the question has a word."""
        return self.asked > 0


def page(readings: Sequence[Reading]) -> Page:
    """The readings as one batch. A sentence that several of them share (the same object) is read once."""
    sentences = list({id(s): s for r in readings for s in (*r.document, r.question)}.values())
    rows = {id(s): row for row, s in enumerate(sentences)}
    numbers: dict[str, int] = {}
    words = [np.array([numbers.setdefault(w.lower(), len(numbers) + 1) for w in s.labels]) for s in sentences]
    capital = [np.array([w[0].isupper() * (1 + (i == 0)) for i, w in enumerate(s.labels)]) for s in sentences]
    pieces, places = _stream(sentences)
    texts = [[rows[id(s)] for s in r.document] for r in readings]
    asked = [rows[id(r.question)] for r in readings]

    def of_texts(values: Sequence[np.ndarray]) -> Tensor:
        return _padded([np.concatenate([values[row] for row in text]) for text in texts])

    return Page(
        pieces,
        of_texts(places),
        of_texts(words),
        of_texts(capital),
        _padded([_away(r.document) for r in readings]),
        _padded([places[row] for row in asked]),
        _padded([words[row] for row in asked]),
        numbers,
    )


def _stream(sentences: Sequence[Words]) -> tuple[Tensor, list[np.ndarray]]:
    """The pieces of all sentences in one row with gaps between them, and the places of each one's words."""
    most = max(len(p) for s in sentences for p in s.pieces)
    nothing = (0,) * most
    rows, places = [], []
    for sentence in sentences:
        places.append(len(rows) + np.arange(len(sentence.pieces)))
        rows += [p + nothing[len(p) :] for p in sentence.pieces]
        rows += [nothing] * _GAP
    return torch.tensor(rows)[None], places


def _away(document: Sequence[Words]) -> np.ndarray:
    """For each word the sentences to the blank, which is behind the text if it does not stand in it."""
    blank = next((i for i, s in enumerate(document) if BLANK in s.labels), len(document))
    return np.repeat(blank - np.arange(len(document)), [len(s.labels) for s in document])


def _padded(rows: Sequence[np.ndarray]) -> Tensor:
    found = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for i, row in enumerate(rows):
        found[i, : len(row)] = row
    return torch.from_numpy(found)


def clues(given: Page) -> tuple[Float[Tensor, "batch key clue"], Float[Tensor, "batch query_item hint"]]:
    """What is counted, not learnt.

    Of a word of the text: does the question have it, has it the same neighbour as the blank (before, behind), a capital
    (within a sentence, at its start), how often does it stand in the text (logarithm), is it behind the blank, and how
    many sentences away. Of a word of the question: is it the blank, does the text have it, how often.
    """
    blank = given.numbers[BLANK]
    words, asked = F.pad(given.words, (1, 1)), F.pad(given.asked, (1, 1))
    at = (given.asked == blank).int().argmax(1, keepdim=True)
    before, behind = asked.gather(1, at), asked.gather(1, at + 2)  # 0 at the edges of the question
    equal = (given.words[:, :, None] == given.asked[:, None, :]) & given.mask[:, :, None]
    columns = [
        equal.any(2),
        (words[:, :-2] == before) & (before > 0),
        (words[:, 2:] == behind) & (behind > 0),
        given.capital == 1,
        given.capital == 2,
        _counts(given.words).log1p(),
        given.away < 0,
    ]
    near = F.one_hot(torch.bucketize(given.away.abs(), _NEAR, right=True), len(_NEAR) + 1)
    said = equal.sum(1)
    hints = [given.asked == blank, said > 0, said.log1p()]
    return (
        torch.cat([torch.stack([c.float() for c in columns], 2), near.float()], 2),
        torch.stack([h.float() for h in hints], 2),
    )


def _counts(words: Int[Tensor, "batch key"]) -> Float[Tensor, "batch key"]:
    totals = torch.zeros(len(words), int(words.max()) + 1).scatter_add_(1, words, torch.ones(words.shape))
    return totals.gather(1, words)


class _Wide(nn.Module):
    """What stands up to forty words away, over the ends of sentences: a narrow stack of dilated convolutions."""

    def __init__(self, d_model: int, narrow: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.reduce = nn.Linear(d_model, narrow)
        self.layers = nn.ModuleList(nn.Conv1d(narrow, narrow, 3, padding=d, dilation=d) for d in (1, 3, 9, 27))
        self.expand = nn.Sequential(nn.Dropout(dropout), nn.Linear(narrow, d_model))

    def forward(self, x: Float[Tensor, "batch word d"], real: Float[Tensor, "batch word 1"]) -> Tensor:
        narrow = (self.reduce(self.norm(x)) * real).transpose(1, 2)
        for layer in self.layers:
            narrow = (narrow + F.gelu(layer(narrow))) * real.transpose(1, 2)
        return x + self.expand(narrow.transpose(1, 2))


class Reader(TextFeatures):
    """Feature vectors of a text's words and of a question's words, made to be compared by their dot product.

    Each sentence is first read by itself, as `TextFeatures` does, the question like those of the text; then what was
    counted is added (`clues`), and what stands far away. With `n_vectors` the reader has a table of its own, and
    `n_bytes` for the spelling of what the table's rows stand for; without, it uses the table of all English texts.
    """

    def __init__(
        self, d_model: int = 128, *, n_vectors: int = 0, n_bytes: int = 0, narrow: int = 48, dropout: float = 0.0
    ):
        super().__init__(d_model, dropout=dropout)
        if n_vectors:
            self.register_buffer("embedding", torch.zeros(n_vectors, d_model))
            self.register_buffer("spelling", torch.zeros(n_bytes, dtype=torch.uint8))
        self.clue = nn.Linear(CLUES, d_model)
        self.hint = nn.Linear(HINTS, d_model)
        self.wide = nn.ModuleList(_Wide(d_model, narrow, dropout) for _ in range(2))
        self.last = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(2))
        for norm in self.last:  # products start with a deviation of one, as scaled dot products do
            nn.init.constant_(norm.weight, d_model**-0.25)

    def vocabulary(self) -> Vocabulary:
        """What the rows of the reader's own table stand for."""
        return Vocabulary.from_bytes(self.spelling, len(self.embedding))

    def forward(self, given: Page) -> tuple[Float[Tensor, "batch key d"], Float[Tensor, "batch query_item d"]]:
        """Feature vectors of the texts' words and of the questions' words."""
        vectors = super().forward(given.pieces, given.pieces[:, :, 0] > 0)[0]
        of_text, of_question = (numbers.to(vectors.dtype) for numbers in clues(given))
        return (
            self._side(0, vectors[given.document] + self.clue(of_text), given.mask),
            self._side(1, vectors[given.question] + self.hint(of_question), given.query_mask),
        )

    def _side(self, which: int, x: Tensor, mask: Tensor) -> Tensor:
        real = mask.unsqueeze(-1).to(x.dtype)
        return self.last[which](self.wide[which](x, real))
