import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.errors import EmptyTextError
from attnviz.features.words import MAX_WORDS, foreign, split


def test_words_keep_their_spelling_and_place():
    words = split("Who wrote  Hamlet?")
    assert words.labels == ("Who", "wrote", "Hamlet", "?")
    assert [("Who wrote  Hamlet?")[a:b] for a, b in words.spans] == list(words.labels)
    assert words.note == ""


def test_a_rare_word_is_one_item_with_several_pieces():
    words = split("antidisestablishmentarianism rocks")
    assert words.labels == ("antidisestablishmentarianism", "rocks")
    assert len(words.pieces[0]) > 1 and len(words.pieces[1]) == 1


def test_case_and_accents_change_the_label_alone():
    assert split("NAÏVE").pieces == split("naive").pieces
    assert split("NAÏVE").labels == ("NAÏVE",)


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u0000\u0007", "\u200b"])
def test_no_word_is_an_error_that_says_what_to_do(text):
    with pytest.raises(EmptyTextError, match="Type a sentence"):
        split(text)


@pytest.mark.parametrize(
    ("text", "n"),
    [("hello", 1), ("你好吗", 3), ("שלום עולם", 2), ("e\u0301tude", 1), ("👩‍👩‍👧 hi", 2), ("🙂", 1), ("a\u0000b", 1)],
)
def test_scripts_emoji_combining_and_control_characters(text, n):
    words = split(text)
    assert len(words.labels) == n
    assert all(label and not any(ord(c) < 32 for c in label) for label in words.labels)


def test_markup_is_only_text():
    assert "".join(split("</script><img onerror=x>").labels) == "</script><imgonerror=x>"


def test_a_long_text_is_cut_and_the_note_says_where():
    words = split(" ".join(f"w{i}" for i in range(2000)))
    assert len(words.labels) == len(words.pieces) == len(words.spans) == MAX_WORDS
    assert words.note == "The text has 2,000 words; only the first 256 are used. It was cut after “… w253 w254 w255”."


@pytest.mark.parametrize("text", ["\ud800", "soup \udfff!", "\ud83d"])
def test_half_a_character_is_an_unreadable_one(text):
    words = split(f"a{text}b")
    assert "".join(words.labels).encode("utf-8")  # which refuses halves
    assert words.spans[0][0] == 0 and words.spans[-1][1] == len(text) + 2


def test_a_text_in_another_script_says_that_it_means_little():
    for text in ("他去了学校", "Где мой суп? ok"):
        assert split(text).note.startswith("This task was learnt from English texts: ")
    for text in ("The 学 was naïve, élan and 5 € 🙂", "?!", "1 2 3"):
        assert split(text).note == ""
    assert "Chinese" in foreign(["The", "cat", "狗"], "CJK") and foreign(["小", "狗", "ok", "。"], "CJK") == ""


def test_a_very_long_text_is_not_read_to_its_end():
    words = split("word " * 1_000_000)
    assert "more than" in words.note and len(words.labels) == MAX_WORDS


@given(st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_text_gives_words_or_the_empty_error(text):
    try:
        words = split(text)
    except EmptyTextError:
        return
    assert len(words.labels) == len(words.spans) == len(words.pieces)
    assert all(pieces for pieces in words.pieces)
