"""How cloze readers are trained, on a little book and stories made here."""

import random

import pytest
import torch

from attnviz.attention import registry as mechanisms
from attnviz.features import blanks
from attnviz.features.reader import BLANK, Reader, page
from attnviz.tasks import cloze
from attnviz.tasks import registry as tasks
from attnviz.tasks.cloze import Question
from attnviz.tasks.pointer import MAX_WORDS
from attnviz.training import questions, recipes
from attnviz.training.jobs import cloze as training
from attnviz.zoo import models, store
from tests.tasks.test_cloze import story, write

ANIMALS = "otter badger heron weasel".split()


def book() -> list[str]:
    rng = random.Random(0)
    return [f"The {rng.choice(ANIMALS)} {i} met a {rng.choice(ANIMALS)} near Anna ." for i in range(60)]


@pytest.fixture
def english(tmp_path):
    folder = tmp_path / "cloze_gutenberg"
    folder.mkdir()
    sentences = book()
    write(folder, "sentences", [{"book": "b", "text": text} for text in sentences])
    rows = []
    for i in range(20, 60):
        row = {"split": "train" if i < 45 else "val", "book": "b", "query": i, "pos": 5, "kind": "word"}
        rows.append(row | {"answer": sentences[i].split()[5], "options": ANIMALS})
    write(folder, "questions", rows)
    return tmp_path


@pytest.fixture
def chinese(tmp_path):
    folder = tmp_path / "cloze_zh"
    folder.mkdir()
    write(folder, "cft_human", [tale(i) for i in range(40)])
    for name in cloze.CHINESE[1:]:
        write(folder, name, [])
    return tmp_path


def tale(i: int) -> dict:
    more = [f"从前 有 {i} 只 很 老 很 老 的 乌龟 住 在 山 里 。", f"乌龟 {i} 天天 去 山 里 看 很 老 的 朋友 。"]
    return story(i, doc=[*story(i)["doc"], *more])


def stands_in(sample) -> bool:
    return any(sample.answer == w.lower() for s in sample.reading.document for w in s.labels)


def test_english_questions_are_made_of_the_training_part(english):
    source = questions.Books(english / "cloze_gutenberg")
    assert len(source.books["b"]) == 45
    rng = random.Random(0)
    made = [sample for _ in range(20) for sample in source.made(rng)]
    assert {sample.answer for sample in made} == {*ANIMALS, "near", "anna"}
    for sample in made:
        assert sample.reading.question.labels.count(BLANK) == 1
        assert stands_in(sample)
        number = int(sample.reading.question.labels[2])
        assert [int(s.labels[2]) for s in sample.reading.document] == list(range(number - 20, number))
    assert len(source.questions) == 25 and all(map(stands_in, source.questions))


def test_questions_of_a_batch_share_their_sentences(english):
    made = questions.Books(english / "cloze_gutenberg").made(random.Random(0))
    distinct = {id(s) for sample in made for s in sample.reading.document}
    assert len(distinct) <= 45 < len(made) * 20


def test_names_are_asked_for_within_a_sentence_only(english):
    source = questions.Books(english / "cloze_gutenberg")
    sentence = source.books["b"][30]
    assert [sentence.labels[i] for i in source.askable["b", 30]][-2:] == ["near", "Anna"]
    assert 0 not in source.askable["b", 30] and 4 not in source.askable["b", 30]  # The, a


def test_chinese_questions_stay_in_their_text_or_are_taken_out(chinese):
    source = questions.Stories(chinese / "cloze_zh")
    rng = random.Random(0)
    made = [sample for _ in range(5) for sample in source.made(rng)]
    stays = {any(s is sample.reading.question for s in sample.reading.document) for sample in made}
    assert stays == {True, False}
    for sample in made:
        text = [w for s in sample.reading.document for w in s.labels]
        assert sample.reading.question.labels.count(BLANK) == 1
        assert stands_in(sample) and "XXXXX" not in text and len(sample.answer) > 1
    assert "乌龟" in {sample.answer for sample in made}
    assert "乌龟" in source.vocabulary.pieces
    published = source.published(rng)
    assert {sample.answer for sample in published} == {"乌龟"}


def test_texts_of_a_batch_are_about_as_long():
    found = questions._neighbours(range(1000), 10, random.Random(0))
    assert len(set(found)) == 10 and max(found) - min(found) < 100
    assert sorted(questions._neighbours(range(4), 10, random.Random(0))) == [0, 1, 2, 3]


def test_a_long_text_keeps_its_end():
    question = Question(tuple(f"{'word ' * 150}end {i} ." for i in range(6)), "A ___ .", "word", ("word",), "word")
    document = questions.reading(question, blanks.english).document
    assert sum(len(s.labels) for s in document) == MAX_WORDS
    assert document[-1].labels[-2:] == ("5", ".")


