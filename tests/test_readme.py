"""What the README says can be seen in its prepared comparisons is there."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest

import attnviz
from attnviz.analysis.spread import spread
from tests.helpers import open_app

LINKS = re.findall(r"`/compare\?([^`]+)`", (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8"))


def weights(mechanism: str, word: str, text: str, **settings):
    """The weight of a word in each map."""
    found = attnviz.attend(mechanism, text=text, **settings).maps[0]
    return found.stacked[:, 0, found.axes[-1].labels.index(word)]


def near(*expected: float):
    return pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("link", LINKS, ids=range(1, len(LINKS) + 1))
def test_each_link_opens_as_it_stands(link):
    found = open_app("pages/compare.py", **dict(parse_qsl(link)))
    assert not found.exception and not found.warning


def test_there_are_five():
    assert len(LINKS) == 5


def test_one_head_mixes_and_eight_do_not():
    text = "A clever script , but the acting is dull ."
    one = [weights("multi_head", word, text, task="sst", n_heads=1)[0] for word in ("but", "dull")]
    eight = [
        weights("multi_head", word, text, task="sst")[head] for word, head in (("dull", 0), ("but", 7), ("clever", 3))
    ]
    assert one == near(0.33, 0.26) and eight == near(0.88, 0.84, 0.38)
    assert {attnviz.attend("multi_head", "sst", text=text, n_heads=n).prediction.best for n in (1, 8)} == {"negative"}


def test_hops_close_in():
    text = "The author of Hamlet was born in which town ?"
    assert list(weights("multi_hop", "author", text)) == near(0.34, 0.55, 0.85)
    assert {attnviz.attend(name, text=text).prediction.best for name in ("multi_head", "multi_hop")} == {"human"}
    asked = "In which town was the author of Hamlet born ?"
    assert {attnviz.attend(name, text=asked).prediction.best for name in ("multi_head", "multi_hop")} == {"location"}


def test_soft_sparse_and_hard():
    text = "What is the name of the river that flows through the capital of France ?"
    kinds = ("softmax", "sparsemax", "hard")
    assert [weights("learnable_query", "river", text, alignment=kind)[0] for kind in kinds] == near(0.52, 0.84, 1.0)
    assert np.count_nonzero(attnviz.attend("learnable_query", text=text, alignment="sparsemax").maps[0].weights) == 2


def test_heads_jump_onto_not():
    so, no = (f"The film is {word} good ." for word in ("so", "not"))
    moved = weights("multi_head", "not", no, task="sst") - weights("multi_head", "so", so, task="sst")
    assert [moved[0], moved[6]] == near(0.56, 0.53)
    assert [attnviz.attend("multi_head", "sst", text=t).prediction.best for t in (so, no)] == [
        "very positive",
        "negative",
    ]


def test_the_memory_network_narrows():
    cat = Path(__file__).parents[1] / "sample_data" / "pictures" / "cat.jpg"
    heads, hops = (
        [found.entropy for found in spread(attnviz.attend(name, "cifar10", image=cat).maps[0])]
        for name in ("multi_head", "memory_network")
    )
    assert [min(heads), max(heads)] == pytest.approx([5.3, 5.9], abs=0.05)
    assert hops == pytest.approx([6.2, 3.1, 1.2], abs=0.06)
