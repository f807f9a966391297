"""Texts with a blank, as words and sentences: what the reader reads."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

from attnviz.errors import EmptyTextError
from attnviz.features.reader import BLANK
from attnviz.features.segment import BLANK_PIECE, Vocabulary
from attnviz.features.words import Words, split

Split = Callable[[str], Words]  # words of a text without a blank; labels and spans empty if it has none

_GAP = re.compile(r"[_＿]{2,}")
ENGLISH_BLANK, CHINESE_BLANK = (103,), (BLANK_PIECE,)  # pieces; 103 is [MASK] in the vocabulary of the English texts
_ENDS = frozenset(".!?。！？…")
_CLOSES = frozenset("\"'”’」』)）")
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "st", "prof"})


def english(text: str) -> Words:
    """Words as `words.split` gives them, and `___` (two or more underscores) as one word, the blank."""
    return _with_blanks(text, _english, ENGLISH_BLANK)


def chinese(text: str, vocabulary: Vocabulary) -> Words:
    """Words by longest match with the vocabulary, and `___` as one word, the blank."""
    return _with_blanks(text, lambda part: _words(vocabulary.cut(part), vocabulary), CHINESE_BLANK)


def segmented(text: str, vocabulary: Vocabulary) -> Words:
    """Words of a Chinese text that has a blank between any two."""
    parts = [(m[0], m.start()) for m in re.finditer(r"\S+", text)]
    words = _words(parts, vocabulary)
    pieces = tuple(CHINESE_BLANK if w == BLANK else p for w, p in zip(words.labels, words.pieces, strict=True))
    return Words(words.labels, words.spans, pieces)


def _english(text: str) -> Words:
    """As `words.split`, but of any length: it cuts nothing that stands between blanks."""
    labels, spans, pieces = [], [], []
    for run in re.finditer(r"\S+", text):
        part = _run(run[0])
        labels += part.labels
        spans += [(run.start() + start, run.start() + stop) for start, stop in part.spans]
        pieces += part.pieces
    return Words(tuple(labels), tuple(spans), tuple(pieces))


@lru_cache(maxsize=50_000)
def _run(text: str) -> Words:
    try:
        return split(text)
    except EmptyTextError:
        return Words((), (), ())


def _words(parts, vocabulary: Vocabulary) -> Words:
    parts = list(parts)
    return Words(
        tuple(word for word, _ in parts),
        tuple((start, start + len(word)) for word, start in parts),
        tuple(vocabulary.pieces_of(word) for word, _ in parts),
    )


def _with_blanks(text: str, cut: Split, piece: tuple[int, ...]) -> Words:
    labels, spans, pieces, at = [], [], [], 0
    for gap in [*_GAP.finditer(text), None]:
        end = gap.start() if gap else len(text)
        part = cut(text[at:end])
        labels += part.labels
        spans += [(at + start, at + stop) for start, stop in part.spans]
        pieces += part.pieces
        if gap:
            labels.append(BLANK)
            spans.append(gap.span())
            pieces.append(piece)
            at = gap.end()
    return Words(tuple(labels), tuple(spans), tuple(pieces))


def part_of(words: Words, start: int, stop: int | None = None) -> Words:
    """Some of the words, those from `start` up to `stop`."""
    return Words(words.labels[start:stop], words.spans[start:stop], words.pieces[start:stop])


def blanked(words: Words, place: int, piece: tuple[int, ...]) -> Words:
    """The words with a blank at one place."""
    labels, pieces = list(words.labels), list(words.pieces)
    labels[place], pieces[place] = BLANK, piece
    return Words(tuple(labels), words.spans, tuple(pieces))


def sentences(words: Words) -> tuple[Words, ...]:
    """The words sentence by sentence: each ends with its mark and the quotation marks and brackets behind that."""
    starts = [0, *(i + 1 for i in range(len(words.labels) - 1) if _ends(words.labels, i)), len(words.labels)]
    return tuple(part_of(words, start, stop) for start, stop in pairwise(starts))


def _ends(labels: Sequence[str], i: int) -> bool:
    """Whether a sentence ends behind the word i."""
    if labels[i + 1] in _CLOSES or labels[i + 1] in _ENDS:
        return False
    last = i
    while last > 0 and labels[last] in _CLOSES:
        last -= 1
    title = labels[last] == "." and last > 0 and labels[last - 1].lower() in _TITLES
    return labels[last] in _ENDS and not title
