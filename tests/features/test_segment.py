import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnviz.features.segment import BLANK_PIECE, UNKNOWN, Vocabulary

WORDS = "狐狸 狐狸 狐狸 说 说 说 小狐狸 小狐狸 小狐狸 小 小 高兴 高兴 高兴 高 兴趣".split()


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary.learnt(WORDS, n_vectors=9)


def words(vocabulary, text):
    return [word for word, _ in vocabulary.cut(text)]


def test_learns_characters_before_words_and_the_rare_not_at_all(vocabulary):
    # 狐, 狸 occur 6 times, 小 5, 高 and 兴 4, 说 3, 趣 once
    assert set(vocabulary.pieces[3:9]) == set("狐狸小高兴说")
    assert vocabulary.pieces[9:] == ("小狐狸", "狐狸", "高兴")


def test_takes_the_longest_known_word(vocabulary):
    assert words(vocabulary, "小狐狸说高兴兴趣") == ["小狐狸", "说", "高兴", "兴", "趣"]
    nested = Vocabulary.learnt(["森林", "森林里"] * 3, n_vectors=9)
    assert words(nested, "森林里森林") == ["森林里", "森林"]
    assert list(vocabulary.cut("说 小狐狸")) == [("说", 0), ("小狐狸", 2)]


def test_blanks_separate_and_never_join(vocabulary):
    assert words(vocabulary, "小 狐狸") == ["小", "狐狸"]
    assert words(vocabulary, "狐 狸") == ["狐", "狸"]


def test_other_signs(vocabulary):
    assert words(vocabulary, "狐狸说：“OK 42！”") == ["狐狸", "说", "：", "“", "OK", "42", "！", "”"]


def test_pieces_are_the_word_and_its_characters():
    vocabulary = Vocabulary.learnt(WORDS, n_vectors=11)  # room for two words
    number = vocabulary.pieces.index
    assert vocabulary.pieces_of("狐狸") == (number("狐狸"), number("狐"), number("狸"))
    assert vocabulary.pieces_of("高兴") == (number("高"), number("兴"))  # known, but without a vector
    assert vocabulary.pieces_of("趣") == (UNKNOWN,)
    assert BLANK_PIECE not in vocabulary.pieces_of("狐狸")


def test_is_kept_with_the_weights_as_bytes(vocabulary):
    spelling = vocabulary.to_bytes()
    assert spelling.dtype == torch.uint8
    assert Vocabulary.from_bytes(spelling, 9) == vocabulary


@given(st.text(alphabet="小狐狸说高兴趣ab1，。 \n😀", max_size=40))
def test_loses_no_sign_and_knows_where_each_stands(text):
    found = list(Vocabulary.learnt(WORDS, n_vectors=9).cut(text))
    assert "".join(word for word, _ in found) == "".join(text.split())
    assert all(text[start : start + len(word)] == word for word, start in found)
