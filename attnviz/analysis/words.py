"""What is to be seen in a trace, in one or two short sentences; every number in them is a weight of the trace."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from attnviz.analysis.items import MAIN, foremost, items, marked
from attnviz.analysis.phrases import capital, count, item, listed, named, number, plural
from attnviz.analysis.spread import effective
from attnviz.trace import KEY, QUERY, AttentionMap, Axis, Trace

_NO_WEIGHT = "There is no weight: everything is masked or switched off."
ORDERED = ("hop", "iteration", "step", "layer", "turn")


class _Strong(str):
    """A piece of a sentence that is emphasised."""


Sentence = list[str]


@dataclass(frozen=True)
class _View:
    """One attention map as sentences need it; with weights normalised over the query, queries and keys are swapped."""

    weights: Float[np.ndarray, "map query key"]
    labels: tuple[str, ...]
    kind: str
    queries: Axis
    keys: Axis

    @property
    def alive(self) -> list[int]:
        """The maps that have any weight."""
        return np.flatnonzero(self.weights.any((1, 2))).tolist()

    def row(self, m: int) -> Float[np.ndarray, " key"]:
        return self.weights[m, 0]

    def where(self, m: int) -> str:
        return f", in {self.labels[m]}" if len(self.labels) > 1 else ""


def in_words(trace: Trace) -> list[tuple[str, bool]]:
    """Pieces of text, each with True where it is emphasised; joined they are one or two sentences."""
    pieces: list[str] = []
    for sentence in _sentences(trace):
        pieces += [" ", *sentence] if pieces else sentence
    return [(str(piece), isinstance(piece, _Strong)) for piece in pieces]


def alt_text(trace: Trace, title: str = "") -> str:
    """One plain sentence for a screen reader: mechanism, what is shown, and what stands out."""
    title = title or trace.mechanism.replace("_", " ")
    if not trace.maps:
        return f"{title}: no weights were recorded."
    first = foremost(trace)[0]
    n_maps, keys = len(first.stacked), first.axes[-1]
    kinds = f" of {count(n_maps, _kind(first))}" if first.axes[:-2] else ""
    target = "".join(f" The target is {word}." for word in _target(trace))
    return f"{title}, weights{kinds} over {count(len(keys), item(keys))}: {''.join(_sentences(trace)[0])}{target}"


def _target(trace: Trace) -> list[str]:
    """The marked words as one text; nothing where none is marked, or where patches are."""
    axis, which = items(trace), marked(trace)
    return [f"“{' '.join(axis.labels[i] for i in which)}”"] if which and axis.grid is None else []


def _sentences(trace: Trace) -> list[Sentence]:
    if not trace.maps:
        return [["No weights were recorded."]]
    first, *others = foremost(trace)
    if not others:
        return _about(first, trace)[:2]
    if not any(attention.weights.any() for attention in (first, others[0])):
        return [[_NO_WEIGHT]]
    return [*_named_about(first, trace), *_named_about(others[0], trace)]


def _named_about(attention: AttentionMap, trace: Trace) -> list[Sentence]:
    """The first sentence about one map of several."""
    name = [] if attention.name == MAIN else [f"{capital(attention.name.replace('_', ' '))}: "]
    return [[*name, *_about(attention, trace)[0]]]


def _about(attention: AttentionMap, trace: Trace) -> list[Sentence]:
    view = _view(attention)
    if not view.weights.any():
        return [[_NO_WEIGHT]]
    if attention.normalised is None or (view.weights < 0).any():  # a weight set by hand may be negative
        return _values(view)
    if attention.normalised not in (KEY, QUERY):
        return _shared(view)
    if len(view.keys) == 1:
        return [[f"There is only one {item(view.keys)}, so it gets all the weight."]]
    if len(view.queries) > 1:
        return _ties(view)
    if attention.axes[:-2] and attention.axes[0].kind == "class":
        return _classes(view, trace, attention.axes[0].labels)
    if len(view.labels) == 1:
        return _single(view)
    return _journey(view) if view.kind in ORDERED else _counted(view)


def _view(attention: AttentionMap) -> _View:
    weights, (queries, keys) = attention.stacked, attention.axes[-2:]
    if attention.normalised == QUERY:
        weights, queries, keys = weights.swapaxes(1, 2), keys, queries
    return _View(weights.astype(np.float64), attention.labels, _kind(attention), queries, keys)


def _values(view: _View) -> list[Sentence]:
    """Numbers that do not sum to one."""
    m, q, k = _largest(np.abs(view.weights))
    origin = f" from {named(view.queries, q)}" if len(view.queries) > 1 else ""
    to = "to" if origin else "on"
    target = _Strong(named(view.keys, k))
    found = ["The strongest value is ", f"{number(view.weights[m, q, k])},{origin} {to} ", target, f"{view.where(m)}."]
    return [found, ["These values need not sum to one."]]


def _shared(view: _View) -> list[Sentence]:
    """Weights that each item divides between maps (routing)."""
    reached = effective(view.weights, axis=0)
    if (reached[view.weights.any(0)] >= 0.95 * len(view.labels)).all():
        return [
            [f"Each {item(view.keys)} divides its weight almost evenly between {count(len(view.labels), view.kind)}."]
        ]
    m, q, k = _largest(view.weights)
    share = number(view.weights[m, q, k])
    strongest = [f"{capital(named(view.keys, k))} gives {share} of its weight to ", _Strong(view.labels[m])]
    received = view.weights.sum((1, 2)) / view.weights.sum()
    most = int(received.argmax())
    return [
        [*strongest, ", the largest share of all."],
        [f"{capital(view.labels[most])} receives the most: {number(received[most])} of all the weight."],
    ]


def _ties(view: _View) -> list[Sentence]:
    """Several queries, such as one for each word."""
    rows = view.weights[view.weights.any(-1)]
    asking = item(view.queries)
    if all(_even(row) for row in rows):
        return [[f"Every {asking} spreads almost evenly over {count(len(view.keys), item(view.keys))}."]]
    same = view.queries.labels == view.keys.labels
    links = view.weights * ~np.eye(len(view.queries), dtype=bool) if same else view.weights
    if not links.any():
        return [[f"Every {asking} looks only at itself."]]
    m, q, k = _largest(links)
    origin, weight = named(view.queries, q), number(links[m, q, k])
    between = f" between two {plural(asking)}" if same else ""
    received = view.weights.sum((0, 1)) / view.weights.sum()
    most = int(received.argmax())
    target = _Strong(named(view.keys, k))
    return [
        [f"The strongest tie{between} runs from {origin} to ", target, f"{view.where(m)}: {weight} of its weight."],
        [f"{capital(named(view.keys, most))} receives the most: {number(received[most])} of all the weight."],
    ]


def _classes(view: _View, trace: Trace, classes: tuple[str, ...]) -> list[Sentence]:
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
        clauses.append([" the ", _Strong(classes[c]), f" {which} {_looks(view, chosen[c])}{verdict}"])
    first = [clauses[0][0].replace(" the", "The"), *clauses[0][1:]]
    return [[*first, *((";", *clauses[1]) if len(clauses) > 1 else ()), "."]]


def _verdict(probability: float) -> str:
    words = ((0.9, "is sure"), (0.5, "leans to yes"), (0.1, "is not sure"), (0.0, "says no"))
    return f" and {next(said for bound, said in words if probability >= bound)}: {number(probability)}"


def _looks(view: _View, m: int) -> str:
    if _even(view.row(m)):
        return f"looks almost evenly at {count(len(view.keys), item(view.keys))}"
    return f"looks most at {_top(view, m)} ({number(view.row(m).max())})"


def _single(view: _View) -> list[Sentence]:
    row = view.row(0)
    if _even(row):
        return [[f"The weight is spread almost evenly over {count(len(row), item(view.keys))}."]]
    first = _tied(row)
    if len(first) > 1:
        return [[_Strong(_top(view, 0)), f" get {number(row.max())} of the weight each."]]
    sentence = [_Strong(capital(_top(view, 0))), f" gets {number(row.max())} of the weight"]
    others = np.where(np.arange(len(row)) == first[0], 0.0, row)
    if not others.any():
        return [[*sentence, "."]]
    second = int(others.argmax())
    return [[*sentence, f"; next comes {named(view.keys, second)} with {number(row[second])}."]]


def _journey(view: _View) -> list[Sentence]:
    """Maps that follow one another: the first and the last."""
    alive = view.alive
    first = _travels(view, alive[0])
    sentence = [f"{capital(view.labels[alive[0]])} ", *first]
    if len(alive) > 1:
        sentence += [f"; {view.labels[alive[-1]]} ", *_travels(view, alive[-1])]
    return [[*sentence, "."], *_silent(view)]


def _travels(view: _View, m: int) -> Sentence:
    row = view.row(m)
    if _even(row):
        return [f"spreads almost evenly over {count(len(row), item(view.keys))}"]
    top = _Strong(_top(view, m))
    if row.max() >= 0.5:
        return [f"puts {number(row.max())} of its weight on ", top]
    reached = max(2, round(float(effective(row))))
    about = "all" if reached == len(row) else "about"
    return [f"spreads over {about} {count(reached, item(view.keys))}, most on ", top, f" ({number(row.max())})"]


def _counted(view: _View) -> list[Sentence]:
    """Maps side by side, such as heads: how many of them agree, and where."""
    alive = view.alive
    pointed: dict[str, list[int]] = {}
    for m in alive:
        if not _even(view.row(m)):
            pointed.setdefault(_top(view, m), []).append(m)
    if not pointed:
        spread = f"over {count(len(view.keys), item(view.keys))}"
        if len(alive) == 1:
            return [[f"{capital(view.labels[alive[0]])} spreads almost evenly {spread}."], *_silent(view)]
        return [[f"All {count(len(alive), view.kind)} spread almost evenly {spread}."], *_silent(view)]
    agreeing = max(map(len, pointed.values()))
    leaders = [top for top, maps in pointed.items() if len(maps) == agreeing]
    strongest = max((m for top in leaders for m in pointed[top]), key=lambda m: view.row(m).max())
    weight, top = number(view.row(strongest).max()), _Strong(_top(view, strongest))
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


def _others(view: _View, others: list[str], pointed: dict[str, list[int]]) -> list[Sentence]:
    n = sum(len(pointed[top]) for top in others)
    if not n:
        return []
    return [[f"{n} more {'looks' if n == 1 else 'look'} most at {listed(others)}."]]


def _silent(view: _View) -> list[Sentence]:
    n = len(view.labels) - len(view.alive)
    return [[f"{count(n, view.kind)} {'has' if n == 1 else 'have'} no weight."]] if n else []


def _largest(weights: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(weights.argmax()), weights.shape))


def _tied(row: np.ndarray) -> list[int]:
    """The keys that share the largest weight."""
    return np.flatnonzero(row >= row.max() * (1 - 1e-6)).tolist()


def _even(row: np.ndarray) -> bool:
    """Almost the same weight on every key."""
    n = len(row)
    return n > 1 and bool(effective(row) >= 0.95 * n and row.max() <= 1.25 * row.sum() / n)


def _top(view: _View, m: int) -> str:
    return listed(dict.fromkeys(named(view.keys, k) for k in _tied(view.row(m))))


def _kind(attention: AttentionMap) -> str:
    """What the maps are called: the kind of the leading axis, "map" if there are several or none."""
    leading = attention.axes[:-2]
    return leading[0].kind if len(leading) == 1 else "map"
