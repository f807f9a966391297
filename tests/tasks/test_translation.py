"""Sentences in, words out: how they are searched, what is shown of it, and what a reader's changes do to it."""

import csv
import gzip
import itertools

import numpy as np
import pytest
import torch

from attnviz import attend
from attnviz.attention.registry import get
from attnviz.errors import DataError, EmptyTextError, OptionError
from attnviz.features import translation as text
from attnviz.features.translation import BEGIN, END, ENDED, LANGUAGES
from attnviz.intervention import Edit, Intervention, Override
from attnviz.recording import record
from attnviz.tasks import registry, translation
from attnviz.tasks.translation import STEPS, TranslationJob, Way, read, search
from attnviz.trace import Axis
from attnviz.zoo import models

FORMS = ("bahdanau", "luong", "none")
ENGLISH, CHINESE = "Where did you buy that blue umbrella?", "我妹妹每天早上都喝一杯牛奶。"


@pytest.fixture
def job():
    return TranslationJob()


@pytest.fixture
def features(job):
    return job.features({"d_model": 8}).eval()


def small_way(form="bahdanau", n_words=6, sharpness=3.0):
    """A way with few words and random weights, sharp enough that one translation differs from another."""
    spec = get("rnn_query")
    way = Way(spec, spec.parse({"form": form}), 8, n_words).eval()
    with torch.no_grad():
        way.table.weight.mul_(sharpness)
        way.readout.weight.mul_(sharpness)
    return way


def log_probabilities(way, states, words):
    """The log probability of each of `words` after those before it, from one teacher-forced pass."""
    attended = way.attention(states, inputs=way.vectors(torch.tensor([[BEGIN, *words[:-1]]])))
    logits = way.logits(attended)[0]
    logits[:, :END] = -1e9
    return logits.log_softmax(-1)[torch.arange(len(words)), torch.tensor(words)]


@pytest.mark.parametrize("form", FORMS)
@torch.inference_mode()
def test_greedy_takes_the_most_probable_word_every_time(form, monkeypatch):
    monkeypatch.setattr(translation, "LONGEST", 12)
    way = small_way(form, 40)
    states = way.encode(torch.randn(1, 5, 8), None)
    words = search(way, states, None, 1)
    assert 1 <= len(words) <= 12
    for t, word in enumerate(words):
        attended = way.attention(states, inputs=way.vectors(torch.tensor([[BEGIN, *words[:t]]])))
        assert word == END + int(way.logits(attended)[0, -1, END:].argmax())
    assert END not in words[:-1]


@torch.inference_mode()
def test_a_beam_that_holds_everything_finds_the_best_mean_log_probability(monkeypatch):
    monkeypatch.setattr(translation, "LONGEST", 4)
    for seed in range(5):
        torch.manual_seed(seed)
        way = small_way()
        states = way.encode(torch.randn(1, 5, 8), None)
        every = [[*body, END] for n in range(4) for body in itertools.product((4, 5), repeat=n)]
        best = max(every, key=lambda words: float(log_probabilities(way, states, words).mean()))
        assert search(way, states, None, 20) == best


@torch.inference_mode()
def test_a_beam_finds_translations_that_greedy_search_misses():
    better = 0
    for seed in range(20):
        torch.manual_seed(seed)
        way = small_way(n_words=12)
        states = way.encode(torch.randn(1, 5, 8), None)
        greedy, beam = (search(way, states, None, width) for width in (1, 4))
        ended = greedy[-1] == beam[-1] == END
        means = [float(log_probabilities(way, states, words).mean()) for words in (greedy, beam)]
        better += ended and means[1] > means[0] + 1e-6
    assert better >= 3


@torch.inference_mode()
def test_a_translation_that_does_not_end_is_cut(monkeypatch):
    way = small_way(n_words=40)
    way.bias[END] = -1e6
    for width in (1, 4):
        words = search(way, way.encode(torch.randn(1, 5, 8), None), None, width)
        assert len(words) == text.LONGEST and END not in words


def run(job, features, values, form="bahdanau", intervention=None, swapped=None):
    """Input, output, steps by name and maps of an untrained translator."""
    torch.manual_seed(3)
    spec = get("rnn_query")
    model = job.output(spec, spec.parse({"form": form}), 8).eval()
    given = job.encode(features, values, swapped or {})
    with torch.inference_mode(), record(intervention, {"key": given.axis}) as heard:
        found = model(given.items, **given.sides)
    return model, given, found, {s.name: s for s in heard.steps(STEPS)}, heard.maps()


@pytest.mark.parametrize("decoding", ["greedy", "beam"])
@pytest.mark.parametrize("form", FORMS)
def test_the_map_has_a_row_for_each_word_and_a_column_for_each_piece(job, features, form, decoding):
    _, given, found, steps, maps = run(job, features, {"text": ENGLISH, "decoding": decoding}, form)
    assert found.probabilities.shape == (1, len(found.labels))
    assert [m.name for m in maps] == ([] if form == "none" else ["weights"])
    for m in maps:
        assert m.axes == (Axis("token", found.labels), given.axis)
        np.testing.assert_allclose(m.weights.sum(-1), 1, rtol=1e-5)
    assert steps["word probabilities"].axes[0] == Axis("token", found.labels)
    assert set(found.labels) <= set(steps["word probabilities"].axes[1].labels)


