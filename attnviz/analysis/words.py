"""What is to be seen in a trace, in one or two short sentences; every number in them is a weight of the trace."""

import numpy as np

from attnviz.analysis.items import MAIN, foremost, items, marked
from attnviz.analysis.one_query import by_class, counted, journey, single
from attnviz.analysis.phrases import capital, count, item, lower, named, number, plural
from attnviz.analysis.sides import asking, is_produced
from attnviz.analysis.spread import effective
from attnviz.analysis.turns import ORDERED, in_turn, turns
from attnviz.analysis.view import Sentence, Strong, View, even, kind_of, largest, view_of
from attnviz.trace import KEY, QUERY, AttentionMap, Trace

_NO_WEIGHT = "There is no weight: everything is masked or switched off."
_SHARED = {"influence": "influence"}  # what the items divide, if it is no weight


def in_words(trace: Trace) -> list[tuple[str, bool]]:
    """Pieces of text, each with True where it is emphasised; joined they are one or two sentences."""
    pieces: list[str] = []
    for sentence in _sentences(trace):
        pieces += [" ", *sentence] if pieces else sentence
    return [(str(piece), isinstance(piece, Strong)) for piece in pieces]


def alt_text(trace: Trace, title: str = "") -> str:
    """One plain sentence for a screen reader: mechanism, what is shown, and what stands out."""
    title = title or trace.mechanism.replace("_", " ")
    if not trace.maps:
        return f"{title}: no weights were recorded."
    first = foremost(trace)[0]
    keys = first.axes[-1]
    told = f"{title}, weights{_of_what(first, trace)} over {count(len(keys), item(keys))}"
    target = [f"The target is {word}." for word in _target(trace)]
    return " ".join([f"{told}: {''.join(_sentences(trace)[0])}", *target, *map("".join, _asked(trace))])


def _of_what(attention: AttentionMap, trace: Trace) -> str:
    """How many maps there are, or how many words that were produced; and in how many turns."""
    if is_produced(attention, trace):
        return f" of {count(len(attention.axes[-2]), 'written word')}"
    axis, shown = turns(attention), in_turn(attention)
    if not shown.axes[:-2]:
        return ""
    return f" of {count(len(shown.stacked), kind_of(shown))}" + (f" in {count(len(axis), axis.kind)}" if axis else "")


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
    return [*_named_about(first, trace), *(_asked(trace) or _named_about(others[0], trace))]


def _asked(trace: Trace) -> list[Sentence]:
    """Which of the words that asked has most weight; nothing where none asked."""
    found = asking(trace)
    if not found or not found[-1].weights.any():
        return []
    view = view_of(found[-1])
    noun = f"asking {item(view.keys)}"
    if len(view.keys) == 1:
        return [[f"The only {noun} is ", Strong(named(view.keys, 0)), "."]]
    if all(even(view.row(m)) for m in view.alive):
        return [[f"The {count(len(view.keys), noun)} weigh almost the same."]]
    m, _, k = largest(view.weights)
    weighs = f" weighs most ({number(view.weights[m, 0, k])}{view.where(m)})."
    return [[f"Of {count(len(view.keys), noun)} ", Strong(named(view.keys, k)), weighs]]


def _named_about(attention: AttentionMap, trace: Trace) -> list[Sentence]:
    """The first sentence about one map of several."""
    name = [] if attention.name in (MAIN, *_SHARED) else [f"{capital(attention.name.replace('_', ' '))}: "]
    return [[*name, *_about(attention, trace)[0]]]


