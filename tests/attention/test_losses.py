"""The three capsule losses by hand and by loops, and where the blog's variant has its optimum."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import testing
from torch.nn import functional

from attnviz.attention.losses import blog_loss, official_loss, paper_loss, signed_hinge

pytestmark = pytest.mark.usefixtures("double")
close = {"rtol": 1e-9, "atol": 1e-10}
P = torch.tensor([[0.9, 0.2, 0.4]], dtype=torch.float64)
SIMILARITIES = torch.tensor([[0.5, -1.0, 0.25]], dtype=torch.float64)


def test_paper_by_hand():
    # J = 1 - 0.9 + 0.2 + 0.4, U = max(0, 1 - 0.5 - 1 + 0.25) = 0
    testing.assert_close(paper_loss(P, SIMILARITIES, torch.tensor([0])).item(), 0.7, **close)
    # J = 1 + 0.9 - 0.2 + 0.4, U = 1 + 0.5 + 1 + 0.25
    testing.assert_close(paper_loss(P, SIMILARITIES, torch.tensor([1])).item(), 2.1 + 2.75, **close)


def test_official_by_hand():
    # (0.3 + 0.5) / 3 and (max(0, -0.5) + 0.75) / 3
    testing.assert_close(official_loss(P, SIMILARITIES, torch.tensor([0])).item(), 0.8 / 3 + 0.75 / 3, **close)


def test_blog_by_hand():
    capsules, mean = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]), torch.tensor([[1.0, 1.0]])
    found = blog_loss(torch.tensor([[0.5, 0.8]]), capsules, mean, torch.tensor([1]), weight=0.25)
    testing.assert_close(found, -torch.tensor(0.8).log() + 0.25 * (1 + 2), **close)


def values(n_classes):
    """Labels and three rows of numbers, one for each class."""
    row = st.lists(st.floats(-3, 3, width=32), min_size=n_classes, max_size=n_classes)
    return st.tuples(
        st.lists(row, min_size=3, max_size=3), st.lists(st.integers(0, n_classes - 1), min_size=3, max_size=3)
    )


@given(values(4))
def test_paper_and_official_equal_loops_over_the_classes(drawn):
    rows, labels = drawn
    x, y = torch.tensor(rows, dtype=torch.float64), torch.tensor(labels)
    hinge = margin = 0.0
    for row, true in zip(rows, labels, strict=True):
        others = [value for c, value in enumerate(row) if c != true]
        hinge += max(0.0, 1 - row[true] + sum(others)) / 3
        margin += sum(max(0.0, 1 - row[true] + other) for other in others) / 4 / 3
    testing.assert_close(signed_hinge(x, y).item(), hinge, **close)
    testing.assert_close(paper_loss(x, -x, y), signed_hinge(x, y) + signed_hinge(-x, y), **close)
    testing.assert_close(official_loss(x, x, y).item(), 2 * margin, **close)


@given(values(2))
def test_with_two_classes_the_official_loss_is_half_the_papers(drawn):
    x, y = torch.tensor(drawn[0], dtype=torch.float64), torch.tensor(drawn[1])
    testing.assert_close(2 * official_loss(x, x / 2, y), paper_loss(x, x / 2, y), **close)


def test_with_three_classes_the_official_loss_is_another():
    y = torch.tensor([0])
    assert abs(official_loss(P, P, y) - paper_loss(P, P, y) / 2) > 0.1
    assert abs(official_loss(P, P, y) - paper_loss(P, P, y) / 3) > 0.05


def test_the_blogs_variant_is_content_when_every_class_says_yes():
    mean = torch.randn(5, 8)
    everything, capsules = torch.ones(5, 4), mean[:, None].expand(5, 4, 8)
    for label in range(4):
        labels = torch.full((5,), label)
        assert blog_loss(everything, capsules, mean, labels).item() == 0.0
        # What is penalised by a loss that tells classes apart: three wrong classes that say yes.
        assert functional.binary_cross_entropy(everything, functional.one_hot(labels, 4).double()) > 10
        testing.assert_close(signed_hinge(everything, labels).item(), 3.0, **close)


def test_the_blogs_variant_pulls_wrong_classes_to_the_mean_and_the_paper_pushes_them_away():
    mean, labels = torch.randn(1, 8), torch.tensor([0])
    p = torch.tensor([[0.9, 0.5]])
    for loss, sign in ((_of_capsules_blog, -1), (_of_capsules_paper, +1)):
        capsules = (torch.stack([0.2 * mean, 0.5 * mean], 1)).requires_grad_()
        loss(p, capsules, mean, labels).backward()
        wrong = (capsules.grad[0, 1] @ mean[0]).sign().item()
        assert wrong == sign  # the loss falls along the mean (-1), or against it (+1)


def _of_capsules_blog(p, capsules, mean, labels):
    return blog_loss(p, capsules, mean, labels)


def _of_capsules_paper(p, capsules, mean, labels):
    return paper_loss(p, (capsules @ mean[..., None]).squeeze(-1), labels)
