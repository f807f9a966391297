"""Cause and effect through the link: what it asks for is computed beside what was before."""

import json

import numpy as np
import pytest

import attnviz
from attnviz.analysis.words import in_words
from attnviz.intervention import Edit, Intervention, Override
from attnviz.ui import changes, live
from tests.helpers import mechanisms_for, open_app, with_session

TEXT = "Who wrote the first novel ?"
CHANGED = Intervention(
    temperature=0.5,
    alignment="sparsemax",
    masked=frozenset({4}),
    off={"head": frozenset({2})},
    edits=(Edit("weights", (0, 0, 1), 0.75),),
    swapped={5: "!", 1: "sang"},
    overrides=(Override("products", (1, 0, 0), 3.0),),
)


def link(intervention):
    """The parameters of a link with that change."""
    plain = intervention.to_plain()
    kept = {name: str(plain.pop(name)) for name in ("temperature", "alignment") if name in plain}
    kept = {"align" if name == "alignment" else name: value for name, value in kept.items()}
    return {**kept, "change": json.dumps(plain)}


def kept(found, name):
    """What the link now says."""
    value = found.query_params[name]
    return value if isinstance(value, str) else value[0]


def said(found):
    return " ".join(warning.value for warning in found.warning)


def weights(trace):
    return trace.maps[0].weights


@pytest.mark.parametrize("mechanism", ["multi_head", "multi_head_self"])
def test_a_change_in_the_link_is_computed_beside_what_was_before(mechanism):
    found = open_app(text=TEXT, mechanism=mechanism, **link(CHANGED))
    assert not found.exception and not found.warning
    shown = found.session_state["_last_text"]
    np.testing.assert_array_equal(
        weights(shown.trace), weights(attnviz.attend(mechanism, text=TEXT, intervention=CHANGED))
    )
    np.testing.assert_array_equal(weights(shown.before), weights(attnviz.attend(mechanism, text=TEXT)))
    assert found.slider(key="temperature").value == 0.5 and found.selectbox(key="align").value == "sparsemax"


def test_without_a_change_nothing_is_computed_twice():
    assert open_app(text=TEXT).session_state["_last_text"].before is None


def test_the_link_keeps_the_change():
    found = open_app(text=TEXT, **link(CHANGED)).run()
    assert Intervention.from_plain(json.loads(kept(found, "change"))).masked == CHANGED.masked
    assert kept(found, "temperature") == "0.5" and kept(found, "align") == "sparsemax"


def test_controls_change_and_the_link_follows():
    found = open_app(text=TEXT)
    found.slider(key="temperature").set_value(0.3).run()
    found.selectbox(key="align").set_value("hard").run()
    shown = found.session_state["_last_text"]
    assert shown.trace.made_by["intervention"] == {"temperature": 0.3, "alignment": "hard"}
    assert kept(found, "align") == "hard" and shown.before is not None


def test_another_score_function_is_a_change_with_its_own_weights():
    found = open_app(text=TEXT, mechanism="learnable_query", score="additive")
    shown = found.session_state["_last_text"]
    assert shown.trace.made_by["options"]["score"] == "additive" and shown.trace.made_by["trained"]
    assert shown.before.made_by["options"]["score"] == "dot"
    assert not [box for box in found.selectbox if box.key == "align"]  # it has trained alignments of its own


def test_another_mechanism_keeps_the_words_and_drops_the_rest():
    found = open_app(text=TEXT, **link(CHANGED))
    found.button_group(key="mechanism").set_value("multi_head_self").run()
    left = found.session_state["_last_text"].trace.made_by["intervention"]
    assert set(left) == {"temperature", "alignment", "masked", "swapped"}


def test_another_kind_of_input_drops_the_words_too():
    found = open_app(text=TEXT, **link(CHANGED))
    found.selectbox(key="task").set_value("cifar10").run()
    left = found.session_state["_last_image"].trace.made_by["intervention"]
    assert set(left) == {"temperature", "alignment", "off"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("nope", "it is not JSON"),
        ("[1]", "list of names"),
        ('{"explode": 1}', "no change called"),
        ('{"masked": "all"}', "where a list belongs"),
        ('{"masked": [1e99]}', "where a position belongs"),
        ('{"swapped": {"1": "two words"}}', "not one word"),
        ('{"swapped": {"1": "<b>"}}', "not one word"),
        ("[" * 100_000, "too long"),
    ],
)
def test_a_change_that_cannot_be_read_falls_back_and_says_so(change, says):
    found = open_app(text=TEXT, change=change)
    assert not found.exception and says.replace(" ", "") in said(found).replace("\\", "").replace(" ", "")
    assert found.session_state["_last_text"].before is None


