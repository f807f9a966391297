"""Sentences about a trace: their numbers are the trace's, and their grammar holds."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.phrases import place
from attnviz.analysis.words import alt_text, in_words
from attnviz.attention.registry import mechanisms
from attnviz.recording import record
from attnviz.trace import AttentionMap, Axis, Prediction, Trace, numbered
from tests.helpers import mechanisms_for

WORDS = ("how", "many", "people", "live", "in", "it")
TOKENS = Axis("token", WORDS)
QUERY = Axis("query", ("query",))


def trace_of(weights, *leading, keys=TOKENS, queries=QUERY, normalised="key", **more):
    axes = (*leading, queries, keys)
    weights = np.asarray(weights, dtype=np.float64).reshape([len(axis) for axis in axes])
    return Trace(more.pop("mechanism", "m"), (AttentionMap("weights", weights, axes, normalised),), (), None, **more)


def said(trace):
    return "".join(piece for piece, _ in in_words(trace))


def on(index, weight, n=6):
    row = np.full(n, (1 - weight) / (n - 1))
    row[index] = weight
    return row


def heads(*rows):
    return trace_of(rows, Axis("head", tuple(f"head {i + 1}" for i in range(len(rows)))))


def test_all_heads_agree():
    trace = heads(on(1, 0.6), on(1, 0.86), on(1, 0.5))
    assert said(trace) == "3 of 3 heads look most at “many”; the strongest puts 0.86 of its weight there."
    assert [piece for piece, emphasised in in_words(trace) if emphasised] == ["“many”"]


def test_some_heads_agree():
    text = said(heads(on(1, 0.6), on(1, 0.86), on(3, 0.9)))
    assert (
        text
        == "2 of 3 heads look most at “many”; the strongest puts 0.86 of its weight there. 1 more looks most at “live”."
    )


def test_heads_in_two_camps():
    text = said(heads(on(1, 0.6), on(1, 0.5), on(3, 0.9), on(3, 0.4)))
    start = "2 of 4 heads look most at “many”, 2 at “live”; "
    assert text == start + "head 3 is the surest, with 0.90 of its weight on “live”."


def test_no_two_heads_agree():
    text = said(heads(on(1, 0.6), on(3, 0.9)))
    assert text.startswith("No two heads look most at the same word; head 2 is the surest, with 0.90")


def test_one_head():
    text = said(trace_of([on(1, 0.6)], numbered("head", 1)))
    assert text == "“many” gets 0.60 of the weight; next comes “how” with 0.08."


def test_only_one_head_has_a_preference():
    text = said(heads(on(1, 0.6), np.full(6, 1 / 6)))
    assert text == "1 of 2 heads looks most at “many”; it puts 0.60 of its weight there."


def test_uniform_weights():
    assert said(trace_of(np.full(6, 1 / 6))) == "The weight is spread almost evenly over 6 words."
    assert said(heads(*[np.full(6, 1 / 6)] * 4)) == "All 4 heads spread almost evenly over 6 words."


def test_a_tie():
    assert said(trace_of([0.4, 0.1, 0.4, 0.05, 0.05, 0])) == "“how” and “people” get 0.40 of the weight each."


def test_all_weight_on_one_word():
    assert said(trace_of([0, 1.0, 0, 0, 0, 0])) == "“many” gets 1.00 of the weight."


def test_one_token():
    trace = trace_of(np.ones((2, 1, 1)), numbered("head", 2), keys=Axis("token", ("hello",)))
    assert said(trace) == "There is only one word, so it gets all the weight."


def test_a_head_that_is_switched_off():
    text = said(heads(on(1, 0.6), np.zeros(6), on(1, 0.7)))
    assert text.endswith(
        "2 of 3 heads look most at “many”; the strongest puts 0.70 of its weight there. 1 head has no weight."
    )
    assert said(heads(np.zeros(6), np.zeros(6))) == "There is no weight: everything is masked or switched off."


def test_hops_tell_their_journey():
    rows = [[0.29, 0.2, 0.19, 0.12, 0.1, 0.1], on(1, 0.83), on(1, 0.98)]
    text = said(trace_of(rows, numbered("hop", 3)))
    assert text == "Hop 1 spreads over all 6 words, most on “how” (0.29); hop 3 puts 0.98 of its weight on “many”."
    text = said(trace_of([np.full(6, 1 / 6), on(1, 0.98)], numbered("hop", 2)))
    assert text.startswith("Hop 1 spreads almost evenly over 6 words; hop 2 puts 0.98")


def test_classes_are_ranked_by_their_probability():
    rows = [on(4, 0.3), on(1, 0.98), on(3, 0.47)]
    prediction = Prediction(("a", "b", "c"), np.array([0.02, 0.97, 0.31]), independent=True)
    classes = Axis("class", ("entity", "number", "location"))
    trace = trace_of(rows, classes, mechanism="capsule", prediction=prediction)
    assert said(trace) == (
        "The number capsule looks most at “many” (0.98) and is sure: 0.97; "
        "the location capsule looks most at “live” (0.47) and is not sure: 0.31."
    )
    assert [p for p, emphasised in in_words(trace) if emphasised] == ["number", "location"]


def test_without_a_prediction_classes_are_ranked_by_their_weights():
    trace = trace_of([on(4, 0.3), on(1, 0.98), on(3, 0.47)], Axis("class", ("entity", "number", "location")))
    assert (
        said(trace) == "The number class looks most at “many” (0.98); the location class looks most at “live” (0.47)."
    )


def test_word_by_word():
    weights = np.full((6, 6), 0.1) + 0.4 * np.eye(6)
    weights[3] = [0.05, 0.75, 0.05, 0.05, 0.05, 0.05]
    text = said(trace_of(weights, queries=TOKENS))
    received = weights.sum(0) / weights.sum()
    assert text == (
        "The strongest tie between two words runs from “live” to “many”: 0.75 of its weight. "
        f"“many” receives the most: {received[1]:.2f} of all the weight."
    )


def test_words_that_look_only_at_themselves():
    assert said(trace_of(np.eye(6), queries=TOKENS)) == "Every word looks only at itself."
    assert said(trace_of(np.full((6, 6), 1 / 6), queries=TOKENS)) == "Every word spreads almost evenly over 6 words."


def test_weights_normalised_over_the_query_are_read_the_other_way():
    weights = np.random.default_rng(0).dirichlet(np.ones(4), size=6)
    four = Axis("token", ("a", "b", "c", "d"))
    one_way = trace_of(weights, queries=TOKENS, keys=four)
    other_way = trace_of(weights.T, queries=four, keys=TOKENS, normalised="query")
    assert said(one_way) == said(other_way)


def test_words_divided_between_classes():
    weights = np.random.default_rng(0).dirichlet(np.ones(3), size=6).T
    trace = trace_of(weights, Axis("class", ("x", "y", "z")), normalised="class")
    c, k = np.unravel_index(weights.argmax(), weights.shape)
    assert said(trace).startswith(f"“{WORDS[k]}” gives {weights.max():.2f} of its weight to {'xyz'[c]}, the largest")
    even = trace_of(np.full((3, 6), 1 / 3), Axis("class", ("x", "y", "z")), normalised="class")
    assert said(even) == "Each word divides its weight almost evenly between 3 classes."


def test_gates_do_not_claim_to_be_shares():
    text = said(trace_of([0.2, -0.93, 0.1, 0, 0, 0], normalised=None))
    assert text == "The strongest value is -0.93, on “many”. These values need not sum to one."


def test_patches_are_named_by_their_place():
    patches = Axis("patch", tuple(f"row {r}, column {c}" for r in (1, 2, 3) for c in (1, 2, 3, 4)), (3, 4))
    text = said(trace_of([on(11, 0.5, 12), on(11, 0.6, 12)], numbered("head", 2), keys=patches))
    assert text == "2 of 2 heads look most at a patch at the lower right; the strongest puts 0.60 of its weight there."


@pytest.mark.parametrize(
    ("index", "grid", "expected"),
    [
        (0, (8, 8), "the upper left"),
        (27, (8, 8), "the centre"),
        (7, (8, 8), "the upper right"),
        (3, (8, 8), "the top"),
        (24, (8, 8), "the left"),
        (60, (8, 8), "the bottom"),
        (0, (1, 1), "the centre"),
        (0, (1, 9), "the left"),
    ],
)
def test_places(index, grid, expected):
    assert place(index, grid) == expected


def test_a_word_that_stands_twice_is_numbered():
    keys = Axis("token", ("the", "cat", "the", "mat"))
    assert said(trace_of([0.1, 0.2, 0.6, 0.1], keys=keys)).startswith("“the” (number 2) gets 0.60")


STORY = ("Mary moved to the bathroom.", "John went to the hallway.", "Mary moved to the bathroom.")


def test_facts_are_sentences_without_their_full_stop():
    facts = Axis("fact", STORY)
    text = said(trace_of([[0.04, 0.93, 0.03], [0.01, 0.01, 0.98]], numbered("hop", 2), keys=facts))
    assert text == (
        "Hop 1 puts 0.93 of its weight on “John went to the hallway”; "
        "hop 2 puts 0.98 of its weight on “Mary moved to the bathroom” (fact 3)."
    )
    assert " of 2 hops over 3 facts: Hop 1 puts" in alt_text(trace_of(np.eye(3)[:2], numbered("hop", 2), keys=facts))
    assert said(trace_of(np.full(3, 1 / 3), keys=facts)) == "The weight is spread almost evenly over 3 facts."


def test_very_long_facts_are_shortened_later_than_words():
    facts = Axis("fact", ("x" * 60, "y" * 500))
    assert f"“{'x' * 60}”" in said(trace_of([0.9, 0.1], keys=facts))
    assert f"“{'y' * 63}…”" in said(trace_of([0.1, 0.9], keys=facts))


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ([1, 2], " The target is “many people”."),
        ([], ""),
        ([1, 99, -1, True, "2"], " The target is “many”."),
        ("1", ""),
    ],
)
def test_the_target_is_said_to_who_cannot_see_its_frame(marked, expected):
    trace = trace_of(on(1, 0.6), made_by={"marked": marked})
    assert alt_text(trace, "M") == alt_text(trace_of(on(1, 0.6)), "M") + expected


def test_long_words_are_shortened():
    keys = Axis("token", ("x" * 500, "y"))
    assert len(said(trace_of([0.9, 0.1], keys=keys))) < 120


def test_two_maps_get_a_sentence_each():
    left, right = trace_of(on(1, 0.6)).maps[0], trace_of(on(3, 0.7)).maps[0]
    maps = (AttentionMap("left", left.weights, left.axes), AttentionMap("right_side", right.weights, right.axes))
    text = said(Trace("m", maps, (), None))
    assert text.startswith("Left: “many” gets 0.60 of the weight")
    assert "Right side: “live” gets 0.70 of the weight" in text


def test_the_map_called_weights_comes_first():
    axes = (QUERY, TOKENS)
    other, main = AttentionMap("query weights", on(1, 0.6)[None], axes), AttentionMap("weights", on(3, 0.7)[None], axes)
    text = said(Trace("m", (other, main), (), None))
    assert text.startswith("“live” gets 0.70") and "Query weights: “many” gets 0.60" in text


def test_a_class_with_several_heads_speaks_through_its_strongest():
    classes = Axis("class", ("x", "y"))
    text = said(trace_of([on(1, 0.6), on(2, 0.9), on(3, 0.7), on(4, 0.4)], classes, numbered("head", 2)))
    assert text.startswith("The x class (head 2) looks most at “people” (0.90); the y class (head 1) looks most at")


def test_no_maps():
    trace = Trace("m", (), (), None)
    assert said(trace) == "No weights were recorded."
    assert alt_text(trace) == "m: no weights were recorded."


def test_alt_text_is_one_plain_sentence():
    text = alt_text(heads(on(1, 0.6), on(1, 0.86), on(3, 0.9)), "Multi-head attention")
    assert text == (
        "Multi-head attention, weights of 3 heads over 6 words: "
        "2 of 3 heads look most at “many”; the strongest puts 0.86 of its weight there."
    )


@given(st.integers(1, 8), st.integers(1, 7), st.sampled_from(["head", "hop", "class", "row"]), st.integers(0, 10_000))
def test_every_number_is_in_the_trace(n_maps, n_keys, kind, seed):
    weights = np.random.default_rng(seed).dirichlet(np.full(n_keys, 0.4), size=n_maps)
    trace = trace_of(weights, numbered(kind, n_maps), keys=Axis("token", tuple("abcdefg"[:n_keys])))
    known = {f"{w:.2f}" for w in weights.ravel()}
    assert set(re.findall(r"\d\.\d\d", said(trace).replace("less than 0.01", ""))) <= known


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_every_mechanism_finds_words(name):
    spec = mechanisms()[name]
    module = spec.build(16, n_classes=3).eval()
    axes = {"key": TOKENS, "item": TOKENS, "class": Axis("class", ("x", "y", "z"))}
    with record(axes=axes) as recording, torch.no_grad():
        module(torch.randn(1, 6, 16))
    trace = Trace(name, recording.maps(), recording.steps(spec.steps), None)
    text = said(trace)
    assert re.fullmatch(r"[A-Z0-9“].*\.", text), text
    assert "nan" not in text and "  " not in text and " ," not in text


def test_of_turns_the_last_one_is_told():
    classes = Axis("class", tuple("01234"))
    even, last = np.full((5, 6), 0.2), np.full((5, 6), 0.15)
    last[3, 1], last[:, 1] = 0.4, [0.15, 0.15, 0.15, 0.4, 0.15]
    trace = trace_of([even, last], numbered("iteration", 2), classes, normalised="class")
    assert said(trace) == (
        "In iteration 2 “many” gives 0.40 of its weight to class 3, the largest share of all. "
        f"Class 3 receives the most: {last[3].sum() / last.sum():.2f} of all the weight."
    )
    assert alt_text(trace, "M").startswith(
        "M, weights of 5 classes in 2 iterations over 6 words: In iteration 2 “many”"
    )
    evenly = trace_of([even, even], numbered("iteration", 2), classes, normalised="class")
    assert said(evenly) == "In iteration 2 each word divides its weight almost evenly between 5 classes."


def test_influence_is_called_influence():
    weights = np.full((3, 1, 6), 0.25)
    weights[2] = 0.5
    axes = (Axis("class", ("x", "y", "z")), QUERY, TOKENS)
    influence = AttentionMap("influence", weights, axes, "class")
    mid = AttentionMap("low to mid", np.full((4, 1, 6), 0.25), (numbered("mid", 4), QUERY, TOKENS), "mid")
    text = said(Trace("hierarchical_capsule", (influence, mid), (), None))
    assert text == (
        "“how” gives 0.50 of its influence to z, the largest share of all. "
        "Low to mid: Each word divides its weight almost evenly between 4 middle capsules."
    )


def written_words(weights):
    words = ("猫", "喜欢", "你")
    axes = (Axis("token", words), TOKENS)
    prediction = Prediction(words, np.ones(3), True, sequence=True)
    return Trace("m", (AttentionMap("weights", np.array(weights), axes),), (), None, prediction)


def test_written_words_say_where_they_looked():
    trace = written_words([on(1, 0.91), on(3, 0.85), on(2, 0.4)])
    assert said(trace) == "“猫” was written looking at “many” (0.91), “喜欢” at “live” (0.85)."
    assert [piece for piece, emphasised in in_words(trace) if emphasised] == ["“many”", "“live”"]
    assert alt_text(trace).startswith("m, weights of 3 written words over 6 words: “猫” was written looking at")
    assert said(written_words(np.full((3, 6), 1 / 6))) == "Every written word looks almost evenly at 6 words."


def two_sides(asking, weights, *leading):
    maps = trace_of(on(1, 0.6)).maps
    shape = [*map(len, leading), 1, len(asking)]
    axes = (*leading, QUERY, Axis("token", asking))
    return Trace("m", (*maps, AttentionMap("query weights", np.reshape(weights, shape), axes)), (), None)


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (two_sides(("the", "red"), [0.3, 0.7]), "Of 2 asking words “red” weighs most (0.70)."),
        (two_sides(("soup",), [1.0]), "The only asking word is “soup”."),
        (two_sides(("a", "b", "c"), np.full(3, 1 / 3)), "The 3 asking words weigh almost the same."),
        (
            two_sides(("a", "b"), [0.6, 0.4, 0.1, 0.9], numbered("hop", 2)),
            "Of 2 asking words “b” weighs most (0.90, in hop 2).",
        ),
    ],
)
def test_of_two_inputs_the_words_that_asked_are_named(trace, expected):
    first = "“many” gets 0.60 of the weight; next comes “how” with 0.08."
    assert said(trace) == f"{first} {expected}"
    assert alt_text(trace) == f"m, weights over 6 words: {first} {expected}"
