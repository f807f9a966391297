import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import gelu

from attnviz import recording
from attnviz.attention import registry as mechanisms
from attnviz.errors import InputError
from attnviz.features.picture import Picture, read_picture
from attnviz.features.scene import SceneFeatures
from attnviz.tasks import nlvr, registry

SAMPLES = Path(__file__).parents[2] / "sample_data"
PALETTE = np.array([[211, 211, 211], [128, 128, 128], [0, 0, 0], [255, 255, 0], [0, 153, 255]], np.uint8)


def write(folder, part, rows):
    with gzip.open(folder / f"{part}.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def folder(tmp_path):
    """Twenty sentences with two pairs each in dev, one of them again in test under another prefix."""
    dev = [row(f"{i}-{k}", f"There are {i} squares.", k) for i in range(20) for k in range(2)]
    test = [row(f"{100 + i}-0", f"there are {i} squares", 1) for i in range(20)]
    write(tmp_path, "dev", dev)
    write(tmp_path, "test", test)
    write(tmp_path, "hidden", [row("900-0", "There is a tower.", 0)])
    sizes = {"dev": 40, "test": 20, "hidden": 1}
    pictures = {part: np.full((n, 50, 200), 2, np.uint8) for part, n in sizes.items()}
    pictures["dev"][0] = 4
    np.savez(tmp_path / nlvr.PICTURES, palette=PALETTE, **pictures)
    return tmp_path


def row(name, sentence, truth):
    return {"id": name, "sentence": sentence, "label": ["false", "true"][truth], "boxes": [[], [], []]}


def test_held_out_sentences_are_not_trained_on_under_any_name(folder):
    train, val = nlvr.read(folder, "train"), nlvr.read(folder, "val")
    groups = [{values["picture"].name.split("-")[0] for values in part.inputs} for part in (train, val)]
    assert not groups[0] & groups[1] and len(groups[1]) == 6  # 15 % of 40 groups
    said = [{nlvr._plain(values["sentence"]) for values in part.inputs} for part in (train, val)]
    assert not said[0] & said[1] and said[0] | said[1] == {f"there are {i} squares" for i in range(20)}
    again = nlvr.read(folder, "val")
    assert [v["picture"].name for v in again.inputs] == [v["picture"].name for v in val.inputs]


def test_pictures_and_answers_belong_together(folder):
    pairs = [nlvr.read(folder, part) for part in ("train", "val")]
    seen = {
        v["picture"].name: (v["picture"].image, int(y)) for p in pairs for v, y in zip(p.inputs, p.labels, strict=True)
    }
    for name, (image, truth) in seen.items():
        assert image.size == (200, 50)
        assert image.getpixel((0, 0)) == ((0, 153, 255) if name == "0-0" else (0, 0, 0))
        assert truth == (int(name.split("-")[1]) if int(name.split("-")[0]) < 100 else 1)


def test_the_test_part_is_hidden(folder):
    found = nlvr.read(folder, "test")
    assert [v["sentence"] for v in found.inputs] == ["There is a tower."] and found.labels.tolist() == [0]


@pytest.fixture
def features():
    model = SceneFeatures(16)
    model.embedding = torch.randn(model.embedding.shape)
    return model.eval()


def picture(size=(400, 100)):
    return Picture(Image.new("RGB", size, "grey"), ("It was made smaller.",), "mine.png")


def test_places_are_items_and_words_ask(features):
    given = registry.get("nlvr").job.encode(
        features, {"sentence": "A blue square.", "picture": picture()}, {1: "black"}
    )
    assert given.items.shape == (1, 256, 16) and given.axis.grid == (8, 32) and given.axis.kind == "patch"
    assert given.sides["query_items"].shape == (1, 4, 16) and given.sides["query_mask"].all()
    assert given.axes["query_item"].labels == ("A", "black", "square", ".")
    assert given.source == {"sentence": "A blue square.", "picture": "mine.png"}
    assert given.notes == ("It was made smaller.",) and given.picture.size == (400, 100)


def test_a_picture_of_any_shape_can_be_used(features):
    for size in ((32, 32), (50, 300), (1000, 250)):
        given = registry.get("nlvr").job.encode(features, {"sentence": "A tower.", "picture": picture(size)}, {})
        assert given.items.shape == (1, 256, 16) and given.items.isfinite().all()


@pytest.mark.parametrize(("values", "part"), [({"sentence": " "}, "sentence"), ({"sentence": "A tower."}, "picture")])
def test_what_is_missing_is_said_beside_its_part(features, values, part):
    with pytest.raises(InputError) as error:
        registry.get("nlvr").job.encode(features, {"picture": picture() if part == "sentence" else None, **values}, {})
    assert error.value.part == part


def test_the_sample_scenes_are_kept_whole():
    about = registry.get("nlvr")
    names = {example["picture"] for example in (*about.examples, *about.pairs[0])}
    assert {path.relative_to(SAMPLES).as_posix() for path in (SAMPLES / "scenes").glob("*.png")} == names
    for name in names:
        found = read_picture((SAMPLES / name).read_bytes(), name, about.parts[1].longest)
        assert found.image.size == (800, 200) and not found.notes


def test_a_longer_picture_is_cut_with_a_note():
    stream = io.BytesIO()
    Image.new("RGB", (500, 100)).save(stream, "PNG")
    found = read_picture(stream.getvalue(), longest=4.0)
    assert found.image.size == (400, 100) and "very long" in found.notes[0]


@pytest.mark.parametrize("form", ["parallel", "interactive"])
def test_the_answer_is_read_by_two_layers_from_both_contexts(double, form):
    spec = mechanisms.get("co_attention")
    judge = registry.get("nlvr").job.output(spec, spec.options(form=form), 8)
    items, words = torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    with recording.record() as heard:
        found = judge(items, query_items=words)
    steps = {step.name: step for step in heard.steps(judge.formulas)}
    hidden, output = judge.readout.hidden, judge.readout.output
    context = judge.attention(items, query_items=words)
    assert context.shape == (2, 16)
    g = gelu(context @ hidden.weight.T + hidden.bias)
    expected = (g @ output.weight.T + output.bias).softmax(-1)
    torch.testing.assert_close(found.probabilities, expected, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(steps["comparison"].value, g[0].detach())
    assert "GELU" in steps["comparison"].formula
