"""How translators are trained and measured, on a few pairs made here."""

import pytest
import torch

from attnviz.attention.registry import get
from attnviz.features import translation as text
from attnviz.features.translation import SPECIAL, WordVectors
from attnviz.tasks.registry import Examples
from attnviz.tasks.translation import Way
from attnviz.training.jobs import translation as training
from attnviz.training.jobs.translation import Pair

ROWS = [
    {"en": "He sleeps.", "zh": "他睡觉。"},
    {"en": "He sleeps.", "zh": "他在睡。"},
    {"en": "He sleeps.", "zh": "他睡觉。"},
    {"en": "He is asleep.", "zh": "他在睡。"},
]
EXAMPLES = Examples(ROWS, torch.zeros(4, dtype=torch.long))


def test_equal_sentences_are_one_with_all_their_different_translations():
    assert training.references(EXAMPLES, "zh") == {
        "He sleeps.": ["他睡觉。", "他在睡。"],
        "He is asleep.": ["他在睡。"],
    }
    assert training.references(EXAMPLES, "en") == {
        "他睡觉。": ["He sleeps."],
        "他在睡。": ["He sleeps.", "He is asleep."],
    }


def test_bleu_takes_any_of_the_references():
    pytest.importorskip("sacrebleu", reason="BLEU needs sacrebleu: pip install -r requirements-train.txt")
    known = [["The cat sat on the mat.", "A cat is sitting on the mat."], ["We have no more time for that."]]
    assert training.score([known[0][1], known[1][0]], known, "en") == pytest.approx(1)
    assert training.score([known[0][1], known[1][0]], [known[0][:1], known[1]], "en") < 0.9
    assert training.score(["我们没有时间了。"], [["我们没有时间了。"]], "zh") == pytest.approx(1)
    assert training.score(["我们有时间。"], [["你没有钱。"]], "zh") < 0.3


def test_english_pieces_are_small_at_the_start_of_a_sentence_unless_they_are_names():
    sentences = ["The boy saw Tom.", "Tom saw the boy.", "I saw Tom and the boy.", "Boys saw the boy."] * 5
    pieces = training.english_pieces(sentences)
    assert tuple(pieces[:4]) == SPECIAL
    assert {"the", "Tom", "I", "boy"} <= set(pieces)
    assert not {"The", "tom", "Boy"} & set(pieces)


def test_rare_characters_are_left_out():
    assert training.chinese_pieces(["我我你", "你我。", "她。"]) == [*SPECIAL, "我", "你", "。"]


@pytest.mark.parametrize(("form", "n_careful"), [("bahdanau", 0), ("luong", 1), ("none", 0)])
def test_keys_of_products_learn_slowly(form, n_careful):
    spec = get("rnn_query")
    way = Way(spec, spec.parse({"form": form}), 8, 20)
    (quick, *careful) = training._groups(way, 2e-3)
    assert quick["lr"] == 2e-3 and len(careful) == n_careful
    for group in careful:
        assert group["lr"] == pytest.approx(2e-4) and group["params"] == [way.attention.keys.weight]
    everything = [p for group in (quick, *careful) for p in group["params"]]
    assert sorted(map(id, everything)) == sorted(map(id, way.parameters()))


def test_pairs_are_numbers_in_the_direction_asked_for():
    (pair,) = training.pairs(Examples(ROWS[:1], torch.zeros(1)), "zh")
    assert text.written(text.labels(pair.source, "en"), "en") == "He sleeps."
    assert text.written(text.labels(pair.target, "zh"), "zh") == "他睡觉。"
    (back,) = training.pairs(Examples(ROWS[:1], torch.zeros(1)), "en")
    assert (back.source, back.target) == (pair.target, pair.source)


def test_association_is_that_of_neighbours_and_of_translations():
    rows = [{"en": [0, 1], "zh": [0]}, {"en": [2, 3], "zh": [1]}] * 3
    table = training.association(rows, {"en": 4, "zh": 2})
    assert torch.equal(table, table.T)
    together = (table > 0).nonzero().tolist()
    assert [0, 1] in together and [2, 3] in together  # neighbours
    assert [0, 4] in together and [3, 5] in together  # a word and its translation
    assert [0, 2] not in together and [0, 5] not in together
    # each pair of neighbours is one of four halves: log(p(a, b) / (p(a) p(b))) with p(a) = p(b) = 1/4, p(a, b) = 1/4
    assert table[0, 1] == pytest.approx(torch.tensor(4.0).log().item())


def test_directions_explain_a_table_of_low_rank_and_have_length_one():
    factors = torch.randn(60, 3)
    found, explained = training.directions(factors @ factors.T, 3)
    assert explained == pytest.approx(1, abs=1e-4)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(60))
    torch.testing.assert_close((found @ found.T).abs() <= 1 + 1e-5, torch.ones(60, 60, dtype=torch.bool))


def few(n=24, n_words=9):
    """Pairs in which the translation says the words of the source backwards."""
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randint(4, n_words, (int(k),), generator=generator).tolist() for k in torch.arange(n) % 3 + 2]
    return [Pair(row, row[::-1]) for row in rows]


@pytest.mark.parametrize("form", ["bahdanau", "luong", "none"])
def test_training_lowers_the_loss_and_keeps_the_best_epoch(form):
    spec, pairs = get("rnn_query"), few()
    way, vectors = Way(spec, spec.parse({"form": form}), 16, 9), WordVectors({"en": 9, "zh": 9}, 16)
    vectors.requires_grad_(False)
    before = training.held_out_loss(way, vectors, "en", pairs)
    kept = {name: value.clone() for name, value in vectors.state_dict().items()}
    best = training.fit(way, vectors, "en", pairs, pairs, epochs=25, rate=1e-2)
    assert best < 0.8 * before
    assert training.held_out_loss(way, vectors, "en", pairs) == pytest.approx(best, rel=1e-5)
    assert all(torch.equal(value, kept[name]) for name, value in vectors.state_dict().items())


def test_the_loss_counts_words_and_not_padding():
    spec = get("rnn_query")
    way, vectors = Way(spec, spec.options(), 16, 9).eval(), WordVectors({"en": 9, "zh": 9}, 16)
    pairs = [Pair([4, 5, 6, 7], [7, 6, 5, 4]), Pair([8], [8])]
    together = training.loss_of(way, vectors, "en", pairs).item()
    alone = [training.loss_of(way, vectors, "en", [pair]).item() for pair in pairs]
    assert together == pytest.approx((5 * alone[0] + 2 * alone[1]) / 7, rel=1e-5)
    assert training.held_out_loss(way, vectors, "en", pairs) == pytest.approx(together, rel=1e-5)
