"""Chinese text as words, by a list of words that was learnt; each word with the numbers of its pieces."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from attnviz.features.words import MAX_PIECES

_SPECIAL = ("[PAD]", "[UNK]", "[BLANK]")
UNKNOWN, BLANK_PIECE = 1, 2
_RUN = re.compile(r"[㐀-鿿々〇]+|[^\W_㐀-鿿]+|\S")
_HAN = re.compile(r"[㐀-鿿々〇]")


@dataclass(frozen=True)
class Vocabulary:
    """Known pieces: characters and words. The first `n_vectors` have a vector; later words only help to cut a text."""

    pieces: tuple[str, ...]
    n_vectors: int

    @classmethod
    def learnt(cls, words: Iterable[str], *, n_vectors: int, least: int = 3) -> "Vocabulary":
        """Every character and word that occurs at least `least` times: characters first, then words by frequency."""
        counts = Counter(w.lower() for w in words)
        characters: Counter[str] = Counter()
        for word, n in counts.items():
            for character in word:
                characters[character] += n
        single = sorted(c for c, n in characters.items() if n >= least)
        longer = sorted((w for w, n in counts.items() if n >= least and len(w) > 1), key=lambda w: (-counts[w], w))
        return cls((*_SPECIAL, *single, *longer), n_vectors)

    @classmethod
    def from_bytes(cls, spelling: Tensor, n_vectors: int) -> "Vocabulary":
        """What `to_bytes` gave."""
        return cls(tuple(bytes(spelling.tolist()).decode("utf-8").split("\n")), n_vectors)

    def to_bytes(self) -> Tensor:
        """The pieces as UTF-8, one a line, so that they can be kept with the weights."""
        return torch.frombuffer(bytearray("\n".join(self.pieces).encode("utf-8")), dtype=torch.uint8)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {piece: i for i, piece in enumerate(self.pieces)}

    @cached_property
    def _longest(self) -> int:
        return max(len(p) for p in self.pieces[len(_SPECIAL) :])

    def pieces_of(self, word: str) -> tuple[int, ...]:
        """The word's own number, if it has one, and those of its characters."""
        parts = dict.fromkeys((word.lower(), *word.lower()))
        numbers = [self._numbers.get(part, self.n_vectors) for part in parts]
        return tuple(n for n in numbers if n < self.n_vectors)[:MAX_PIECES] or (UNKNOWN,)

    def cut(self, text: str) -> Iterator[tuple[str, int]]:
        """The words of a text and where each starts.

        Chinese characters in a row: always the longest known word; what no word begins with is a word of one character.
        Letters and digits in a row are one word, any other sign is one. Blanks separate words and never join them.
        """
        for run in _RUN.finditer(text):
            if not _HAN.match(run[0]):
                yield run[0], run.start()
                continue
            at = 0
            while at < len(run[0]):
                length = self._match(run[0][at : at + self._longest])
                yield run[0][at : at + length], run.start() + at
                at += length

    def _match(self, text: str) -> int:
        return next((n for n in range(len(text), 1, -1) if text[:n] in self._numbers), 1)
