"""Questions on stories (bAbI, Weston et al. 2015): which facts does an answer need, and in which order?"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from attnviz.errors import DataError, InputError
from attnviz.features.given import Input
from attnviz.features.story import StoryFeatures, sentences, words
from attnviz.tasks.babi_words import ANSWERS, EXAMPLES, PAIRS, WORDS, shown
from attnviz.tasks.job import Part, Values
from attnviz.tasks.plain import ClassifierJob
from attnviz.tasks.registry import DataSource, Examples, Task, data_file, held_out, register
from attnviz.trace import Axis

N_FACTS = 50  # that are remembered, the newest ones (Sukhbaatar et al. 2015, section 4.2)
_ONE, _TWO, _THREE = "qa01_single-supporting-fact", "qa02_two-supporting-facts", "qa03_three-supporting-facts"
_TRAIN = {  # files, and the share of their stories that is held out; a later one's questions that an earlier one has go
    "babi_1": ((f"en-10k/{_ONE}_train", 0.1),),
    "babi_2": ((f"en-10k/{_TWO}_train", 0.1),),
    "babi_3": (
        (f"en-10k/{_THREE}_part_of_train", 0.2),
        (f"en/{_THREE}_train", 0.2),
        ("generated/qa03_generated_train", 0.1),
    ),
}
_TEST = {"babi_1": _ONE, "babi_2": _TWO, "babi_3": _THREE}


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """The questions of a file. `origin` says whether they were published or generated, `task` which task's they are."""
    path = data_file(folder, f"{name}.jsonl.gz")
    about = {"origin": "generated" if "generated" in name else "published", "task": int(path.name[2:4])}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) | about for line in file]


def _all_tasks(folder: Path, part: str) -> list[str]:
    names = sorted(path.name for path in (folder / "en").glob(f"qa*_{part}.jsonl.gz"))
    if not names:
        raise DataError(f"No en/qa…_{part}.jsonl.gz in {folder}. Give --data the folder that holds {folder.name}/.")
    return [f"en/{name.removesuffix('.jsonl.gz')}" for name in names]


