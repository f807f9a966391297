import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.errors import InputError
from attnviz.features import targets
from attnviz.features.words import split

REVIEW = split("The food was cold, but the Food of the café next door is fine food.")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("food", (1,)),
        ("FOOD", (1,)),
        ("food@2", (7,)),
        ("food @ 3", (15,)),
        ("café next door", (10, 11, 12)),
        (" next  door ", (11, 12)),
        (",", (4,)),
    ],
)
def test_a_target_is_found_by_its_words(target, expected):
    assert targets.find(REVIEW, target) == expected


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("", "No target is marked"),
        ("  ", "No target is marked"),
        ("@2", "No target is marked"),
        ("pizza", "“pizza” is not in the review. Mark one of its words."),
        ("foo", "is not in the review"),  # whole words alone
        ("food café", "is not in the review"),  # only words that follow one another
        ("food@4", "stand in the review 3 times"),
        ("cold@2", "stand in the review once"),
        ("food@0", "stand in the review 3 times"),
    ],
)
def test_what_cannot_be_found_is_said(target, sentence):
    with pytest.raises(InputError, match=sentence) as error:
        targets.find(REVIEW, target)
    assert error.value.part == "target"


def test_a_long_target_is_cut_in_the_sentence():
    with pytest.raises(InputError) as error:
        targets.find(REVIEW, "very " * 1000)
    assert len(str(error.value)) < 120


@given(st.lists(st.sampled_from(["a", "B", "b", "@", "2", "ab"]), min_size=1, max_size=8), st.data())
def test_every_span_is_found_by_its_name(words, data):
    text = split(" ".join(words))
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    assert targets.find(text, targets.name(text, start, end)) == tuple(range(start, end))
