import torch

from attnviz.features.text import TextFeatures, collate
from attnviz.features.words import split


def model():
    torch.manual_seed(0)
    features = TextFeatures(16).double().eval()
    features.embedding = torch.randn(30522, 16, dtype=torch.double)
    return features


def test_a_padded_sentence_has_the_same_features_as_alone():
    features = model()
    short, long = split("Who ?"), split("How many people live in antidisestablishmentarianism ?")
    together = features(*collate([short, long]))
    alone = features(*collate([short]))
    torch.testing.assert_close(together[0, :2], alone[0], rtol=1e-9, atol=1e-10)


def test_a_word_of_several_pieces_is_their_mean():
    features = model()
    word = split("antidisestablishmentarianism")
    pieces, mask = collate([word])
    features.layers = torch.nn.ModuleList()
    mean = features.embedding[list(word.pieces[0])].mean(0)
    torch.testing.assert_close(features(pieces, mask)[0, 0], features.norm(features.first(mean)))


def test_a_feature_vector_knows_six_words_each_way_and_no_more():
    features = model()
    words = [f"w{i}" for i in range(20)]
    before = features(*collate([split(" ".join(words))]))[0]
    words[10] = "changed"
    after = features(*collate([split(" ".join(words))]))[0]
    moved = (before - after).abs().amax(1) > 1e-12
    assert moved.nonzero().flatten().tolist() == list(range(4, 17))


def test_collate_marks_what_is_real():
    pieces, mask = collate([split("one two three"), split("one")])
    assert mask.tolist() == [[True] * 3, [True, False, False]]
    assert (pieces[1, 1:] == 0).all()


def test_the_embedding_table_is_not_part_of_the_state():
    assert "embedding" not in TextFeatures(8).state_dict()