def _asked(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (*row["facts"], row["question"])


def read_rows(task: str, folder: Path, split: str) -> list[dict[str, Any]]:
    """The questions of a split, each with facts, answer and the numbers of the facts that support it.

    Stories are held out as a whole, and no held-out question is asked in training. "test" reads the published test
    part, if it is in `folder`.
    """
    if split == "test":
        names = [f"en/{_TEST[task]}_test"] if task in _TEST else _all_tasks(folder, "test")
        return [row for name in names for row in _rows(folder, name)]
    train: list[dict[str, Any]] = []
    val: list[dict[str, Any]] = []
    known: set[tuple[str, ...]] = set()
    for name, share in _TRAIN.get(task) or [(name, 0.1) for name in _all_tasks(folder, "train")]:
        rows = [row for row in _rows(folder, name) if _asked(row) not in known]
        known |= {_asked(row) for row in rows}
        stories = sorted({row["story"] for row in rows})
        held = {stories[i] for i in held_out(len(stories), share)[1].tolist()}
        train += [row for row in rows if row["story"] not in held]
        val += [row for row in rows if row["story"] in held]
    seen = {_asked(row) for row in val}
    return val if split == "val" else [row for row in train if _asked(row) not in seen]


def read(task: str, folder: Path, split: str) -> Examples:
    """Questions with facts (see `read_rows`), and the number of each answer; -1 for one that is no class."""
    rows = read_rows(task, folder, split)
    numbers = {answer: number for number, answer in enumerate(ANSWERS[task])}
    return Examples(rows, torch.tensor([numbers.get(row["answer"], -1) for row in rows]))


@dataclass(frozen=True)
class StoryJob(ClassifierJob):
    """A story and a question: the facts are the items, their words one-hot; the question asks, as do its words."""

    vocabulary: tuple[str, ...]
    n_words: int

    def features(self, card: Mapping[str, Any]) -> nn.Module:
        """One-hot words; there is nothing to fill."""
        return StoryFeatures(self.vocabulary, self.n_words)

    def encode(self, features: StoryFeatures, values: Values, swapped: Mapping[int, str]) -> Input:
        """Facts and question as one-hot words; `swapped` facts stand in the place of others.

        InputError if there is no fact or no question, or none with a word that the task knows.
        """
        facts, question = sentences(values.get("facts", "")), " ".join(values.get("question", "").split())
        notes = []
        if len(facts) > N_FACTS:
            notes.append(f"Only the newest {N_FACTS} of {len(facts)} facts are remembered.")
            facts = facts[-N_FACTS:]
        facts = [swapped.get(number, fact) for number, fact in enumerate(facts)]
        _check("facts", facts, features, "There is no story yet. Write one fact a line, the newest last.")
        _check("question", [question], features, "There is no question yet. Ask one about the story.")
        notes += _passed_over([*facts, question], features)
        asked = features.known(question)
        asking = features([asked])
        return Input(
            items=features([features.known(fact) for fact in facts])[None],
            axis=Axis("fact", tuple(facts)),
            source={"facts": "\n".join(facts), "question": question},
            notes=tuple(notes),
            sides={"question": asking, "query_items": asking[:, : len(asked)]},
            axes={"query_item": Axis("token", tuple(w for w in words(question) if features.is_known(w))[: len(asked)])},
        )


def _check(part: str, given: Sequence[str], features: StoryFeatures, empty: str) -> None:
    if not any(words(sentence) for sentence in given):
        raise InputError(part, empty)
    if not any(features.known(sentence) for sentence in given):
        some = ", ".join(features.vocabulary[:: max(1, len(features.vocabulary) // 12)])
        what = "story" if part == "facts" else "question"
        raise InputError(part, f"No word of the {what} is known to this task. It knows words such as {some}.")


def _passed_over(given: Sequence[str], features: StoryFeatures) -> list[str]:
    """Sentences about words that are not used."""
    unknown = list(dict.fromkeys(w for s in given for w in words(s) if not features.is_known(w)))
    notes = []
    if unknown:
        listed = ", ".join(f"“{word[:30]}”" for word in unknown[:6])
        more = f" and {len(unknown) - 6} more" if len(unknown) > 6 else ""
        notes.append(f"This task does not know {listed}{more}: read as if not written.")
    long = [s for s in given if sum(map(features.is_known, words(s))) > features.n_words]
    notes += [f"Only the first {features.n_words} known words of “{s[:40]}…” are read." for s in long[:2]]
    return notes


def _task(name: str, title: str, predicts: str, source: str, n_words: int, d_model: int) -> None:
    vocabulary, answers = WORDS[name], tuple(map(shown, ANSWERS[name]))
    sizes = {"d_items": len(vocabulary), "position": "paper", "n_times": N_FACTS}
    register(
        Task(
            name=name,
            title=title,
            kind="story",
            predicts=predicts,
            classes=answers,
            examples=EXAMPLES[name],
            pairs=PAIRS[name],
            data=DataSource("babi_qa", source, "A: CC BY 3.0, Facebook AI Research"),
            read=partial(read, name),
            d_model=d_model,
            parts=(
                Part("facts", "facts", "Story", help="One fact a line, the newest last."),
                Part("question", "text", "Question", help="A question about the story, in the same words."),
            ),
            gives=("question", "query_items"),
            sizes=sizes,
            only=("memory_network", "man") if name == "babi_1" else ("memory_network",),  # MAN cannot chain facts
            job=StoryJob(len(answers), sizes, vocabulary, n_words),
        )
    )


_WHERE = "where someone or something is, or was, by what the story says"
_task("babi_1", "Story, one fact", _WHERE, "bAbI v1.2, task 1, 10,000 training questions", 6, 32)
_task("babi_2", "Story, two facts", _WHERE, "bAbI v1.2, task 2, 10,000 training questions", 7, 32)
_task(
    *("babi_3", "Story, three facts", _WHERE),
    "bAbI v1.2, task 3: 1,925 training questions, and 10,000 made with the released generator",
    *(7, 48),
)
_task(
    *("babi", "Story, twenty kinds of question", "the answer to a question about a story"),
    "bAbI v1.2, all twenty tasks, 1,000 training questions each",
    *(11, 64),
)
