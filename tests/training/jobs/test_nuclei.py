"""Training to count nuclei on small pictures made here."""

import numpy as np
import pytest
import torch
from PIL import Image

from attnviz.attention.registry import get as mechanism
from attnviz.tasks import registry
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


def test_encoding_keeps_the_kind_beside_the_patches():
    found = nuclei.encode(registry.get("nuclei"), nuclei.MicroscopyFeatures(16).eval(), examples(4))
    assert found.items.shape == (4, 256, 16) and found.items.dtype == torch.half
    assert found.sides["auxiliary"].tolist() == [[0, 1, 0], [1, 0, 0]] * 2


def test_figures_compare_the_expected_count_with_the_true_one():
    task, given = registry.get("nuclei"), examples(2)  # one and two nuclei, both in the first class
    found = nuclei.figures_of(torch.eye(5)[[0, 1]], task, given)
    assert found["accuracy"] == 0.5
    assert found["mean error of the expected count"] == pytest.approx(((7.4 - 1) + (16.0 - 2)) / 2)


def test_weights_that_ignore_the_kind_do_not_move_and_others_do():
    task = registry.get("nuclei")
    encoded = nuclei.encode(task, nuclei.MicroscopyFeatures(16).eval(), examples(3))
    model = task.job.output(mechanism("auxiliary"), None, 16).eval()
    assert 0 < nuclei.moved(model, encoded) < 1
    with torch.no_grad():
        model.attention.ask.weight.zero_()
    assert nuclei.moved(model, encoded) == 0


def test_a_few_epochs_change_the_features_and_are_the_same_again():
    task, given = registry.get("nuclei"), examples(8)
    one, _ = nuclei.fit_features(task, given, seed=0, epochs=1)
    other, _ = nuclei.fit_features(task, given, seed=0, epochs=1)
    start = nuclei.MicroscopyFeatures(task.d_model)
    first = {name: value.clone() for name, value in one.state_dict().items()}
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in first.items())
    assert first.keys() == start.state_dict().keys()
    assert first["body.0.1.num_batches_tracked"] == 1


def test_a_head_learns_and_the_features_stay():
    task, given = registry.get("nuclei"), examples(8)
    model, head = nuclei.MicroscopyFeatures(16).eval(), task.job.output(mechanism("auxiliary"), None, 16)
    before, asked = model.state_dict()["body.0.0.weight"].clone(), head.attention.ask.weight.clone()
    nuclei.fit_head(model, head, given, seed=0, epochs=1)
    assert torch.equal(model.state_dict()["body.0.0.weight"], before)
    assert not torch.equal(head.attention.ask.weight, asked)


def test_what_the_features_learn_of_the_kind_is_turned_round():
    x = torch.ones(3, requires_grad=True)
    (nuclei._Reversed.apply(x) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    torch.testing.assert_close(x.grad, -nuclei.AGAINST * torch.tensor([1.0, 2.0, 3.0]))
