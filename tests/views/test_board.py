"""The board and the sheet: what they send to the browser, beside the traces that it comes from."""

import json

import numpy as np
import pytest

import attnviz
from attnviz.analysis import cost
from attnviz.analysis.items import main_map
from attnviz.analysis.pairs import compare, difference
from attnviz.trace import AttentionMap, Axis, Prediction, Trace, numbered
from attnviz.views import key_figures
from attnviz.views.board import Pack, Panel, board
from attnviz.views.frame import frame
from attnviz.views.sheet import sheet
from attnviz.zoo import models
from tests.helpers import mechanisms_for

TEXT = "How many people live in Rome ?"
KINDS = {"float32": np.float32, "uint16": np.uint16}


def panel(mechanism, text=TEXT, number="", task="trec", **options):
    model = models.load(task, mechanism, attnviz.mechanisms()[mechanism].parse(options))
    given = models.encode_text(task, text)
    trace = model.trace(given)
    return Panel(trace, *frame(trace, text=text), "", cost.figures(model, given), number)


def made_up(weights, labels=("who", "wrote", "it"), probabilities=(0.25, 0.75)):
    """A trace of given weights, whose figures are known by hand."""
    weights = np.asarray(weights, dtype=np.float32)
    axes = (numbered("head", len(weights)), Axis("query", ("query",)), Axis("token", labels))
    found = Prediction(("no", "yes"), np.array(probabilities))
    trace = Trace("toy", (AttentionMap("weights", weights[:, None], axes),), (), np.zeros(2), found)
    return Panel(trace, *frame(trace))


def numbers(sent, at):
    kind = np.dtype(KINDS[at["kind"]])
    return sent[at["start"] : at["start"] + at["count"] * kind.itemsize].view(kind)


def test_parts_begin_where_they_can_be_read():
    pack = Pack()
    parts = [np.arange(3, dtype=np.uint16), np.linspace(0, 1, 5, dtype=np.float32), np.empty(0, np.float32)]
    places = [pack.add(part) for part in parts]
    sent = pack.bytes()
    assert sent.dtype == np.uint8 and places[1]["start"] == 8
    for place, part in zip(places, parts, strict=True):
        np.testing.assert_array_equal(numbers(sent, place), part)


def test_a_board_holds_the_frame_of_each_panel():
    panels = [panel(name, number=str(i + 1)) for i, name in enumerate(["multi_head", "multi_hop", "multi_head_self"])]
    meta, sent = board(panels)
    json.dumps(meta, allow_nan=False)
    for given, found in zip(panels, meta["panels"], strict=True):
        shown = found["frame"] | {"picture": meta["pictures"][found["frame"]["picture"]]}
        shown["groups"] = [{k: v for k, v in group.items() if k != "common"} for group in shown["groups"]]
        assert shown == given.meta and found["number"] == given.number
        np.testing.assert_array_equal(numbers(sent, found["numbers"]), given.weights)
    assert [pair["of"] for pair in meta["pairs"]] == [[0, 1], [0, 2], [1, 2]]


def test_a_picture_under_several_panels_is_sent_once():
    pictures = ["data:a", "data:b", "data:a"]
    given = [made_up([[1, 0, 0]]) for _ in pictures]
    for one, picture in zip(given, pictures, strict=True):
        one.meta["picture"] = picture
    meta, _ = board(given)
    assert json.dumps(meta).count("data:a") == json.dumps(meta).count("data:b") == 1
    drawn = [pair["frame"] for pair in meta["pairs"]]
    assert [meta["pictures"][shown["picture"]] for shown in drawn] == ["data:b", "data:a", "data:a"]


def subtracted(meta, sent, pair):
    """The difference as the browser makes it."""
    if "numbers" in pair:
        return numbers(sent, pair["numbers"])
    found = []
    for of, group in zip(reversed(pair["of"]), pair["minus"], strict=True):
        shown = meta["panels"][of]
        about = shown["frame"]["groups"][group]
        start, size = about["offset"], int(np.prod(about["shape"]))
        found.append(numbers(sent, shown["numbers"])[start : start + size])
    return found[0] - found[1]


@pytest.mark.parametrize(
    ("second", "each"),
    [(("multi_head", "Why do people live in Rome ?"), True), (("multi_hop", TEXT), False), (("capsule", TEXT), False)],
)
def test_the_difference_is_that_of_the_analysis(second, each):
    panels = [panel("multi_head", number="1"), panel(*second, number="2")]
    meta, sent = board(panels)
    (pair,) = meta["pairs"]
    expected = difference(panels[0].trace, panels[1].trace)
    assert ("minus" in pair) == each
    np.testing.assert_allclose(subtracted(meta, sent, pair), expected.weights.ravel(), atol=1e-7)
    (group,) = pair["frame"]["groups"]
    assert group["signed"] and group["scale"] == pytest.approx(np.abs(expected.weights).max())
    assert pair["frame"]["prediction"] is None and group["spread"] == []


def test_the_maps_that_are_subtracted_are_the_main_ones():
    trace = panel("multi_hop").trace
    turned = Trace(trace.mechanism, trace.maps[::-1], trace.steps, trace.context, trace.prediction)
    panels = [panel("multi_hop"), Panel(turned, *frame(turned))]
    meta, sent = board(panels)
    (pair,) = meta["pairs"]
    assert turned.maps[pair["minus"][0]] is main_map(turned)
    np.testing.assert_array_equal(subtracted(meta, sent, pair), np.zeros(main_map(trace).weights.size))


