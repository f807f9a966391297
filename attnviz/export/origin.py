"""What made a trace, in a line under its picture."""

from collections.abc import Mapping

from attnviz.analysis.said import said
from attnviz.attention import registry
from attnviz.errors import OptionError, UnknownNameError
from attnviz.intervention import Intervention
from attnviz.trace import Trace


def title(trace: Trace) -> str:
    """What the mechanism is called; one that is not registered (a trace from a file) is called by its name."""
    try:
        return registry.get(trace.mechanism).title
    except UnknownNameError:
        return trace.mechanism


def caption(trace: Trace) -> str:
    """Mechanism, task, options, changes, seed and version: "Multi-head attention · trec · n_heads 8 · seed 0 …"."""
    made_by = trace.made_by
    parts = [title(trace), str(made_by.get("task") or "")]
    options = made_by.get("options")
    if isinstance(options, Mapping):
        parts += [f"{name} {value}" for name, value in options.items()]
    parts += changes(trace)
    if made_by.get("trained") is False:
        parts.append("untrained")
    parts += [f"seed {made_by['seed']}"] if "seed" in made_by else []
    parts += [f"attnviz {made_by['version']}"] if "version" in made_by else []
    return " · ".join(part[:200] for part in parts if part)


def changes(trace: Trace) -> list[str]:
    """The intervention that a trace was made with, in a few words each."""
    try:
        return [chip["text"] for chip in said(Intervention.from_plain(trace.made_by.get("intervention") or {}), trace)]
    except OptionError:
        return []
