"""The figures in the README's tables are those of the cards."""

import json
import re
from pathlib import Path

import pytest

import attnviz
from attnviz.zoo import store

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BAG_OF_WORDS, ALWAYS_TRUE = 69.9, 55.8  # of no model of ours
ACCURACY = "accuracy"
TRANSLATORS = [f"translation/rnn_query/{name}" for name in ("default", "form=luong", "form=none")]
NAMED = "weight on named among shapes"
JOBS = [
    ("translation into English", [(t, f"BLEU into English, {way}") for t in TRANSLATORS for way in ("greedy", "beam")]),
    ("translation into Chinese", [(t, f"BLEU into Chinese, {way}") for t in TRANSLATORS for way in ("greedy", "beam")]),
    ("nuclei", [("nuclei/auxiliary/default", ACCURACY), ("nuclei/learnable_query/default", ACCURACY)]),
    ("category", [(f"mams_categories/{name}/default", ACCURACY) for name in ("auxiliary", "learnable_query")]),
    (
        "CIFAR-10; hand signs",
        [(f"{t}/{m}/default", ACCURACY) for m in ("cnn_query", "learnable_query") for t in ("cifar10", "sign_digits")],
    ),
    (
        "opinion on a marked word",
        [
            *(
                (f"mams/{name}", ACCURACY)
                for name in ("rotatory/default", "rotatory/n_hops=1", "learnable_query/default")
            ),
            BAG_OF_WORDS,
        ],
    ),
    (
        "max-pooled",
        [
            (f"mams/co_attention/{name}", ACCURACY)
            for name in ("default", "form=alternating", "form=interactive", "form=max_pooled")
        ],
    ),
    (
        "attention over attention; MAN",
        [(f"mams/{name}/default", ACCURACY) for name in ("attention_over_attention", "man", "multi_hop")],
    ),
    (
        "statement about a picture",
        [*((f"nlvr/{name}/default", ACCURACY) for name in ("co_attention", "learnable_query")), ALWAYS_TRUE],
    ),
    (
        "weight on the shapes",
        [
            *((f"nlvr/co_attention/{name}", NAMED) for name in ("default", "form=alternating")),
            ("nlvr/learnable_query/default", NAMED),
            ("nlvr/co_attention/default", "their share among shapes"),
        ],
    ),
    (
        "blank in a story",
        [
            ("cloze/attention_over_attention/default", name)
            for name in ("name", "word", "most frequent option, name", "most frequent option, word")
        ],
    ),
    (
        "blank in a Chinese text",
        [("cloze_zh/attention_over_attention/default", name) for name in (ACCURACY, "most frequent option, accuracy")],
    ),
    (
        "stories: one, two",
        [
            *((f"{task}/memory_network/default", ACCURACY) for task in ("babi_1", "babi_2", "babi_3", "babi")),
            *((f"{task}/memory_network/n_hops=1", ACCURACY) for task in ("babi_1", "babi_2", "babi_3")),
        ],
    ),
    ("MNIST |", [(f"mnist/{name}/default", ACCURACY) for name in ("routing", "hierarchical_capsule")]),
]
HOPS = {("two facts", "2"): "babi_2/n_hops=2", ("two facts", "3"): "babi_2/default"}
HOPS |= {("three facts", "3"): "babi_3/default", ("twenty kinds", "3"): "babi/default"}
TASKS = (
    ("trec", ACCURACY),
    ("sst", ACCURACY),
    ("sst", "two-class accuracy"),
    ("cifar10", ACCURACY),
    ("mnist", ACCURACY),
)


def table(beginning: str) -> list[list[str]]:
    """The rows of the table whose first line begins like that."""
    lines = README[README.index(f"\n| {beginning}") + 1 :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def metric(card: str) -> dict[str, float]:
    return json.loads((store.root() / f"{card}.json").read_text(encoding="utf-8"))["metric"]


def percent(figure: tuple[str, str] | float) -> str:
    return f"{100 * metric(figure[0])[figure[1]]:.1f}" if isinstance(figure, tuple) else str(figure)


@pytest.mark.parametrize(("about", "figures"), JOBS, ids=[about for about, _ in JOBS])
def test_jobs(about, figures):
    (row,) = (cells for cells in table("job |") if about in " | ".join(cells))
    assert re.findall(r"\d+\.\d\b", " ".join(row[2:])) == [percent(figure) for figure in figures]


def test_every_job_is_checked():
    assert len(table("job |")) == len(JOBS)


@pytest.mark.parametrize("row", table("task | hops"), ids=lambda row: " ".join(row[:2]))
def test_hops(row):
    task, name = HOPS[row[0], row[1]].split("/")
    found = metric(f"{task}/memory_network/{name}")
    hops = [found.get(f"hop {k} on fact {k}") for k in (1, 2, 3)]
    assert row[2:6] == [f"{100 * value:.1f}" if value is not None else "" for value in (found[ACCURACY], *hops)]
    order, _, share = row[6].partition(": ")
    assert not share or share == f"{100 * found[f'facts in the order {order}']:.1f}"


@pytest.mark.parametrize("row", table("mechanism | question type"), ids=lambda row: row[0])
def test_mechanisms(row):
    (name,) = (name for name, spec in attnviz.mechanisms().items() if spec.title == row[0])
    assert re.findall(r"\d+\.\d", " ".join(row[1:])) == [percent((f"{t}/{name}/default", f)) for t, f in TASKS]
