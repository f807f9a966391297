"""Question type (TREC, Li & Roth 2002): what kind of answer does a question ask for?"""

import csv
import gzip
from pathlib import Path

import torch

from attnviz.tasks.registry import DataSource, Examples, Task, data_file, held_out, register

_CODES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")


def read(folder: Path, split: str) -> Examples:
    """Questions with their coarse class. "val" is a tenth of the published training part, none of it in "train"."""
    path = data_file(folder, "test.tsv.gz" if split == "test" else "train.tsv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    texts = [row["text"] for row in rows]
    labels = torch.tensor([_CODES.index(row["coarse"]) for row in rows])
    if split == "test":
        return Examples(texts, labels)
    train, val = held_out(len(rows), 0.1)
    if split == "train":
        seen = {texts[i] for i in val.tolist()}
        train = torch.tensor([i for i in train.tolist() if texts[i] not in seen])
    chosen = train if split == "train" else val
    return Examples([texts[i] for i in chosen.tolist()], labels[chosen])


register(
    Task(
        name="trec",
        title="Question type",
        kind="text",
        predicts="what kind of answer a question asks for",
        classes=("abbreviation", "description", "entity", "human", "location", "number"),
        examples=(
            "How many people live in the largest city of South America ?",
            "Who wrote the first novel about time travel ?",
            "Where do the rivers of the Alps meet the sea ?",
            "What does the abbreviation NASA stand for ?",
            "Why do cats purr when they sleep ?",
            "Which instrument has forty-seven strings ?",
        ),
        pairs=(
            ("How many people live in Rome ?", "How do people live in Rome ?"),
            ("Who wrote the play Hamlet ?", "Where was the play Hamlet written ?"),
            ("What is the capital of Peru ?", "Who is the president of Peru ?"),
        ),
        data=DataSource("trec", "TREC question classification, 5,452 training questions", "C: none stated"),
        read=read,
    )
)
