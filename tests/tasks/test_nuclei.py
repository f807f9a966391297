"""Counting nuclei: which pictures are held out, what the job makes of a picture and a kind, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from attnviz.attention.registry import get as mechanism
from attnviz.errors import InputError
from attnviz.features.microscopy import MicroscopyFeatures, prepared
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


def test_sheets_ask_for_both_halves_of_pictures_of_two_kinds(tmp_path):
    write(tmp_path, 60)
    singles = nuclei.read(tmp_path, "val")
    found = nuclei.sheets(singles)
    others = sum(given["kind"] != "fluorescence" for given in singles.inputs)
    beside = min(nuclei.BESIDE, len(singles.inputs) - others)
    assert len(found.inputs) == len(found.labels) == 2 * others * beside
    for left, right in zip(found.inputs[::2], found.inputs[1::2], strict=True):
        assert left["picture"] is right["picture"] and (left["half"], right["half"]) == (0, 1)
        assert [left["kind"], right["kind"]].count("fluorescence") == 1
    assert {given["kind"] for given in found.inputs[::2]} == set(nuclei.KINDS)  # the order changes
    again = nuclei.sheets(singles)
    assert [np.asarray(x["picture"]).tobytes() for x in again.inputs] == [
        np.asarray(x["picture"]).tobytes() for x in found.inputs
    ]


def test_each_half_of_a_sheet_is_the_picture_that_it_counts(tmp_path):
    write(tmp_path, 60)
    singles = nuclei.read(tmp_path, "val")
    of = {np.asarray(x["picture"]).tobytes(): (x["kind"], x["n_nuclei"]) for x in singles.inputs}
    found = nuclei.sheets(singles)
    for given, label in zip(found.inputs, found.labels, strict=True):
        half = np.asarray(given["picture"])[:, 128 * given["half"] :][:, :128]
        assert of[half.tobytes()] == (given["kind"], given["n_nuclei"])
        assert label == np.digitize(given["n_nuclei"], nuclei.LEAST)


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


def test_a_sheet_has_twice_the_patches():
    image = Image.open(SAMPLES / "microscopy" / "bright_field_50_beside_fluorescence_8.png")
    given = encoded(image, "fluorescence")
    assert given.items.shape == (1, 512, 16) and given.axis.grid == (16, 32) and given.notes == ()
    assert given.picture.size == (256, 128)


SQUARE = ("Only the middle square of the picture is used.",)
DOUBLE = ("Only the middle part of the picture, twice as wide as high, is used.",)


@pytest.mark.parametrize(
    ("size", "grid", "notes"),
    [
        ((300, 300), (16, 16), ()),
        ((301, 300), (16, 16), ()),
        ((400, 300), (16, 16), SQUARE),
        ((200, 300), (16, 16), SQUARE),
        ((450, 300), (16, 32), DOUBLE),
        ((600, 300), (16, 32), ()),
        ((603, 300), (16, 32), ()),
        ((700, 300), (16, 32), DOUBLE),
    ],
)
def test_a_picture_is_one_or_two_whichever_keeps_more_of_it(size, grid, notes):
    given = encoded(Image.new("RGB", size, "white"), "fluorescence")
    assert given.items.isfinite().all() and given.axis.grid == grid and given.notes == notes


@pytest.mark.parametrize(
    ("size", "prepared_size"), [((1, 1), (128, 128)), ((7, 900), (128, 128)), ((900, 7), (256, 128))]
)
def test_pictures_of_any_size_are_brought_to_one_of_two(size, prepared_size):
    assert prepared(Image.new("RGB", size, (9, 9, 9))).size == prepared_size


def test_dark_and_pale_pictures_are_equally_legible_also_on_one_sheet():
    ramp = np.tile(np.arange(128), (128, 1))
    dark, pale = ((shift + ramp // 4).astype(np.uint8) for shift in (0, 200))
    alone = np.asarray(prepared(Image.fromarray(dark)))
    np.testing.assert_array_equal(alone, np.asarray(prepared(Image.fromarray(pale))))
    assert np.ptp(alone) == 255
    both = np.asarray(prepared(Image.fromarray(np.hstack([dark, pale]))))
    np.testing.assert_array_equal(both, np.hstack([alone, alone]))


def test_a_vector_sees_63_pixels_and_nothing_beyond():
    net, image = MicroscopyFeatures(16).eval(), 255 * torch.rand(1, 1, 128, 256)
    far = image.clone()
    far[..., 128:] = 255 - far[..., 128:]  # another picture in the right half
    with torch.inference_mode():
        before, after = (net(x)[0].unflatten(0, (16, 32)) for x in (image, far))
    assert torch.equal(before[:, :12], after[:, :12]) and not torch.allclose(before[:, 20:], after[:, 20:])
    assert not torch.equal(before[:, 15], after[:, 15])


def test_an_unknown_kind_is_a_sentence_at_its_control():
    with pytest.raises(InputError, match="no kind of microscopy 'x-ray'; choose one of fluorescence,") as caught:
        nuclei.one_hot("x-ray")
    assert caught.value.part == "kind"


def test_it_is_for_the_auxiliary_query_and_a_baseline_that_is_not_told():
    task = registry.get("nuclei")
    assert task.takes(mechanism("auxiliary")) and task.takes(mechanism("learnable_query"))
    assert not task.takes(mechanism("multi_head")) and not task.takes(mechanism("cnn_query"))
    assert task.job.output(mechanism("auxiliary"), None, 16).attention.ask.in_features == 3


def test_examples_are_there_of_every_kind_and_each_sheet_is_asked_both_questions():
    examples = registry.get("nuclei").examples
    assert {example["kind"] for example in examples} == set(nuclei.KINDS)
    asked = {}
    for example in examples:
        asked.setdefault(example["picture"], []).append(example["kind"])
    for name, kinds in asked.items():
        width, height = Image.open(SAMPLES / name).size
        shown = [kind for kind in nuclei.KINDS if kind.replace(" ", "_") in name]
        assert width == len(shown) * height and sorted(kinds) == sorted(shown)