def test_probabilities_follow_from_the_steps(job, features):
    model, _, found, steps, _ = run(job, features, {"text": CHINESE})
    way, words = model.ways["en"], list(text.vocabulary("en"))
    read_out = steps["output"].value @ way.readout.weight.numpy(force=True).T + way.readout.bias.numpy(force=True)
    logits = read_out @ way.table.weight.numpy(force=True).T + way.bias.numpy(force=True)
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    shown = steps["word probabilities"]
    np.testing.assert_allclose(
        shown.value, np.exp(steps["logits"].value - steps["log sum"].value[:, None]), rtol=1e-4, atol=1e-7
    )
    columns = [words.index(label.replace("·", "##")) for label in shown.axes[1].labels]
    np.testing.assert_allclose(shown.value, probabilities[:, columns], rtol=1e-3, atol=1e-7)
    for t, label in enumerate(found.labels):
        own = shown.value[t, shown.axes[1].labels.index(label)]
        assert found.probabilities[0, t] == own == shown.value[t].max()


@pytest.mark.parametrize("form", FORMS)
def test_every_step_has_a_formula(job, features, form):
    model, _, _, steps, _ = run(job, features, {"text": ENGLISH}, form)
    known = {*STEPS, *model.attention.formulas}
    assert {name.split(",")[0] for name in steps} == known


def test_the_language_is_found_from_the_script(job, features):
    for sentence, into in ((ENGLISH, "zh"), (CHINESE, "en")):
        given = job.encode(features, {"text": sentence}, {})
        assert LANGUAGES[int(given.sides["language"])] == into
        assert given.source == {"text": sentence, "decoding": "greedy"}
    assert job.encode(features, {"text": CHINESE}, {}).axis.labels == tuple(CHINESE)


def test_what_is_cut_and_what_is_unknown_is_said(job, features):
    given = job.encode(features, {"text": "we " * 100}, {})
    assert len(given.axis) == 60 == given.items.shape[1]
    assert given.notes == ("The sentence has more than 60 pieces; only the first 60 are used, up to “we”.",)
    given = job.encode(features, {"text": "the 😀 cat 🦄", "decoding": "beam"}, {})
    assert given.notes == ("The translator has not learnt “😀”, “🦄”; it sees an unknown word there.",)
    assert job.encode(features, {"text": ENGLISH}, {}).notes == ()


@pytest.mark.parametrize("nothing", ["", "   ", "\n\t", "\u200b"])
def test_a_text_without_a_word_is_refused(job, features, nothing):
    with pytest.raises(EmptyTextError):
        job.encode(features, {"text": nothing}, {})


def test_an_unknown_decoding_is_refused(job, features):
    with pytest.raises(OptionError, match="'magic'; choose one of greedy, beam"):
        job.encode(features, {"text": ENGLISH, "decoding": "magic"}, {})


def test_a_word_takes_the_place_of_another(job, features):
    plain, given = (job.encode(features, {"text": ENGLISH}, swapped) for swapped in ({}, {5: "red", 99: "far"}))
    assert given.axis.labels[5] == "red" and len(given.axis) == len(plain.axis)
    moved = (given.items != plain.items).any(-1)[0]
    assert moved.nonzero().flatten().tolist() == [5]
    assert torch.equal(given.items[0, 5], job.encode(features, {"text": "a red"}, {}).items[0, 1])
    for word, sentence in (("two words", "a single word"), ("", "a single word")):
        with pytest.raises(OptionError, match=sentence):
            job.encode(features, {"text": ENGLISH}, {0: word})
    with pytest.raises(OptionError, match="a single character"):
        job.encode(features, {"text": CHINESE}, {0: "我们"})


