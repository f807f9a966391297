from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.features import blanks
from attnviz.features.segment import Vocabulary
from attnviz.features.words import split

VOCABULARY = Vocabulary.learnt(["狐狸", "森林", "高兴"] * 3, n_vectors=100)


@pytest.mark.parametrize("blank", ["__", "___", "________"])
def test_underscores_are_one_word(blank):
    found = blanks.english(f"The {blank} sat.")
    assert found.labels == ("The", "___", "sat", ".")
    assert found.pieces[1] == blanks.ENGLISH_BLANK
    assert found.spans[1] == (4, 4 + len(blank))


def test_one_underscore_is_no_blank():
    assert blanks.english("a_b").labels == ("a", "_", "b")


def test_chinese_blank_stands_between_words_without_spaces():
    found = blanks.chinese("狐狸在___里，森林＿＿高兴。", VOCABULARY)
    assert found.labels == ("狐狸", "在", "___", "里", "，", "森林", "___", "高兴", "。")
    assert found.pieces[2] == found.pieces[6] == blanks.CHINESE_BLANK


def test_segmented_text_is_cut_at_its_blanks_only():
    found = blanks.segmented("大 狐狸在 ___ 里", VOCABULARY)
    assert found.labels == ("大", "狐狸在", "___", "里")
    assert found.pieces[2] == blanks.CHINESE_BLANK


def test_english_words_are_those_of_any_text():
    text = "Mr. Fox said: \"I don't know, the sea-king can't.\" Él café\n\nend"
    found, expected = blanks.english(text), split(text)
    assert (found.labels, found.spans, found.pieces) == (expected.labels, expected.spans, expected.pieces)


def test_long_texts_are_not_cut():
    assert len(blanks.english("word " * 700).labels) == 700


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One .", "Two !", "Three ?"]),
        ('"One?" said Mr. Fox. (Two.) End', ['" One ? "', "said Mr . Fox .", "( Two . )", "End"]),
        ("Wait... what", ["Wait . . .", "what"]),
        ("一个。”两个！三", ["一 个 。 ”", "两 个 ！", "三"]),
    ],
)
def test_sentences_end_with_their_marks(text, expected):
    cut = partial(blanks.chinese, vocabulary=VOCABULARY) if "一" in text else blanks.english
    assert [" ".join(s.labels) for s in blanks.sentences(cut(text))] == expected


@given(st.text(alphabet='ab.!?" _', max_size=40))
def test_spans_point_at_the_words_and_sentences_lose_none(text):
    found = blanks.english(text)
    spelled = [text[start:stop] for start, stop in found.spans]
    assert [s if "__" not in s else "___" for s in spelled] == list(found.labels)
    if found.labels:
        parts = blanks.sentences(found)
        assert sum((p.labels for p in parts), ()) == found.labels
        assert all(p.labels for p in parts)


def test_a_blank_takes_a_word_s_place():
    found = blanks.blanked(blanks.english("The cat sat"), 1, blanks.ENGLISH_BLANK)
    assert found.labels == ("The", "___", "sat") and found.pieces[1] == blanks.ENGLISH_BLANK
