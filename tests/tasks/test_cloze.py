"""Reading the files, and from what a person types to an answer."""

import gzip
import json

import numpy as np
import pytest
import torch

from attnviz import library
from attnviz.attention import registry
from attnviz.errors import DataError, InputError, OptionError
from attnviz.features.reader import Reader
from attnviz.features.segment import Vocabulary
from attnviz.features.words import foreign
from attnviz.recording import record
from attnviz.tasks import cloze
from attnviz.tasks import registry as tasks
from attnviz.tasks.pointer import MAX_WORDS, ClozeJob, Pointer, added, spelled

TEXT = "Anna fed the fox. The fox was thin. Then Tom fed the hens."
QUESTION = "Anna and the ___ slept."


def write(folder, name, rows):
    with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def english(tmp_path):
    write(tmp_path, "sentences", [{"book": "b", "text": f"Sentence {i} has a fox ."} for i in range(40)])
    row = {"book": "b", "query": 25, "pos": 4, "answer": "fox", "kind": "word", "options": ["has", "fox"]}
    write(tmp_path, "questions", [row | {"split": "train"}, row | {"split": "val", "query": 35}])
    return tmp_path


def test_english_document_is_the_twenty_sentences_before(english):
    found = cloze.read(english, "val")
    question = found.inputs[0]
    assert question.document == tuple(f"Sentence {i} has a fox ." for i in range(15, 35))
    assert question.question == "Sentence 35 has a ___ ."
    assert found.labels.tolist() == [1]


def test_english_test_questions_stand_in_a_file_of_their_own(english):
    with pytest.raises(DataError, match="No question of that split"):
        cloze.read(english, "test")
    row = {"book": "b", "query": 38, "pos": 1, "answer": "30", "kind": "word", "options": ["30", "fox"]}
    write(english, "questions_test", [row])
    assert cloze.read(english, "test").inputs[0].question == "Sentence ___ has a fox ."


def test_most_frequent_option_ignores_case_and_single_signs():
    words = cloze.Question(("The fox , the hen .",), "A ___", "fox", (",", "hen", "the", "fox"), "word")
    assert words.frequent == "the"
    assert cloze.Question(("的 的 狐狸",), "___", "狐狸", ("的", "狐狸"), "sentence").frequent == "狐狸"


STORY = {
    "doc": ["狐狸 住 在 很 大 很 大 的 森林 里 。", "XXXXX 很 高兴 。"],
    "query": "XXXXX 很 高兴 。",
    "answer": "狐狸",
}


def story(i: int, **fields) -> dict:
    long = f"第 {i} 个 故事 里 有 一 只 很 老 的 乌龟 。"
    return {"doc": [long, "XXXXX 很 高兴 。"], "query": "XXXXX 很 高兴 。", "answer": "乌龟", **fields}


@pytest.fixture
def chinese(tmp_path):
    write(tmp_path, "cft_human", [story(i) for i in range(60)])
    shared = [story(i, query="森林 里 有 XXXXX 。") for i in range(60)]
    write(tmp_path, "cft_auto", [s | {"doc": s["doc"][:1]} for s in shared])
    for name in ("cmrc2017_cloze_valid", "cmrc2017_user_valid"):
        write(tmp_path, name, [story(99, answer="狮子"), story(98, query="谁 很 高兴 ？")])
    return tmp_path


def test_chinese_splits_share_no_text(chinese):
    parts = {split: cloze.read_chinese(chinese, split).inputs for split in ("train", "val", "test")}
    texts = {split: {q.document[0] for q in found} for split, found in parts.items()}
    assert all(texts.values())
    assert not texts["train"] & texts["val"] and not texts["train"] & texts["test"] and not texts["val"] & texts["test"]
    assert sum(map(len, parts.values())) == 120  # a question without a blank and an answer out of the text are none


def test_chinese_texts_that_hang_together_stay_together():
    links = [story(1), story(2), {"doc": story(1)["doc"] + story(2)["doc"]}]
    assert len(set(cloze._parts(links))) == 1
    assert len(set(cloze._parts([story(i) for i in range(60)]))) == 3


