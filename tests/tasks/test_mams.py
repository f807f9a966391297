import gzip
import json

import numpy as np
import pytest
import torch

from attnviz import attend
from attnviz.errors import DataError, InputError, OptionError
from attnviz.features.text import TextFeatures
from attnviz.features.words import split
from attnviz.tasks import mams, registry

REVIEW = "The soup was wonderful, but our waiter was rude."
D = 16


@pytest.fixture
def features():
    model = TextFeatures(D)
    model.embedding = torch.randn(model.embedding.shape[0], D)
    return model.eval()


def write(folder, name, rows):
    with gzip.open(folder / name, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_targets_are_read_by_their_place_in_the_text(tmp_path):
    text = "Good food, bad wine; the food cost little, burgers too."
    aspects = [
        {"term": "food", "start": 25, "end": 29, "polarity": "neutral"},
        {"term": "wine", "start": 15, "end": 19, "polarity": "negative"},
        {"term": "burger", "start": 43, "end": 49, "polarity": "positive"},  # part of a word stands for the word
    ]
    write(tmp_path, "atsa_train.jsonl.gz", [{"text": text, "aspects": aspects}])
    found = mams.read_targets(tmp_path, "train")
    assert [values["target"] for values in found.inputs] == ["food@2", "wine", "burgers"]
    assert [mams.POLARITIES[i] for i in found.labels] == ["neutral", "negative", "positive"]
    with pytest.raises(DataError, match=r"atsa_test\.jsonl\.gz"):
        mams.read_targets(tmp_path, "test")


def test_categories_are_read_one_by_one(tmp_path):
    aspects = [{"category": "food", "polarity": "positive"}, {"category": "staff", "polarity": "negative"}]
    write(tmp_path, "acsa_test.jsonl.gz", [{"text": REVIEW, "aspects": aspects}])
    found = mams.read_categories(tmp_path, "test")
    assert found.inputs == [{"review": REVIEW, "category": "food"}, {"review": REVIEW, "category": "staff"}]
    assert found.labels.tolist() == [0, 2]


def test_a_target_comes_as_mask_and_as_vectors(features):
    job = registry.get("mams").job
    given = job.encode(features, {"review": REVIEW, "target": "our waiter"}, {})
    place = [split(REVIEW).labels.index(word) for word in ("our", "waiter")]
    assert given.marked == tuple(place)
    assert given.sides["target"][0].nonzero().flatten().tolist() == place
    torch.testing.assert_close(given.sides["query_items"], given.items[:, place])
    assert given.sides["query_mask"].tolist() == [[True, True]]
    assert given.axes["query_item"].labels == ("our", "waiter")
    assert given.source == {"review": REVIEW, "target": "our waiter"}


def test_the_features_do_not_know_the_target(features):
    job = registry.get("mams").job
    one, other = (job.encode(features, {"review": REVIEW, "target": t}, {}) for t in ("soup", "waiter"))
    assert torch.equal(one.items, other.items)


def test_a_swapped_word_stays_the_target(features):
    given = registry.get("mams").job.encode(features, {"review": REVIEW, "target": "soup"}, {1: "salad"})
    assert given.axis.labels[1] == "salad" and given.marked == (1,)
    assert given.axes["query_item"].labels == ("salad",)
    with pytest.raises(OptionError, match="not one word"):
        registry.get("mams").job.encode(features, {"review": REVIEW, "target": "soup"}, {1: "two words"})


def test_a_long_review_is_cut_and_says_so(features):
    job = registry.get("mams").job
    given = job.encode(features, {"review": "good " * 300 + "soup", "target": "good@2"}, {})
    assert given.items.shape[1] == 256 and "only the first 256" in given.notes[0]
    with pytest.raises(InputError, match="“soup” is not in the review"):
        job.encode(features, {"review": "good " * 300 + "soup", "target": "soup"}, {})


def test_a_category_is_one_number_of_eight(features):
    job = registry.get("mams_categories").job
    given = job.encode(features, {"review": REVIEW, "category": "staff"}, {})
    assert given.sides["auxiliary"].tolist() == [[0, 1, 0, 0, 0, 0, 0, 0]]
    assert set(given.sides) == {"auxiliary"} and given.marked == ()


@pytest.mark.parametrize(
    ("task", "values", "part"),
    [
        ("mams", {"review": "", "target": "soup"}, "review"),
        ("mams", {"review": "  ", "target": ""}, "review"),
        ("mams", {"review": REVIEW, "target": ""}, "target"),
        ("mams", {"review": REVIEW, "target": "pizza"}, "target"),
        ("mams_categories", {"review": "", "category": "food"}, "review"),
        ("mams_categories", {"review": REVIEW, "category": "drinks"}, "category"),
        ("mams_categories", {"review": REVIEW, "category": ""}, "category"),
    ],
)
def test_what_is_missing_is_said_beside_its_part(features, task, values, part):
    with pytest.raises(InputError) as error:
        registry.get(task).job.encode(features, values, {})
    assert error.value.part == part and str(error.value).endswith(".")


@pytest.mark.parametrize("task", ["mams", "mams_categories"])
def test_the_examples_can_be_used(features, task):
    about = registry.get(task)
    for example in (*about.examples, *(e for pair in about.pairs for e in pair)):
        given = about.job.encode(features, about.values(example), {})
        assert not given.notes and set(given.sides) >= set(about.gives)


@pytest.mark.parametrize("mechanism", ["rotatory", "co_attention", "attention_over_attention"])
def test_the_trained_answer_moves_with_the_target(mechanism):
    said = [
        attend(mechanism, task="mams", given={"review": REVIEW, "target": t}).prediction for t in ("soup", "waiter")
    ]
    assert [mams.POLARITIES[p.probabilities.argmax()] for p in said] == ["positive", "negative"]


def test_without_a_target_there_is_one_answer_for_all():
    said = [attend("learnable_query", task="mams", given={"review": REVIEW, "target": t}) for t in ("soup", "waiter")]
    np.testing.assert_array_equal(said[0].prediction.probabilities, said[1].prediction.probabilities)


def test_the_trained_weights_move_with_the_category():
    traces = [
        attend("auxiliary", task="mams_categories", given={"review": REVIEW, "category": c}) for c in ("food", "staff")
    ]
    food, staff = (dict(zip(t.maps[0].axes[-1].labels, t.maps[0].weights[0], strict=True)) for t in traces)
    assert food["soup"] > 5 * staff["soup"] and staff["waiter"] > 5 * food["waiter"]
    assert [mams.POLARITIES[t.prediction.probabilities.argmax()] for t in traces] == ["positive", "negative"]
