"""Training to count nuclei on small pictures made here."""

import numpy as np
import pytest
import torch
from PIL import Image

from attnviz.attention.alignments import Alignment
from attnviz.attention.registry import get as mechanism
from attnviz.tasks import registry
from attnviz.tasks.nuclei import sheets
from attnviz.tasks.registry import Examples
from attnviz.training.jobs import nuclei


def examples(n):
    """Pictures with bright squares on dark ground, or dark ones on bright ground: the kind says what is a nucleus."""
    rng, inputs, labels = np.random.default_rng(0), [], []
    for i in range(n):
        mask = np.zeros((128, 128), np.uint8)
        count = 1 + i % 12
        for place in rng.choice(64, count, replace=False):
            mask[place // 8 * 16 + 4 :][:8, place % 8 * 16 + 4 :][:, :8] = 1
        kind = "fluorescence" if i % 2 else "stained tissue"
        picture = Image.fromarray((mask * 200 if i % 2 else 220 - mask * 150).astype(np.uint8))
        inputs.append({"picture": picture, "kind": kind, "n_nuclei": count, "mask": mask})
        labels.append(int(count > 10))
    return Examples(inputs, torch.tensor(labels))


def test_a_part_has_the_nuclei_whose_area_it_has():
    mask = torch.zeros(400, 1, 128, 128)
    mask[:, :, :64] = 1  # all nuclei in the upper half
    images = torch.arange(128.0).view(1, 1, 128, 1).expand(400, 1, 128, 128)  # a row's number
    seen, counts = nuclei.parts(images, mask, torch.full((400,), 100), torch.Generator().manual_seed(0))
    assert seen.shape == images.shape and 0 <= counts.min() and counts.max() <= 100
    whole = (seen.amax((1, 2, 3)) > 126.9) & (seen.amin((1, 2, 3)) < 0.1)
    assert 0.3 < whole.float().mean() < 0.5 and (counts[whole] == 100).all()
    inside = (seen < 63.5).float().mean((1, 2, 3))  # share of the part in the upper half
    spread = seen.amax((1, 2, 3)) - seen.amin((1, 2, 3))
    side = (spread + 1) / 128
    torch.testing.assert_close(counts, 200 * inside * side.square(), rtol=0.08, atol=2.5)


def test_parts_are_turned_and_mirrored():
    corner = torch.zeros(200, 1, 128, 128)
    corner[:, :, :20, :10] = 1
    seen, _ = nuclei.parts(corner, corner, torch.ones(200), torch.Generator().manual_seed(0))
    ends = {(int(row[0, 0, 0] > 0.5), int(row[0, 0, -1] > 0.5), int(row[0, -1, 0] > 0.5)) for row in seen}
    assert len(ends) == 4  # the corner has been in all four


def test_a_sheet_has_two_kinds_and_rare_ones_are_drawn_as_often_as_others():
    kinds = torch.eye(3)[[0] * 90 + [1] * 8 + [2] * 2]
    rows = torch.cat([nuclei.drawn(kinds, torch.Generator().manual_seed(seed)) for seed in range(40)])
    pairs = kinds[rows].argmax(1).view(-1, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    share = torch.bincount(pairs.flatten(), minlength=3) / pairs.numel()
    assert 0.35 < share[0] < 0.45 and 0.35 < share[1] < 0.45 and 0.15 < share[2] < 0.3
    assert rows.unique().numel() > 90  # every picture of a kind has its turn


def test_kinds_that_are_not_there_are_not_drawn():
    kinds = torch.eye(3)[[0, 0, 2]]
    assert set(nuclei.drawn(kinds, torch.Generator().manual_seed(0)).tolist()) == {0, 1, 2}


def test_every_fourth_batch_is_of_single_pictures_the_others_of_sheets_with_two_questions():
    found = list(nuclei.batches(examples(8), 8, seed=0))
    assert [x.shape[-1] for x, _, _ in found] == [256, 256, 256, 128] * 2
    for x, kinds, labels in found:
        n = 16 if x.shape[-1] == 256 else 32
        assert x.shape[:3] == (n, 1, 128) and kinds.shape == (32, 3) and labels.shape == (32,)
    assert not torch.equal(found[0][0], found[1][0])


def test_the_first_question_of_a_sheet_is_about_its_left_picture(monkeypatch):
    monkeypatch.setattr(nuclei, "WHOLE", 1.0)
    x, kinds, labels = next(nuclei.batches(examples(24), 1, seed=0))
    halves = torch.stack(x.split(128, -1), 1).flatten(0, 1)  # left, right, left, right
    glows = (halves == 0).float().mean((1, 2, 3)) > 0.5  # bright squares on dark ground
    torch.testing.assert_close(glows, kinds[:, 0] == 1)
    ink = torch.where(glows[:, None, None, None], halves > 100, halves < 100).float().sum((1, 2, 3))
    torch.testing.assert_close(labels, ((ink / 64).round() > 10).long())


def test_encoding_keeps_the_kind_beside_the_patches():
    features = nuclei.MicroscopyFeatures(16).eval()
    found = nuclei.encode(registry.get("nuclei"), features, examples(4))
    assert found.items.shape == (4, 256, 16) and found.items.dtype == torch.half
    assert found.sides["auxiliary"].tolist() == [[0, 1, 0], [1, 0, 0]] * 2
    assert nuclei.encode(registry.get("nuclei"), features, sheets(examples(4))).items.shape == (8, 512, 16)


def test_the_count_error_compares_the_expected_count_with_the_true_one():
    found = nuclei.count_error(torch.eye(5)[[0, 1]], examples(2))  # one and two nuclei
    assert found == pytest.approx(((7.4 - 1) + (16.0 - 2)) / 2)


def pointing(to):
    """A model whose weights are all on one half of a sheet: the left one for 0."""
    weights = torch.zeros(16, 2, 16)
    weights[:, to] = 1 / 256

    def model(items, auxiliary):
        Alignment()(weights.log().reshape(1, 1, -1), "query key")

    return model


@pytest.mark.parametrize("half", [0, 1])
def test_the_weight_is_counted_on_the_half_that_is_asked_for(half):
    encoded = nuclei.encode(registry.get("nuclei"), nuclei.MicroscopyFeatures(16).eval(), sheets(examples(2)))
    assert nuclei.weight_on_half(pointing(half), encoded, [half, half]) == pytest.approx(1)
    assert nuclei.weight_on_half(pointing(half), encoded, [1 - half, 1 - half]) == 0
    assert nuclei.weight_on_half(pointing(half), encoded, [0, 1]) == pytest.approx(0.5)


def test_figures_are_of_sheets_and_of_single_pictures():
    task, features = registry.get("nuclei"), nuclei.MicroscopyFeatures(16).eval()
    model = task.job.output(mechanism("auxiliary"), None, 16).eval()
    with torch.no_grad():  # it always answers "11 to 20"
        model.readout.weight.zero_()
        model.readout.bias.copy_(torch.tensor([0.0, 99, 0, 0, 0]))
        model.attention.ask.weight.zero_()
    given = examples(12)  # of twelve counts two are in that class
    found = nuclei.figures_of(task, features, model, given)
    assert found["accuracy on single pictures"] == pytest.approx(2 / 12)
    assert found["accuracy"] == float((sheets(given).labels == 1).double().mean())
    assert found["weight on the half asked for"] == pytest.approx(0.5)
    assert next(iter(found)) == "accuracy"
    alone = Examples(given.inputs[::2], given.labels[::2])  # one kind: no sheets
    assert set(nuclei.figures_of(task, features, model, alone)) == {
        "accuracy on single pictures",
        "mean error on single pictures",
    }


def test_a_few_steps_change_the_features_and_are_the_same_again():
    task, given = registry.get("nuclei"), examples(8)
    one, _ = nuclei.fit_features(task, given, seed=0, steps=4)
    other, _ = nuclei.fit_features(task, given, seed=0, steps=4)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())
    assert one.state_dict()["body.0.1.num_batches_tracked"] == 4


def test_a_head_learns_and_the_features_stay():
    task, given = registry.get("nuclei"), examples(8)
    model, head = nuclei.MicroscopyFeatures(16).eval(), task.job.output(mechanism("auxiliary"), None, 16)
    before, asked = model.state_dict()["body.0.0.weight"].clone(), head.attention.ask.weight.clone()
    nuclei.fit_head(model, head, given, seed=0, steps=2)
    assert torch.equal(model.state_dict()["body.0.0.weight"], before)
    assert not torch.equal(head.attention.ask.weight, asked)
