from functools import partial

import numpy as np
import pytest
import torch

from attnviz.features import blanks
from attnviz.features.reader import CLUES, HINTS, Reader, Reading, clues, page
from attnviz.features.segment import Vocabulary
from attnviz.features.text import TextFeatures, collate

TEXT = 'Anna fed the fox. "The fox is thin," said Anna. Then the old fox slept.'
QUESTION = "The ___ slept near Anna."


def reading(text: str = TEXT, question: str = QUESTION) -> Reading:
    return Reading(blanks.sentences(blanks.english(text)), blanks.english(question))


@pytest.fixture
def reader(double) -> Reader:
    model = Reader(16, narrow=8).eval()
    model.embedding.normal_()
    return model


def test_a_shared_sentence_is_read_once():
    one = reading()
    other = Reading(one.document, blanks.english("An ___ ."))
    alone, both = page([one]), page([one, other])
    assert both.pieces.shape[1] == alone.pieces.shape[1] + 3 + 2
    torch.testing.assert_close(both.document[0], both.document[1])


def test_each_sentence_is_read_by_itself(reader):
    given = page([reading()])
    vectors = TextFeatures.forward(reader, given.pieces, given.pieces[:, :, 0] > 0)[0]
    expected = [TextFeatures.forward(reader, *collate([s]))[0] for s in reading().document]
    torch.testing.assert_close(vectors[given.document[0]], torch.cat(expected), rtol=1e-9, atol=1e-10)


def test_equal_words_have_equal_numbers_whatever_their_case():
    given = page([reading()])
    labels = [w.lower() for s in reading().document for w in s.labels]
    assert [given.numbers[label] for label in labels] == given.words[0].tolist()
    assert given.asked[0, 0] == given.words[0, labels.index("the")]


def expected_clues(labels, asked, sentence_of, starts, blank_sentence):
    """The same numbers in plain loops."""
    lower, ask = [w.lower() for w in labels], [w.lower() for w in asked]
    at = ask.index("___")
    rows = []
    for i, word in enumerate(lower):
        away = blank_sentence - sentence_of[i]
        bins = [abs(away) >= edge for edge in (1, 2, 3, 4, 6, 9, 14)]
        near = [0.0] * 8
        near[sum(bins)] = 1.0
        rows.append(
            [
                word in ask,
                at > 0 and i > 0 and lower[i - 1] == ask[at - 1],
                at + 1 < len(ask) and i + 1 < len(lower) and lower[i + 1] == ask[at + 1],
                labels[i][0].isupper() and i not in starts,
                labels[i][0].isupper() and i in starts,
                np.log1p(lower.count(word)),
                away < 0,
                *near,
            ]
        )
    hints = [[w == "___", w in lower, np.log1p(lower.count(w))] for w in ask]
    return np.array(rows, dtype=float), np.array(hints, dtype=float)


@pytest.mark.parametrize("question", [QUESTION, "___ fed the fox.", "Anna saw the ___"])
@pytest.mark.parametrize("text", [TEXT, f"{TEXT} {QUESTION} And then it rained."])
def test_clues_are_what_they_say(text, question):
    given = reading(text, question)
    found, hints = clues(page([given]))
    labels = [w for s in given.document for w in s.labels]
    sentence_of = [i for i, s in enumerate(given.document) for _ in s.labels]
    starts = {sentence_of.index(i) for i in range(len(given.document))}
    blank = next((i for i, s in enumerate(given.document) if "___" in s.labels), len(given.document))
    expected, expected_hints = expected_clues(labels, given.question.labels, sentence_of, starts, blank)
    assert found.shape[2] == CLUES and hints.shape[2] == HINTS
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)
    np.testing.assert_allclose(hints[0], expected_hints, rtol=1e-6)


def test_a_batch_reads_as_each_alone(reader):
    readings = [
        reading(),
        reading("The fox ran. It was ___ ran.", "It was ___ ran."),
        reading("Fox. Hen.", "A ___ ran"),
    ]
    given = page(readings)
    items, query_items = reader(given)
    for row, one in enumerate(readings):
        alone = page([one])
        n, m = alone.words.shape[1], alone.asked.shape[1]
        assert given.mask[row].sum() == n and given.query_mask[row].sum() == m
        for found, expected in zip((items[row, :n], query_items[row, :m]), reader(alone), strict=True):
            torch.testing.assert_close(found, expected[0], rtol=1e-9, atol=1e-10)


def test_a_word_far_away_counts(reader):
    near, far = (reader(page([reading(f"{start} {TEXT} {TEXT}")]))[0] for start in ("A dog ran.", "A cat ran."))
    changed = (near - far).abs().amax(2)[0] > 1e-12
    assert changed[30]  # three sentences behind the word that differs
    assert not changed[-1]  # more than forty words


def test_every_weight_learns(reader):
    items, query_items = reader(page([reading(f"{TEXT} {QUESTION}")]))
    (items.sin().sum() + query_items.sin().sum()).backward()
    for name, weight in reader.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all() and weight.grad.abs().sum() > 0, name


def test_keeps_a_table_and_spelling_of_its_own_with_the_weights():
    vocabulary = Vocabulary.learnt("狐狸 森林".split() * 3, n_vectors=8)
    spelling = vocabulary.to_bytes()
    model = Reader(16, n_vectors=8, n_bytes=len(spelling))
    model.spelling.copy_(spelling)
    assert {"embedding", "spelling"} <= model.state_dict().keys()
    assert not {"embedding", "spelling"} & Reader(16).state_dict().keys()
    again = Reader(16, n_vectors=8, n_bytes=len(spelling))
    again.load_state_dict(model.state_dict())
    assert again.vocabulary() == vocabulary
    cut = partial(blanks.chinese, vocabulary=again.vocabulary())
    items, _ = again(page([Reading(blanks.sentences(cut("狐狸在森林里。")), cut("___在森林"))]))
    assert items.shape == (1, 5, 16)
