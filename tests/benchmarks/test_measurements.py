"""That the benchmarks compare what they say; how fast anything is, no test asks."""

import json

import numpy as np
import pytest
import torch
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import __main__, engine, live, payload, sessions, synthetic
from benchmarks.report import Result
from benchmarks.visitor import Visitor


@torch.inference_mode()
def test_both_multi_heads_give_the_same_context_and_weights():
    ours, theirs = engine.same_weights(32)
    items = torch.randn(1, 5, 32)
    with engine.record() as heard:
        context = ours(items, items)
    expected, weights = theirs(items, items, items, average_attn_weights=False)
    torch.testing.assert_close(context, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(heard.maps()[0].weights, weights[0].numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", engine.registry.mechanisms())
@torch.inference_mode()
def test_the_engine_is_measured_with_and_without_its_trace(name):
    result, spec = Result(), engine.registry.get(name)
    engine._with_and_without(result, spec, (4, 8), 0.0)
    assert [raw["items"] for raw in result.raw] == [4, 8]
    assert all(len(raw["seconds"]["traced"]) == len(raw["seconds"]["plain"]) >= 5 for raw in result.raw)
    assert "4: " in result.figures[0].shown and "8: " in result.figures[0].shown


def test_random_weights_are_weights_and_the_same_each_time():
    found = synthetic.weights(5)
    assert found.shape == (synthetic.LAYERS, synthetic.HEADS, 5, 5)
    np.testing.assert_allclose(found.sum(-1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found, synthetic.weights(5))


def test_the_measured_frame_holds_all_weights():
    meta, numbers = synthetic.framed(5)
    assert numbers.size == synthetic.LAYERS * synthetic.HEADS * 25
    assert len(meta["groups"][0]["maps"]) == synthetic.LAYERS * synthetic.HEADS
    json.dumps(meta)
    assert payload._arrow(numbers) >= numbers.nbytes


def test_what_bertviz_did_not_finish_is_a_lower_bound():
    theirs = [{"bytes": 40_000_000, "made": 2.0, "failed": "not painted in 120 s"}]
    ours = [{"bytes": 1_000_000, "made": 0.1, "from_data": 0.5, "from_opening": 1.0}]
    figures = {figure.what.split(",")[0]: figure for figure in payload._figures(64, ours, theirs)}
    assert figures["bytes"].value == pytest.approx(40)
    assert figures["data there to painted"].value == pytest.approx(payload.PATIENCE / 0.5)
    assert "not finished" in figures["made"].shown or figures["made"].value == pytest.approx(20)
    assert figures["page opened to painted"].shown.startswith("more than 120x less")


def test_the_sentence_has_as_many_words_as_it_says():
    assert [len(live.sentence(n).split()) for n in live.SIZES] == list(live.SIZES)


def test_each_key_press_changes_the_text_and_all_of_them_come_back_to_it():
    text = live.sentence(16)
    pressed = live.keys(text, 2 * len(live.LETTERS))
    texts = [text, *(after for _, after in pressed)]
    assert all(before != after for before, after in zip(texts, texts[1:], strict=False))
    assert texts[-1] == text
    assert {len(after.split()) for after in texts} == {16}


def test_panels_are_measured_against_one_picture():
    times = {name: [{"painted": ms, "answered": 1.0}] * 3 for name, ms in (("explore", 50.0), ("two panels", 60.0))}
    found = live._compared(times | {"four panels": [{"painted": 130.0, "answered": 1.0}] * 3})
    assert [figure.value for figure in found[::2]] == [pytest.approx(1.2), pytest.approx(2.6)]
    assert [figure.met for figure in found] == [None, None, False, None]
    assert found[2].target == 2.5


def test_every_measured_page_has_a_link_and_a_root():
    assert set(live.LINKS) == set(live.WATCHED) == {"explore", "echo", *live.PANELS}


def test_a_visitor_notices_what_is_not_theirs():
    visitor = Visitor("http://127.0.0.1:1", 17)
    visitor._look(b"... zq17zq edit1 ...")
    assert visitor.leaks == []
    visitor._look(b"... zq17zq edit1 ... zq170zq edit4 ...")
    assert visitor.leaks == [170]


def test_a_visitor_learns_where_to_type_and_notices_exceptions():
    visitor = Visitor("http://127.0.0.1:1", 17)
    field = ForwardMsg()
    field.delta.fragment_id = "fragment"
    field.delta.new_element.text_input.id = "field"
    field.delta.new_element.text_input.query_param_key = "text"
    wrong = ForwardMsg()
    wrong.delta.new_element.exception.type = "ValueError"
    for message in (field, wrong):
        visitor._learn(message, message.SerializeToString())
    edit = visitor._edit("zq17zq who", first=False).rerun_script
    assert (edit.fragment_id, edit.widget_states.widgets[0].id) == ("fragment", "field")
    assert edit.widget_states.widgets[0].string_value == "zq17zq who"
    assert visitor.errors == {"exception on the page: ValueError": 1}


def test_the_target_of_a_crowd_is_for_thirty():
    thirty = sessions._figure({"people": 30, "seconds": [0.01] * 9 + [0.2]}, alone=0.01)
    assert (thirty.value, thirty.target, thirty.met) == (pytest.approx(20), 5.0, False)
    assert sessions._figure({"people": 10, "seconds": [0.01]}, alone=0.01).target is None
    assert sessions._figure({"people": 30, "seconds": []}, alone=0.01).met is False


def test_a_benchmark_that_does_not_exist_is_refused(capsys):
    with pytest.raises(SystemExit):
        __main__.main(["speed"])
    assert "there is no benchmark speed" in capsys.readouterr().err
