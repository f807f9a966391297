"""Sentences of two languages as pieces and back, and the two recurrent nets that read them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnviz.features import translation
from attnviz.features.translation import ENDED, SPECIAL, UNKNOWN, Encoder, WordVectors, collate

EN = dict.fromkeys(
    [*SPECIAL, "I", "a", "b", "c", "A", "T", "the", "The", "Tom", "tom", "is", "here", "walk", "##ing", "##s", ".", "2"]
)


@pytest.fixture
def small(monkeypatch):
    """A vocabulary of a few words, in which the more frequent of two spellings comes first."""
    known = {piece: number for number, piece in enumerate(EN)}
    monkeypatch.setattr(translation, "vocabulary", lambda language: known)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where are you?", "en"),
        ("你在哪里？", "zh"),
        ("我喜欢 eBay 和 DNA 测试。", "zh"),
        ("She said 你好 to me and left the room.", "en"),
        ("12:30", "en"),
        ("😀", "en"),
        ("", "en"),
        ("臺", "zh"),
    ],
)
def test_the_language_is_that_of_most_words(text, language):
    assert translation.language_of(text) == language


def test_a_word_is_split_into_the_longest_known_pieces(small):
    labels, numbers = zip(*translation.pieces("the walking 2 xyz", "en"), strict=True)
    assert labels == ("the", "walk", "·ing", "2", "xyz")
    assert [list(EN)[n] for n in numbers] == ["the", "walk", "##ing", "2", "[UNK]"]


@pytest.mark.parametrize(
    ("text", "first"),
    [("The b", "the"), ("Tom is here", "Tom"), ("Walks", "walk"), ("A b", "a"), ("I walk", "I"), ("Is b", "is")],
)
def test_the_first_word_is_read_as_inside_of_a_sentence_and_shown_as_written(small, text, first):
    label, number = translation.pieces(text, "en")[0]
    assert list(EN)[number] == first
    assert label.lower() == first.lower() and text.startswith(label)


def test_chinese_is_read_by_characters_and_foreign_words_stay_whole():
    assert translation.words("我 有2个iPad！", "zh") == ["我", "有", "2", "个", "iPad", "！"]


@pytest.mark.parametrize(
    ("labels", "language", "sentence"),
    [
        (("is", "Tom", "walk", "·ing", "?", ENDED), "en", "Is Tom walking?"),
        (("it's", "2", ":", "30", ",", "right", "?"), "en", "It's 2:30, right?"),
        (("call", "(", "me", ")", "."), "en", "Call (me)."),
        (("我", "很", "好", "。", ENDED), "zh", "我很好。"),
        ((ENDED,), "en", ""),
        ((), "zh", ""),
    ],
)
def test_pieces_are_written_as_a_sentence(labels, language, sentence):
    assert translation.written(labels, language) == sentence


def test_a_sentence_of_known_words_comes_back():
    for text, language in (("Tom isn't here, is he?", "en"), ("我们明天去看书吧。", "zh")):
        found = [number for _, number in translation.pieces(text, language)]
        assert UNKNOWN not in found
        assert translation.written(translation.labels(found, language), language) == text


@given(st.text(max_size=40), st.sampled_from(translation.LANGUAGES))
def test_any_text_gives_known_numbers_and_printable_labels(text, language):
    known = translation.vocabulary(language)
    for label, number in translation.pieces(text, language):
        assert label and label.isprintable() and UNKNOWN <= number < len(known)


def test_the_vocabularies_begin_with_the_special_pieces():
    for language in translation.LANGUAGES:
        assert tuple(translation.vocabulary(language))[:4] == SPECIAL
        assert list(translation.vocabulary(language).values()) == list(range(len(translation.vocabulary(language))))


def test_vectors_are_scaled_to_a_variance_of_about_one():
    vectors = WordVectors({"en": 400, "zh": 300}, 96)
    found = vectors(torch.arange(300)[None], "zh")
    assert found.shape == (1, 300, 96)
    assert 0.9 < found.std() < 1.1
    assert not torch.equal(found, vectors(torch.arange(300)[None], "en"))


def test_padding_is_not_read():
    encoder, ids = Encoder(6, 8), collate([[5, 6, 7, 8], [9, 10]])
    assert ids.tolist() == [[5, 6, 7, 8], [9, 10, 0, 0]]
    items = torch.randn(2, 4, 6)
    states = encoder(items, ids > 0)
    torch.testing.assert_close(states[0], encoder(items[:1])[0])
    torch.testing.assert_close(states[1, :2], encoder(items[1:, :2])[0])
    assert not states[1, 2:].any()


def test_a_state_knows_both_sides():
    encoder, items = Encoder(6, 8), torch.randn(1, 4, 6)
    other = items.clone()
    other[0, 0] += 1
    moved = (encoder(items) - encoder(other)).abs()[0] > 0
    assert moved[0].any() and moved[3, :4].any() and not moved[3, 4:].any()


def test_a_sentence_of_padding_alone_gives_numbers():
    assert Encoder(6, 8)(torch.randn(1, 3, 6), torch.zeros(1, 3, dtype=torch.bool)).isfinite().all()
