"""What a restaurant review says of one of its aspects (MAMS, Jiang et al. 2019): of a word in it, or of a category.

Every review judges two aspects or more, and not all alike, so that what is asked decides the answer.
"""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from attnviz.errors import EmptyTextError, InputError
from attnviz.features import targets
from attnviz.features.given import Input
from attnviz.features.text import TextFeatures, collate
from attnviz.features.words import Words, split, with_swapped
from attnviz.tasks.job import Part, Values
from attnviz.tasks.plain import TextJob
from attnviz.tasks.registry import DataSource, Examples, Task, data_file, register
from attnviz.trace import Axis

POLARITIES = ("positive", "neutral", "negative")
CATEGORIES = ("food", "staff", "service", "place", "ambience", "menu", "price", "miscellaneous")
LICENCE = "A: Apache-2.0"
_REVIEW = Part("review", "text", "Review", help="A sentence or two about a restaurant.")


class TargetJob(TextJob):
    """A review and one or more words of it: what is said of these?"""

    def encode(self, features: TextFeatures, values: Values, swapped: Mapping[int, str]) -> Input:
        """The words of the review as items; the target as a mask over them, and its words as query items.

        InputError if the review is empty, or the target is empty or not in it.
        """
        words, items, notes = _review(features, values, swapped)
        marked = targets.find(split(values["review"]), values["target"])  # it keeps its place while words are swapped
        target = torch.zeros(1, len(words.labels), dtype=torch.bool)
        target[0, list(marked)] = True
        return Input(
            items,
            Axis("token", words.labels),
            {"review": values["review"], "target": values["target"]},
            notes,
            sides={"target": target, "query_items": items[:, list(marked)], "query_mask": target[:, list(marked)]},
            axes={"query_item": Axis("token", tuple(words.labels[i] for i in marked))},
            marked=marked,
        )


class CategoryJob(TextJob):
    """A review and a category: what is said of what belongs to it?"""

    def encode(self, features: TextFeatures, values: Values, swapped: Mapping[int, str]) -> Input:
        """The words of the review as items; the category as one number of eight that is 1.

        InputError if the review is empty or there is no such category.
        """
        words, items, notes = _review(features, values, swapped)
        given = {"review": values["review"], "category": values["category"]}
        return Input(items, Axis("token", words.labels), given, notes, sides={"auxiliary": one_hot(values["category"])})


def _review(
    features: TextFeatures, values: Values, swapped: Mapping[int, str]
) -> tuple[Words, Tensor, tuple[str, ...]]:
    try:
        words = with_swapped(split(values["review"]), swapped)
    except EmptyTextError:
        raise InputError("review", "There is no review yet. Type one, or choose one of the examples.") from None
    return words, features(*collate([words])), (words.note,) if words.note else ()


def one_hot(category: str) -> Tensor:
    """(1, 8): which category. InputError if there is no such category."""
    if category not in CATEGORIES:
        known = ", ".join(CATEGORIES)
        raise InputError("category", f"There is no category “{category.strip()[:40]}”. Choose one of: {known}.")
    return F.one_hot(torch.tensor([CATEGORIES.index(category)]), len(CATEGORIES)).float()


def rows(folder: Path, kind: str, split_name: str) -> list[dict[str, Any]]:
    """Reviews with their aspects: `kind` is "atsa" (words) or "acsa" (categories)."""
    with gzip.open(data_file(folder, f"{kind}_{split_name}.jsonl.gz"), "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def read_targets(folder: Path, split_name: str) -> Examples:
    """{"review", "target"} of every aspect."""
    inputs, labels = [], []
    for row in rows(folder, "atsa", split_name):
        words = split(row["text"])
        for aspect in row["aspects"]:
            inside = [i for i, (s, e) in enumerate(words.spans) if s < aspect["end"] and e > aspect["start"]]
            inputs.append({"review": row["text"], "target": targets.name(words, inside[0], inside[-1] + 1)})
            labels.append(POLARITIES.index(aspect["polarity"]))
    return Examples(inputs, torch.tensor(labels))


def read_categories(folder: Path, split_name: str) -> Examples:
    """{"review", "category"} of every aspect."""
    found = [(row["text"], aspect) for row in rows(folder, "acsa", split_name) for aspect in row["aspects"]]
    inputs = [{"review": text, "category": aspect["category"]} for text, aspect in found]
    return Examples(inputs, torch.tensor([POLARITIES.index(aspect["polarity"]) for _, aspect in found]))


_SOUP = "The soup was wonderful, but our waiter was rude and the tables stood far too close together."
_CAKE = "The noodles were cold and bland, but the mango cake was delicious."
_BILL = (
    "The prices are far too high for such small portions, though the wine list is superb and the owner is very kind."
)
_JAZZ = "I love the soft lights and the jazz, but the waiters are slow."

register(
    Task(
        name="mams",
        title="Opinion on a word",
        kind="target",
        predicts="what a restaurant review says of a word in it",
        classes=POLARITIES,
        parts=(
            _REVIEW,
            Part("target", "words", "Target", of="review", help="The words of the review that you ask about."),
        ),
        examples=(
            {"review": _SOUP, "target": "waiter"},
            {"review": _SOUP, "target": "soup"},
            {"review": _CAKE, "target": "noodles"},
            {"review": _CAKE, "target": "mango cake"},
            {"review": _BILL, "target": "portions"},
            {"review": _BILL, "target": "wine list"},
            {"review": _BILL, "target": "owner"},
            {"review": _JAZZ, "target": "waiters"},
        ),
        pairs=(
            ({"review": _SOUP, "target": "waiter"}, {"review": _SOUP, "target": "soup"}),
            ({"review": _CAKE, "target": "noodles"}, {"review": _CAKE, "target": "mango cake"}),
        ),
        data=DataSource("mams", "MAMS aspect terms, 4,297 training sentences with 11,186 aspects", LICENCE),
        read=read_targets,
        gives=("target", "query_items"),
        baselines=("learnable_query",),
        job=TargetJob(len(POLARITIES), {}),
    )
)

register(
    Task(
        name="mams_categories",
        title="Opinion on a category",
        kind="category",
        predicts="what a restaurant review says of a side of the restaurant",
        classes=POLARITIES,
        parts=(_REVIEW, Part("category", "choice", "Category", choices=CATEGORIES)),
        examples=(
            {"review": _SOUP, "category": "food"},
            {"review": _SOUP, "category": "staff"},
            {"review": _CAKE, "category": "food"},
            {"review": _BILL, "category": "price"},
            {"review": _JAZZ, "category": "ambience"},
            {"review": _JAZZ, "category": "staff"},
        ),
        pairs=(({"review": _SOUP, "category": "food"}, {"review": _SOUP, "category": "staff"}),),
        data=DataSource("mams", "MAMS aspect categories, 3,149 training sentences with 7,090 aspects", LICENCE),
        read=read_categories,
        gives=("auxiliary",),
        sizes={"d_auxiliary": len(CATEGORIES)},
        baselines=("learnable_query",),
        job=CategoryJob(len(POLARITIES), {"d_auxiliary": len(CATEGORIES)}),
    )
)
