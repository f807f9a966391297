"""Feature model of translation: Chinese characters and pieces of English words as vectors, one table a language."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

LANGUAGES = ("en", "zh")
PAD, UNKNOWN, BEGIN, END = range(4)
SPECIAL = ("[PAD]", "[UNK]", "[BEGIN]", "[END]")
LONGEST = 60  # pieces of a sentence that are used
JOINT = "##"  # before a piece that continues a word
_WORDS = {
    "en": re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+|[^\w\s]|_"),
    "zh": re.compile(r"[A-Za-z]+|\d|\S"),
}
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WORD = re.compile(r"[^\W\d_]+")
ENDED = "(end)"  # what a person reads for the mark of the end
_CONTINUED = "·"  # what a person reads before a piece that continues a word


@cache
def vocabulary(language: str) -> Mapping[str, int]:
    """The pieces that a language is written in, with their numbers; the first are `SPECIAL`."""
    lines = vocabulary_file(language).read_text(encoding="utf-8").splitlines()
    return {piece: number for number, piece in enumerate(lines)}


def vocabulary_file(language: str) -> Path:
    """Where the pieces of a language are kept, one a line."""
    return Path(__file__).with_name(f"translation_{language}.txt")


def language_of(text: str) -> str:
    """The language that a sentence is written in: "zh" if it has as many Chinese characters as other words, or more."""
    chinese = len(_CHINESE.findall(text))
    return "zh" if chinese and chinese >= len(_WORD.findall(_CHINESE.sub(" ", text))) else "en"


def words(text: str, language: str) -> list[str]:
    """English words, numbers and marks; Chinese characters, foreign words and digits. Control characters vanish."""
    text = "".join(c if c.isprintable() else " " for c in text.replace("’", "'"))
    return _WORDS[language].findall(text)


def pieces(text: str, language: str) -> list[tuple[str, int]]:
    """The pieces of a text as written and their numbers."""
    known, numbers = words(text, language), vocabulary(language)
    if language == "zh" or not known:
        return [pair for word in known for pair in _split(word, numbers)]
    first = _split(_as_inside(known[0], numbers), numbers)
    first[0] = (known[0][0] + first[0][0][1:], first[0][1])
    return [*first, *(pair for word in known[1:] for pair in _split(word, numbers))]


def _as_inside(word: str, numbers: Mapping[str, int]) -> str:
    """The first word of a sentence as it is spelt inside of one: with a capital if that takes fewer pieces (names).

    Where both take one, the more frequent one has the smaller number, but for single letters.
    """
    if word == "I" or word.startswith("I'"):
        return word

    def rank(spelt: str) -> tuple[bool, int, int]:
        ids = [number for _, number in _split(spelt, numbers)]
        return UNKNOWN in ids, len(ids), ids[0] if len(spelt) > 1 else 0

    return min(word[:1].lower() + word[1:], word, key=rank)


def _split(word: str, numbers: Mapping[str, int]) -> list[tuple[str, int]]:
    """The longest piece that the word begins with, then the longest that goes on, and so forth; or one unknown."""
    found, start = [], 0
    while start < len(word):
        joint = JOINT if start else ""
        ends = (end for end in range(len(word), start, -1) if joint + word[start:end] in numbers)
        end = next(ends, None)
        if end is None:
            return [(word, UNKNOWN)]
        piece = joint + word[start:end]
        found.append((_label(piece), numbers[piece]))
        start = end
    return found


def _label(piece: str) -> str:
    return piece.replace(JOINT, _CONTINUED, 1) if piece.startswith(JOINT) and piece != JOINT else piece


def labels(ids: Iterable[int], language: str) -> tuple[str, ...]:
    """What a person reads for pieces of these numbers, one label each."""
    known = tuple(vocabulary(language))
    return tuple(ENDED if i == END else _label(known[i]) for i in ids)


def written(found: Iterable[str], language: str) -> str:
    """Labels of pieces as a sentence: joined, with a capital and without spaces before marks."""
    parts = [part for part in found if part != ENDED]
    if language == "zh":
        return re.sub(r"(?<=[A-Za-z])(?=[A-Z])", " ", "".join(parts))
    joined = "".join(part.removeprefix(_CONTINUED) if part.startswith(_CONTINUED) else f" {part}" for part in parts)
    joined = re.sub(r" (?=[.,?!;:%)\]])|(?<=[(\[$]) ", "", joined.strip())
    joined = re.sub(r"(?<=\d)([:.,]) (?=\d)", r"\1", joined)
    return joined[:1].upper() + joined[1:]


class WordVectors(nn.Module):
    """A table of vectors for the pieces of each language."""

    def __init__(self, sizes: Mapping[str, int], d_model: int):
        super().__init__()
        self.d_model = d_model
        self.tables = nn.ModuleDict({name: nn.Embedding(size, d_model) for name, size in sizes.items()})
        for table in self.tables.values():
            nn.init.normal_(table.weight, std=d_model**-0.5)

    def forward(self, ids: Int[Tensor, "batch item"], language: str) -> Float[Tensor, "batch item d"]:
        """The vectors of pieces, scaled to a variance of about one."""
        return self.tables[language](ids) * self.d_model**0.5


class Encoder(nn.Module):
    """Two recurrent nets, one from each end: a state says what stands at its place and what stands around it."""

    def __init__(self, d_model: int, d_state: int):
        super().__init__()
        self.net = nn.GRU(d_model, d_state // 2, batch_first=True, bidirectional=True)

    def forward(
        self, items: Float[Tensor, "batch item d"], mask: Tensor | None = None
    ) -> Float[Tensor, "batch item d_state"]:
        """The states, forward and backward side by side; zeros where the mask is False."""
        if mask is None:
            return self.net(items)[0]
        lengths = mask.sum(1).clamp_min(1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(items, lengths, batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.net(packed)[0], batch_first=True, total_length=items.shape[1])
        return states


def collate(rows: list[list[int]]) -> Int[Tensor, "batch item"]:
    """Lists of numbers as one table, filled up with 0."""
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=PAD)
