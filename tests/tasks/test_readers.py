"""The readers on small files of the published layout, made here."""

import csv
import gzip
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from attnviz.errors import DataError, UnknownNameError
from attnviz.tasks import cifar10, mnist, registry, sst, trec


def write_trec(folder, name, rows):
    with gzip.open(folder / name, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerow(["coarse", "fine", "text"])
        writer.writerows(rows)


def test_trec_holds_a_tenth_out_and_trains_on_none_of_it(tmp_path):
    rows = [["NUM", "NUM:count", f"How many times {i} ?"] for i in range(90)] + [["HUM", "HUM:ind", "Who ?"]] * 10
    write_trec(tmp_path, "train.tsv.gz", rows)
    train, val = trec.read(tmp_path, "train"), trec.read(tmp_path, "val")
    assert len(val.inputs) == 10
    assert not set(train.inputs) & set(val.inputs)
    assert set(train.labels.tolist()) | set(val.labels.tolist()) == {3, 5}
    again = trec.read(tmp_path, "val")
    assert again.inputs == val.inputs


def test_trec_test_part_has_its_own_file(tmp_path):
    with pytest.raises(DataError, match=r"No test\.tsv\.gz"):
        trec.read(tmp_path, "test")
    write_trec(tmp_path, "test.tsv.gz", [["ABBR", "ABBR:exp", 'What does "NASA" stand for ?']])
    found = trec.read(tmp_path, "test")
    assert found.inputs == ['What does "NASA" stand for ?'] and found.labels.tolist() == [0]


ROW = {"label": 4, "tokens": ["a", "fine", "film"], "token_labels": [2, 3, 2], "phrases": [[1, 3, 3]]}


def test_sst_sentences_and_phrases(tmp_path):
    with gzip.open(tmp_path / "train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(ROW) + "\n")
    assert sst.read(tmp_path, "train").inputs == ["a fine film"]
    phrases = sst.read_phrases(tmp_path)
    found = dict(zip(phrases.inputs, phrases.labels.tolist(), strict=True))
    assert found == {"fine film": 3, "a": 2, "fine": 3, "film": 2, "a fine film": 4}


def test_sst_two_class_accuracy_leaves_neutral_out_and_sums_the_sides():
    probabilities = torch.tensor([[0.4, 0.0, 0.0, 0.3, 0.3], [0.1, 0.5, 0.4, 0.0, 0.0], [0.0, 0.0, 0.1, 0.9, 0.0]])
    figures = sst.metric(probabilities, torch.tensor([4, 2, 0]))
    assert figures == {"accuracy": 0.0, "two-class accuracy": 0.5}


def test_cifar10_unpacks_the_pictures(tmp_path):
    colours = [(i * 10, 0, 255 - i * 10) for i in range(20)]
    parts = []
    for colour in colours:
        stream = io.BytesIO()
        Image.new("RGB", (32, 32), colour).save(stream, "JPEG", quality=95)
        parts.append(stream.getvalue())
    offsets = np.cumsum([0, *map(len, parts)])
    np.savez(
        tmp_path / "train.npz", jpeg=np.frombuffer(b"".join(parts), np.uint8), offset=offsets, y=np.arange(20) % 10
    )
    train, val = cifar10.read(tmp_path, "train"), cifar10.read(tmp_path, "val")
    assert train.inputs.shape == (18, 3, 32, 32) and val.inputs.shape == (2, 3, 32, 32)
    reds = sorted(train.inputs[:, 0, 16, 16].tolist() + val.inputs[:, 0, 16, 16].tolist())
    assert all(abs(red - colour[0]) < 6 for red, colour in zip(reds, colours, strict=True))


def test_mnist_is_padded_and_grey(tmp_path):
    x = np.zeros((20, 28, 28), np.uint8)
    x[:, 0, 0] = 200
    np.savez(tmp_path / "train.npz", x=x, y=np.arange(20, dtype=np.uint8) % 10)
    train = mnist.read(tmp_path, "train")
    assert train.inputs.shape == (18, 3, 32, 32)
    assert (train.inputs[:, :, 2, 2] == 200).all() and train.inputs[:, :, :2].sum() == 0


def test_data_files_with_pickles_are_refused(tmp_path):
    np.savez(tmp_path / "train.npz", x=np.array([{}], dtype=object), y=np.zeros(1, np.uint8))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        mnist.read(tmp_path, "train")


def test_unknown_task():
    with pytest.raises(UnknownNameError, match="no task 'nope'.*trec"):
        registry.get("nope")


@pytest.mark.parametrize("name", registry.tasks())
def test_every_task_is_whole(name):
    task = registry.get(name)
    own_answers = task.kind in ("cloze", "translation")  # words of the input, or words that are produced
    assert len(set(task.classes)) == len(task.classes) and (len(task.classes) >= 2) != own_answers
    assert len(task.examples) >= 4 and task.predicts and task.title
    assert task.data.licence[0] in "ABC"


def test_held_out_rows_are_always_the_same():
    train, val = registry.held_out(50, 0.1)
    assert sorted([*train.tolist(), *val.tolist()]) == list(range(50))
    assert val.tolist() == registry.held_out(50, 0.1)[1].tolist()
