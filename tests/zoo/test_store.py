import json
from dataclasses import dataclass

import pytest
import torch

from attnviz.attention.registry import option
from attnviz.errors import ZooError
from attnviz.zoo import store


@dataclass(frozen=True)
class Options:
    n_heads: int = option(8, choices=(1, 8), label="heads", help="")
    score: str = option("dot", choices=("dot", "general"), label="score", help="")


def test_a_file_is_named_after_what_differs_from_the_defaults():
    assert store.variant(Options()) == "default"
    assert store.variant(Options(n_heads=1)) == "n_heads=1"
    assert store.variant(Options(n_heads=1, score="general")) == "n_heads=1,score=general"


def test_what_is_written_is_read_back_in_single_precision(tmp_path):
    path = tmp_path / "task" / "default.safetensors"
    store.write(path, {"w": torch.tensor([1.5, -2.25]), "n": torch.tensor([3, 4])}, {"seed": 0})
    tensors, card = store.read(path)
    assert tensors["w"].dtype == torch.float32 and tensors["w"].tolist() == [1.5, -2.25]
    assert tensors["n"].tolist() == [3, 4]
    assert card["seed"] == 0 and card["bytes"] == path.stat().st_size


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "weights.safetensors"
    store.write(path, {"w": torch.ones(4)}, {"seed": 0})
    return path


def test_a_missing_file_is_named_with_what_to_do(file):
    file.unlink()
    with pytest.raises(ZooError, match=r"weights\.safetensors are missing.*attnviz train"):
        store.read(file)


def test_a_missing_card_counts_as_missing(file):
    file.with_suffix(".json").unlink()
    with pytest.raises(ZooError, match="missing"):
        store.read(file)


@pytest.mark.parametrize("position", [0, 20, -1])
def test_one_changed_byte_is_noticed(file, position):
    data = bytearray(file.read_bytes())
    data[position] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(ZooError, match="damaged"):
        store.read(file)


def test_a_truncated_file_is_noticed_even_if_the_card_agrees(file):
    import hashlib

    data = file.read_bytes()[:30]
    file.write_bytes(data)
    file.with_suffix(".json").write_text(json.dumps({"sha256": hashlib.sha256(data).hexdigest()}))
    with pytest.raises(ZooError, match="cannot be read"):
        store.read(file)


def test_a_card_that_is_no_json_is_noticed(file):
    file.with_suffix(".json").write_text("{")
    with pytest.raises(ZooError, match="cannot be read"):
        store.read(file)


def test_the_folder_can_be_named_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTNVIZ_ZOO", str(tmp_path))
    assert store.root() == tmp_path


def test_matrices_in_eight_bits_come_back_to_within_half_a_step(tmp_path):
    path = tmp_path / "small.safetensors"
    given = {"w": torch.randn(5, 40), "b": torch.randn(5), "n": torch.tensor([[3, 4]])}
    store.write(path, given, {}, eight_bits=True)
    found, _ = store.read(path)
    assert found.keys() == given.keys()
    step = given["w"].abs().amax(1, keepdim=True) / 127
    assert ((found["w"] - given["w"]).abs() <= 0.52 * step).all()  # the scale itself is rounded to half precision
    assert torch.equal(found["b"], given["b"].half().float()) and torch.equal(found["n"], given["n"])
