"""The Compare page in its three views, run in process."""

import pytest

import attnviz
from attnviz.attention import registry
from attnviz.intervention import Intervention
from attnviz.tasks import registry as task_registry
from attnviz.tasks.registry import DataSource, Task
from attnviz.ui import compare
from attnviz.ui.panels import in_words
from tests import toy_mechanism
from tests.helpers import mechanisms_for, open_app, png, with_session


def opened(**parameters):
    """Compare, opened with a link that has these parameters."""
    return open_app("pages/compare.py", **parameters)


def drawn(monkeypatch):
    """What the page draws: a list of (kind, meta, numbers), the newest last."""
    calls = []
    for kind in ("board", "sheet"):
        monkeypatch.setattr(
            compare.canvas, kind, lambda meta, numbers, _kind=kind, **_: calls.append((_kind, meta, numbers))
        )
    return calls


def fine(found):
    return not found.exception and not found.error


def said(found):
    return " ".join(element.value for element in [*found.caption, *found.warning])


def titles(board):
    return [panel["frame"]["title"] for panel in board["panels"]]


def test_it_opens_with_two_mechanisms_on_an_example(monkeypatch):
    calls = drawn(monkeypatch)
    found = opened()
    assert fine(found) and not found.warning
    ((kind, meta, _),) = calls
    assert kind == "board" and titles(meta) == ["Multi-head attention", "Multi-hop attention"]
    assert found.text_input(key="text").value == attnviz.tasks()["trec"].examples[0]
    expected = attnviz.attend("multi_hop", text=found.text_input(key="text").value).prediction
    assert meta["panels"][1]["frame"]["prediction"]["probabilities"] == pytest.approx(expected.probabilities)
    assert [panel["frame"]["trained"] for panel in meta["panels"]] == [True, True]


@pytest.mark.parametrize("mechanism", mechanisms_for("trec"))
@pytest.mark.parametrize("view", compare.VIEWS)
@pytest.mark.parametrize("task", ["sst", "cifar10"])
def test_every_mechanism_in_every_view(mechanism, view, task, monkeypatch):
    calls = drawn(monkeypatch)
    found = opened(view=view, mechanism1=mechanism, mechanism2=mechanism, task1=task)
    assert fine(found)
    kind, meta, _ = calls[-1]
    if view == "all":
        assert meta["reference"] == mechanism and len(meta["cards"]) == len(mechanisms_for(task))
    else:
        assert titles(meta) == [attnviz.mechanisms()[mechanism].title] * 2
        assert "problem" in meta["pairs"][0] or meta["pairs"][0]["frame"]


@pytest.fixture
def toys():
    toy_mechanism.register()
    source = DataSource("toy", "made up", "A")
    task = Task("toy_weather", "Toy weather", "text", "rain", ("dry", "wet"), ("It pours .",), source, read=None)
    task_registry.register(task)
    yield
    task_registry.unregister("toy_weather")
    registry.unregister("toy_choir")


@pytest.mark.parametrize("view", compare.VIEWS)
def test_a_new_mechanism_and_a_new_task_are_there_without_an_edit(view, toys, monkeypatch):
    calls = drawn(monkeypatch)
    assert fine(opened(view=view, mechanism1="toy_choir", task1="toy_weather"))
    _, meta, _ = calls[-1]
    shown = meta["cards"] if view == "all" else [panel["frame"] for panel in meta["panels"]]
    assert any(one["title"] == "Toy choir" and not one["trained"] for one in shown)


def test_a_link_restores_panels_tasks_options_and_temperature(monkeypatch):
    calls = drawn(monkeypatch)
    found = opened(
        panels="3", mechanism1="multi_head", n_heads1="2", mechanism2="multi_hop", n_hops2="6", task2="sst",
        mechanism3="multi_head", temperature3="0.5", text="A dull film ?",
    )  # fmt: skip
    assert fine(found) and not found.warning
    _, meta, _ = calls[-1]
    assert [panel["options"] for panel in meta["panels"]] == ["2 heads", "6 hops", "8 heads"]
    assert [len(panel["frame"]["prediction"]["labels"]) for panel in meta["panels"]] == [6, 5, 6]
    assert meta["panels"][2]["frame"]["change"]["said"][0]["text"] == "temperature 0.5"
    assert meta["panels"][0]["frame"]["change"]["said"] == []
    assert len(meta["pairs"]) == 3
    why = meta["pairs"][0]["figures"]["agreement"]["why"]
    assert "different" in why


