from attnviz.attention import registry
from attnviz.tasks import registry as tasks
from attnviz.training import recipes
from tests.helpers import fitting


def test_numbers_are_varied_where_asked_for_and_the_rest_on_the_question_types():
    spec = registry.get("multi_head")
    assert recipes.variants(tasks.get("cifar10"), spec) == [{}, {"n_heads": 1}, {"n_heads": 2}, {"n_heads": 4}]
    assert recipes.variants(tasks.get("mnist"), spec) == [{}]
    capsule = registry.get("capsule")
    assert recipes.variants(tasks.get("cifar10"), capsule) == [{}]
    assert recipes.variants(tasks.get("trec"), capsule) == [{}, {"loss": "official"}, {"loss": "blog"}]


def test_everything_begins_with_features_and_names_each_file_once():
    found = [(task, mechanism, str(options)) for task, mechanism, options in recipes.everything()]
    assert found[0][:2] == ("text", "features")
    assert len(set(found)) == len(found)
    assert {(task, name, "{}") for name, task in fitting()} <= set(found)