CHANGES = {
    "all masked": Intervention(masked=frozenset(range(60))),
    "cold": Intervention(temperature=1e-6),
    "hot": Intervention(temperature=1e6),
    "sparsemax": Intervention(alignment="sparsemax"),
    "off": Intervention(off={"word": frozenset({0, 2})}),
    "a huge score": Intervention(overrides=(Override("scores, word 1", (0,), 1e6),)),
    "a huge feature": Intervention(overrides=(Override("features", (0, 0), -1e6),)),
    "a huge state": Intervention(overrides=(Override("attended state, word 2", (1,), 1e6),)),
    "a huge logit": Intervention(overrides=(Override("logits", (0, 0), 1e6),)),
    "what is not there": Intervention(edits=(Edit("weights", (500, 900), 1.0), Edit("nothing", (0,), 0.5))),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("change", CHANGES)
def test_nothing_makes_it_fail(job, features, change, form, monkeypatch):
    monkeypatch.setattr(translation, "LONGEST", 10)
    for sentence in (ENGLISH, "😀", "你" * 300, "中 mixed 文 words 😀 ok"):
        _, _, found, steps, _ = run(job, features, {"text": sentence, "decoding": "beam"}, form, CHANGES[change])
        assert 1 <= len(found.labels) <= 10
        assert not any(np.isnan(step.value).any() for step in steps.values())
        assert not found.probabilities.isnan().any()


@pytest.mark.parametrize("form", FORMS)
def test_a_recording_changes_no_word(job, features, form):
    model, given, found, _, _ = run(job, features, {"text": CHINESE, "decoding": "beam"}, form)
    with torch.inference_mode():
        plain = model(given.items, **given.sides)
    assert plain.labels == found.labels
    torch.testing.assert_close(plain.probabilities, found.probabilities)


def write(folder, split, rows):
    with gzip.open(folder / f"{split}.tsv.gz", "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerows([["en", "zh", "en_id", "en_author", "zh_id", "zh_author"], *rows])


def test_pairs_are_read_and_a_missing_part_is_named(tmp_path):
    write(tmp_path, "val", [['A "cat".', "一只“猫”。", "1", "a", "2", "b"]])
    assert read(tmp_path, "val").inputs == [{"en": 'A "cat".', "zh": "一只“猫”。"}]
    assert len(read(tmp_path, "val").labels) == 1
    with pytest.raises(DataError, match=r"No test\.tsv\.gz"):
        read(tmp_path, "test")


def translate(sentence, form="bahdanau", intervention=None, decoding="greedy"):
    given = {"text": sentence, "decoding": decoding}
    return attend("rnn_query", "translation", given=given, intervention=intervention, form=form)


def test_the_task_is_made_for_the_decoder_alone():
    task = registry.get("translation")
    assert task.takes(get("rnn_query")) and not task.takes(get("multi_head"))
    assert [part.name for part in task.parts] == ["text", "decoding"]
    for example in task.examples:
        assert set(example) == {"text", "decoding"}


@pytest.mark.parametrize("form", FORMS)
def test_the_trained_models_translate(form):
    trace = translate("I don't know him.", form)
    assert trace.made_by["trained"]
    assert trace.prediction.sequence and trace.prediction.labels[-1] == ENDED
    assert text.written(trace.prediction.labels, "zh").startswith("我不")
    back = translate("他是我的朋友。", form, decoding="beam")
    assert "friend" in text.written(back.prediction.labels, "en")


SAID = {
    "他喝水。": ("water", "水"),
    "我的猫很小。": ("cat", "猫"),
    "我们去学校。": ("school", "学校"),
    "她喜欢音乐。": ("music", "音乐"),
    "那本书很有趣。": ("book", "书"),
    "我想买一辆汽车。": ("car", "汽车"),
    "请打开窗户。": ("window", "窗户"),
    "他昨天看了电视。": ("yesterday", "昨天"),
    "Tom住在波士顿。": ("Boston", "波士顿"),
    "孩子们在花园里玩。": ("children", "孩子们"),
    "我每天早上喝牛奶。": ("milk", "牛奶"),
}


@pytest.mark.parametrize("form", ["bahdanau", "luong"])
def test_trained_models_mostly_look_at_the_word_that_they_translate(form):
    found = []
    for sentence, (word, original) in SAID.items():
        trace = translate(sentence, form)
        rows, keys = (axis.labels for axis in trace.map("weights").axes[-2:])
        if word in rows:
            found.append(keys[int(trace.map("weights").weights[rows.index(word)].argmax())] in original)
    assert len(found) >= 9 and sum(found) >= 0.75 * len(found)  # by chance about 0.3


def test_masking_a_word_takes_it_out_of_the_translation():
    sentence = "他喝水。"
    assert "water" in translate(sentence).prediction.labels
    hidden = Intervention(masked=frozenset({sentence.index("水")}))
    masked = translate(sentence, intervention=hidden)
    assert not masked.map("weights").weights[:, sentence.index("水")].any()
    assert masked.prediction.labels != translate(sentence).prediction.labels


@pytest.mark.parametrize(("sentence", "word", "key"), [("他喝水。", 1, 2), ("我的猫很大。", 1, 0)])
def test_what_a_reader_changes_acts_while_words_are_searched(sentence, word, key):
    """The words that follow a weight set by hand are those that greedy search finds with it, word by word."""
    change = Intervention(edits=(Edit("weights", (word, key), 1.0),))
    plain, trace = translate(sentence), translate(sentence, intervention=change)
    assert trace.map("weights").weights[word, key] == pytest.approx(1)
    assert trace.prediction.labels[:word] == plain.prediction.labels[:word]
    assert trace.prediction.labels != plain.prediction.labels
    way = models.load("translation", "rnn_query").output.ways["en"]
    ids = [BEGIN]
    with torch.inference_mode(), record(change):
        states = way.encode(models.encode("translation", {"text": sentence}).items, None)
        source, state = way.attention.start(states)
        for _ in trace.prediction.labels:
            state = way.attention.step(way.vectors(torch.tensor([ids[-1]])), state, source)
            ids.append(END + int(way.logits(state.attended)[0, END:].argmax()))
    assert text.labels(ids[1:], "en") == trace.prediction.labels
