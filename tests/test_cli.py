import io
import json

import numpy as np
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
    assert spec["axes"][0] == "hop" and {"trec", "sst", "cifar10", "mnist"} <= set(spec["trained"])


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


def test_attend_writes_every_kind_of_file_with_its_changes(tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(png(60, 30))
    kinds = ("json", "csv", "npz", "svg", "png", "html")
    files = [part for kind in kinds for part in (f"--{kind}", str(tmp_path / f"trace.{kind}"))]
    change = '{"temperature": 0.5, "off": {"hop": [0]}}'
    assert main(["attend", "multi_hop", "--image", str(picture), "--intervention", change, *files]) == 0
    made = {kind: (tmp_path / f"trace.{kind}").read_bytes() for kind in kinds}
    trace = from_json(made["json"].decode())
    assert trace.made_by["intervention"] == {"temperature": 0.5, "off": {"hop": [0]}}
    assert not trace.map("weights").weights[0].any()
    arrays = np.load(io.BytesIO(made["npz"]))
    np.testing.assert_array_equal(arrays["map_0"], trace.maps[0].weights)
    assert made["csv"].count(b"\n") == 1 + sum(m.weights.size for m in trace.maps)
    assert made["png"].startswith(b"\x89PNG") and b"data:image/png" in made["svg"] and b"data:image/" in made["html"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["attend", "nope", "--text", "a"], "no mechanism 'nope'"),
        (["attend", "multi_head", "--text", ""], "Type a sentence"),
        (["attend", "multi_head", "--text", "a", "--set", "n_heads"], "write --set name=value"),
        (["attend", "multi_head", "--text", "a", "--set", "n_heads=99"], "choose one of 1, 2, 4, 8"),
        (["attend", "multi_head", "--text", "a", "--intervention", "{"], "--intervention is not JSON"),
        (["attend", "multi_head", "--text", "a", "--intervention", '{"paint": 1}'], "no change called 'paint'"),
        (["attend", "multi_head", "--text", "a", "--svg", "/nowhere/a.svg"], "cannot be written"),
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
