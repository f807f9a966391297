"""A text as words: the items that the mechanisms attend over. Each keeps its spelling and its WordPiece numbers."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from attnviz.errors import EmptyTextError, OptionError

MAX_WORDS = 256
MAX_PIECES = 8  # of one word; what stands behind them changes the mean little
_LONGEST_TEXT = 20_000  # characters that are looked at
_HALF = re.compile("[\ud800-\udfff]")  # half a character: no text, but a browser may send it
SCRIPTS = {"LATIN": "English", "CJK": "Chinese"}  # how Unicode's names of a script's letters begin, and who writes so


@dataclass(frozen=True)
class Words:
    """The words of a text: as written, where they stand in it (start, end), and the pieces of each.

    `note` says what was cut, or that the text is in another script than what was learnt from; or is empty.
    """

    labels: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    pieces: tuple[tuple[int, ...], ...]
    note: str = ""


@cache
def _tokenizer() -> Tokenizer:
    """WordPiece with the vocabulary of BERT (uncased), as all-MiniLM-L6-v2 uses it."""
    vocabulary = Path(__file__).with_name("vocab.txt").read_text(encoding="utf-8").splitlines()
    numbers = {piece: i for i, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def split(text: str) -> Words:
    """Words and punctuation marks of `text`, at most 256; EmptyTextError if there is none.

    A word is what BERT's pre-tokeniser takes as one: letters and digits in a row, a punctuation mark, a Chinese
    character. Control characters vanish; what the vocabulary lacks (most emoji) keeps its spelling and is unknown.
    """
    looked_at = whole(text[:_LONGEST_TEXT])
    encoding = _tokenizer().encode(looked_at, add_special_tokens=False)
    labels, spans, pieces = [], [], []
    last = None
    for word, (start, end), piece in zip(encoding.word_ids, encoding.offsets, encoding.ids, strict=True):
        if word != last:
            spans.append((start, end))
            pieces.append([])
        spans[-1] = (spans[-1][0], end)
        pieces[-1].append(piece)
        last = word
    labels = [_readable(looked_at[start:end]) for start, end in spans]
    if not labels:
        raise EmptyTextError
    return Words(
        tuple(labels[:MAX_WORDS]),
        tuple(spans[:MAX_WORDS]),
        tuple(tuple(p[:MAX_PIECES]) for p in pieces[:MAX_WORDS]),
        " ".join(filter(None, (_cut_note(labels, len(text)), foreign(labels[:MAX_WORDS], "LATIN")))),
    )


def whole(text: str) -> str:
    """The text with the sign for an unreadable character in the place of each half of one."""
    return _HALF.sub("\ufffd", text)


def foreign(words: Iterable[str], script: str) -> str:
    """A sentence if most letters are of another script than `script`, one of `SCRIPTS`; else empty."""
    letters = [c for word in words for c in word if c.isalpha()]
    known = sum(unicodedata.name(c, "").startswith(script) for c in letters)
    if 2 * known >= len(letters):
        return ""
    return f"This task was learnt from {SCRIPTS[script]} texts: what it makes of another script means little."


def one_word(text: str) -> Words:
    """The text as a single word; OptionError if it is none, or several."""
    try:
        found = split(text)
    except EmptyTextError:
        found = Words((), (), ())
    if len(found.labels) != 1:
        raise OptionError(f"“{text[:40]}” is not one word. Give a single word, without spaces or hyphens.")
    return found


def with_swapped(words: Words, swapped: Mapping[int, str]) -> Words:
    """The same words with others at some positions; OptionError if what takes a word's place is not one word."""
    labels, pieces = list(words.labels), list(words.pieces)
    for i, text in swapped.items():
        if i >= len(labels):
            continue  # the text has become shorter since
        found = one_word(text)
        labels[i], pieces[i] = found.labels[0], found.pieces[0]
    return replace(words, labels=tuple(labels), pieces=tuple(pieces))


def _readable(label: str) -> str:
    """Without control characters; the joiners inside emoji and Indic scripts stay."""
    return "".join(c for c in label if c.isprintable() or c in "\u200c\u200d")


def _cut_note(labels: list[str], length: int) -> str:
    if len(labels) <= MAX_WORDS:
        return ""
    counted = f"{len(labels):,}" if length <= _LONGEST_TEXT else f"more than {len(labels):,}"
    after = " ".join(labels[MAX_WORDS - 3 : MAX_WORDS])
    return f"The text has {counted} words; only the first {MAX_WORDS} are used. It was cut after “… {after}”."
