"""Capsule attention against one attention per class, its redundant key map, and training with each loss."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing
from torch.nn import functional

from attnviz.attention.capsule import Capsule, Options, cost
from attnviz.attention.losses import blog_loss, official_loss, paper_loss
from attnviz.attention.registry import get
from attnviz.errors import OptionError
from attnviz.intervention import Intervention
from attnviz.recording import record
from attnviz.trace import Axis

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D, C = 6, 3


def shown(module, *inputs, intervention=None, axes=None):
    """The steps of the first of the batch by name, and the map."""
    with record(intervention, axes) as recording, torch.no_grad():
        module(*inputs)
    return {step.name: torch.as_tensor(step.value) for step in recording.steps({})}, recording.maps()[0]


def by_class(module, items, c):
    """p_c and r_c by torch's own attention, for one class."""
    query = module.queries[c].expand(len(items), 1, -1)
    context = functional.scaled_dot_product_attention(query, items, items, scale=1.0)[:, 0]
    p = torch.sigmoid(
        functional.linear(context, module.classifier.weight[c : c + 1], module.classifier.bias[c : c + 1])
    )
    return p[:, 0], p * context


def test_each_class_is_an_attention_of_its_own():
    module, items = Capsule(D, C), torch.randn(4, 5, D)
    p, r = module(items)
    for c in range(C):
        expected, capsule = by_class(module, items, c)
        testing.assert_close(p[:, c], expected, **close)
        testing.assert_close(r[:, c], capsule, **close)


def test_a_classs_answer_does_not_depend_on_the_other_classes():
    module, items = Capsule(D, C), torch.randn(2, 5, D)
    before, _ = module(items)
    with torch.no_grad():
        module.queries[1] += 1
        module.classifier.weight[1] += 1
    after, _ = module(items)
    testing.assert_close(after[:, [0, 2]], before[:, [0, 2]], **close)
    assert not torch.allclose(after[:, 1], before[:, 1])
    with torch.no_grad():
        module.classifier.bias.fill_(9.0)
    assert (module(items)[0].sum(1) > 2).all()  # independent answers: all three may say yes


def test_the_key_map_can_be_done_by_the_query():
    mapped, plain, items = Capsule(D, C, projections=True), Capsule(D, C, projections=True), torch.randn(2, 5, D)
    with torch.no_grad():
        mapped.key_maps.copy_(torch.randn(C, D, D))
        mapped.value_maps.copy_(torch.randn(C, D, D))
        plain.load_state_dict({**mapped.state_dict(), "key_maps": torch.eye(D).repeat(C, 1, 1)})
        plain.queries.copy_(torch.stack([w.T @ q for w, q in zip(mapped.key_maps, mapped.queries, strict=True)]))
    for one, other in zip(mapped(items), plain(items), strict=True):
        testing.assert_close(one, other, **close)


def test_projections_start_as_identities_and_then_map_each_classs_values():
    plain, mapped, items = Capsule(D, C), Capsule(D, C, projections=True), torch.randn(2, 5, D)
    mapped.load_state_dict(plain.state_dict(), strict=False)
    for one, other in zip(plain(items), mapped(items), strict=True):
        testing.assert_close(one, other, **close)
    with torch.no_grad():
        mapped.value_maps.copy_(torch.randn(C, D, D))
    steps, found = shown(mapped, items)
    weights = torch.as_tensor(found.weights)[:, 0]
    for c in range(C):
        expected = sum(a * mapped.value_maps[c] @ f for a, f in zip(weights[c], items[0], strict=True))
        testing.assert_close(steps["context"][c], expected.detach(), **close)


def test_the_capsule_is_its_context_times_its_probability():
    steps, _ = shown(Capsule(D, C), torch.randn(1, 5, D))
    lengths = steps["output"].norm(dim=1) / steps["context"].norm(dim=1)
    testing.assert_close(lengths, steps["probabilities"], **close)
    testing.assert_close(steps["similarities"], steps["output"] @ steps["mean"], **close)


