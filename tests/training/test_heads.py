import pytest
import torch

from attnviz.attention import registry
from attnviz.tasks.classifier import Classifier
from attnviz.tasks.registry import DataSource, Examples, Task
from attnviz.training import heads


def task():
    return Task(
        name="toy", title="Toy", kind="image", predicts="which item stands out", classes=("a", "b", "c"), examples=(),
        data=DataSource("toy", "made here", "A"), read=lambda folder, split: Examples([], torch.zeros(0)),
    )  # fmt: skip


def encoded(n, seed):
    """Noise, and one item that tells the class."""
    generator = torch.Generator().manual_seed(seed)
    items = torch.randn(n, 6, 16, generator=generator)
    labels = torch.randint(0, 3, (n,), generator=generator)
    place = torch.randint(0, 6, (n,), generator=generator)
    items[torch.arange(n), place, :4] = 0
    items[torch.arange(n), place, labels] = 6.0
    return heads.Encoded(items.half(), None, labels)


@pytest.mark.parametrize("name", ["multi_head", "self_attention", "multi_hop", "capsule"])
def test_a_mechanism_of_each_kind_learns_and_the_best_epoch_is_kept(name):
    spec = registry.get(name)
    classifier = Classifier(spec, spec.options(), 16, 3)
    val = encoded(300, seed=2)
    figures = heads.fit(classifier, task(), encoded(1200, seed=1), val, heads.Plan(epochs=8, batch=64, rate=5e-3))
    assert figures["accuracy"] > 0.8
    assert heads.evaluate(classifier, task(), val) == figures


def test_a_batch_is_cut_to_its_longest_row():
    mask = torch.tensor([[True, False, False], [True, True, False]])
    data = heads.Encoded(torch.ones(2, 3, 4).half(), mask, torch.zeros(2))
    items, real, _ = data.batch(torch.tensor([0]))
    assert items.shape == (1, 1, 4) and items.dtype == torch.float32 and real.shape == (1, 1)


def test_sides_come_along_and_those_that_count_items_are_cut():
    mask = torch.tensor([[True, False, False], [True, True, False]])
    sides = {"target": mask, "query_items": torch.ones(2, 5, 4).half()}
    data = heads.Encoded(torch.ones(2, 3, 4).half(), mask, torch.zeros(2), sides)
    _, _, found = data.batch(torch.tensor([1]))
    assert found["target"].tolist() == [[True, True]]
    assert found["query_items"].shape == (1, 5, 4) and found["query_items"].dtype == torch.float32


def test_the_capsule_trains_with_its_own_objective():
    spec = registry.get("capsule")
    classifier = Classifier(spec, spec.options(), 16, 3)
    data = encoded(8, seed=1)
    items, mask, _ = data.batch(torch.arange(8))
    expected = classifier.attention.objective(items / 2, mask, data.labels)  # 16 ** (1 / 4) = 2
    torch.testing.assert_close(classifier.objective(items, mask, data.labels), expected)


def test_few_examples_get_more_epochs_and_many_the_plan_as_it_is():
    plan = heads.Plan(epochs=2, batch=256, patience=2)
    assert heads.for_few(plan, 50_000) == plan
    few = heads.for_few(plan, 1300)
    assert few.batch == 64 and few.epochs * 1300 / 64 >= heads.LEAST_STEPS and few.rate == plan.rate
