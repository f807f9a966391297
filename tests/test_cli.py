import json

import pytest

from attnviz.__main__ import main
from attnviz.export import from_json
from tests.helpers import png


def test_list_names_every_mechanism_with_axes_options_and_tasks(capsys):
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    assert "multi_head" in text and "head × query" in text and "--set n_heads=1|2|4|8" in text and "trec" in text


def test_list_as_json(capsys):
    assert main(["list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    spec = next(m for m in found["mechanisms"] if m["name"] == "multi_hop")
    assert spec["options"]["n_hops"]["choices"] == [1, 2, 3, 4, 6]
    assert spec["axes"][0] == "hop" and set(spec["trained"]) == {"trec", "sst", "cifar10", "mnist"}


def test_attend_prints_words_weights_and_prediction(capsys):
    assert main(["attend", "multi_head", "--task", "trec", "--text", "How many legs has a spider ?"]) == 0
    text = capsys.readouterr().out
    assert "head 8" in text and "number" in text and "many" in text


def test_attend_writes_a_trace_that_can_be_read_back(tmp_path):
    path = tmp_path / "trace.json"
    assert main(["attend", "capsule", "--text", "Who ?", "--set", "loss=official", "--json", str(path)]) == 0
    trace = from_json(path.read_text(encoding="utf-8"))
    assert trace.mechanism == "capsule" and trace.made_by["options"]["loss"] == "official"
    assert trace.made_by["task"] == "trec" and trace.made_by["version"]


def test_attend_to_a_picture(tmp_path, capsys):
    path = tmp_path / "picture.png"
    path.write_bytes(png(60, 30))
    assert main(["attend", "multi_head", "--image", str(path)]) == 0
    assert "airplane" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["attend", "nope", "--text", "a"], "no mechanism 'nope'"),
        (["attend", "multi_head", "--text", ""], "Type a sentence"),
        (["attend", "multi_head", "--text", "a", "--set", "n_heads"], "write --set option=value"),
        (["attend", "multi_head", "--text", "a", "--set", "n_heads=99"], "choose one of 1, 2, 4, 8"),
        (["train", "trec", "nope", "--data", "/nowhere"], "no mechanism 'nope'"),
        (["train", "trec", "--data", "/nowhere"], "features"),
        (["evaluate", "nope", "--data", "/nowhere"], "no task 'nope'"),
        (["evaluate", "trec", "multi_head", "--data", "/nowhere"], "--data"),
    ],
)
def test_mistakes_end_with_a_sentence_and_2(arguments, says, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert says in error and "Traceback" not in error
