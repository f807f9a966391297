"""What if on a page of its own: every mechanism, texts and pictures, one word and very many, senseless links."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import attnviz
from attnviz.errors import ZooError
from attnviz.ui import what_if
from attnviz.zoo import models
from tests.helpers import mechanisms_for

APP = Path(__file__).with_name("what_if_app.py")


def opened(**parameters):
    page = AppTest.from_file(str(APP), default_timeout=120)
    for name, value in parameters.items():
        page.query_params[name] = value
    return page.run()


def said(page):
    return [text.value for text in page.text]


def charts(page):
    return page.get("vega_lite_chart") or page.get("arrow_vega_lite_chart")


@pytest.mark.parametrize("name", mechanisms_for("trec"))
@pytest.mark.parametrize("task", ["trec", "cifar10"])
def test_every_mechanism_with_both_inputs(name, task):
    page = opened(mechanism=name, task=task)
    assert not page.exception
    assert len(charts(page)) == 2
    sweep, without = said(page)
    assert sweep.startswith("Now, at 1, the probability of")
    assert without.startswith(("Without", "No single"))
    assert all(chart.proto.alt for chart in charts(page))


def test_every_control_can_be_chosen():
    page = opened(mechanism="multi_head")
    for title in page.selectbox(key="sweep").options:
        page.selectbox(key="sweep").select(title).run()
        assert not page.exception and len(charts(page)) == 2


def test_every_part_can_be_chosen_and_stands_in_the_link():
    page = opened(mechanism="multi_head_capsule")
    assert page.selectbox(key="without").options == ["classes", "heads", "words"]
    for kind in ("head", "word"):
        page.selectbox(key="without").select(kind).run()
        assert not page.exception
        assert page.query_params["without"] == kind


def test_a_link_brings_the_choices_back():
    page = opened(sweep="n_heads", without="word")
    assert page.selectbox(key="sweep").value == "n_heads"
    assert page.selectbox(key="without").value == "word"
    assert "“" in said(page)[1]


def test_a_link_that_makes_no_sense_falls_back():
    page = opened(sweep="n_hops", without="<b>")
    assert not page.exception
    assert (page.selectbox(key="sweep").value, page.selectbox(key="without").value) == ("temperature", "head")


@pytest.mark.parametrize("text", ["x", "word " * 300, "🙂👩‍👩‍👧", "</script><img src=x onerror=alert(1)>"])
def test_odd_texts(text):
    page = opened(text=text, without="word")
    assert not page.exception and len(charts(page)) == 2


def test_of_a_long_text_it_says_what_was_left_out():
    page = opened(text=" ".join(f"w{i}" for i in range(200)), without="word", mechanism="constant_query")
    assert "Tried: the 64 words with the largest weights; 136 with less are left out." in said(page)[1]
    assert len(page.dataframe[0].value) == 64


def test_everything_masked_leaves_a_sentence():
    page = opened(text="one two", masked="0 1", without="word")
    assert not page.exception
    assert "nothing left to take away" in said(page)[1]
    assert len(charts(page)) == 1


def test_the_table_has_the_numbers_of_the_library():
    page = opened(without="head")
    model = models.load("trec", "multi_head")
    given = models.encode_text("trec", attnviz.tasks()["trec"].examples[0])
    found = what_if.sweeps.ablate(model, given, attnviz.intervention.Intervention(), "head")
    assert page.dataframe[0].value["change"].tolist() == [removal.change for removal in found.removals]


def test_damaged_weights_of_another_value_are_a_sentence(monkeypatch):
    real = models.load

    def load(task, mechanism, options=None):
        if options is not None and options.n_heads == 2:
            raise ZooError("The weights are damaged. Make them again.")
        return real(task, mechanism, options)

    monkeypatch.setattr(models, "load", load)
    page = opened(sweep="n_heads")
    assert not page.exception
    assert "The weights are damaged. Make them again." in said(page)
    assert len(charts(page)) == 1


def test_a_long_sweep_says_how_long_it_will_take(monkeypatch):
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(what_if, "perf_counter", lambda: next(clock))
    shown = []

    class Place:
        def progress(self, share, text):
            shown.append((share, text))

        def empty(self):
            shown.append("empty")

    monkeypatch.setattr(what_if.st, "empty", Place)
    assert list(what_if._watched("abc")) == ["a", "b", "c"]
    assert shown == [
        (1 / 3, "1 of 3 runs, about 8 s left"),
        (2 / 3, "2 of 3 runs, about 3 s left"),
        "empty",
    ]
