"""How lines follow from one another: found where it is so, and claimed nowhere else."""

import numpy as np
import pytest

import attnviz
from attnviz.intervention import Edit, Intervention, Override
from attnviz.trace import Axis, Step, numbered
from attnviz.views.working import workings

TOKENS = Axis("token", ("a", "b", "c"))
QUERY, FOUR = numbered("query", 1), numbered("feature", 4)


def found(mechanism, intervention=None, text="Who wrote Hamlet ?", **options):
    """What was found for each step, by name: (kind, names of the steps it is made of, factor)."""
    trace = attnviz.attend(mechanism, text=text, intervention=intervention, **options)
    made = zip(trace.steps, workings(trace.steps), strict=True)
    return {
        step.name: (w.kind, tuple(trace.steps[i].name for i in w.of), pytest.approx(w.factor)) if w else None
        for step, w in made
    }


def test_multi_head_attention():
    made = found("multi_head")
    assert made["features"] is made["keys"] is made["output"] is made["logits"] is None
    assert made["products"] == ("product", ("queries", "keys"), 1.0)
    assert made["scores"] == ("scaled", ("products",), 0.25)
    assert made["weights"] == ("softmax", ("scores",), 1.0)
    assert made["context"] == ("sum", ("weights", "values"), 1.0)
    assert made["class probabilities"] == ("softmax", ("logits",), 1.0)


def test_temperature_and_mask():
    made = found("multi_head_self", Intervention(temperature=2.0, masked=frozenset({1})))
    assert made["tempered scores"] == ("scaled", ("scores",), 0.5)
    assert made["weights"] == ("softmax", ("tempered scores", "mask"), 1.0)
    assert made["mask"] is None


def test_hops():
    made = found("memory_network")
    assert made["scores, hop 2"] == ("product", ("state, hop 1", "memories, hop 2"), 1.0)
    assert made["state, hop 1"] == ("added", ("question", "context, hop 1"), 1.0)
    assert made["output"] == ("same", ("state, hop 3",), 1.0)
    assert found("multi_hop")["query, hop 1"] == ("sum", ("query weights, hop 1", "values"), 1.0)


def test_capsules():
    made = found("multi_head_capsule")
    assert made["scores"] == ("product", ("queries", "keys"), 1.0)
    assert made["contexts"] == ("joined", ("context",), 1.0)
    assert made["mean"] == ("mean", ("items",), 1.0)
    assert made["probabilities"] is None


@pytest.mark.parametrize("alignment", ["sparsemax", "entmax", "hard"])
def test_another_alignment_is_not_called_softmax(alignment):
    assert found("multi_head", Intervention(alignment=alignment))["weights"] is None


def test_a_number_set_by_hand_hides_nothing():
    changed = Intervention(overrides=(Override("weights", (0, 0, 1), 0.5), Override("products", (2, 0, 0), 3.0)))
    assert found("multi_head", changed) == found("multi_head")


def test_where_most_weights_were_edited_it_is_no_longer_softmax():
    edits = tuple(Edit("weights", (head, 0, 1), 0.999) for head in range(8))
    assert found("multi_head", Intervention(edits=edits))["weights"] is None


def test_a_single_item():
    made = found("multi_head", text="Hamlet")
    assert made["weights"] is None and made["products"] == ("product", ("queries", "keys"), 1.0)
    assert made["context"] == ("same", ("values",), 1.0)


def test_what_does_not_come_out_is_not_claimed():
    rng = np.random.default_rng(0)
    axes = {"items": (TOKENS, FOUR), "query": (QUERY, FOUR), "scores": (QUERY, TOKENS), "context": (QUERY, FOUR)}
    steps = [Step(n, "", rng.normal(size=[len(a) for a in ax]), ax) for n, ax in axes.items()]
    assert workings(steps) == [None] * 4


def test_products_by_hand():
    rng = np.random.default_rng(1)
    items, query = rng.normal(size=(3, 4)), rng.normal(size=(1, 4))
    scores = query @ items.T / 2
    steps = [
        Step("items", "", items, (TOKENS, FOUR)),
        Step("query", "", query, (QUERY, FOUR)),
        Step("scores", "", scores, (QUERY, TOKENS)),
        Step("context", "", scores @ items, (QUERY, FOUR)),
    ]
    product, context = workings(steps)[2:]
    assert (product.kind, product.of, product.factor) == ("product", (1, 0), 0.5)
    assert (context.kind, context.of) == ("sum", (2, 0))


def test_odd_steps_are_passed_over():
    steps = [
        Step("number", "", np.float64(2.0), ()),
        Step("nothing", "", np.zeros((0, 4)), (Axis("token", ()), FOUR)),
        Step("endless", "", np.array([[-np.inf, np.inf, 0.0]]), (QUERY, TOKENS)),
        Step("zeros", "", np.zeros((1, 3)), (QUERY, TOKENS)),
    ]
    assert workings(steps)[:2] == [None, None]
