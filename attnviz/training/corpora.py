"""All the English text of the data folder, unlabelled, to learn word contexts from."""

import csv
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

from attnviz.errors import DataError

_JSON = {
    "sst/train.jsonl.gz": lambda row: [" ".join(row["tokens"])],
    "mams/atsa_train.jsonl.gz": lambda row: [row["text"]],
    "mams/acsa_train.jsonl.gz": lambda row: [row["text"]],
    "customer_reviews/sentences.jsonl.gz": lambda row: [row["text"]],
    "cos_e/train.jsonl.gz": lambda row: [row["question"]],
    "movie_rationales/train.jsonl.gz": lambda row: re.split(r"(?<= [.?!]) ", row["text"]),
    "cloze_gutenberg/sentences.jsonl.gz": lambda row: [row["text"]],
    "sgd_subset/train.jsonl.gz": lambda row: [turn["text"] for turn in row["turns"]],
}
_TABLES = {
    "trec/train.tsv.gz": "text",
    "movie_review_sentences/mr.tsv.gz": "text",
    "movie_review_sentences/subj.tsv.gz": "text",
    "tatoeba_zh_en/train.tsv.gz": "en",
}


def sentences(data: Path) -> list[str]:
    """Every different sentence, in a fixed order. Raises DataError if nothing is there."""
    found = dict.fromkeys(s.strip() for s in _all(data))
    found.pop("", None)
    if not found:
        raise DataError(f"No text in {data}. Give --data the folder that holds trec/, sst/ and the others.")
    return list(found)


def _all(data: Path) -> Iterator[str]:
    for name, column in _TABLES.items():
        if (data / name).is_file():
            with gzip.open(data / name, "rt", encoding="utf-8", newline="") as file:
                yield from (row[column] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for name, texts in _JSON.items():
        if (data / name).is_file():
            with gzip.open(data / name, "rt", encoding="utf-8") as file:
                for line in file:
                    yield from texts(json.loads(line))