def test_chinese_question():
    found = cloze.story_question(STORY)
    assert found.document[1] == found.question == "___ 很 高兴 。"
    assert found.options == ("狐狸", "住", "在", "很", "大", "的", "森林", "里", "高兴")
    assert found.kind == "sentence"
    assert cloze.story_question(STORY | {"doc": STORY["doc"][:1]}).kind == "exercise"
    assert cloze.story_question(STORY | {"answer": "乌龟"}) is None
    assert cloze.story_question(STORY | {"query": "谁 很 高兴 ？"}) is None


def test_chinese_test_file_is_used_where_there_is_one(chinese):
    write(chinese, "cmrc2017_test", [STORY])
    assert [q.answer for q in cloze.read_chinese(chinese, "test").inputs] == ["狐狸"]


def test_equal_words_add_up():
    answers, words = spelled(["The", "fox", ",", "the", "Fox", "___", "FOX", "hen"])
    assert words == ("The", "fox", "hen")
    assert answers.tolist() == [[0, 1, -1, 0, 1, -1, 1, 2]]
    s = torch.arange(1.0, 9.0)[None]
    assert added(s, answers).tolist() == [[1 + 4, 2 + 5 + 7, 8]]


@pytest.fixture
def pointer(double) -> Pointer:
    spec = registry.get("attention_over_attention")
    return Pointer(spec, spec.options(), 8).eval()


def test_probabilities_are_the_weights_of_equal_words(pointer):
    torch.nn.init.normal_(pointer.document.weight)
    torch.nn.init.normal_(pointer.question.weight)
    items, query = torch.randn(1, 6, 8), torch.randn(1, 3, 8)
    answers = torch.tensor([[0, 1, -1, 0, 2, 1]])
    with torch.inference_mode(), record() as heard:
        found = pointer(items, query_items=query, answers=answers)
    d = items[0].numpy() @ pointer.document.weight.detach().numpy().T
    q = query[0].numpy() @ pointer.question.weight.detach().numpy().T
    m = np.exp(d @ q.T)
    s = (m / m.sum(0)) @ (m / m.sum(1, keepdims=True)).mean(0)
    scores = np.array([s[0] + s[3], s[1] + s[5], s[4]])
    np.testing.assert_allclose(found.probabilities[0], scores / scores.sum(), rtol=1e-9)
    np.testing.assert_allclose(found.context[0], s @ d, rtol=1e-9)
    steps = {step.name: step for step in heard.steps({**pointer.attention.formulas, **pointer.formulas})}
    np.testing.assert_allclose(steps["answer scores"].value, scores, rtol=1e-9)
    assert steps["answer scores"].formula and steps["class probabilities"].formula


def test_masked_words_change_nothing(pointer):
    items, query = torch.randn(1, 6, 8), torch.randn(1, 3, 8)
    answers = torch.tensor([[0, 1, 1, 0, -1, -1]])
    mask, query_mask = torch.arange(6)[None] < 4, torch.arange(3)[None] < 2
    found = pointer(items, mask, query_items=query, query_mask=query_mask, answers=answers)
    alone = pointer(items[:, :4], query_items=query[:, :2], answers=answers[:, :4])
    torch.testing.assert_close(found.probabilities, alone.probabilities, rtol=1e-9, atol=1e-10)
    none = pointer(items, torch.zeros_like(mask), query_items=query, answers=answers)
    assert none.probabilities.eq(0).all()


@pytest.fixture
def reader() -> Reader:
    model = Reader(8, narrow=8).eval()
    model.embedding.normal_()
    return model


def encode(reader, document=TEXT, question=QUESTION, swapped=None):
    return ClozeJob("en").encode(reader, {"document": document, "question": question}, swapped or {})


