"""What a reader can change between scores and weights."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn, testing

from attnviz.attention.alignments import PLAIN, Alignment, softmax
from attnviz.attention.multi_head import MultiHead, MultiHeadSelf
from attnviz.errors import OptionError
from attnviz.intervention import Edit, Intervention, Override
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}


class Toy(nn.Module):
    """Scores as they come, weights, and nothing else."""

    def __init__(self, axes="head query key", function="softmax", over=None):
        super().__init__()
        self.axes, self.over, self.align = axes, over, Alignment(function)

    def forward(self, scores, mask=None):
        return self.align(scores, self.axes, mask=mask, over=self.over)


class Hops(nn.Module):
    """Looks three times; each look depends on the one before."""

    def __init__(self, n_hops=3):
        super().__init__()
        self.n_hops, self.align = n_hops, Alignment()

    def forward(self, scores):
        for _ in range(self.n_hops):
            weights = self.align(scores, "hop* query key")
            scores = scores + weights
        return weights


def weights(module, *inputs, **intervention):
    """What the module went on with, checked to be what was shown of it."""
    with record(Intervention(**intervention)) as recording:
        result = module(*inputs)
    shown = recording.maps()[0].weights
    if not isinstance(module, Hops):
        np.testing.assert_array_equal(shown, result[0].numpy())
    return torch.as_tensor(shown)


@given(st.floats(0.05, 50))
def test_temperature_divides_the_scores(temperature):
    scores = torch.randn(1, 2, 1, 5, dtype=torch.float64)
    found = weights(Toy(), scores, temperature=temperature)
    testing.assert_close(found, softmax(scores / temperature)[0], **close)


def test_scores_are_shown_before_and_after_the_temperature():
    with record(Intervention(temperature=4.0)) as recording:
        scores = torch.randn(1, 2, 1, 5)
        Toy()(scores)
    raw, tempered, weights = recording.steps({})
    assert [raw.name, tempered.name, weights.name] == ["scores", "tempered scores", "weights"]
    np.testing.assert_array_equal(raw.value, scores[0].numpy())
    np.testing.assert_allclose(tempered.value, scores[0].numpy() / 4)
    assert tempered.formula


def test_a_mask_is_a_step_of_its_own_where_there_is_one():
    scores, mask = torch.randn(1, 2, 1, 4), torch.tensor([True, True, False, True])
    with record(Intervention(masked=frozenset({0}))) as recording:
        Toy()(scores, mask)
    shown = recording.steps({})[1]
    assert shown.name == "mask" and shown.formula
    np.testing.assert_array_equal(shown.value, np.broadcast_to([False, True, False, True], (2, 1, 4)))


@given(st.sets(st.integers(0, 4)))
def test_masked_keys_get_nothing_and_the_others_all(masked):
    scores = torch.randn(1, 2, 3, 5, dtype=torch.float64)
    found = weights(Toy(), scores, masked=frozenset(masked))
    kept = [k for k in range(5) if k not in masked]
    assert not found[..., sorted(masked)].any()
    testing.assert_close(found[..., kept], softmax(scores[..., kept])[0], **close)


def test_masked_keys_are_masked_besides_those_of_the_mechanism():
    scores, mask = torch.randn(1, 1, 1, 4), torch.tensor([True, True, False, True])
    with record(Intervention(masked=frozenset({0, 99}))):
        found = Toy()(scores, mask)
    testing.assert_close(found, softmax(scores, torch.tensor([False, True, False, True])), **close)


def test_masked_keys_mean_nothing_where_the_last_axis_counts_something_else():
    scores = torch.randn(1, 2, 5)
    assert torch.equal(weights(Toy("query slot"), scores, masked=frozenset({1})), softmax(scores)[0])


def test_a_head_that_is_off_has_no_weight_and_the_others_keep_theirs():
    scores = torch.randn(1, 3, 2, 4)
    found = weights(Toy(), scores, off={"head": frozenset({1, 7})})
    assert not found[1].any()
    testing.assert_close(found[[0, 2]], softmax(scores)[0, [0, 2]], **close)


def test_a_head_that_is_off_contributes_nothing_to_the_output():
    module, items = MultiHead(8, 2), torch.randn(1, 4, 8)
    with record(Intervention(off={"head": frozenset({0})})):
        without = module(items)
    module.attention.output.weight.data[:, :4] = 0
    testing.assert_close(module(items), without, **close)


def test_a_hop_that_is_off():
    scores = torch.randn(1, 1, 4)
    found = weights(Hops(), scores, off={"hop": frozenset({1})})
    first = softmax(scores)
    assert not found[1].any()
    testing.assert_close(found[0], first[0], **close)
    testing.assert_close(found[2], softmax(scores + first)[0], **close)  # the second look added nothing


def test_off_of_a_kind_that_is_not_there_does_nothing():
    scores = torch.randn(1, 3, 2, 4)
    assert torch.equal(weights(Toy(), scores, off={"class": frozenset({0})}), softmax(scores)[0])


@given(st.integers(0, 1), st.integers(0, 2), st.integers(0, 3), st.floats(0, 1))
def test_an_edited_weight_leaves_the_rest_of_its_row_in_proportion(head, query, key, weight):
    scores = torch.randn(1, 2, 3, 4, dtype=torch.float64)
    before = softmax(scores)[0]
    found = weights(Toy(), scores, edits=(Edit("weights", (head, query, key), weight),))
    rest = [k for k in range(4) if k != key]
    row, old = found[head, query], before[head, query]
    testing.assert_close(row[key].item(), weight, **close)
    testing.assert_close(row[rest], old[rest] * (1 - weight) / old[rest].sum(), **close)
    testing.assert_close(row.sum().item(), 1.0, **close)
    found[head, query] = old
    assert torch.equal(found, before)


def test_an_edit_of_a_row_with_all_its_weight_on_that_key_spreads_the_rest_evenly():
    found = weights(Toy(function="hard"), torch.tensor([[[[9.0, 0, 0, 0]]]]), edits=(Edit("weights", (0, 0, 0), 0.4),))
    testing.assert_close(found[0, 0], torch.tensor([0.4, 0.2, 0.2, 0.2]), **close)


def test_an_edit_keeps_the_sum_in_single_precision_where_one_key_had_nearly_all():
    scores = torch.tensor([[[[17.0, 0, 0.5, 1]]]], dtype=torch.float32)
    found = weights(Toy(), scores, edits=(Edit("weights", (0, 0, 0), 0.5),))
    testing.assert_close(found[0, 0, 1:], 0.5 * softmax(scores[0, 0, 0, 1:]), rtol=1e-5, atol=1e-6)


def test_an_edit_cannot_take_more_than_the_row_has():
    scores, query = torch.randn(1, 3, 6), torch.randn(1, 3, 4)
    align = Alignment("local_p", d_query=4)
    sums = align(scores, "item key", query=query).sum(-1)
    with record(Intervention(edits=(Edit("weights", (1, 2), 1.0),))):
        found = align(scores, "item key", query=query)
    assert (found >= 0).all()
    testing.assert_close(found.sum(-1), sums, **close)
    testing.assert_close(found[0, 1, 2], sums[0, 1], **close)


def test_an_edit_along_another_axis_keeps_the_sum_there():
    found = weights(Toy(over="head"), torch.randn(1, 2, 3, 4), edits=(Edit("weights", (1, 2, 3), 0.9),))
    testing.assert_close(found.sum(0), torch.ones(3, 4), **close)
    testing.assert_close(found[:, 2, 3], torch.tensor([0.1, 0.9]), **close)


def test_an_edit_of_one_hop_changes_what_follows_and_nothing_before():
    scores = torch.randn(1, 1, 4)
    plain = weights(Hops(), scores)
    found = weights(Hops(), scores, edits=(Edit("weights", (1, 0, 2), 0.8),))
    assert torch.equal(found[0], plain[0])
    testing.assert_close(found[1, 0, 2].item(), 0.8, **close)
    assert not torch.allclose(found[2], plain[2])


def test_an_edit_of_another_map_does_nothing():
    scores = torch.randn(1, 2, 3, 4)
    assert torch.equal(weights(Toy(), scores, edits=(Edit("others", (0, 0, 0), 1.0),)), softmax(scores)[0])


@pytest.mark.parametrize("at", [(0, 0, 9), (5, 0, 0), (0, -1, 0), (0, 0)])
def test_an_edit_of_an_index_that_is_not_there_does_nothing(at):
    scores = torch.randn(1, 2, 3, 4)
    assert torch.equal(weights(Toy(), scores, edits=(Edit("weights", at, 1.0),)), softmax(scores)[0])


def test_gradients_pass_through_an_edit():
    scores = torch.randn(2, 2, 3, 4, requires_grad=True)

    def edited(scores):
        with record(Intervention(edits=(Edit("weights", (1, 2, 3), 0.3),))):
            return Toy()(scores)

    assert torch.autograd.gradcheck(edited, scores)


def test_an_edit_holds_for_the_whole_batch():
    with record(Intervention(edits=(Edit("weights", (0, 0, 1), 0.7),))):
        found = Toy()(torch.randn(3, 1, 1, 4))
    testing.assert_close(found[:, 0, 0, 1], torch.full((3,), 0.7), **close)


@pytest.mark.parametrize("name", PLAIN)
def test_another_alignment(name):
    scores = torch.randn(1, 2, 3, 4)
    testing.assert_close(weights(Toy(), scores, alignment=name), PLAIN[name](scores)[0], **close)


def test_an_alignment_in_place_of_local_p_sums_to_one():
    align = Alignment("local_p", d_query=4)
    with record(Intervention(alignment="softmax")) as recording:
        align(torch.randn(1, 3, 6), "item key", query=torch.randn(1, 3, 4))
    assert recording.maps()[0].normalised == "key"


@pytest.mark.parametrize("name", ["local_p", "nonsense"])
def test_an_alignment_that_cannot_take_anothers_place(name):
    with pytest.raises(OptionError, match=f"'{name}' cannot take the place of softmax; choose one of softmax"):
        weights(Toy(), torch.randn(1, 2, 3, 4), alignment=name)


def test_interventions_go_together():
    scores = torch.randn(1, 2, 1, 4)
    found = weights(
        Toy(),
        scores,
        temperature=2.0,
        masked=frozenset({3}),
        off={"head": frozenset({1})},
        alignment="sparsemax",
        edits=(Edit("weights", (0, 0, 0), 0.5),),
    )
    assert not found[1].any() and not found[0, 0, 3].any()
    testing.assert_close(found[0, 0, 0].item(), 0.5, **close)
    testing.assert_close(found[0].sum().item(), 1.0, **close)


def test_the_mechanism_is_as_before_when_the_recording_is_over():
    module, items = MultiHeadSelf(8, 2), torch.randn(2, 3, 8)
    before = module(items)
    with record(Intervention(temperature=3.0, off={"head": frozenset({0})})):
        assert not torch.allclose(module(items), before)
    assert torch.equal(module(items), before)


class TestOverrides:
    """Single numbers of a step, set by hand."""

    def test_everything_after_follows(self):
        scores = torch.randn(1, 2, 1, 4)
        with record(Intervention(overrides=(Override("scores", (1, 0, 2), 9.0),))) as recording:
            found = Toy()(scores)
        wanted = scores.clone()
        wanted[0, 1, 0, 2] = 9.0
        testing.assert_close(found, softmax(wanted), **close)
        assert recording.steps({})[0].value[1, 0, 2] == 9.0
        assert not torch.equal(scores, wanted)  # what came in was not written to

    def test_a_weight_is_set_without_touching_its_row(self):
        scores = torch.randn(1, 2, 1, 4)
        with record(Intervention(overrides=(Override("weights", (0, 0, 1), 0.5),))) as recording:
            found = Toy()(scores)
        wanted = softmax(scores)
        wanted[0, 0, 0, 1] = 0.5
        assert torch.equal(found, wanted)
        np.testing.assert_array_equal(recording.maps()[0].weights, wanted[0].numpy())

    def test_a_hop_is_named(self):
        scores = torch.randn(1, 1, 4)
        with record(Intervention(overrides=(Override("scores, hop 2", (0, 3), 2.0),))) as recording:
            Hops()(scores)
        shown = {step.name: step.value for step in recording.steps({})}
        plain = softmax(scores) + scores
        plain[0, 0, 3] = 2.0
        np.testing.assert_allclose(shown["weights, hop 2"], softmax(plain)[0].numpy())
        np.testing.assert_allclose(shown["scores, hop 1"], scores[0].numpy())

    def test_the_mask_can_be_set(self):
        scores, mask = torch.randn(1, 1, 1, 3), torch.tensor([True, True, False])
        with record(Intervention(overrides=(Override("mask", (0, 0, 2), 1.0),))):
            found = Toy()(scores, mask)
        testing.assert_close(found, softmax(scores), **close)

    @pytest.mark.parametrize("at", [(0, 0, 9), (0, 0), (5, 0, 0), (0, 0, 0, 0)])
    def test_a_place_that_is_not_there_does_nothing(self, at):
        scores = torch.randn(1, 2, 1, 4)
        assert torch.equal(weights(Toy(), scores, overrides=(Override("scores", at, 9.0),)), softmax(scores)[0])

    def test_a_parameter_is_not_written_to(self):
        module, items = MultiHead(8, 2), torch.randn(1, 4, 8)
        before = module.query.detach().clone()
        with record(Intervention(overrides=(Override("query", (0, 0), 9.0),))) as recording, torch.no_grad():
            changed = module(items)
        assert torch.equal(module.query, before)
        assert recording.steps({})[0].value[0, 0] == 9.0
        module.query.data[0, 0] = 9.0
        testing.assert_close(module(items), changed, **close)


ANYTHING = Intervention(
    temperature=0.5,
    masked=frozenset({3, 1}),
    off={"head": frozenset({2}), "class": frozenset({0, 4})},
    edits=(Edit("weights", (0, 0, 3), 0.25),),
    alignment="sparsemax",
    swapped={2: "你 & \u202e</script>"},
    overrides=(Override("scores, hop 2", (0, 1), -1e6),),
)


class TestPlain:
    """As text, for links and files."""

    def test_it_comes_back_the_same(self):
        assert Intervention.from_plain(json.loads(json.dumps(ANYTHING.to_plain()))) == ANYTHING

    def test_nothing_is_empty(self):
        assert Intervention().to_plain() == {} and Intervention().is_nothing
        assert Intervention(off={"head": frozenset()}).is_nothing
        assert Intervention.from_plain({}) == Intervention()
        assert not ANYTHING.is_nothing

    @pytest.mark.parametrize(
        ("plain", "says"),
        [
            ([], "list of names"),
            ({"nope": 1}, "no change called 'nope'"),
            ({"masked": "all"}, "where a list belongs"),
            ({"masked": [-1]}, "where a position belongs"),
            ({"masked": [True]}, "where a position belongs"),
            ({"masked": list(range(1000))}, "at most 512"),
            ({"temperature": 0}, "above 0"),
            ({"temperature": float("nan")}, "where a number belongs"),
            ({"temperature": "1"}, "where a number belongs"),
            ({"off": {"head": 3}}, "where a list belongs"),
            ({"edits": [{"map": "weights", "at": [0]}]}, "'weight' is missing"),
            ({"edits": [{"map": "weights", "at": [0], "weight": 2}]}, "from 0 to 1"),
            ({"edits": [3]}, "cannot be read"),
            ({"swapped": {"x": "a"}}, "cannot be read"),
            ({"swapped": {"0": "  "}}, "where a word"),
            ({"swapped": {"0": "a" * 61}}, "where a word"),
            ({"overrides": [{"step": "scores", "at": [0], "value": float("inf")}]}, "where a number belongs"),
            ({"overrides": [{"step": "scores", "at": [0], "value": -2e6}]}, "from -1,000,000 to 1,000,000"),
            ({"alignment": 3}, "where a text belongs"),
        ],
    )
    def test_what_cannot_be_read_is_a_sentence(self, plain, says):
        with pytest.raises(OptionError, match=says):
            Intervention.from_plain(plain)
