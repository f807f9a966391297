"""The frame holds: a mechanism, and a task, written in one file are found everywhere with no other edit."""

import json

import numpy as np
import pytest
import torch

import attnviz
from attnviz.__main__ import main
from attnviz.analysis.words import in_words
from attnviz.attention import registry
from attnviz.export import from_json, to_csv, to_json
from attnviz.tasks import registry as task_registry
from attnviz.tasks.registry import DataSource, Examples, Task
from attnviz.views.frame import frame
from attnviz.views.worksheet import worksheet
from tests import toy_mechanism
from tests.helpers import open_app


@pytest.fixture
def toy_mechanism_registered():
    toy_mechanism.register()
    yield
    registry.unregister("toy_choir")


@pytest.fixture
def toy_task():
    task_registry.register(
        Task(
            name="toy_weather",
            title="Toy weather",
            kind="text",
            predicts="whether it rains",
            classes=("dry", "wet"),
            examples=("It pours .", "The sun shines ."),
            data=DataSource("toy", "made up", "A"),
            read=lambda folder, split: Examples(["It pours ."], torch.tensor([1])),
        )
    )
    yield
    task_registry.unregister("toy_weather")


@pytest.mark.usefixtures("toy_mechanism_registered")
class TestToyMechanism:
    def test_list(self, capsys):
        main(["list", "--json"])
        found = {spec["name"]: spec for spec in json.loads(capsys.readouterr().out)["mechanisms"]}
        assert found["toy_choir"]["axes"] == ["voice", "query", "key"]
        assert found["toy_choir"]["options"] == {"n_voices": {"default": 3, "choices": [2, 3]}}
        assert found["toy_choir"]["trained"] == []

    def test_attend_and_its_steps(self):
        trace = attnviz.attend("toy_choir", text="Who wrote Hamlet ?", n_voices=2)
        assert trace.made_by["trained"] is False
        assert [axis.kind for axis in trace.maps[0].axes] == ["voice", "query", "token"]
        assert trace.maps[0].axes[0].labels == ("voice 1", "voice 2")
        features, weights = trace.step("features").value, trace.step("weights").value
        np.testing.assert_allclose((weights @ features).sum(0)[0], trace.step("output").value, rtol=1e-4, atol=1e-5)
        assert all(step.formula for step in trace.steps)

    def test_picture_words_and_downloads(self):
        trace = attnviz.attend("toy_choir", text="Who wrote Hamlet ?")
        meta, weights = frame(trace, text="Who wrote Hamlet ?")
        assert meta["title"] == "Toy choir" and meta["trained"] is False
        assert meta["groups"][0]["maps"] == ["voice 1", "voice 2", "voice 3"] and len(weights) == 3 * 4
        assert "voice" in "".join(text for text, _ in in_words(trace))
        assert to_csv(trace).count("\n") >= 12
        np.testing.assert_array_equal(from_json(to_json(trace)).maps[0].weights, trace.maps[0].weights)

    def test_pages(self):
        change = json.dumps({"off": {"voice": [1]}, "masked": [0]})
        page = open_app(mechanism="toy_choir", n_voices="2", what_if="true", take="true", change=change)
        assert not page.exception
        assert page.button_group(key="n_voices").value == 2
        shown = [caption.value for caption in page.caption]
        assert any("Each voice of a choir listens for its own note." in text for text in shown)
        assert "voice" in page.selectbox(key="without").options[0]
        seen = page.session_state["_last_text"]
        assert seen.trace.maps[0].weights[1].sum() == 0 < seen.before.maps[0].weights[1].sum()

    def test_it_is_compared(self):
        page = open_app("pages/compare.py", mechanism2="toy_choir", n_voices2="2")
        assert not page.exception

    def test_step_by_step(self):
        page = open_app("pages/step_by_step.py", mechanism="toy_choir")
        assert not page.exception
        trace = attnviz.attend("toy_choir", text="Who wrote Hamlet ?")
        meta, numbers = worksheet(trace)
        assert [line["name"] for line in meta["lines"]] == [step.name for step in trace.steps]


@pytest.mark.usefixtures("toy_task")
class TestToyTask:
    def test_list(self, capsys):
        main(["list"])
        assert "toy_weather" in capsys.readouterr().out

    def test_attend(self):
        trace = attnviz.attend("multi_head", task="toy_weather", text="It pours .")
        assert trace.prediction.labels == ("dry", "wet") and trace.made_by["trained"] is False
        assert '"toy_weather"' in to_json(trace)

    def test_explore_page(self):
        page = open_app(task="toy_weather")
        assert not page.exception
        assert page.selectbox(key="task").value == "toy_weather"
        assert page.text_input(key="text").value == "It pours ."

    def test_it_can_be_trained_and_evaluated(self, monkeypatch, tmp_path, capsys):
        import shutil

        from attnviz.zoo import models, store

        shutil.copytree(store.root() / "text", tmp_path / "text")
        monkeypatch.setenv("ATTNVIZ_ZOO", str(tmp_path))
        models.load.cache_clear()
        models.features.cache_clear()
        try:
            assert main(["train", "toy_weather", "multi_head", "--data", str(tmp_path), "--set", "n_heads=2"]) == 0
            assert main(["evaluate", "toy_weather", "--data", str(tmp_path)]) == 0
            assert "accuracy 1.0000" in capsys.readouterr().out
            assert attnviz.attend("multi_head", task="toy_weather", text="Rain .", n_heads=2).made_by["trained"]
        finally:
            models.load.cache_clear()
            models.features.cache_clear()
