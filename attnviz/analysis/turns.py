"""Maps that come in turns, such as those of a routing: in each iteration one for each class."""

from dataclasses import replace

from attnviz.trace import AttentionMap, Axis

ORDERED = ("hop", "iteration", "step", "layer", "turn")
FEW = 3  # so many maps of each turn can be seen beside those of the others


def turns(attention: AttentionMap) -> Axis | None:
    """The leading axis that counts turns; None where they have few maps each, or where nothing follows another."""
    leading = attention.axes[:-2]
    several = len(leading) > 1 and leading[0].kind in ORDERED and len(leading[0]) > 1
    return leading[0] if several and len(leading[1]) > FEW else None


def in_turn(attention: AttentionMap, turn: int = -1) -> AttentionMap:
    """The maps of one turn, the last one unless another is asked for; all maps where none come in turns.

    Labels that are only a number get their kind: "7" becomes "class 7".
    """
    if turns(attention) is None:
        return attention
    _, *rest = attention.axes
    return replace(attention, weights=attention.weights[turn], axes=(*map(_with_kind, rest[:-2]), *rest[-2:]))


def _with_kind(axis: Axis) -> Axis:
    labels = tuple(f"{axis.kind} {label}" if label.isdigit() else label for label in axis.labels)
    return replace(axis, labels=labels)
