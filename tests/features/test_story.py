"""Stories as one-hot words."""

import torch

from attnviz.features.story import StoryFeatures, sentences, words


def test_a_line_or_a_full_stop_ends_a_sentence():
    told = "Mary went there. John did\r\n\n  Is it so? \n ... \nMr.X sat\n"
    assert sentences(told) == ["Mary went there.", "John did", "Is it so?", "Mr.X sat"]
    assert sentences(" \n .;-") == []


def test_words_are_without_marks():
    assert words("“Mary,John”: went_back to the office!") == ["Mary", "John", "went", "back", "to", "the", "office"]
    assert words("...") == []


def test_only_known_words_count_small_or_capital_and_no_more_than_fit():
    features = StoryFeatures(("mary", "went", "home"), 3)
    assert features.known("MARY quickly went home") == ("mary", "went", "home")
    assert features.known("mary mary mary went") == ("mary", "mary", "mary")
    assert features.known("so what") == ()


def test_rows_are_one_hot_and_padded():
    features = StoryFeatures(("mary", "went", "home"), 4)
    rows = features([("went", "mary"), ()])
    expected = torch.zeros(2, 4, 3)
    expected[0, 0, 1] = expected[0, 1, 0] = 1
    assert torch.equal(rows, expected)
    assert not list(features.parameters())