def test_inputs_of_different_length_have_a_sentence_and_no_difference():
    meta, _ = board([panel("multi_head"), panel("multi_head", "Why ?")])
    (pair,) = meta["pairs"]
    assert "7 words" in pair["problem"] and "2 words" in pair["problem"] and "frame" not in pair
    assert pair["figures"]["divergence"] == {"number": None, "text": "—", "why": pair["problem"]}


def test_the_figures_of_a_pair_are_those_worked_out_by_hand():
    first, second = made_up([[1.0, 0, 0]]), made_up([[0.5, 0.5, 0]], probabilities=(0.6, 0.4))
    (pair,) = board([first, second])[0]["pairs"]
    found = {name: value["text"] for name, value in pair["figures"].items()}
    by_hand = (np.log2(1 / 0.75) + 0.5 * np.log2(0.5 / 0.75) + 0.5 * np.log2(0.5 / 0.25)) / 2
    assert found["divergence"] == f"{by_hand:.3f} bit" == "0.311 bit"
    assert found["overlap"] == "3 of 3" and found["agreement"] == "no" and found["distance"] == "0.350"


def test_a_negative_figure_has_a_minus_sign_that_can_be_read():
    (pair,) = board([made_up([[0.6, 0.3, 0.1]]), made_up([[0.1, 0.3, 0.6]])])[0]["pairs"]
    assert pair["figures"]["rank_correlation"]["text"] == "−1.000"


def test_a_row_that_was_emptied_gives_a_reason_and_no_nan():
    meta, sent = board([made_up([[0.0, 0, 0]]), made_up([[0.5, 0.5, 0]])])
    json.dumps(meta, allow_nan=False)
    (pair,) = meta["pairs"]
    assert "no weight" in pair["figures"]["divergence"]["why"]
    np.testing.assert_allclose(subtracted(meta, sent, pair), [0.5, 0.5, 0])


def test_different_tasks_have_no_common_prediction():
    (pair,) = board([panel("multi_head"), panel("multi_head", task="sst")])[0]["pairs"]
    assert pair["figures"]["agreement"]["text"] == "—" and "different" in pair["figures"]["agreement"]["why"]
    assert pair["figures"]["divergence"]["number"] is not None


def test_the_figures_of_a_panel():
    shown = panel("multi_head")
    found = key_figures.of_panel(shown.trace, shown.cost)
    assert found["accuracy"].text == f"{100 * shown.cost.accuracy:.1f} %"
    assert found["multiplications"].text == f"{shown.cost.multiplications:,}"
    assert found["prediction"].text.startswith(shown.trace.prediction.best)
    assert found["entropy"].number == pytest.approx(compare(shown.trace, shown.trace).entropy_a)
    assert key_figures.of_panel(shown.trace, None)["accuracy"].why


def test_every_figure_is_explained_and_there():
    (pair,) = board([panel("multi_head"), panel("capsule")])[0]["pairs"]
    of_panel = key_figures.of_panel(panel("capsule").trace, panel("capsule").cost)
    assert [kind.id for kind in key_figures.KINDS if kind.of == "pair"] == list(pair["figures"])
    assert {kind.id for kind in key_figures.KINDS if kind.of == "panel"} == set(of_panel)
    assert all(kind.help.endswith(".") for kind in key_figures.KINDS)


def test_a_large_board_goes_in_two_bytes_a_weight():
    text = " ".join(f"w{i}" for i in range(120))
    panels = [panel("multi_head_self", text), panel("multi_head_self", text, n_heads=8)]
    meta, sent = board(panels)
    assert sent.nbytes == sum(p.weights.nbytes for p in panels)
    assert meta["panels"][0]["numbers"]["kind"] == "uint16" and "minus" in meta["pairs"][0]


@pytest.mark.parametrize("reference", ["multi_head", "capsule"])
def test_the_sheet_has_a_card_for_each_mechanism(reference):
    panels = [panel(name) for name in mechanisms_for("trec")]
    compared = next(p for p in panels if p.trace.mechanism == reference)
    meta, sent = sheet(panels, compared)
    json.dumps(meta, allow_nan=False)
    assert [card["mechanism"] for card in meta["cards"]] == mechanisms_for("trec")
    for card, shown in zip(meta["cards"], panels, strict=True):
        main = main_map(shown.trace)
        expected = main.weights.reshape(len(card["maps"]), -1, len(card["items"])).mean(1)
        np.testing.assert_allclose(numbers(sent, card["numbers"]).reshape(expected.shape), expected, rtol=1e-6)
        assert set(card["figures"]) == {kind.id for kind in key_figures.KINDS}
        divergence = compare(compared.trace, shown.trace).divergence
        assert card["figures"]["divergence"]["number"] == pytest.approx(divergence)
    own = next(card for card in meta["cards"] if card["mechanism"] == reference)
    assert own["figures"]["divergence"]["number"] == 0


def test_one_colour_means_one_weight_in_all_panels():
    meta, _ = board([panel(name) for name in ("multi_head", "multi_hop", "capsule")])
    groups = [group for found in meta["panels"] for group in found["frame"]["groups"] if group["normalised"]]
    assert len({group["common"] for group in groups}) == 1
    assert groups[0]["common"] == max(group["scale"] for group in groups)
    assert all("common" not in group for pair in meta["pairs"] for group in pair["frame"]["groups"])