@pytest.mark.parametrize("mechanism", mechanisms_for("trec"))
@pytest.mark.parametrize("task", ["trec", "cifar10"])
def test_when_everything_is_masked_there_are_zeros_and_a_sentence(mechanism, task):
    found = open_app(text=TEXT, mechanism=mechanism, task=task, change=json.dumps({"masked": list(range(512))}))
    assert not found.exception
    shown = found.session_state["_last_text" if task == "trec" else "_last_image"]
    assert not weights(shown.trace).any()
    assert np.isfinite(shown.trace.prediction.probabilities).all()
    assert all(np.isfinite(step.value).all() for step in shown.trace.steps)
    assert "no weight" in "".join(text for text, _ in in_words(shown.trace))


@pytest.mark.parametrize("text", ["Hamlet", "w " * 300])
def test_changes_of_places_that_are_not_there_do_nothing(text):
    found = open_app(text=text, change=json.dumps({"masked": [400], "off": {"head": [99]}, "swapped": {"500": "x"}}))
    assert not found.exception
    shown = found.session_state["_last_text"]
    np.testing.assert_array_equal(weights(shown.trace), weights(shown.before))


def test_an_option_that_was_not_trained_is_not_said_to_be_changed(monkeypatch):
    told = []
    monkeypatch.setattr(live, "live_picture", lambda meta, weights, **_: told.append(meta["change"]["said"]))
    found = open_app(text=TEXT, mechanism="learnable_query", alignment="sparsemax", score="additive")
    assert found.session_state["_last_text"].trace.made_by["options"]["score"] == "dot"
    assert "was not trained" in " ".join(caption.value for caption in found.caption)
    assert [chip["text"] for chip in told[-1]] == ["alignment: sparsemax instead of softmax"]


def test_the_changes_of_a_page_are_there_again_after_another_page():
    found = open_app(text=TEXT, change='{"masked": [4]}')
    found.switch_page("pages/compare.py").run()
    assert set(found.session_state["_changes"].now) == {"1", "2"}
    found.switch_page("pages/explore.py").run()
    assert found.session_state["_last_text"].trace.made_by["intervention"] == {"masked": [4]}
    assert json.loads(kept(found, "change")) == {"masked": [4]}


def test_another_input_drops_the_words_of_pages_that_are_not_shown_too():
    found = open_app(text=TEXT, change='{"masked": [4]}', temperature="0.5")
    found.switch_page("pages/compare.py").run()
    with_session(found, changes.forget_input)
    found.run()
    found.switch_page("pages/explore.py").run()
    assert found.session_state["_last_text"].trace.made_by["intervention"] == {"temperature": 0.5}


@pytest.mark.parametrize(
    "link", [{}, {"task": "cifar10", "mechanism": "capsule"}, {"mechanism": "multi_hop", "n_hops": "4"}]
)
def test_from_page_to_page_the_choices_and_the_words_are_kept(link):
    found = open_app(text="Who sang ?", **link)
    kind = "image" if link.get("task") == "cifar10" else "text"
    made = found.session_state[f"_last_{kind}"].trace.made_by
    found.switch_page("pages/step_by_step.py").run()
    assert not found.exception
    assert found.session_state[f"_last_{kind}"].trace.made_by == made


@pytest.mark.parametrize("page", ["pages/explore.py", "pages/compare.py"])
def test_a_masked_word_stays_masked_while_words_come_and_go_before_it(page):
    slot = "1" if "compare" in page else ""
    found = open_app(page, text=TEXT, **{f"change{slot}": json.dumps({"masked": [4], "swapped": {"4": "poem"}})})
    found.text_input(key="text").set_value(f"Well , {TEXT}").run()
    now = json.loads(kept(found, f"change{slot}"))
    assert now == {"masked": [6], "swapped": {"6": "poem"}}
    found.text_input(key="text").set_value("Well , who wrote the poem ?").run()
    assert f"change{slot}" not in found.query_params
    assert not found.exception