@pytest.mark.parametrize("loss", ["paper", "official", "blog"])
def test_objective_is_the_loss_of_what_forward_returns(loss):
    module, items, labels = Capsule(D, C, loss, blog_weight=0.3), torch.randn(4, 5, D), torch.tensor([0, 2, 1, 2])
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4, [True] * 5])
    p, r = module(items, mask)
    mean = torch.stack([row[keep].mean(0) for row, keep in zip(items, mask, strict=True)])
    alike = torch.einsum("bcd,bd->bc", r, mean)
    expected = {
        "paper": paper_loss(p, alike, labels),
        "official": official_loss(p, alike, labels),
        "blog": blog_loss(p, r, mean, labels, 0.3),
    }[loss]
    testing.assert_close(module.objective(items, mask, labels), expected, **close)


def sentences(n, seed):
    """Five random items a sentence, one of which carries its class's mark."""
    torch.manual_seed(seed)
    marks = torch.eye(4, 16, dtype=torch.float32) * 6
    labels, items = torch.randint(4, (n,)), torch.randn(n, 5, 16, dtype=torch.float32)
    items[torch.arange(n), torch.randint(5, (n,))] += marks[labels]
    return functional.layer_norm(items, (16,)), labels


@pytest.mark.parametrize("loss", ["paper", "official", "blog"])
def test_each_loss_teaches_the_classes(loss):
    items, labels = sentences(200, seed=1)
    module = Capsule(16, 4, loss).float()
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        module.objective(items, None, labels).backward()
        optimizer.step()
    unseen, answers = sentences(200, seed=2)
    with torch.no_grad():
        p, _ = module(unseen)
    assert (p.argmax(1) == answers).float().mean() > 0.7  # chance is a quarter


def test_the_blogs_loss_is_nearly_nothing_for_a_module_that_tells_no_classes_apart():
    items = torch.randn(8, 5, D)
    losses = {}
    for loss in ("blog", "paper", "official"):
        module = Capsule(D, C, loss)
        with torch.no_grad():
            module.queries.zero_()  # every class takes the mean
            module.classifier.weight.zero_()
            module.classifier.bias.fill_(40.0)  # and says yes
        losses[loss] = [module.objective(items, None, torch.full((8,), c)).item() for c in range(C)]
    assert max(losses["blog"]) < 1e-12
    assert min(losses["paper"]) >= C - 1
    assert min(losses["official"]) > 0.5


def test_a_class_that_is_off_attends_to_nothing():
    module = Capsule(D, C)
    steps, found = shown(module, torch.randn(1, 5, D), intervention=Intervention(off={"class": frozenset({1})}))
    assert not found.weights[1].any() and found.weights[[0, 2]].any()
    assert not steps["output"][1].any()
    testing.assert_close(steps["probabilities"][1], module.classifier.bias[1].sigmoid().detach(), **close)


def test_the_maps_are_called_by_the_classes():
    axes = {"class": Axis("class", ("human", "entity", "place"))}
    _, found = shown(Capsule(D, C), torch.randn(1, 5, D), axes=axes)
    assert found.labels == ("human", "entity", "place")
    assert [axis.kind for axis in found.axes] == ["class", "query", "key"]


@given(st.integers(1, 6), st.integers(2, 5), st.randoms())
def test_the_order_of_the_items_is_irrelevant_and_weights_sum_to_one_for_each_class(n, n_classes, random):
    module, items = Capsule(D, n_classes).double(), torch.randn(1, n, D, dtype=torch.float64)
    for one, other in zip(module(items), module(items[:, random.sample(range(n), n)]), strict=True):
        testing.assert_close(one, other, **close)
    sums = torch.as_tensor(shown(module, items)[1].weights).sum(-1)
    testing.assert_close(sums, torch.ones(n_classes, 1, dtype=torch.float64), **close)


def test_an_unknown_loss_is_named():
    with pytest.raises(OptionError, match="'hinge'; choose one of paper, official, blog"):
        Capsule(D, C, "hinge")


def test_cost_is_that_of_one_class():
    assert cost(5, 6, Options()).multiplications == 5 * 6 + 5 * 6 + 6 + 6  # scores, sum, w'c, p c


def test_the_registry_builds_each_choice():
    about = get("capsule")
    for loss in ("paper", "official", "blog"):
        module = about.build(D, about.parse({"loss": loss}), n_classes=4)
        assert module.loss == loss and module(torch.randn(2, 5, D))[0].shape == (2, 4)
