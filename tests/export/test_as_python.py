"""The snippet: run, it makes the same trace; from somebody else's file, it brings no code."""

import pytest

import attnviz
from attnviz.analysis.pairs import difference_trace
from attnviz.export import TraceFileError, from_json, to_json, to_python
from tests.export.traces import TEXT, assert_same, changed, example
from tests.helpers import mechanisms_for, png

NASTY = '"""\'; import os; os._exit(3) #\n\\\u2028\u202e{x}'


def run(snippet):
    found = {}
    exec(snippet, found)
    return found["trace"]


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_the_snippet_makes_the_same_trace(name):
    for trace in (attnviz.attend(name, text=TEXT), changed(name)):
        again = run(to_python(trace))
        assert_same(again, trace)
        assert again.made_by == trace.made_by


def test_options_that_are_not_the_defaults_are_in_it():
    trace = attnviz.attend("multi_hop", task="sst", text="fine .", n_hops=2)
    assert "n_hops=2" in to_python(trace) and "sst" in to_python(trace)
    assert_same(run(to_python(trace)), trace)


def test_a_picture_is_read_from_its_file(tmp_path, monkeypatch):
    (tmp_path / "small.png").write_bytes(png(48, 32))
    monkeypatch.chdir(tmp_path)
    trace = attnviz.attend("multi_head", image="small.png")
    assert_same(run(to_python(trace)), trace)


def test_a_difference_is_made_of_both_its_sides():
    second = attnviz.attend("multi_hop", task="trec", text=TEXT, n_hops=2)
    for first in (attnviz.attend("multi_head", text=TEXT), changed("multi_head")):
        trace = difference_trace(first, second)
        again = run(to_python(trace))
        assert_same(again, trace)
        assert again.made_by == trace.made_by
        from_file = to_python(from_json(to_json(trace)))  # where options are sorted by name
        assert sorted(from_file.splitlines()) == sorted(to_python(trace).splitlines())


def test_a_difference_of_pictures_is_made_from_the_file(tmp_path, monkeypatch):
    (tmp_path / "small.png").write_bytes(png(48, 32))
    monkeypatch.chdir(tmp_path)
    trace = difference_trace(*(attnviz.attend(name, image="small.png") for name in ("multi_head", "capsule")))
    assert_same(run(to_python(trace)), trace)


def test_a_side_that_says_nothing_has_no_snippet():
    trace = example(maps=(), mechanism="difference", made_by={"first": {}, "second": {"mechanism": NASTY}})
    with pytest.raises(TraceFileError, match="no snippet"):
        to_python(trace)


def test_a_trace_from_a_file_gives_the_same_snippet():
    trace = changed("capsule")
    assert to_python(from_json(to_json(trace))) == to_python(trace)


def test_texts_are_literals_and_nothing_else():
    made_by = {"task": NASTY, "input": NASTY, "options": {"a": NASTY}, "version": NASTY, "intervention": {}}
    snippet = to_python(example(maps=(), mechanism=NASTY, made_by=made_by))
    given = {}

    class Attnviz:
        Intervention = attnviz.Intervention

        @staticmethod
        def attend(mechanism, **arguments):
            given.update(arguments, mechanism=mechanism)

    exec(snippet.replace("import attnviz", "", 1), {"attnviz": Attnviz})
    assert given == {"mechanism": NASTY, "task": NASTY, "text": NASTY, "a": NASTY}
    assert "\u202e" not in snippet and "\u2028" not in snippet


@pytest.mark.parametrize(
    "change",
    [
        {"options": {"x=1, y": 1}},
        {"options": {"class": 1}},
        {"options": {"text": "again"}},
        {"options": {"n": [1]}},
        {"options": 3},
        {"task": 3},
        {"input": None},
        {"intervention": {"masked": ["__import__('os')"]}},
        {"intervention": "os"},
    ],
)
def test_what_no_trace_of_ours_says_is_refused(change):
    made_by = {"task": "trec", "input": "a", "options": {}} | change
    with pytest.raises(TraceFileError, match=r"Make the trace|cannot be read"):
        to_python(example(made_by=made_by))
