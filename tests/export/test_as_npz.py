"""A trace as NPZ: read back with NumPy alone, without pickle."""

import io
import json
import zipfile

import numpy as np
import pytest

from attnviz.export import TraceFileError, to_npz
from tests.export.traces import assert_equal, changed, example, odd
from tests.helpers import mechanisms_for


def opened(trace):
    arrays = np.load(io.BytesIO(to_npz(trace)), allow_pickle=False)
    return arrays, json.loads(str(arrays["about"]))


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_every_number_comes_back_with_its_type(name):
    trace = changed(name)
    arrays, about = opened(trace)
    assert about["mechanism"] == name and about["made_by"] == trace.made_by
    for found, said in zip(trace.maps, about["maps"], strict=True):
        assert (said["name"], said["normalised"]) == (found.name, found.normalised)
        assert_equal(arrays[said["weights"]], found.weights)
        assert [a["kind"] for a in said["axes"]] == [axis.kind for axis in found.axes]
        assert [tuple(arrays[a["labels"]]) for a in said["axes"]] == [axis.labels for axis in found.axes]
    for found, said in zip(trace.steps, about["steps"], strict=True):
        assert (said["name"], said["formula"]) == (found.name, found.formula)
        assert_equal(arrays[said["value"]], found.value)
    assert_equal(arrays["context"], trace.context)
    assert_equal(arrays["prediction"], trace.prediction.probabilities)
    assert tuple(about["prediction"]["labels"]) == trace.prediction.labels


def test_infinities_grids_and_a_missing_prediction_are_kept():
    arrays, about = opened(example(prediction=None))
    assert arrays["step_0"][0, 1] == -np.inf
    assert about["maps"][1]["axes"][1]["grid"] == [2, 3]
    assert about["prediction"] is None and "prediction" not in arrays


def test_no_text_of_the_trace_is_a_name_in_the_file():
    names = zipfile.ZipFile(io.BytesIO(to_npz(odd()))).namelist()
    assert all(name.removesuffix(".npy").replace("_", "").isalnum() and name.isascii() for name in names)


def test_nan_is_refused():
    with pytest.raises(TraceFileError, match="'context' holds NaN"):
        to_npz(example(context=np.array([np.nan])))
