"""The Explore page with every mechanism and both kinds of input, run in process."""

import pytest

import attnviz
from tests.helpers import fitting, open_app, png


def captions(found):
    return " ".join(caption.value for caption in found.caption)


def pictures(found):
    """The live pictures on the page (components v2 appear as unknown elements)."""
    return [e for e in found.main if "bidi" in getattr(e, "type", "")] or found.get("bidi_component")


def test_it_opens_with_a_sentence_a_trained_model_and_a_picture():
    found = open_app()
    assert not found.exception and not found.error
    assert found.text_input(key="text").value == attnviz.tasks()["trec"].examples[0]
    assert pictures(found)
    assert "Multi-head attention" in captions(found)


@pytest.mark.parametrize(("mechanism", "task"), fitting("trec", "cifar10"))
def test_every_mechanism_with_both_inputs_and_all_folds(mechanism, task):
    found = open_app(mechanism=mechanism, task=task, what_if="true", numbers="true", take="true")
    assert not found.exception and not found.error
    assert pictures(found)
    assert attnviz.mechanisms()[mechanism].query in captions(found)
    assert found.dataframe and found.code
    assert {"sweep", "without"} <= {box.key for box in found.selectbox}


def test_heads_move_between_trained_models():
    found = open_app(n_heads="2")
    assert found.button_group(key="n_heads").value == 2
    assert "not trained" not in captions(found)


def test_typing_nothing_keeps_the_last_picture_and_says_what_to_do():
    found = open_app()
    found.text_input(key="text").set_value("   ").run()
    assert "Type a sentence" in captions(found)
    assert pictures(found) and not found.exception


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "word " * 2000,
        "🙂👩‍👩‍👧",
        "你好 世界",
        "שלום עולם",
        "e\u0301\u0000\u202e",
        "</script><img src=x onerror=alert(1)>",
    ],
)
def test_odd_texts_give_a_picture(text):
    found = open_app()
    found.text_input(key="text").set_value(text).run()
    assert not found.exception and pictures(found)


def test_a_long_text_says_where_it_was_cut():
    found = open_app()
    found.text_input(key="text").set_value(" ".join(f"w{i}" for i in range(2000))).run()
    assert "only the first 256 are used. It was cut after “… w253 w254 w255”." in captions(found)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("mechanism", "nope", "mechanism “nope”"),
        ("task", "nope", "task “nope”"),
        ("n_heads", "3", "n_heads “3”"),
        ("temperature", "99", "temperature “99”: it goes from 0.1 to 4"),
        ("temperature", "warm", "must be a number"),
        ("temperature", "nan", "temperature “nan”"),
    ],
)
def test_a_link_that_does_not_parse_falls_back_and_says_so(name, value, says):
    found = open_app(**{name: value})
    assert not found.exception
    assert says in " ".join(warning.value for warning in found.warning)
    assert pictures(found)


def test_a_link_restores_everything():
    found = open_app(
        mechanism="multi_hop", n_hops="6", task="sst", text="A & B # + % 你 🙂 </script>", temperature="0.5"
    )
    assert found.text_input(key="text").value == "A & B # + % 你 🙂 </script>"
    assert found.button_group(key="n_hops").value == 6
    assert found.slider(key="temperature").value == 0.5
    assert found.selectbox(key="task").value == "sst"


def test_an_uploaded_picture_is_shown_and_a_broken_one_explained():
    found = open_app(task="mnist")
    found.file_uploader(key="upload").set_value(("digit.png", png(28, 28), "image/png")).run()
    assert not found.exception and "not part of the link" in captions(found)
    found.file_uploader(key="upload").set_value(("digit.png", b"GIF89a-broken", "image/png")).run()
    assert not found.exception and pictures(found)
    assert "picture" in captions(found)


def test_damaged_weights_are_a_sentence(monkeypatch, tmp_path):
    import shutil

    from attnviz.zoo import models, store

    shutil.copytree(store.root() / "trec", tmp_path / "trec")
    shutil.copytree(store.root() / "text", tmp_path / "text")
    (tmp_path / "trec" / "multi_head" / "default.safetensors").write_bytes(b"damaged")
    monkeypatch.setenv("ATTNVIZ_ZOO", str(tmp_path))
    models.load.cache_clear()
    try:
        found = open_app()
        assert not found.exception
        assert "damaged" in captions(found)
    finally:
        models.load.cache_clear()


def test_a_link_with_a_blank_text_shows_an_example_and_says_what_to_do():
    found = open_app(text="  ")
    assert pictures(found) and "Type a sentence" in captions(found)
