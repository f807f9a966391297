import torch

from attnviz.features.text import TextFeatures
from attnviz.features.words import split
from attnviz.training import text_features


def test_batches_hold_every_row_once_and_no_more_words_than_asked():
    lengths = [3, 50, 7, 7, 20, 1, 40]
    for generator in (None, torch.Generator().manual_seed(0)):
        found = text_features.batches(lengths, 60, generator)
        assert sorted(row for batch in found for row in batch) == list(range(7))
        assert all(len(b) == 1 or max(lengths[i] for i in b) * len(b) <= 60 for b in found)


def test_reduced_embeddings_keep_the_directions_of_most_variance():
    torch.manual_seed(0)
    table = torch.randn(500, 8) * torch.tensor([9.0, 7, 5, 0.1, 0.1, 0.1, 0.1, 0.1]) + 3
    reduced = text_features.reduced_embeddings(table, 3)
    assert reduced.shape == (500, 3)
    centred = table - table.mean(0)
    back = reduced @ torch.linalg.lstsq(reduced, centred).solution
    assert ((centred - back) ** 2).sum() / (centred**2).sum() < 0.01


def test_quantised_embeddings_lose_less_than_a_percent():
    torch.manual_seed(0)
    table = torch.randn(40, 16)
    stored = text_features.quantised(table)
    assert stored["numbers"].dtype == torch.int8
    assert (
        (stored["numbers"].float() * stored["scale"].float() - table).abs() / table.abs().amax(1, True)
    ).max() < 0.01


def test_distillation_and_fine_tuning_learn_something():
    torch.manual_seed(0)
    texts = [f"{who} {verb} the {what}" for who in ("cats", "dogs") for verb in ("see", "eat") for what in "abcdefgh"]
    sentences = [split(text) for text in texts] * 4
    table = torch.randn(30522, 16) / 4
    targets = [torch.stack([table[p[0]].repeat(2) * (i + 1) for i, p in enumerate(s.pieces)]) for s in sentences]
    features, explained = text_features.distil(sentences, targets, table, epochs=150, seed=0)
    assert explained > 0.5
    plain = TextFeatures(16)
    plain.embedding = table
    plain.load_state_dict({k: v for k, v in features.state_dict().items() if k != "embedding"})
    labels = torch.tensor([int("eat" in text) for text in texts] * 4)
    state, accuracy = text_features.fine_tune(
        plain, (sentences, labels), (sentences[:32], labels[:32]), n_classes=2, epochs=6, words_in_batch=64
    )
    assert accuracy > 0.9 and "layers.0.neighbours.weight" in state
