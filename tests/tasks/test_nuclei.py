"""Counting nuclei: which pictures are held out, what the job makes of a picture and a kind, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from attnviz.attention.registry import get as mechanism
from attnviz.errors import InputError
from attnviz.features.microscopy import FLAT, MicroscopyFeatures, locally_normal, prepared
from attnviz.features.picture import Picture
from attnviz.tasks import nuclei, registry

SAMPLES = Path(__file__).parents[2] / "sample_data"


def write(folder, n=60, name="train.npz"):
    """A file of the published layout: pictures whose brightness says which slide they are of."""
    rng = np.random.default_rng(0)
    kind = rng.permutation(np.repeat([0, 1, 2], [n // 2, n // 3, n - n // 2 - n // 3])).astype(np.uint8)
    brightness = rng.integers(0, 200, n)
    image = (brightness[:, None, None] + rng.integers(0, 9, (n, 128, 128))).astype(np.uint8)
    mask = np.packbits(rng.random((n, 128, 128)) < 0.1, axis=-1)
    counts = rng.integers(1, 200, n).astype(np.int16)
    np.savez(folder / name, image=image, mask=mask, kind=kind, n_nuclei=counts)
    return image, kind, counts


def test_blocks_of_pictures_that_look_alike_are_held_out_in_each_kind(tmp_path):
    image, kind, _ = write(tmp_path)
    held_out = nuclei.blocks(image, kind)
    looks = np.median(image, axis=(1, 2)) * 1000 + image.mean((1, 2))
    for k in range(3):
        rows = np.flatnonzero(kind == k)
        along = held_out[rows[looks[rows].argsort()]]
        assert 0.15 < along.mean() < 0.25
        assert np.count_nonzero(np.diff(along.astype(int)) == 1) == 2  # two runs, not single pictures


def test_the_parts_do_not_overlap_and_carry_kind_count_and_mask(tmp_path):
    image, kind, counts = write(tmp_path)
    train, val = nuclei.read(tmp_path, "train"), nuclei.read(tmp_path, "val")
    assert len(train.inputs) + len(val.inputs) == 60
    pictures = {np.asarray(given["picture"]).tobytes() for given in train.inputs}
    assert not pictures & {np.asarray(given["picture"]).tobytes() for given in val.inputs}
    given = val.inputs[0]
    row = next(i for i in range(60) if np.array_equal(image[i], np.asarray(given["picture"])))
    assert given["kind"] == nuclei.KINDS[kind[row]] and given["n_nuclei"] == counts[row]
    assert given["mask"].shape == (128, 128) and set(np.unique(given["mask"])) == {0, 1}


def test_a_test_part_has_its_own_file_and_is_whole(tmp_path):
    write(tmp_path, 12, "test.npz")
    assert len(nuclei.read(tmp_path, "test").inputs) == 12


@pytest.mark.parametrize(
    ("count", "label"), [(1, 0), (10, 0), (11, 1), (20, 1), (21, 2), (40, 2), (41, 3), (80, 3), (81, 4), (375, 4)]
)
def test_each_number_is_in_the_class_that_says_so(count, label, tmp_path):
    low, high = nuclei.CLASSES[label].replace("or more", "to 999").split(" to ")
    assert int(low) <= count <= int(high)
    assert np.digitize(count, nuclei.LEAST) == label
    assert int(low) <= nuclei.TYPICAL[label] <= int(high)


def test_expected_count_is_the_mean_of_the_typical_numbers():
    p = torch.tensor([[0.5, 0.5, 0, 0, 0], [0, 0, 0, 0, 1.0]])
    torch.testing.assert_close(nuclei.expected_count(p), torch.tensor([(7.4 + 16.0) / 2, 142.6]))


def encoded(image, kind, name="mine.png"):
    job = registry.get("nuclei").job
    with torch.inference_mode():
        return job.encode(MicroscopyFeatures(16).eval(), {"picture": Picture(image, (), name), "kind": kind}, {})


def test_a_picture_and_a_kind_become_patches_and_a_one_hot_vector():
    image = Image.open(SAMPLES / "microscopy" / "stained_tissue_16.png")
    given = encoded(image, "stained tissue")
    assert given.items.shape == (1, 256, 16) and given.axis.grid == (16, 16)
    assert given.sides["auxiliary"].tolist() == [[0, 1, 0]]
    assert given.source == {"picture": "mine.png", "kind": "stained tissue"} and given.notes == ()


def test_a_long_picture_says_that_its_middle_is_counted():
    given = encoded(Image.new("RGB", (300, 200), "white"), "fluorescence")
    assert given.items.isfinite().all() and given.axis.grid == (16, 16)
    assert given.notes == ("Only the middle square of the picture is counted.",)


@pytest.mark.parametrize("size", [(1, 1), (7, 900), (2000, 1500)])
def test_pictures_of_any_size_are_brought_to_one(size):
    assert prepared(Image.new("RGB", size, (9, 9, 9))).size == (128, 128)


def test_dark_and_pale_pictures_are_equally_legible():
    ramp = np.tile(np.arange(128), (128, 1))
    dark, pale = (Image.fromarray((shift + ramp // 4).astype(np.uint8)) for shift in (0, 200))
    np.testing.assert_array_equal(np.asarray(prepared(dark)), np.asarray(prepared(pale)))
    assert np.ptp(np.asarray(prepared(dark))) == 255


def test_local_brightness_and_contrast_are_taken_out():
    pattern = 30 * torch.randn(1, 1, 128, 128)
    plain, brighter = locally_normal(pattern), locally_normal(pattern + 100)
    torch.testing.assert_close(brighter, plain, rtol=1e-3, atol=1e-3)
    assert not locally_normal(torch.full((1, 1, 128, 128), 77.0)).any()
    assert 0.8 < plain.std() < 1.2 and FLAT > 0


def test_a_vector_sees_about_one_nucleus():
    net, image = MicroscopyFeatures(16).eval(), 40 * torch.randn(1, 1, 128, 128)
    far = image.clone()
    far[..., :40, :] *= -1
    with torch.inference_mode():
        before, after = (net(x)[0].unflatten(0, (16, 16)) for x in (image, far))
    assert torch.equal(before[10:], after[10:]) and not torch.allclose(before[:4], after[:4])


def test_an_unknown_kind_is_a_sentence_at_its_control():
    with pytest.raises(InputError, match="no kind of microscopy 'x-ray'; choose one of fluorescence,") as caught:
        nuclei.one_hot("x-ray")
    assert caught.value.part == "kind"


def test_it_is_for_the_auxiliary_query_and_a_baseline_that_is_not_told():
    task = registry.get("nuclei")
    assert task.takes(mechanism("auxiliary")) and task.takes(mechanism("learnable_query"))
    assert not task.takes(mechanism("multi_head")) and not task.takes(mechanism("cnn_query"))
    assert task.job.output(mechanism("auxiliary"), None, 16).attention.ask.in_features == 3


def test_examples_are_there_and_of_every_kind():
    task = registry.get("nuclei")
    assert {example["kind"] for example in task.examples} == set(nuclei.KINDS)
    assert all((SAMPLES / example["picture"]).is_file() for example in task.examples)
