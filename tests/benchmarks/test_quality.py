import numpy as np

from attnviz.features.words import split
from benchmarks.quality import word_labels


def test_a_word_has_the_label_of_the_token_it_is_part_of():
    row = {"tokens": ["It", "does", "n't", "well-made", "shine", "."], "token_labels": [2, 2, 1, 4, 3, 2]}
    words = split(" ".join(row["tokens"])).labels
    assert words == ("It", "does", "n", "'", "t", "well", "-", "made", "shine", ".")
    np.testing.assert_array_equal(word_labels(row), [2, 2, 1, 1, 1, 4, 4, 4, 3, 2])
