"""Cloze reading: which word of a text stands in the blank of a sentence? English and Chinese stories."""

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from attnviz.errors import DataError
from attnviz.features.reader import BLANK
from attnviz.tasks import cloze_examples
from attnviz.tasks.job import Part
from attnviz.tasks.pointer import ClozeJob, is_word
from attnviz.tasks.registry import DataSource, Examples, Task, data_file, register

MISSING = "XXXXX"  # where a published question has its blank
WINDOW = 20  # sentences before the one with the blank


@dataclass(frozen=True)
class Question:
    """Sentences of a text and the one with a blank, their words apart by one blank; options are words, one is right.

    `kind` says what is asked for, `frequent` is the option that is most often in the text.
    """

    document: tuple[str, ...]
    question: str
    answer: str
    options: tuple[str, ...]
    kind: str

    @property
    def frequent(self) -> str:
        """The option of two letters or more that stands in the text most often; of several the first one."""
        counts = Counter(w.lower() for s in self.document for w in s.split())
        return max(self.options, key=lambda option: (len(option) > 1, counts[option.lower()]))


def lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def books(folder: Path) -> dict[str, list[str]]:
    """The sentences of each book, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in lines(data_file(folder, "sentences.jsonl.gz")):
        found[row["book"]].append(row["text"])
    return found


def read(folder: Path, split: str) -> Examples:
    """English questions; those of a file with "test" in its name where there is one. DataError if there is none."""
    path = _test_file(folder, split) or data_file(folder, "questions.jsonl.gz")
    texts = books(folder)
    return _examples([_question(r, texts[r["book"]]) for r in lines(path) if r.get("split", split) == split], path)


def _test_file(folder: Path, split: str) -> Path | None:
    return next(iter(sorted(folder.glob("*test*.jsonl.gz"))), None) if split == "test" else None


def _question(row: Mapping[str, Any], sentences: list[str]) -> Question:
    words = sentences[row["query"]].split()
    words[row["pos"]] = BLANK
    document = tuple(s for s in sentences[max(0, row["query"] - WINDOW) : row["query"]] if s)
    return Question(document, " ".join(words), row["answer"], tuple(row["options"]), row["kind"])


def _examples(questions: list[Question], path: Path) -> Examples:
    if not questions:
        raise DataError(f"No question of that split is in {path}.")
    return Examples(questions, torch.tensor([q.options.index(q.answer) for q in questions]))


CHINESE = ("cft_human", "cmrc2017_cloze_valid", "cft_auto", "cmrc2017_user_valid")


def stories(folder: Path, split: str) -> list[dict[str, Any]]:
    """Rows of all Chinese files that belong to a split.

    Rows whose texts share a sentence of twelve characters or more stay together; eight parts of ten are "train".
    """
    rows = [row for name in CHINESE for row in lines(data_file(folder, f"{name}.jsonl.gz"))]
    return [row for row, part in zip(rows, _parts(rows), strict=True) if part == split]


def _parts(rows: list[dict[str, Any]]) -> list[str]:
    """Split of each row, from the smallest checksum among the long sentences of all rows that hang together."""
    keys = [_checksums(row["doc"]) for row in rows]
    parent: dict[str, str] = {}

    def smallest(key: str) -> str:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    for own in keys:
        tops = sorted(smallest(key) for key in own)
        for top in tops[1:]:
            parent[top] = tops[0]
    tenths = [int(smallest(own[0]), 16) % 10 for own in keys]
    return [{0: "val", 1: "test"}.get(tenth, "train") for tenth in tenths]


def _checksums(document: Iterable[str]) -> list[str]:
    texts = ["".join(s.split()) for s in document]
    long = [s for s in texts if len(s) >= 12 and MISSING not in s] or ["".join(texts)]
    return [hashlib.md5(s.encode(), usedforsecurity=False).hexdigest() for s in long]


def read_chinese(folder: Path, split: str) -> Examples:
    """Chinese questions with a blank whose answer stands in the text; the options are all words of the text."""
    path = _test_file(folder, split)
    rows = lines(path) if path else stories(folder, split)
    return _examples([found for row in rows if (found := story_question(row)) is not None], path or folder)


def story_question(row: Mapping[str, Any]) -> Question | None:
    """The question of a row, None if it has no blank or if its answer is no word of the text.

    Its kind is "sentence" if the sentence with the blank stands in the text, else "exercise".
    """
    document = tuple(s.replace(MISSING, BLANK) for s in row["doc"])
    options = tuple(dict.fromkeys(w for s in document for w in s.split() if is_word(w)))
    if row["query"].count(MISSING) != 1 or row["answer"] not in options:
        return None
    kind = "sentence" if any(BLANK in s for s in document) else "exercise"
    return Question(document, row["query"].replace(MISSING, BLANK), row["answer"], options, kind)


_PARTS = (
    Part("document", "text", "Text", help="A few sentences; the missing word stands somewhere among them.", long=True),
    Part("question", "text", "Sentence with a blank", help="Write the missing word as ___ (two or more underscores)."),
)


def _register(name: str, language: str, title: str, examples: tuple[dict[str, str], ...], **fields: Any) -> None:
    register(
        Task(
            name=name,
            title=title,
            kind="cloze",
            predicts="which word of a text is missing in a sentence",
            classes=(),
            examples=examples,
            parts=_PARTS,
            gives=("query_items",),
            only=("attention_over_attention",),
            job=ClozeJob(language),
            **fields,
        )
    )


_register(
    "cloze",
    "en",
    "Missing word",
    cloze_examples.ENGLISH,
    data=DataSource(
        "cloze_gutenberg",
        "Four children's books (Project Gutenberg): 6,738 training questions, and others made of their sentences",
        "A: public domain in the US; two of the authors may be protected elsewhere, of them only weights are given on",
    ),
    read=read,
)
_register(
    "cloze_zh",
    "zh",
    "Missing word (Chinese)",
    cloze_examples.CHINESE,
    data=DataSource(
        "cloze_zh",
        "Children's Fairy Tale and CMRC 2017 (published test and validation parts, split anew by text)",
        "B: CC BY-SA 4.0",
    ),
    read=read_chinese,
)
