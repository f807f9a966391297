"""What a recording keeps of a forward pass, and for how long."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from attnviz.attention.alignments import Alignment, softmax
from attnviz.attention.multi_head import MultiHeadSelf
from attnviz.intervention import Intervention
from attnviz.recording import current, note, record, show
from attnviz.trace import Axis

pytestmark = pytest.mark.usefixtures("double")


def look(scores, n_hops=3):
    """Look several times; each look depends on the one before."""
    align = Alignment()
    for _ in range(n_hops):
        weights = note("looks", align(scores, "hop* query key"), "hop* query key")
        scores = scores + weights
    return weights


def test_note_returns_the_very_tensor():
    value = torch.randn(2, 3)
    assert note("queries", value, "query feature") is value
    with record():
        assert note("queries", value, "query feature") is value


def test_nothing_is_kept_outside():
    note("before", torch.zeros(1, 2), "feature")
    with record() as recording:
        note("inside", torch.zeros(1, 2), "feature")
    note("after", torch.zeros(1, 2), "feature")
    Alignment()(torch.randn(1, 2, 1, 3), "head query key")
    assert [step.name for step in recording.steps({})] == ["inside"]
    assert recording.maps() == ()


def test_steps_come_in_order_with_their_formulas():
    with record() as recording:
        note("queries", torch.zeros(1, 2, 4), "query feature")
        Alignment()(torch.randn(1, 2, 1, 3), "head query key")
        note("output", torch.zeros(1, 4), "feature")
    steps = recording.steps({"queries": "q", "weights": "a"})
    assert [step.name for step in steps] == ["queries", "scores", "weights", "output"]
    assert [step.formula for step in steps] == ["q", "", "a", ""]
    assert [step.value.shape for step in steps] == [(2, 4), (2, 1, 3), (2, 1, 3), (4,)]


def test_only_the_first_of_the_batch_is_kept_and_a_parameter_whole():
    batch, parameter = torch.randn(3, 2, 4), nn.Parameter(torch.randn(2, 4))
    with record() as recording:
        note("batch", batch, "query feature")
        note("parameter", parameter, "query feature")
    first, whole = recording.steps({})
    np.testing.assert_array_equal(first.value, batch[0].numpy())
    np.testing.assert_array_equal(whole.value, parameter.detach().numpy())


def test_half_precision_is_shown_in_single():
    with record() as recording:
        note("x", torch.ones(1, 2, dtype=torch.bfloat16), "feature")
    assert recording.steps({})[0].value.dtype == np.float32


def test_axes_are_labelled_by_what_is_known_of_them():
    tokens = Axis("token", ("Who", "wrote", "Hamlet"))
    with record(axes={"key": tokens, "head": Axis("head", ("a", "b", "c"))}) as recording:
        Alignment()(torch.randn(1, 2, 1, 3), "head query key")
    head, query, key = recording.maps()[0].axes
    assert key is tokens
    assert head.labels == ("head 1", "head 2")  # two heads, three labels: the labels are not theirs
    assert query == Axis("query", ("query",))


def test_maps_of_different_names_are_apart():
    align = Alignment()
    with record() as recording:
        align(torch.randn(1, 1, 3), "query key", name="words")
        align(torch.randn(1, 2, 3), "query key", over="query", name="sentences")
    assert [(m.name, m.normalised) for m in recording.maps()] == [("words", "key"), ("sentences", "query")]
    names = [step.name for step in recording.steps({})]
    assert names == ["words scores", "words", "sentences scores", "sentences"]


def test_repeated_calls_become_an_axis():
    scores = torch.randn(1, 2, 4)
    with record() as recording:
        last = look(scores)
    found = recording.maps()[0]
    assert [axis.kind for axis in found.axes] == ["hop", "query", "key"]
    assert found.labels == ("hop 1", "hop 2", "hop 3")
    np.testing.assert_allclose(found.weights[0], softmax(scores)[0].numpy())
    np.testing.assert_array_equal(found.weights[2], last[0].numpy())
    names = [step.name for step in recording.steps({})]
    assert names[:4] == ["scores, hop 1", "weights, hop 1", "looks, hop 1", "scores, hop 2"]


def test_one_hop_is_a_hop_too():
    with record() as recording:
        look(torch.randn(1, 1, 4), 1)
    assert recording.maps()[0].weights.shape == (1, 1, 4)
    assert recording.maps()[0].labels == ("hop 1",)


def test_a_recording_ends_with_an_exception():
    with pytest.raises(RuntimeError, match="on the way"), record():
        assert current() is not None
        raise RuntimeError("on the way")
    assert current() is None


def test_recordings_nest():
    with record() as outer:
        note("one", torch.zeros(1, 2), "feature")
        with record() as inner:
            note("two", torch.zeros(1, 2), "feature")
        assert current() is outer
        note("three", torch.zeros(1, 2), "feature")
    assert [s.name for s in outer.steps({})] == ["one", "three"]
    assert [s.name for s in inner.steps({})] == ["two"]


def test_threads_do_not_see_each_others_recordings():
    barrier = threading.Barrier(4, timeout=30)

    def forward(temperature):
        scores = torch.linspace(0, 1, 3, dtype=torch.float64).reshape(1, 1, 1, 3)
        with record(Intervention(temperature=temperature)) as recording:
            barrier.wait()
            for _ in range(20):
                Alignment()(scores, "head query key")
            barrier.wait()
        return recording, scores

    with record() as mine, ThreadPoolExecutor(4) as pool:
        for temperature, (recording, scores) in zip(
            (1.0, 2.0, 4.0, 8.0), pool.map(forward, (1.0, 2.0, 4.0, 8.0)), strict=True
        ):
            steps = recording.steps({})
            assert len(steps) == (40 if temperature == 1.0 else 60)
            np.testing.assert_allclose(steps[-1].value, softmax(scores / temperature)[0].numpy())
    assert mine.steps({}) == ()


def test_what_is_kept_holds_no_gradient_and_stops_none():
    module, items = MultiHeadSelf(8, 2), torch.randn(1, 3, 8)
    with record() as recording:
        output = module(items)
    output.sum().backward()
    assert module.attention.values.weight.grad.any()
    assert all(isinstance(step.value, np.ndarray) for step in recording.steps({}))


def test_what_is_shown_is_a_step_and_a_map():
    with record(axes={"key": Axis("token", ("a", "b"))}) as recording:
        value = torch.randn(1, 3, 2)
        assert show("affinity", value, "query_item key") is value
    (found,) = recording.maps()
    assert (found.name, found.normalised, found.axes[-1].labels) == ("affinity", None, ("a", "b"))
    np.testing.assert_array_equal(found.weights, recording.steps({})[0].value)
    assert show("affinity", value, "query_item key") is value  # outside of a recording


def test_turns_of_a_loop_can_be_the_queries_and_get_their_labels_at_the_end():
    align = Alignment()
    with record() as recording:
        for _ in range(2):
            align(torch.randn(1, 3), "word* key")
        recording.label("word", Axis("token", ("I", "sleep")))
    (found,) = recording.maps()
    assert [axis.labels for axis in found.axes[:1]] == [("I", "sleep")]
    assert found.weights.shape == (2, 3) and found.stacked.shape == (1, 2, 3)
