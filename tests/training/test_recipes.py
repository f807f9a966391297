from attnviz.attention import registry
from attnviz.training import recipes


def test_numbers_are_varied_where_asked_for_and_the_rest_on_the_question_types():
    spec = registry.get("multi_head")
    assert recipes.variants("cifar10", spec) == [{}, {"n_heads": 1}, {"n_heads": 2}, {"n_heads": 4}]
    assert recipes.variants("mnist", spec) == [{}]
    capsule = registry.get("capsule")
    assert recipes.variants("cifar10", capsule) == [{}]
    assert recipes.variants("trec", capsule) == [{}, {"loss": "official"}, {"loss": "blog"}]


def test_everything_begins_with_features_and_names_each_file_once():
    found = [(task, mechanism, str(options)) for task, mechanism, options in recipes.everything()]
    assert found[0][:2] == ("text", "features")
    assert len(set(found)) == len(found)
    for name in registry.mechanisms():
        assert all((task, name, "{}") in found for task in ("trec", "sst", "cifar10", "mnist"))
