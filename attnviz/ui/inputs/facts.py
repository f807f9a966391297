"""A list of facts, one a line."""

from attnviz.ui.inputs import editor
from attnviz.ui.inputs.field import Field
from attnviz.ui.inputs.text import bounded

_MOST = 300
_LONGEST_FACT = 500  # characters that the editor takes in one row


def ask(field: Field) -> str:
    """The facts that were written, one a line, without rows that are still empty."""
    written = editor.edit(field, "facts", _read, {"most": _MOST, "longest": _LONGEST_FACT})
    return "\n".join(line.strip() for line in written.split("\n") if line.strip())


def _read(text: str) -> str:
    """The facts; ValueError if there are too many or they are too long."""
    n = text.count("\n") + 1
    if n > _MOST:
        raise ValueError(f"it has {n:,} facts, and {_MOST} is the limit.")
    return bounded(text)