def test_temperature_and_alignment_hold_for_all_mechanisms(monkeypatch):
    calls = drawn(monkeypatch)
    assert fine(opened(view="all", temperature1="0.5", align1="sparsemax"))
    _, meta, _ = calls[-1]
    assert meta["hint"] == "All with temperature 0.5 and alignment: sparsemax."
    done = Intervention(temperature=0.5, alignment="sparsemax")
    for card in meta["cards"]:
        trace = attnviz.attend(card["mechanism"], text=meta["text"], intervention=done)
        assert card["figures"]["prediction"]["number"] == pytest.approx(trace.prediction.probabilities.max())


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("view", "nope", "view “nope”"),
        ("panels", "9", "panels “9”"),
        ("mechanism2", "nope", "mechanism2 “nope”"),
        ("task2", "cifar10", "task2 “cifar10”"),
        ("n_heads1", "3", "n_heads1 “3”"),
        ("temperature2", "99", "temperature2 “99”: it goes from 0.1 to 4"),
        ("change1", "{", "change1 “\\{”"),
    ],
)
def test_a_link_that_does_not_parse_falls_back_and_says_so(name, value, says, monkeypatch):
    calls = drawn(monkeypatch)
    found = opened(**{name: value})
    assert fine(found) and says in said(found)
    assert titles(calls[-1][1]) == ["Multi-head attention", "Multi-hop attention"]


def test_typing_changes_all_panels_and_nothing_keeps_the_last_picture(monkeypatch):
    calls = drawn(monkeypatch)
    found = opened(panels="4")
    found.text_input(key="text").set_value("Who sang ?").run()
    assert [panel["frame"]["text"] for panel in calls[-1][1]["panels"]] == ["Who sang ?"] * 4
    found.text_input(key="text").set_value("   ").run()
    _, meta, _ = calls[-1]
    assert fine(found) and "Type a sentence" in meta["hint"]
    assert [panel["frame"]["text"] for panel in meta["panels"]] == ["Who sang ?"] * 4


@pytest.mark.parametrize("view", compare.VIEWS)
def test_a_link_with_a_blank_text_shows_an_example(view, monkeypatch):
    calls = drawn(monkeypatch)
    found = opened(view=view, text=" ", textA=" ")
    assert fine(found) and "Type a sentence" in calls[-1][1]["hint"]


@pytest.mark.parametrize("text", ["x", "word " * 400, "🙂👩‍👩‍👧", "שלום עולם", "e\u0301\u0000\u202e", "</script><b>"])
@pytest.mark.parametrize("view", compare.VIEWS)
def test_odd_texts_give_a_picture(view, text, monkeypatch):
    calls = drawn(monkeypatch)
    found = opened(view=view, panels="3", mechanism3="capsule", text=text, textA=text)
    assert fine(found) and calls


def test_two_inputs_start_with_a_pair_of_the_task_and_can_differ_in_length(monkeypatch):
    calls = drawn(monkeypatch)
    found = opened(view="inputs", task1="sst")
    pair = attnviz.tasks()["sst"].pairs[0]
    assert tuple(panel["frame"]["text"] for panel in calls[-1][1]["panels"]) == pair
    assert calls[-1][1]["pairs"][0]["frame"]
    found.text_input(key="textB").set_value("A film .").run()
    assert "3 words" in calls[-1][1]["pairs"][0]["problem"]


@pytest.mark.parametrize("task", attnviz.tasks())
def test_the_two_inputs_of_a_task_have_as_many_items(task, monkeypatch):
    calls = drawn(monkeypatch)
    assert fine(opened(view="inputs", task1=task, mechanism1=mechanisms_for(task)[0]))
    first, second = (panel["frame"] for panel in calls[-1][1]["panels"])
    assert (first["text"], first["picture"]) != (second["text"], second["picture"])
    if attnviz.tasks()[task].kind == "text":
        assert len(first["items"]) == len(second["items"])


