"""Stories for memory networks: sentences as one-hot words over a closed vocabulary."""

import re
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|[\r\n]+")
_WORD = re.compile(r"[^\W_]+")


def sentences(text: str) -> list[str]:
    """The sentences of a text: a new line or a full stop ends one; what has no letter or digit is none."""
    return [found.strip() for found in _SENTENCE_END.split(text) if _WORD.search(found)]


def words(sentence: str) -> list[str]:
    """The words of a sentence, as they are written and without punctuation."""
    return _WORD.findall(sentence)


class StoryFeatures(nn.Module):
    """Sentences as rows of one-hot words. It has no weights: embeddings belong to the mechanisms that read stories.

    Every sentence is padded with rows of zeros to `n_words`, because the position encoding depends on that number.
    """

    def __init__(self, vocabulary: Sequence[str], n_words: int):
        super().__init__()
        self.vocabulary, self.n_words = tuple(vocabulary), n_words
        self.numbers = {word: number for number, word in enumerate(vocabulary)}

    def is_known(self, word: str) -> bool:
        """Whether the vocabulary has the word, small or capital."""
        return word.lower() in self.numbers

    def known(self, sentence: str) -> tuple[str, ...]:
        """The words of a sentence that the vocabulary has, no more than `n_words`, in small letters."""
        return tuple(word.lower() for word in words(sentence) if self.is_known(word))[: self.n_words]

    def forward(self, known: Sequence[Sequence[str]]) -> Float[Tensor, "sentence word d_items"]:
        """One-hot rows of sentences that `known` has been over."""
        rows = torch.zeros(len(known), self.n_words, len(self.vocabulary))
        for sentence, row in zip(known, rows, strict=True):
            row[range(len(sentence)), [self.numbers[word] for word in sentence]] = 1
        return rows
