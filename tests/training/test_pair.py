import numpy as np
import pytest
import torch
from PIL import Image

from attnviz.attention.alignments import Alignment
from attnviz.features.picture import Picture
from attnviz.features.scene import SceneFeatures
from attnviz.tasks import registry as tasks
from attnviz.tasks.registry import Examples
from attnviz.training import scene_pictures
from attnviz.training.jobs import pair
from attnviz.training.scenes import COLOURS, Thing

BOXES = [[{"shape": "square", "color": "black", "x": 1, "y": 2, "size": 30}], [], []]


def example(said="There is a Black square, not a blue one.", truth=1):
    image = Image.fromarray(np.full((50, 200, 3), 211, np.uint8))
    return Examples([{"sentence": said, "picture": Picture(image), "boxes": BOXES}], torch.tensor([truth]))


def test_other_colours_in_scene_and_sentence():
    shown = pair.scene_of(BOXES)
    assert shown == [[Thing("square", "black", 1, 2, 30)], [], []]
    found = pair.recoloured(pair.Pair(shown, "a Black square, two blue ones", 1), ("yellow", "blue", "black"))
    assert found == pair.Pair([[Thing("square", "yellow", 1, 2, 30)], [], []], "a yellow square, two black ones", 1)
    back = dict(zip(("yellow", "blue", "black"), COLOURS, strict=True))
    again = pair.recoloured(found, [back[colour] for colour in COLOURS])
    assert again.shown == shown and again.said == "a black square, two blue ones"


def test_published_pairs_come_first_as_they_are():
    found = pair.published(example())
    assert len(found) == pair.COLOURINGS and found[0].said == "There is a black square, not a blue one."
    assert found[0].shown == pair.scene_of(BOXES) and all(p.truth == 1 for p in found)
    assert len({p.said for p in found}) == pair.COLOURINGS


@pytest.fixture
def features():
    model = SceneFeatures(16)
    model.embedding = torch.randn(model.embedding.shape)
    return model.eval()


def test_training_sees_what_a_person_gives(features):
    about = tasks.get("nlvr")
    given = example()
    encoded = pair.encode(about, features, given)
    items, mask, sides = encoded.batch(torch.tensor([0]))
    alone = about.job.encode(features, given.inputs[0], {})
    assert mask is None
    torch.testing.assert_close(items, alone.items, rtol=2e-3, atol=2e-3)
    torch.testing.assert_close(sides["query_items"], alone.sides["query_items"])
    assert torch.equal(sides["query_mask"], alone.sides["query_mask"])


def small(about):
    return type(about)(**{**about.__dict__, "d_model": 16})


def test_the_words_are_trained_and_the_places_are_not(features, monkeypatch):
    for name, value in {"N_MADE": 8, "N_HELD": 8, "PLAIN_EPOCHS": 1, "EPOCHS": 2}.items():
        monkeypatch.setattr(pair, name, value)
    before = {name: value.clone() for name, value in features.state_dict().items()}
    accuracy = pair.train_words(small(tasks.get("nlvr")), features, pair.published(example()))
    changed = {
        name.split(".")[0] for name, value in features.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == {"text"} and 0 <= accuracy <= 1


def test_words_that_name_something_learn_to_resemble_what_is_shown():
    colours, shapes = torch.eye(6)[:3], torch.eye(6)[3:]  # black, yellow, blue; triangle, square, circle
    words = torch.zeros(2, 3, 6)
    said = ["a blue circle", "three towers"]
    unsure = pair.naming((colours, shapes), words, said)
    assert unsure.item() == pytest.approx(2 * np.log(3), rel=1e-5)
    words[0, 1:, 2], words[0, 1:, 5] = 30, 30  # blue; circle
    assert pair.naming((colours, shapes), words, said).item() == pytest.approx(0, abs=1e-5)
    words[0, 2, 2], words[0, 2, 0] = 0, 30  # "circle" looks black
    assert pair.naming((colours, shapes), words, said).item() == pytest.approx(15, rel=1e-3)
    assert pair.naming((colours, shapes), words, ["there are three", "towers"]).item() == 0


def test_the_weight_on_what_is_named(features):
    given = example("There is a black thing.")
    given.inputs[0]["boxes"] = [[*BOXES[0], {"shape": "circle", "color": "blue", "x": 60, "y": 60, "size": 30}], [], []]
    encoded = pair.encode(tasks.get("nlvr"), features, given)

    class Even(torch.nn.Module):
        def forward(self, items, mask, **sides):
            return Alignment()(items.new_zeros(1, 1, items.shape[1]), "query key")

    found = pair.weight_on_named(Even(), encoded, given)
    assert 0 < found["weight on named shapes"] == pytest.approx(found["their share of the places"])
    assert found["weight on named among shapes"] == pytest.approx(found["their share among shapes"])
    assert pair.weight_on_named(Even(), encoded, example("There is a tower.")) == {}


def test_the_picture_side_learns_what_is_where(monkeypatch):
    monkeypatch.setattr(scene_pictures, "BATCH", 8)
    features = SceneFeatures(32)
    before = scene_pictures.train_pictures(features, n=200, epochs=0)
    after = scene_pictures.train_pictures(features, n=200, epochs=10)
    assert before < 0.2 < 0.5 < after < 1
