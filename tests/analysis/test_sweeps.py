"""Sweeps and removals: every number is that of a run with the same intervention, and the order is right."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import attnviz
from attnviz.analysis import sweeps
from attnviz.intervention import Edit, Intervention
from attnviz.trace import Axis
from attnviz.zoo import models
from tests.helpers import mechanisms_for

SENTENCE = "Who wrote the first novel about time travel ?"
NOTHING = Intervention()
ACTIVE = Intervention(temperature=0.7, masked=frozenset({0}), off={"head": frozenset({1})})


def loaded(mechanism, task="trec", text=SENTENCE, **options):
    spec = attnviz.mechanisms()[mechanism]
    return models.load(task, mechanism, spec.parse(options)), models.encode_text(task, text)


def probabilities(model, given, intervention):
    return model.trace(given, intervention).prediction.probabilities


def test_the_temperature_runs_through_one_and_through_where_it_stands():
    model, given = loaded("multi_head")
    control = sweeps.temperature(model, replace(NOTHING, temperature=0.65), 0.1, 4.0)
    assert control.values[0] == 0.1 and control.values[-1] == 4.0
    assert {0.65, 1.0} < set(control.values) and list(control.values) == sorted(control.values)
    found = sweeps.sweep(control, given)
    assert found.now == 0.65
    for value, row in zip(found.values, found.probabilities, strict=True):
        np.testing.assert_array_equal(row, probabilities(model, given, Intervention(temperature=value)))


def test_a_sweep_keeps_what_is_changed_already():
    model, given = loaded("multi_head")
    found = sweeps.sweep(sweeps.temperature(model, ACTIVE, 0.1, 4.0), given)
    at = found.values.index(1.0)
    np.testing.assert_array_equal(
        found.probabilities[at], probabilities(model, given, replace(ACTIVE, temperature=1.0))
    )


def test_the_largest_weights_are_offered_largest_first():
    model, given = loaded("multi_head")
    trace = model.trace(given)
    controls = sweeps.weights(model, NOTHING, trace, most=4)
    expected = np.sort(trace.maps[0].weights.ravel())[::-1][:4]
    np.testing.assert_array_equal([control.now for control in controls], expected)
    head, _, key = np.unravel_index(trace.maps[0].weights.argmax(), trace.maps[0].weights.shape)
    assert controls[0].title == f"Weight of “{trace.maps[0].axes[-1].labels[key]}” in head {head + 1}"


def test_a_weight_from_zero_to_one_is_an_edit():
    model, given = loaded("multi_head")
    trace = model.trace(given)
    found = sweeps.sweep(sweeps.weights(model, NOTHING, trace)[0], given)
    at = tuple(map(int, np.unravel_index(trace.maps[0].weights.argmax(), trace.maps[0].weights.shape)))
    assert (found.values[0], found.values[-1]) == (0.0, 1.0)
    for value, row in zip(found.values, found.probabilities, strict=True):
        edited = Intervention(edits=(Edit("weights", at, value),))
        np.testing.assert_array_equal(row, probabilities(model, given, edited))
    now = found.probabilities[found.values.index(found.now)]
    np.testing.assert_allclose(now, trace.prediction.probabilities, rtol=1e-5)


def test_a_weight_that_was_dragged_before_is_set_anew():
    model, given = loaded("multi_head")
    before = replace(ACTIVE, edits=(Edit("weights", (0, 0, 2), 0.9),))
    control = next(c for c in sweeps.weights(model, before, model.trace(given, before)) if "“the” in head 1" in c.title)
    assert control.at(0.25) == (model, replace(ACTIVE, edits=(Edit("weights", (0, 0, 2), 0.25),)))


def test_weights_of_words_that_ask_say_who_asks():
    model, given = loaded("multi_head_self")
    assert all(", from “" in control.title for control in sweeps.weights(model, NOTHING, model.trace(given)))


def test_options_are_swept_over_what_was_trained():
    model, given = loaded("multi_head", n_heads=4)
    (control,) = sweeps.options(model, NOTHING)
    assert (control.title, control.values, control.now, control.scale) == ("Heads", (1, 2, 4, 8), 4, "steps")
    found = sweeps.sweep(control, given)
    assert found.trained == (True,) * 4
    for n_heads, row in zip(found.values, found.probabilities, strict=True):
        other, _ = loaded("multi_head", n_heads=n_heads)
        np.testing.assert_array_equal(row, probabilities(other, given, NOTHING))


def test_names_keep_the_order_of_their_choices_and_an_exchanged_alignment_makes_way():
    model, given = loaded("learnable_query")
    controls = {control.name: control for control in sweeps.options(model, Intervention(alignment="hard"))}
    assert controls["score"].values[:2] == ("dot", "scaled_dot") and controls["score"].scale == "names"
    _, swept = controls["alignment"].at("sparsemax")
    assert swept.alignment is None
    assert controls["score"].at("dot")[1].alignment == "hard"


def test_the_alignment_is_swept_where_it_is_no_option():
    model, given = loaded("multi_head")
    (control,) = sweeps.alignment(model, Intervention(alignment="hard", masked=frozenset({1})))
    assert control.now == "hard" and control.values[0] == "as trained"
    found = sweeps.sweep(control, given)
    for name, row in zip(found.values, found.probabilities, strict=True):
        wanted = Intervention(alignment=None if name == "as trained" else name, masked=frozenset({1}))
        np.testing.assert_array_equal(row, probabilities(model, given, wanted))
    assert sweeps.alignment(loaded("learnable_query")[0], NOTHING) == ()


def test_an_untrained_model_is_marked():
    model, given = loaded("learnable_query", score="cosine", alignment="hard")
    control = next(c for c in sweeps.options(model, NOTHING) if c.name == "score")
    found = sweeps.sweep(control, given)
    assert dict(zip(found.values, found.trained, strict=True)) == {"dot": True, "cosine": False}


@pytest.mark.parametrize("name", mechanisms_for("trec"))
@pytest.mark.parametrize("intervention", [NOTHING, ACTIVE], ids=["nothing", "active"])
def test_every_removal_is_a_run_with_that_intervention(name, intervention):
    model, given = loaded(name)
    before = model.trace(given, intervention).prediction
    watched = int(before.probabilities.argmax())
    for kind, axis in sweeps.removable(model.trace(given, intervention)).items():
        found = sweeps.ablate(model, given, intervention, kind)
        assert found.predicted == before.best
        assert found.removals
        for removal in found.removals:
            if kind == "word":
                taken = replace(intervention, masked=intervention.masked | {removal.index})
            else:
                gone = intervention.off.get(kind, frozenset()) | {removal.index}
                taken = replace(intervention, off={**intervention.off, kind: gone})
            after = model.trace(given, taken).prediction
            assert removal.before == before.probabilities[watched]
            assert removal.after == after.probabilities[watched]
            assert (removal.best, removal.changes) == (after.best, after.best != before.best)
            p, q = (x.probabilities.astype(np.float64) for x in (before, after))
            assert removal.distance == pytest.approx(np.abs(p / p.sum() - q / q.sum()).sum() / 2, rel=1e-9, abs=1e-15)
        sizes = [abs(removal.change) for removal in found.removals]
        assert sizes == sorted(sizes, reverse=True)
        gone = intervention.masked if kind == "word" else intervention.off.get(kind, frozenset())
        assert sorted(removal.index for removal in found.removals) == [i for i in range(len(axis)) if i not in gone]


def test_what_can_be_taken_away():
    def kinds(name, **options):
        model, given = loaded(name, **options)
        return list(sweeps.removable(model.trace(given)))

    assert kinds("multi_head") == ["head", "word"]
    assert kinds("multi_head", n_heads=1) == ["word"]
    assert kinds("multi_hop") == ["hop", "word"]
    assert kinds("structured") == ["row", "word"]
    assert kinds("multi_head_capsule") == ["class", "head", "word"]
    assert kinds("constant_query") == ["word"]


def test_of_many_items_those_with_the_largest_weights_are_tried():
    model, given = loaded("constant_query", text=" ".join(f"w{i}" for i in range(100)))
    weights = model.trace(given).maps[0].weights[0]
    found = sweeps.ablate(model, given, NOTHING, "word", most=10)
    assert {removal.index for removal in found.removals} == set(np.argsort(-weights, kind="stable")[:10].tolist())
    assert (len(found.removals), found.left_out) == (10, 90)


def test_one_word_can_be_masked_and_nothing_is_left_then():
    model, given = loaded("multi_head", text="Why")
    (removal,) = sweeps.ablate(model, given, NOTHING, "word").removals
    assert np.isfinite([removal.after, removal.distance]).all()
    assert sweeps.ablate(model, given, Intervention(masked=frozenset({0})), "word").removals == ()


def test_patches_are_called_by_row_and_column():
    model = models.load("cifar10", "multi_head")
    axis = Axis("patch", ("row 1, column 1", "row 1, column 2"), (1, 2))
    given = models.Input(torch.randn(1, 2, 128), axis, "")
    found = sweeps.ablate(model, given, NOTHING, "patch")
    assert {removal.label for removal in found.removals} == set(axis.labels)
    assert sweeps.called("patch", "row 1, column 1") == "patch row 1, column 1"
    assert sweeps.called("head", "head 1") == "head 1"


def test_the_watch_sees_every_value():
    model, given = loaded("multi_head")
    seen = []

    def watch(values):
        for value in values:
            seen.append(value)
            yield value

    control = sweeps.options(model, NOTHING)[0]
    sweeps.sweep(control, given, watch)
    assert seen == [1, 2, 4, 8]
    seen.clear()
    sweeps.ablate(model, given, NOTHING, "head", watch=watch)
    assert seen == list(range(8))
