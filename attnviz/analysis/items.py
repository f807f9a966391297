"""What a trace attends to, and which of its maps says so."""

from attnviz.trace import AttentionMap, Axis, Trace

MAIN = "weights"


def foremost(trace: Trace) -> list[AttentionMap]:
    """The maps, the one that is simply called weights first."""
    return sorted(trace.maps, key=lambda m: m.name != MAIN)


def counts_items(axis: Axis) -> bool:
    """Whether it counts words, patches or facts, and not slots, hops or classes."""
    return axis.grid is not None or axis.kind in ("token", "patch", "fact")


def items(trace: Trace) -> Axis:
    """What is attended to: the keys of the first map, but words, patches or facts rather than slots or classes."""
    keys = [m.axes[-1] for m in foremost(trace)]
    for axis in keys:
        if counts_items(axis):
            return axis
    return keys[0] if keys else Axis("key", ())


def main_map(trace: Trace) -> AttentionMap | None:
    """The foremost map over the items; None if the trace has no map."""
    wanted = items(trace)
    return next((m for m in foremost(trace) if m.axes[-1] == wanted), None)


def marked(trace: Trace) -> tuple[int, ...]:
    """The items to mark, such as the words of the target; a file may say anything, so what is no item is left out."""
    found = trace.made_by.get("marked")
    if not isinstance(found, list | tuple):
        return ()
    n = len(items(trace))
    return tuple(sorted({i for i in found if type(i) is int and 0 <= i < n}))
