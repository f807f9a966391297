"""Dynamic routing against a procedure written out in numpy, its order in other texts, and what its couplings do."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing

from attnviz.attention.registry import get
from attnviz.attention.routing import Options, Routing, cost, length, margin_loss, squash
from attnviz.intervention import Intervention
from attnviz.recording import record

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
D, C = 6, 3


def squashed(s):
    """Equation 1 of the paper; zero for zero."""
    squared = float(s @ s)
    return s * 0 if squared == 0 else squared / (1 + squared) * s / np.sqrt(squared)


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def sabour(predictions, n_iterations):
    """Procedure 1, item by item: couplings of each iteration (iteration, item, class) and the last capsules."""
    n, n_classes, _ = predictions.shape
    b, history = np.zeros((n, n_classes)), []
    for _ in range(n_iterations):
        c = np.stack([softmax(b[i]) for i in range(n)])
        v = [squashed(sum(c[i, j] * predictions[i, j] for i in range(n))) for j in range(n_classes)]
        b = np.array([[b[i, j] + predictions[i, j] @ v[j] for j in range(n_classes)] for i in range(n)])
        history.append(c)
    return np.stack(history), np.stack(v)


def logits_first(predictions, n_iterations):
    """The order in which some texts have it: b is updated before the capsules, which are zero at first."""
    n, n_classes, d = predictions.shape
    b, v = np.zeros((n, n_classes)), np.zeros((n_classes, d))
    for _ in range(n_iterations):
        b = b + np.einsum("ijd,jd->ij", predictions, v)
        c = np.stack([softmax(row) for row in b])
        v = np.stack([squashed(np.einsum("i,id->d", c[:, j], predictions[:, j])) for j in range(n_classes)])
    return v


def predicted(module, items):
    """What each item predicts for each class (item, class, d), in numpy."""
    weight, bias = module.primary.weight.detach().numpy(), module.primary.bias.detach().numpy()
    primary = [squashed(weight @ f + bias) for f in items.numpy()]
    return np.array([[w @ u for w in module.transforms.detach().numpy()] for u in primary])


def shown(module, items, mask=None, intervention=None):
    """The steps of the first of the batch by name, and the map."""
    with record(intervention) as recording, torch.no_grad():
        module(items, mask)
    return {step.name: step.value for step in recording.steps({})}, recording.maps()[0]


@pytest.mark.parametrize("n_iterations", [1, 2, 3, 5])
def test_it_is_the_papers_procedure(n_iterations):
    module, items = Routing(D, C, n_iterations), torch.randn(2, 5, D)
    p, v = module(items)
    for row in range(2):
        couplings, capsules = sabour(predicted(module, items[row]), n_iterations)
        np.testing.assert_allclose(v[row].detach(), capsules, **close)
        np.testing.assert_allclose(p[row].detach(), np.linalg.norm(capsules, axis=1), **close)
    _, found = shown(module, items[1:])
    assert [axis.kind for axis in found.axes] == ["iteration", "class", "query", "key"]
    np.testing.assert_allclose(found.weights[:, :, 0], couplings.transpose(0, 2, 1), **close)


@pytest.mark.parametrize("n_iterations", [1, 2, 3, 5])
def test_updating_the_logits_first_from_capsules_of_zero_gives_the_same(n_iterations):
    module, items = Routing(D, C, n_iterations), torch.randn(1, 5, D)
    np.testing.assert_allclose(
        module(items)[1][0].detach(), logits_first(predicted(module, items[0]), n_iterations), **close
    )


def test_the_first_couplings_are_equal_and_sum_to_one_over_the_classes():
    _, found = shown(Routing(D, 4), torch.randn(1, 5, D))
    assert (found.weights[0] == 0.25).all() and found.normalised == "class"
    np.testing.assert_allclose(found.weights.sum(1), 1, **close)
    assert np.abs(found.weights[2] - 0.25).max() > 1e-4


def test_a_single_class_gets_everything():
    _, found = shown(Routing(D, 1), torch.randn(1, 5, D))
    assert (found.weights == 1).all()


def test_the_first_iterations_do_not_depend_on_how_many_follow():
    few, many, items = Routing(D, C, 2), Routing(D, C, 5), torch.randn(1, 5, D)
    many.load_state_dict(few.state_dict())
    before, _ = shown(few, items)
    after, _ = shown(many, items)
    for name in ("weights, iteration 2", "capsules, iteration 2", "lengths, iteration 2"):
        np.testing.assert_array_equal(before[name], after[name])
    assert "agreements, iteration 2" not in before  # nothing would be computed from it


def test_items_that_agree_with_a_capsule_send_it_more():
    module, items = Routing(D, C), torch.randn(1, 5, D)
    steps, found = shown(module, items)
    agreements, couplings = steps["agreements, iteration 1"][:, 0], found.weights[1, :, 0]
    for item in range(5):
        assert (agreements[:, item].argsort() == couplings[:, item].argsort()).all()


@given(st.integers(1, 6), st.integers(1, 4), st.randoms())
def test_the_order_of_the_items_is_irrelevant_and_no_capsule_is_longer_than_one(n, n_classes, random):
    module, items = Routing(D, n_classes).double(), torch.randn(1, n, D, dtype=torch.float64) * 5
    order = random.sample(range(n), n)
    for one, other in zip(module(items), module(items[:, order]), strict=True):
        testing.assert_close(one, other, **close)
    assert (module(items)[0] < 1).all()
    before, after = shown(module, items)[1].weights, shown(module, items[:, order])[1].weights
    np.testing.assert_allclose(after, before[..., order], **close)


def test_squash_keeps_directions_and_is_safe_at_zero():
    vectors = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1e-4, 0.0]], requires_grad=True)
    testing.assert_close(squash(vectors)[0], torch.tensor([3.0, 4.0]) / 5 * 25 / 26, **close)
    testing.assert_close(length(vectors).detach(), torch.tensor([5.0, 0.0, 1e-4]), **close)
    (squash(vectors).sum() + length(vectors).sum()).backward()
    assert vectors.grad.isfinite().all() and not vectors.grad[1].any()


def test_squash_has_the_gradient_of_its_formula():
    vectors = torch.randn(3, 4, requires_grad=True)
    assert torch.autograd.gradcheck(squash, vectors) and torch.autograd.gradcheck(length, vectors)


def test_masked_items_take_no_part_and_an_empty_input_gives_zeros():
    module, items = Routing(D, C), torch.randn(2, 5, D)
    mask = torch.tensor([[True, False, True, True, False], [False] * 5])
    p, v = module(items, mask)
    testing.assert_close(v[0], module(items[:1, mask[0]])[1][0], **close)
    assert not p[1].any() and not v[1].any()
    _, found = shown(module, items, mask)
    assert not found.weights[..., ~mask[0].numpy()].any()


def test_training_from_an_empty_input_has_finite_gradients():
    module = Routing(D, C)
    module.objective(torch.randn(2, 4, D), torch.tensor([[True] * 4, [False] * 4]), torch.tensor([0, 1])).backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in module.parameters())


def test_margin_loss_by_hand():
    lengths = torch.tensor([[0.8, 0.3, 0.05], [0.95, 0.1, 0.0]])
    expected = ((0.1**2 + 0.5 * 0.2**2) + 0.0) / 2
    testing.assert_close(margin_loss(lengths, torch.tensor([0, 0])), torch.tensor(expected), **close)
    wrong = (0.9**2 + 0.5 * 0.85**2 + 0.0) / 1
    testing.assert_close(margin_loss(lengths[1:], torch.tensor([2])), torch.tensor(wrong), **close)


def test_the_margin_loss_teaches_the_classes():
    def examples(n, seed):
        generator = torch.Generator().manual_seed(seed)
        labels = torch.randint(4, (n,), generator=generator)
        items = torch.randn(n, 5, 16, generator=generator)
        items[torch.arange(n), torch.randint(5, (n,), generator=generator)] += torch.eye(4, 16)[labels] * 6
        return items, labels

    items, labels = examples(300, seed=1)
    module = Routing(16, 4)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        module.objective(items, None, labels).backward()
        optimizer.step()
    unseen, answers = examples(200, seed=2)
    assert (module(unseen)[0].argmax(1) == answers).float().mean() > 0.7  # chance is a quarter


def test_a_class_that_is_off_stays_empty():
    steps, found = shown(Routing(D, C), torch.randn(1, 5, D), intervention=Intervention(off={"class": frozenset({1})}))
    assert not found.weights[:, 1].any() and not steps["output"][1].any() and steps["probabilities"][1] == 0
    assert (steps["probabilities"][[0, 2]] > 0).all()


def test_a_batch_is_its_rows_one_by_one():
    module, items = Routing(D, C), torch.randn(3, 5, D)
    alone = [module(row[None]) for row in items]
    for together, parts in zip(module(items), zip(*alone, strict=True), strict=True):
        testing.assert_close(together, torch.cat(parts), **close)


def test_cost_counts_one_iteration_without_an_agreement():
    once = cost(5, 6, Options(n_iterations=1), n_classes=3, d_capsule=4).multiplications
    assert once == 5 * 6 * 4 + 5 * 3 * 4 * 4 + 5 * 3 * 4
    assert cost(5, 6, Options(n_iterations=3), 3, 4).multiplications - once == 4 * 5 * 3 * 4


def test_the_registry_builds_each_number_of_iterations():
    about = get("routing")
    for n in (1, 2, 3, 5):
        module = about.build(D, about.parse({"n_iterations": n}), n_classes=4)
        assert shown(module, torch.randn(1, 5, D))[1].weights.shape == (n, 4, 1, 5)
