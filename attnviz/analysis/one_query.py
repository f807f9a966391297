"""Sentences about maps with one query each: where it looks, in each map or in all of them."""

import numpy as np

from attnviz.analysis.phrases import capital, count, item, listed, named, number, plural
from attnviz.analysis.spread import effective
from attnviz.analysis.view import Sentence, Strong, View, even, favourite, tied
from attnviz.trace import Trace


def by_class(view: View, trace: Trace, classes: tuple[str, ...]) -> list[Sentence]:
    """The two classes that matter most; where a class has several maps, the one with its largest weight."""
    tops = view.weights.max((1, 2)).reshape(len(classes), -1)
    chosen = tops.argmax(1) + np.arange(len(classes)) * tops.shape[1]
    prediction = trace.prediction
    matched = prediction is not None and len(prediction.probabilities) == len(classes)
    ranks = prediction.probabilities if matched else tops.max(1)
    noun = "capsule" if "capsule" in trace.mechanism else "class"
    clauses = []
    alive = [c for c in np.argsort(-ranks, kind="stable").tolist() if view.row(chosen[c]).any()]
    for c in alive[:2]:
        verdict = _verdict(float(ranks[c])) if matched and prediction.independent else ""
        part = view.labels[chosen[c]].removeprefix(classes[c]).removeprefix(" · ")
        which = f"{noun} ({part})" if part else noun
        clauses.append([" the ", Strong(classes[c]), f" {which} {_looks(view, chosen[c])}{verdict}"])
    first = [clauses[0][0].replace(" the", "The"), *clauses[0][1:]]
    return [[*first, *((";", *clauses[1]) if len(clauses) > 1 else ()), "."]]


def _verdict(probability: float) -> str:
    words = ((0.9, "is sure"), (0.5, "leans to yes"), (0.1, "is not sure"), (0.0, "says no"))
    return f" and {next(said for bound, said in words if probability >= bound)}: {number(probability)}"


def _looks(view: View, m: int) -> str:
    if even(view.row(m)):
        return f"looks almost evenly at {count(len(view.keys), item(view.keys))}"
    return f"looks most at {favourite(view, m)} ({number(view.row(m).max())})"


def single(view: View) -> list[Sentence]:
    """One map alone: its largest weight and the next."""
    row = view.row(0)
    if even(row):
        return [[f"The weight is spread almost evenly over {count(len(row), item(view.keys))}."]]
    first = tied(row)
    if len(first) > 1:
        return [[Strong(favourite(view, 0)), f" get {number(row.max())} of the weight each."]]
    sentence = [Strong(capital(favourite(view, 0))), f" gets {number(row.max())} of the weight"]
    others = np.where(np.arange(len(row)) == first[0], 0.0, row)
    if not others.any():
        return [[*sentence, "."]]
    second = int(others.argmax())
    return [[*sentence, f"; next comes {named(view.keys, second)} with {number(row[second])}."]]


def journey(view: View) -> list[Sentence]:
    """Maps that follow one another: the first and the last."""
    alive = view.alive
    first = _travels(view, alive[0])
    sentence = [f"{capital(view.labels[alive[0]])} ", *first]
    if len(alive) > 1:
        sentence += [f"; {view.labels[alive[-1]]} ", *_travels(view, alive[-1])]
    return [[*sentence, "."], *_silent(view)]


def _travels(view: View, m: int) -> Sentence:
    row = view.row(m)
    if even(row):
        return [f"spreads almost evenly over {count(len(row), item(view.keys))}"]
    top = Strong(favourite(view, m))
    if row.max() >= 0.5:
        return [f"puts {number(row.max())} of its weight on ", top]
    reached = max(2, round(float(effective(row))))
    about = "all" if reached == len(row) else "about"
    return [f"spreads over {about} {count(reached, item(view.keys))}, most on ", top, f" ({number(row.max())})"]


def counted(view: View) -> list[Sentence]:
    """Maps side by side, such as heads: how many of them agree, and where."""
    alive = view.alive
    pointed: dict[str, list[int]] = {}
    for m in alive:
        if not even(view.row(m)):
            pointed.setdefault(favourite(view, m), []).append(m)
    if not pointed:
        spread = f"over {count(len(view.keys), item(view.keys))}"
        if len(alive) == 1:
            return [[f"{capital(view.labels[alive[0]])} spreads almost evenly {spread}."], *_silent(view)]
        return [[f"All {count(len(alive), view.kind)} spread almost evenly {spread}."], *_silent(view)]
    agreeing = max(map(len, pointed.values()))
    leaders = [top for top, maps in pointed.items() if len(maps) == agreeing]
    strongest = max((m for top in leaders for m in pointed[top]), key=lambda m: view.row(m).max())
    weight, top = number(view.row(strongest).max()), Strong(favourite(view, strongest))
    if len(leaders) > 1:
        start = f"{agreeing} of {count(len(view.labels), view.kind)} look most at {leaders[0]}"
        start += "".join(f", {agreeing} at {leader}" for leader in leaders[1:3])
        if agreeing == 1:
            start = f"No two {plural(view.kind)} look most at the same {item(view.keys)}"
        first = [f"{start}; {view.labels[strongest]} is the surest, with {weight} of its weight on ", top, "."]
    else:
        look = "looks" if agreeing == 1 else "look"
        there = "it" if agreeing == 1 else "the strongest"
        first = [f"{agreeing} of {count(len(view.labels), view.kind)} {look} most at ", top]
        first += [f"; {there} puts {weight} of its weight there."]
    others = [t for t in pointed if t not in leaders]
    return [first, *_others(view, others, pointed), *_silent(view)]


def _others(view: View, others: list[str], pointed: dict[str, list[int]]) -> list[Sentence]:
    n = sum(len(pointed[top]) for top in others)
    if not n:
        return []
    return [[f"{n} more {'looks' if n == 1 else 'look'} most at {listed(others)}."]]


def _silent(view: View) -> list[Sentence]:
    n = len(view.labels) - len(view.alive)
    return [[f"{count(n, view.kind)} {'has' if n == 1 else 'have'} no weight."]] if n else []