def test_masking_in_one_panel_masks_in_all_and_switching_off_only_there(monkeypatch):
    calls, listeners = [], []
    monkeypatch.setattr(
        compare.canvas, "board", lambda meta, numbers, on_event, **_: (calls.append(meta), listeners.append(on_event))
    )
    found = opened(mechanism2="multi_head")

    def send(**event):
        monkeypatch.setattr(compare.changes, "event", lambda key: event)
        with_session(found, listeners[-1])
        found.run()
        return [panel["frame"]["change"] for panel in calls[-1]["panels"]]

    changes = send(what="mask", key=0, on=True, panel=1)
    assert [change["masked"] for change in changes] == [[0], [0]]
    changes = send(what="off", kind="head", index=2, on=True, panel=1)
    assert [change["off"].get("head", []) for change in changes] == [[], [2]]
    changes = send(what="undo", panel=0)
    assert [change["off"].get("head", []) for change in changes] == [[], []]
    for key in range(len(calls[-1]["panels"][0]["frame"]["items"])):
        send(what="mask", key=key, on=True, panel=0)
    assert fine(found)
    assert "no weight" in calls[-1]["pairs"][0]["figures"]["divergence"]["why"]
    assert found.query_params["change1"] == found.query_params["change2"]


def test_an_uploaded_picture_is_shown_and_a_broken_one_explained(monkeypatch):
    calls = drawn(monkeypatch)
    found = opened(task1="mnist")
    found.file_uploader(key="upload").set_value(("digit.png", png(28, 28), "image/png")).run()
    assert fine(found) and "not part of the link" in calls[-1][1]["hint"]
    found.file_uploader(key="upload").set_value(("digit.png", b"GIF89a-broken", "image/png")).run()
    assert fine(found) and "picture" in calls[-1][1]["hint"] and len(calls[-1][1]["panels"]) == 2


def test_options_in_words():
    options = {name: spec.options for name, spec in attnviz.mechanisms().items()}
    assert in_words(options["multi_head"](n_heads=1)) == "1 head"
    assert in_words(options["multi_hop"](self_attention=False)) == "3 hops, no self-attention"
    assert in_words(options["learnable_query"](score="scaled_dot")) == "score function: scaled dot"
    assert in_words(options["capsule"]()) == ""


@pytest.mark.parametrize("view", ["side", "inputs", "all"])
@pytest.mark.parametrize("task", ["trec", "cifar10"])
def test_all_folds_of_every_comparison(view, task):
    page = open_app("pages/compare.py", view=view, task1=task, what_if="true", numbers="true", take="true")
    assert not page.exception and page.dataframe and page.code
    chosen = page.selectbox(key="of-take")
    assert len(chosen.options) == {"side": 3, "inputs": 3, "all": len(mechanisms_for(task))}[view]
    chosen.set_value(chosen.options[-1]).run()
    assert not page.exception


def test_it_begins_with_what_was_chosen_on_another_page():
    found = open_app(mechanism="multi_hop", task="sst", text="A dull film .")
    found.switch_page("pages/compare.py").run()
    assert not found.exception
    assert [found.selectbox(key=f"mechanism{i}").value for i in "12"] == ["multi_hop", "multi_head"]
    assert found.selectbox(key="task1").value == "sst" and found.text_input(key="text").value == "A dull film ."
    assert found.query_params["mechanism1"] == "multi_hop" and found.query_params["task1"] == "sst"


def test_a_panel_that_is_added_shows_the_same_words_as_the_others(monkeypatch):
    calls = drawn(monkeypatch)
    found = opened(change1='{"masked": [1]}', change2='{"masked": [1], "off": {"hop": [0]}}')
    found.button_group(key="panels").set_value(3).run()
    done = [panel["frame"]["change"] for panel in calls[-1][1]["panels"]]
    assert fine(found) and [(one["masked"], one["off"]) for one in done] == [([1], {}), ([1], {"hop": [0]}), ([1], {})]


def test_words_masked_in_one_view_are_not_masked_in_the_inputs_of_another(monkeypatch):
    calls = drawn(monkeypatch)
    found = opened(change1='{"masked": [1]}', change2='{"masked": [1]}')
    found.button_group(key="view").set_value("inputs").run()
    assert fine(found) and [panel["frame"]["change"]["masked"] for panel in calls[-1][1]["panels"]] == [[], []]
    found.button_group(key="view").set_value("side").run()
    assert [panel["frame"]["change"]["masked"] for panel in calls[-1][1]["panels"]] == [[1], [1]]