def test_what_was_typed_becomes_items_and_query_items(reader):
    found = encode(reader)
    assert found.axis.labels[:5] == ("Anna", "fed", "the", "fox", ".")
    assert found.axes["query_item"].labels == ("Anna", "and", "the", "___", "slept", ".")
    assert found.items.shape == (1, len(found.axis), 8) and found.sides["query_items"].shape == (1, 6, 8)
    assert found.classes == ("Anna", "fed", "the", "fox", "was", "thin", "Then", "Tom", "hens")
    assert found.source == {"document": TEXT, "question": QUESTION}
    assert not found.notes


def test_a_swapped_word_is_another_item_and_another_answer(reader):
    found = encode(reader, swapped={3: "wolf", 999: "far"})
    assert found.axis.labels[3] == "wolf" and "wolf" in found.classes
    assert not torch.equal(found.items[0, 3], encode(reader).items[0, 3])
    with pytest.raises(OptionError, match="not one word"):
        encode(reader, swapped={3: "two words"})


def test_chinese_is_typed_without_spaces():
    spelling = Vocabulary.learnt("狐狸 森林 高兴".split() * 3, n_vectors=12).to_bytes()
    model = Reader(8, n_vectors=12, n_bytes=len(spelling)).eval()
    model.spelling.copy_(spelling)
    model.embedding.normal_()
    values = {"document": "狐狸在森林里。狐狸高兴。", "question": "森林里的___很高兴。"}
    found = ClozeJob("zh").encode(model, values, {})
    assert found.axis.labels == ("狐狸", "在", "森林", "里", "。", "狐狸", "高兴", "。")
    assert found.classes == ("狐狸", "在", "森林", "里", "高兴")
    assert found.axes["query_item"].labels[3] == "___"


@pytest.mark.parametrize(
    ("document", "question", "part", "sentence"),
    [
        (TEXT, "Anna slept.", "question", "no blank"),
        (TEXT, "The ___ and the ___ slept.", "question", "2 blanks"),
        (TEXT, " ___ ", "question", "only the blank"),
        (TEXT, "", "question", "no blank"),
        ("  ", QUESTION, "document", "no text"),
        ("Fox", QUESTION, "document", "no two different words"),
        ("Fox, fox. FOX ___!", QUESTION, "document", "no two different words"),
        ("A ___ and a ___ .", QUESTION, "document", "several blanks"),
    ],
)
def test_what_cannot_be_used_is_said(reader, document, question, part, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        encode(reader, document, question)
    assert caught.value.part == part


def test_a_text_in_another_script_is_said_to_mean_little(reader):
    found = encode(reader, "小狗跑了,小猫来了.", "小狗 ___ .")
    assert found.notes == (foreign(["狗"], "LATIN"),)


def test_what_is_cut_is_said(reader):
    found = encode(reader, " ".join(f"word{i}" for i in range(700)), "so " * 100 + "the ___ " + "so " * 100)
    assert len(found.axis) == MAX_WORDS and found.axis.labels[-1] == "word699"
    assert "only the last 600" in found.notes[0] and "word100" in found.notes[0]
    assert found.axes["query_item"].labels[40] == "___" and len(found.axes["query_item"]) == 80
    assert "only 80 around the blank" in found.notes[1]
    edge = encode(reader, question="so " * 100 + "the ___").axes["query_item"]
    assert len(edge) == 80 and edge.labels[-1] == "___"


ANSWERS = {
    "cloze": ("Greta", "hare", "soldier", "ring", "letter"),
    "cloze_zh": ("月亮", "大灰狼", "狐狸", "国王", "房子"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_examples_are_answered_rightly_by_the_trained_reader(name):
    task = tasks.get(name)
    assert len(task.examples) == len(ANSWERS[name])
    for example, answer in zip(task.examples, ANSWERS[name], strict=True):
        trace = library.attend("attention_over_attention", name, given=example)
        assert trace.made_by["trained"]
        assert trace.prediction.best == answer
        assert trace.prediction.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert trace.map("document weights").axes[0].labels.count("___") == 1
