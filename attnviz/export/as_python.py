"""A trace as the lines of Python that make it again."""

from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

from attnviz.errors import OptionError
from attnviz.export.origin import sides
from attnviz.export.plain import TraceFileError
from attnviz.intervention import Intervention
from attnviz.trace import Trace

_TAKEN = ("mechanism", "task", "text", "image", "given", "intervention")  # arguments of `attend` that are no options


def to_python(trace: Trace) -> str:
    """A snippet that makes the same trace with the library: the same numbers on the same machine and version.

    Of a difference it makes both sides and subtracts. A picture is called by its file's name, which must lie beside the
    snippet. Everything in the trace stands in the snippet as a literal, so a trace from somebody else's file cannot
    bring code of its own. TraceFileError if the trace does not say what made it: only traces of `attnviz.attend`, of
    `difference_trace` and of the pages do.
    """
    if pair := sides(trace):
        first, second = pair
        made = f"{_made('first', first)}\n{_made('second', second)}\ntrace = difference_trace(first, second)\n"
        return f"{_version(trace)}import attnviz\nfrom attnviz.analysis.pairs import difference_trace\n\n{made}"
    return f"{_version(trace)}import attnviz\n\n{_made('trace', trace)}"


def _version(trace: Trace) -> str:
    # ascii() leaves no line end in it that would close the comment.
    return f"# attnviz {ascii(str(trace.made_by['version']))[1:-1]}\n" if "version" in trace.made_by else ""


def _made(variable: str, trace: Trace) -> str:
    """The call that makes a trace."""
    made_by = trace.made_by
    task, given, options = made_by.get("task"), made_by.get("input"), made_by.get("options", {})
    if not isinstance(task, str) or not isinstance(given, str | Mapping) or not isinstance(options, Mapping):
        raise TraceFileError(
            "This trace does not say which task, input and options made it, so there is no snippet that makes it "
            "again. Make the trace with attnviz.attend."
        )
    lines = [f"    {trace.mechanism!r},", f"    task={task!r},"]
    if isinstance(given, Mapping):
        parts = {str(part): str(value) for part, value in given.items()}
        lines.append(f"    given={parts!r},  # pictures by their files")
    elif _is_picture(trace):
        lines.append(f"    image={given!r},  # the picture's file")
    else:
        lines.append(f"    text={given!r},")
    lines += [f"    {_name(name)}={_literal(value)}," for name, value in options.items()]
    changes = _changes(made_by.get("intervention", {}))
    if changes:
        lines.append(f"    intervention=attnviz.Intervention.from_plain({changes!r}),")
    return f"{variable} = attnviz.attend(\n" + "\n".join(lines) + "\n)\n"


def _is_picture(trace: Trace) -> bool:
    return any(axis.grid for m in trace.maps for axis in m.axes)


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name) or name in _TAKEN:
        raise TraceFileError(f"{str(name)[:40]!r} is no option's name. Make the trace again with attnviz.attend.")
    return name


def _literal(value: Any) -> str:
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)
    raise TraceFileError(f"{str(value)[:40]!r} is no option's value. Make the trace again with attnviz.attend.")


def _changes(plain: Any) -> dict[str, Any]:
    """Read and written anew, so that nothing but numbers and texts is left of what a file says."""
    try:
        return Intervention.from_plain(plain).to_plain()
    except OptionError as error:
        raise TraceFileError(f"The changes in this trace cannot be read. {error}") from None