def test_measures_right_answers_by_kind_beside_the_most_frequent_option(monkeypatch):
    shares = torch.tensor([[0.1, 0.2, 0.7, 0.0, 0.0], [0.5, 0.1, 0.2, 0.1, 0.1]])  # the, fox, hen, a, ___
    monkeypatch.setattr(training, "shares", lambda reader, pointer, given: shares)
    text = ("the fox hen hen",)
    asked = [
        Question(text, "a ___", "hen", ("fox", "hen"), "word"),
        Question(text, "a ___", "fox", ("fox", "hen", "absent"), "name"),
    ]
    found = training.measure(torch.nn.Identity(), None, blanks.english, asked)
    assert (found["accuracy"], found["word"], found["name"]) == (0.5, 1.0, 0.0)
    assert found["most frequent option, word"] == 1.0 and found["most frequent option, name"] == 0.0


def test_loss_is_that_of_the_missing_word(english):
    source = questions.Books(english / "cloze_gutenberg")
    reader = Reader(16, narrow=8).eval()
    reader.embedding.normal_()
    pointer = tasks.get("cloze").job.output(mechanisms.get(training.MECHANISM), None, 16)
    samples = source.questions[:3]
    each = []
    for sample in samples:
        given = page([sample.reading])
        found = training.shares(reader, pointer, given)[0].detach()
        assert float(found.sum()) == pytest.approx(1, abs=1e-5)
        each.append(-float(found[given.numbers[sample.answer] - 1].log()))
    assert training.loss(reader, pointer, samples).item() == pytest.approx(sum(each) / 3, rel=1e-4)


@pytest.fixture
def empty_zoo(tmp_path, monkeypatch):
    """A zoo that has the general text features only."""
    made = {name: store.read(store.root() / "text" / f"{name}.safetensors") for name in ("embeddings", "features")}
    monkeypatch.setenv("ATTNVIZ_ZOO", str(tmp_path / "zoo"))
    for name, (tensors, card) in made.items():
        store.write(tmp_path / "zoo" / "text" / f"{name}.safetensors", tensors, card)
    caches = (models.features, models.load, training._source)
    for cache in caches:
        cache.cache_clear()
    yield tmp_path / "zoo"
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("name", ["cloze", "cloze_zh"])
def test_reader_and_pointer_are_made_and_evaluated(name, request, empty_zoo, monkeypatch):
    data = request.getfixturevalue("english" if name == "cloze" else "chinese")
    monkeypatch.setitem(training.PLANS, name, training.Plan(4, 1e-3, 0.1, published=0.5))
    monkeypatch.setattr(training, "HEAD_PLAN", training.Plan(3, 1e-3, published=1.0))
    spec = mechanisms.get(training.MECHANISM)
    card = recipes.train(name, "features", data, {})
    head = recipes.train(name, spec.name, data, {"scale": "sqrt"})
    reader, _ = models.features(name)
    options = spec.parse({"scale": "sqrt"})
    learnt = models.load(name, spec.name, options).output.document.weight
    assert card["n_val"] == head["n_val"] > 0 and card["licence"] == tasks.get(name).data.licence
    assert ("embedding" in reader.state_dict()) == (name == "cloze_zh")
    assert 0 < (learnt - torch.eye(128) * 128**0.25).abs().max() < 0.1
    figures = recipes.evaluate(name, spec.name, options, data, "val")
    assert figures["accuracy"] == pytest.approx(head["metric"]["accuracy"], abs=0.1)  # kept in half precision


@pytest.fixture
def small(english, empty_zoo):
    """A small reader with its pointer, a source that makes questions about one text, and those questions."""
    source = questions.Books(english / "cloze_gutenberg")
    torch.manual_seed(0)
    reader = Reader(32, narrow=8)
    reader.embedding.normal_()
    pointer = tasks.get("cloze").job.output(mechanisms.get(training.MECHANISM), None, 32).requires_grad_(False)
    samples = source.questions[:12]
    source.made = lambda rng: samples
    return reader, pointer, source, samples


def measured(monkeypatch, reader: Reader, *figures: float) -> list[list[torch.Tensor]]:
    """Lets the validation questions be answered with these figures; the reader's weights at each of those times."""
    seen, said = [], iter(figures)

    def measure(*_):
        seen.append(training._copies(list(reader.parameters())))
        return {"accuracy": next(said)}

    monkeypatch.setattr(training, "measure", measure)
    return seen


def test_training_learns_who_was_met(small, monkeypatch):
    """Sixty batches of one text's questions: the loss falls far below that of a guess among its words."""
    reader, pointer, source, samples = small
    before = training.loss(reader.eval(), pointer, samples).item()
    measured(monkeypatch, reader, 0.1, 0.2, 0.3, 0.4, 0.5)
    training._fit(reader.train(), pointer, reader.parameters(), source, training.Plan(60, 3e-3), [])
    assert training.loss(reader.eval(), pointer, samples).item() < before / 2


@pytest.mark.parametrize(("figures", "best"), [((0.1, 0.2, 0.5, 0.5, 0.3), 2), ((0.4, 0.1, 0.2, 0.1, 0.4), 0)])
def test_the_best_weights_are_kept_and_the_beginning_counts(small, monkeypatch, figures, best):
    reader, pointer, source, _ = small
    seen = measured(monkeypatch, reader, *figures)
    kept = training._fit(reader.train(), pointer, reader.parameters(), source, training.Plan(8, 3e-3), [])
    assert len(seen) == 5 and kept == f"after {2 * best} of 8 batches"
    same = [all(map(torch.equal, reader.parameters(), state)) for state in seen]
    assert same == [i == best for i in range(5)]
