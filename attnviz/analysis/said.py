"""What was changed: in words, each with the event that takes it back, for chips and captions; and as marks."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

from attnviz.analysis.items import items
from attnviz.analysis.phrases import item, number
from attnviz.errors import EmptyTextError, OptionError
from attnviz.features.words import split
from attnviz.intervention import Intervention
from attnviz.trace import Axis, Trace

Chip = dict[str, Any]
_NOTHING = " (no effect here)"  # of a change that came with a link, or that was made in a longer text


def said(intervention: Intervention, trace: Trace) -> list[Chip]:
    """One chip a change; labels come from the trace, those of swapped words from the text that it was made from."""
    return [
        *_words(intervention, trace),
        *_maps(intervention, trace),
        *_numbers(intervention, trace),
        *_whole(intervention),
    ]


def changes(trace: Trace) -> list[str]:
    """The intervention that a trace was made with, in a few words each."""
    return [chip["text"] for chip in said(intervention_of(trace), trace)]


def intervention_of(trace: Trace) -> Intervention:
    """What was changed in a trace; nothing where it does not say so in words that can be read."""
    try:
        return Intervention.from_plain(trace.made_by.get("intervention") or {})
    except OptionError:
        return Intervention()


def options_said(changed: dict[str, Any], defaults: dict[str, Any]) -> list[Chip]:
    """Options that count as changes."""
    return [
        _chip(f"{_plain(name)}: {_plain(value)} instead of {_plain(defaults[name])}", what="option", name=name)
        for name, value in changed.items()
    ]


def marks(done: Intervention, trace: Trace) -> dict[str, Any]:
    """What changes leave on a picture, in JSON's own types: positions count from 0, "swapped" holds the old words.

    Masked and swapped positions count items, "off" the entries of an axis by its kind; "edits" are weights set by hand.
    """
    old = _written(trace) if done.swapped else ()
    return {
        "masked": sorted(done.masked),
        "off": {kind: sorted(which) for kind, which in done.off.items()},
        "edits": [asdict(edit) for edit in done.edits],
        "swapped": {str(i): old[i] for i in done.swapped if i < len(old)},
    }


def _words(done: Intervention, trace: Trace) -> Iterator[Chip]:
    axis = items(trace)
    if done.swapped:
        old = replace(axis, labels=_written(trace))
        for i, word in done.swapped.items():
            text = f"{_quoted(old, i)} became “{word}”{_unless(i < len(old.labels))}"
            yield _chip(text, what="swap", key=i, word=None)
    for i in sorted(done.masked):
        yield _chip(f"{_quoted(axis, i)} is masked{_unless(i < len(axis))}", what="mask", key=i, on=False)


def _maps(done: Intervention, trace: Trace) -> Iterator[Chip]:
    for kind, indices in done.off.items():
        axis = next((a for m in trace.maps for a in m.axes if a.kind == kind), Axis(kind, ()))
        for i in sorted(indices):
            text = f"{_label(axis, i)} is off{_unless(i < len(axis))}"
            yield _chip(text, what="off", kind=kind, index=i, on=False)


def _numbers(done: Intervention, trace: Trace) -> Iterator[Chip]:
    for edit in done.edits:
        axes = next((m.axes for m in trace.maps if m.name == edit.map), ())
        text = f"weight {_place(axes, edit.at)} = {number(edit.weight)}{_unless(_within(axes, edit.at))}"
        yield _chip(text, what="edit", **asdict(edit) | {"weight": None})
    for override in done.overrides:
        axes = next((s.axes for s in trace.steps if s.name == override.step), ())
        place = f"{override.step} {_place(axes, override.at)}"
        text = f"{place} = {override.value:.4g}{_unless(_within(axes, override.at))}"
        yield _chip(text, what="set", **asdict(override) | {"value": None})


def _whole(done: Intervention) -> Iterator[Chip]:
    if done.temperature != 1.0:
        yield _chip(f"temperature {done.temperature:g}", what="temperature", value=None)
    if done.alignment is not None:
        yield _chip(f"alignment: {done.alignment}", what="alignment", name=None)


def _written(trace: Trace) -> tuple[str, ...]:
    """The words of the text, or of the first text of several parts, before any was swapped."""
    given = trace.made_by.get("input", "")
    text = next(iter(given.values()), "") if isinstance(given, Mapping) else given
    try:
        return split(str(text)).labels
    except EmptyTextError:
        return ()


def _place(axes: tuple[Axis, ...], at: tuple[int, ...]) -> str:
    """The labels of an index; axes with a single entry say nothing."""
    if len(axes) != len(at):
        return "(" + ", ".join(str(i + 1) for i in at) + ")"
    return " · ".join(_label(axis, i) for axis, i in zip(axes, at, strict=True) if len(axis) > 1)


def _label(axis: Axis, i: int) -> str:
    return axis.labels[i] if i < len(axis) else f"{item(axis)} {i + 1}"


def _quoted(axis: Axis, i: int) -> str:
    """A word in quotation marks; a patch, and a word that is not there, without."""
    return _label(axis, i) if axis.grid or i >= len(axis) else f"“{axis.labels[i]}”"


def _within(axes: tuple[Axis, ...], at: tuple[int, ...]) -> bool:
    return len(axes) == len(at) and all(i < len(axis) for axis, i in zip(axes, at, strict=True))


def _unless(applies: bool) -> str:
    return "" if applies else _NOTHING


def _plain(value: Any) -> str:
    return str(value).replace("_", " ")


def _chip(text: str, **event: Any) -> Chip:
    return {"text": text, "event": event}