def _about(attention: AttentionMap, trace: Trace) -> list[Sentence]:
    axis = turns(attention)
    if axis is not None:
        (first, *rest), *others = _about(in_turn(attention), trace)
        return [[f"In {axis.labels[-1]} ", type(first)(lower(first)), *rest], *others]
    view = view_of(attention)
    if not view.weights.any():
        return [[_NO_WEIGHT]]
    if attention.normalised is None or (view.weights < 0).any():  # a weight set by hand may be negative
        return _values(view)
    if attention.normalised not in (KEY, QUERY):
        return _shared(view, _SHARED.get(attention.name, "weight"))
    if is_produced(attention, trace):
        return _written(view)
    if len(view.keys) == 1:
        return [[f"There is only one {item(view.keys)}, so it gets all the weight."]]
    if len(view.queries) > 1:
        return _ties(view)
    if attention.axes[:-2] and attention.axes[0].kind == "class":
        return by_class(view, trace, attention.axes[0].labels)
    if len(view.labels) == 1:
        return single(view)
    return journey(view) if view.kind in ORDERED else counted(view)


def _values(view: View) -> list[Sentence]:
    """Numbers that do not sum to one."""
    m, q, k = largest(np.abs(view.weights))
    origin = f" from {named(view.queries, q)}" if len(view.queries) > 1 else ""
    to = "to" if origin else "on"
    target = Strong(named(view.keys, k))
    found = ["The strongest value is ", f"{number(view.weights[m, q, k])},{origin} {to} ", target, f"{view.where(m)}."]
    return [found, ["These values need not sum to one."]]


def _shared(view: View, what: str) -> list[Sentence]:
    """Weights, or influence, that each item divides between maps (routing)."""
    reached = effective(view.weights, axis=0)
    if (reached[view.weights.any(0)] >= 0.95 * len(view.labels)).all():
        between = count(len(view.labels), view.kind)
        return [[f"Each {item(view.keys)} divides its {what} almost evenly between {between}."]]
    m, q, k = largest(view.weights)
    share = number(view.weights[m, q, k])
    strongest = [f"{capital(named(view.keys, k))} gives {share} of its {what} to ", Strong(view.labels[m])]
    received = view.weights.sum((1, 2)) / view.weights.sum()
    most = int(received.argmax())
    return [
        [*strongest, ", the largest share of all."],
        [f"{capital(view.labels[most])} receives the most: {number(received[most])} of all the {what}."],
    ]


def _written(view: View) -> list[Sentence]:
    """Where the two words looked, while they were written, that looked most at a single one."""
    rows = view.weights[0]
    if all(even(row) for row in rows):
        return [[f"Every written word looks almost evenly at {count(len(view.keys), item(view.keys))}."]]
    first, *others = np.argsort(-rows.max(1), kind="stable")[:2].tolist()
    sentence = [f"{capital(named(view.queries, first))} was written looking at ", *_looked_at(view, first)]
    for q in others:
        sentence += [f", {named(view.queries, q)} at ", *_looked_at(view, q)]
    return [[*sentence, "."]]


def _looked_at(view: View, q: int) -> Sentence:
    k = int(view.weights[0, q].argmax())
    return [Strong(named(view.keys, k)), f" ({number(view.weights[0, q, k])})"]


def _ties(view: View) -> list[Sentence]:
    """Several queries, such as one for each word."""
    rows = view.weights[view.weights.any(-1)]
    asking = item(view.queries)
    if all(even(row) for row in rows):
        return [[f"Every {asking} spreads almost evenly over {count(len(view.keys), item(view.keys))}."]]
    same = view.queries.labels == view.keys.labels
    links = view.weights * ~np.eye(len(view.queries), dtype=bool) if same else view.weights
    if not links.any():
        return [[f"Every {asking} looks only at itself."]]
    m, q, k = largest(links)
    origin, weight = named(view.queries, q), number(links[m, q, k])
    between = f" between two {plural(asking)}" if same else ""
    received = view.weights.sum((0, 1)) / view.weights.sum()
    most = int(received.argmax())
    target = Strong(named(view.keys, k))
    return [
        [f"The strongest tie{between} runs from {origin} to ", target, f"{view.where(m)}: {weight} of its weight."],
        [f"{capital(named(view.keys, most))} receives the most: {number(received[most])} of all the weight."],
    ]
