"""Multi-head capsules: one head is a capsule, several are attentions side by side under one probability."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing
from torch.nn import functional

from attnviz.attention.capsule import Capsule
from attnviz.attention.multi_head_capsule import MultiHeadCapsule, Options, cost
from attnviz.attention.registry import get
from attnviz.errors import OptionError
from attnviz.intervention import Intervention
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D, C = 8, 3


def mixed(n_heads, n_classes=C):
    """A module whose maps have left their starting point."""
    module = MultiHeadCapsule(D, n_classes, n_heads).double()
    with torch.no_grad():
        module.key_maps.normal_()
        module.value_maps.normal_()
    return module


def shown(module, *inputs, intervention=None):
    """The steps of the first of the batch by name, and the map."""
    with record(intervention) as recording, torch.no_grad():
        module(*inputs)
    return {step.name: torch.as_tensor(step.value) for step in recording.steps({})}, recording.maps()[0]


@pytest.mark.parametrize("loss", ["paper", "official", "blog"])
def test_one_head_with_identities_is_a_capsule(loss):
    heads, capsule, items = MultiHeadCapsule(D, C, 1, loss), Capsule(D, C, loss), torch.randn(4, 5, D)
    with torch.no_grad():
        capsule.queries.copy_(heads.queries[:, 0])
        capsule.classifier.load_state_dict(heads.classifier.state_dict())
    testing.assert_close(heads.key_maps[:, 0], torch.eye(D).repeat(C, 1, 1), **close)
    mask, labels = torch.rand(4, 5) > 0.3, torch.tensor([0, 1, 2, 1])
    for one, other in zip(heads(items, mask), capsule(items, mask), strict=True):
        testing.assert_close(one, other, **close)
    testing.assert_close(heads.objective(items, mask, labels), capsule.objective(items, mask, labels), **close)


def test_one_head_with_any_maps_is_a_capsule_with_projections():
    heads, capsule, items = mixed(1), Capsule(D, C, projections=True), torch.randn(4, 5, D)
    state = {
        name: value.squeeze(1) if "maps" in name or name == "queries" else value
        for name, value in heads.state_dict().items()
    }
    capsule.load_state_dict(state)
    for one, other in zip(heads(items), capsule(items), strict=True):
        testing.assert_close(one, other, **close)


@pytest.mark.parametrize("n_heads", [1, 2, 4])
def test_each_class_and_head_is_an_attention_of_its_own(n_heads):
    module, items = mixed(n_heads), torch.randn(4, 5, D)
    p, r = module(items)
    for c in range(C):
        contexts = []
        for m in range(n_heads):
            query = module.queries[c, m].expand(4, 1, -1)
            keys, values = (functional.linear(items, maps[c, m]) for maps in (module.key_maps, module.value_maps))
            contexts.append(functional.scaled_dot_product_attention(query, keys, values, scale=1.0)[:, 0])
        context = torch.cat(contexts, -1)
        expected = torch.sigmoid(context @ module.classifier.weight[c] + module.classifier.bias[c])
        testing.assert_close(p[:, c], expected, **close)
        testing.assert_close(r[:, c], expected[:, None] * context, **close)


def test_a_capsule_is_its_heads_capsules_side_by_side():
    steps, found = shown(mixed(4), torch.randn(1, 5, D))
    parts = steps["probabilities"][:, None, None] * steps["context"]
    testing.assert_close(steps["output"].view(C, 4, D // 4), parts, **close)
    assert found.labels[:5] == (
        "class 1 · head 1",
        "class 1 · head 2",
        "class 1 · head 3",
        "class 1 · head 4",
        "class 2 · head 1",
    )
    assert [axis.kind for axis in found.axes] == ["class", "head", "query", "key"]


def test_heads_start_by_attending_with_their_slices_of_the_features():
    module, items = MultiHeadCapsule(D, C, 4), torch.randn(1, 5, D)
    steps, _ = shown(module, items)
    for m in range(4):
        for c in range(C):
            testing.assert_close(steps["keys"][c, m], items[0, :, 2 * m : 2 * m + 2], **close)
            testing.assert_close(steps["values"][c, m], items[0, :, 2 * m : 2 * m + 2], **close)


def test_a_head_that_is_off_leaves_its_part_of_every_capsule_empty():
    module, items = mixed(4), torch.randn(1, 5, D)
    steps, found = shown(module, items, intervention=Intervention(off={"head": frozenset({1})}))
    assert not found.weights[:, 1].any()
    assert not steps["output"][:, 2:4].any() and steps["output"][:, [0, 1, 4, 5, 6, 7]].all()


@given(st.integers(1, 6), st.sampled_from([1, 2, 4]), st.integers(2, 4), st.randoms())
def test_the_order_of_the_items_is_irrelevant_and_every_map_sums_to_one(n, n_heads, n_classes, random):
    module, items = mixed(n_heads, n_classes), torch.randn(1, n, D, dtype=torch.float64)
    for one, other in zip(module(items), module(items[:, random.sample(range(n), n)]), strict=True):
        testing.assert_close(one, other, **close)
    sums = torch.as_tensor(shown(module, items)[1].weights).sum(-1)
    testing.assert_close(sums, torch.ones(n_classes, n_heads, 1, dtype=torch.float64), **close)


@pytest.mark.parametrize("loss", ["paper", "official", "blog"])
def test_training_lowers_each_loss_and_moves_every_parameter(loss):
    module, items, labels = MultiHeadCapsule(D, C, 4, loss), torch.randn(12, 5, D), torch.arange(12) % C
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    start = module.objective(items, None, labels).item()
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        module.objective(items, None, labels).backward()
        optimizer.step()
    assert module.objective(items, None, labels).item() < 0.6 * start
    assert all((p.detach() != before[name]).any() for name, p in module.named_parameters())


def test_heads_that_do_not_divide_the_features_and_unknown_losses_are_named():
    with pytest.raises(OptionError, match="3 heads do not divide d_model = 8"):
        MultiHeadCapsule(D, C, 3)
    with pytest.raises(OptionError, match="'hinge'; choose one of paper, official, blog"):
        MultiHeadCapsule(D, C, 4, "hinge")


def test_cost_is_that_of_one_class():
    n, d = 5, 8
    keys_and_values, scores_and_sum, probability_and_capsule = 2 * n * d * d, 2 * n * d, 2 * d
    for n_heads in (1, 4):
        found = cost(n, d, Options(n_heads)).multiplications
        assert found == keys_and_values + scores_and_sum + probability_and_capsule


def test_the_registry_builds_each_choice():
    about = get("multi_head_capsule")
    for n_heads in (1, 4):
        module = about.build(D, about.parse({"n_heads": str(n_heads)}), n_classes=4)
        p, r = module(torch.randn(2, 5, D))
        assert p.shape == (2, 4) and r.shape == (2, 4, D) and module.loss == "paper"


def test_the_module_takes_each_loss():
    for loss in ("paper", "official", "blog"):
        assert MultiHeadCapsule(D, 4, loss=loss).loss == loss
