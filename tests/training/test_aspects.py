import pytest
import torch
from torch import nn

from attnviz.attention import registry as mechanisms
from attnviz.tasks import registry as tasks
from attnviz.tasks.registry import Examples
from attnviz.training import aspects
from attnviz.training.jobs import category, pair, target
from attnviz.zoo import models

WINE = "The wine was good, the bread bad."
FISH = "Bad fish and good rice, as ever; the bill came fast."


def examples():
    inputs = [(WINE, "wine"), (FISH, "fish"), (WINE, "bread"), (FISH, "good rice"), (FISH, "bill")]
    return Examples([{"review": r, "target": t} for r, t in inputs], torch.tensor([0, 2, 2, 0, 1]))


def categories():
    inputs = [(WINE, "food"), (FISH, "food"), (FISH, "price")]
    return Examples([{"review": r, "category": c} for r, c in inputs], torch.tensor([0, 2, 1]))


def test_questions_are_gathered_sentence_by_sentence():
    wine, fish = aspects.asked(examples(), target.question)
    assert wine.labels == [0, 2] and fish.labels == [2, 0, 1]
    marked = [[word for word, m in zip(fish.words.labels, mask, strict=True) if m] for mask in fish.questions]
    assert marked == [["fish"], ["good", "rice"], ["bill"]]


def test_a_read_out_reads_the_sides_apart():
    readout = aspects.TargetReadout(8, 3).eval()
    readout.outputs = nn.ModuleList([nn.Identity()] * 3)  # the contexts as they are
    items, mask = torch.randn(1, 6, 8), torch.tensor([[True] * 5 + [False]])
    marked = torch.tensor([[False, False, True, True, False, False]])
    mean, whole, sides = readout(items, mask, marked)
    torch.testing.assert_close(mean, items[:, 2:4].mean(1))
    left, right, again = sides.split(8, dim=1)
    torch.testing.assert_close(again, mean)
    torch.testing.assert_close(right, items[:, 4])  # one real word on the right
    scores = items[0, :2] @ readout.left(mean)[0] / 8**0.5
    torch.testing.assert_close(left[0], scores.softmax(0) @ items[0, :2])
    scores = items[0, :5] @ readout.query(mean)[0] / 8**0.5
    torch.testing.assert_close(whole[0], scores.softmax(0) @ items[0, :5])
    start = torch.tensor([[True] + [False] * 5])
    assert not readout(items, mask, start)[2][:, :8].any()  # nothing stands on the left


@pytest.mark.parametrize(
    ("name", "job", "given"), [("mams", target, examples()), ("mams_categories", category, categories())]
)
def test_training_sees_what_a_person_gives(name, job, given):
    """Items, mask and sides of a whole batch, against the encoding of each input by itself."""
    about = tasks.get(name)
    features, _ = models.features(name)
    encoded = job.encode(about, features, given)
    assert encoded.labels is given.labels
    for row, values in enumerate(given.inputs):
        items, mask, sides = encoded.batch(torch.tensor([row]))
        alone = about.job.encode(features, values, {})
        torch.testing.assert_close(items, alone.items, rtol=2e-3, atol=2e-3)
        assert mask.all() and set(sides) == set(alone.sides)
        for side, value in alone.sides.items():
            n = value.shape[1]
            assert not sides[side][:, n:].any()
            torch.testing.assert_close(sides[side][:, :n].to(value.dtype), value, rtol=2e-3, atol=2e-3)


def test_features_learn_what_is_said_of_a_target():
    about = tasks.get("mams")
    asked = aspects.asked(examples(), target.question)
    readout = aspects.TargetReadout(about.d_model, 3)
    state, accuracy = aspects.fine_tune(about, readout, asked, asked, epochs=25)
    assert accuracy == 1.0 and "embedding" not in state


def test_every_choice_is_trained_with_the_form_that_it_matters_to():
    spec = mechanisms.get("co_attention")
    for job, name in ((target, "mams"), (pair, "nlvr")):
        found = job.variants(tasks.get(name), spec)
        assert found[0] == {} and {"form": "alternating", "weights": "shared"} in found
        assert {"form": "interactive", "activation": "none"} in found and {"affinity": "none"} in found
        assert len(found) == 7
    assert target.variants(tasks.get("mams"), mechanisms.get("learnable_query")) == [{}]
