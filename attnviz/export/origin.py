"""What made a trace, in a line under its picture."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from attnviz.analysis.said import changes
from attnviz.attention import registry
from attnviz.errors import UnknownNameError
from attnviz.export.plain import plain
from attnviz.trace import Trace
from attnviz.views.frame import title_of

MOST = 200  # characters of one part of a caption


def title(trace: Trace) -> str:
    """What the mechanism is called; one that is not registered (a trace from a file) is called by its name."""
    if sides(trace):
        return "Difference"
    return title_of(trace.mechanism)


def caption(trace: Trace) -> str:
    """Mechanism, task, options, changes, seed and version: "Multi-head attention · trec · n_heads 8 · seed 0 …".

    Of a difference both sides: "multi-hop (n_hops 3) minus multi-head (n_heads 8) · trec · …".
    """
    if pair := sides(trace):
        return _of_difference(*pair)
    parts = [title(trace), _task(trace), *_options(trace), *changes(trace), *_rest(trace)]
    return _joined(parts)


def sides(trace: Trace) -> tuple[Trace, Trace] | tuple[()]:
    """The first and the second of a difference, each as far as the trace says what made it; nothing if it is none."""
    found = [trace.made_by.get(name) for name in ("first", "second")]
    if trace.mechanism != "difference" or not all(isinstance(side, Mapping) for side in found):
        return ()
    first, second = (
        replace(
            trace,
            mechanism=str(side.get("mechanism", "")),
            made_by={key: value for key, value in side.items() if key != "mechanism"},
        )
        for side in found
    )
    return first, second


def origin(trace: Trace) -> dict[str, Any]:
    """The mechanism and all that made the trace, in JSON's own types."""
    return {"mechanism": trace.mechanism, **plain(trace.made_by, "made_by")}


def _of_difference(first: Trace, second: Trace) -> str:
    names = [_name(side, _input(side) != _input(other)) for side, other in ((first, second), (second, first))]
    parts = [f"{names[1]} minus {names[0]}", *_both(_task(first), _task(second))]
    parts += _both(_changes(first), _changes(second))
    parts += dict.fromkeys([*_rest(first), *_rest(second)])
    return _joined(parts)


def _name(side: Trace, with_input: bool) -> str:
    """multi-hop (n_hops 3), and on which input, where the two have different ones."""
    try:
        name = registry.get(side.mechanism).short
    except UnknownNameError:
        name = side.mechanism[:MOST]
    options = ", ".join(_options(side))[:MOST]
    return name + (f" ({options})" if options else "") + (f" on “{_input(side)[:MOST]}”" if with_input else "")


def _both(first: str, second: str) -> list[str]:
    """What is said of both sides: once where it is the same."""
    if first == second:
        return [first]
    return [f"{which}: {said[:MOST]}" for which, said in (("second", second), ("first", first)) if said]


def _changes(side: Trace) -> str:
    """As the difference says them: the labels that they name are not in it."""
    found = side.made_by.get("changes")
    return ", ".join(map(str, found)) if isinstance(found, list | tuple) else ""


def _input(trace: Trace) -> str:
    return trace.given


def _task(trace: Trace) -> str:
    return str(trace.made_by.get("task") or "")


def _options(trace: Trace) -> list[str]:
    options = trace.made_by.get("options")
    return [f"{name} {value}" for name, value in options.items()] if isinstance(options, Mapping) else []


def _rest(trace: Trace) -> list[str]:
    """Whether it was trained, seed and version."""
    made_by = trace.made_by
    parts = ["untrained"] if made_by.get("trained") is False else []
    parts += [f"seed {made_by['seed']}"] if "seed" in made_by else []
    return parts + ([f"attnviz {made_by['version']}"] if "version" in made_by else [])


def _joined(parts: list[str]) -> str:
    return " · ".join(part[: 4 * MOST] for part in parts if part)
