"""Values in JSON's own types, and text that any file can hold."""

import math
import re
from collections.abc import Mapping, Set
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from attnviz.errors import AttnvizError

# What XML forbids even when escaped, and halves of characters, which no encoding has a form for.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class TraceFileError(AttnvizError):
    """A trace that cannot be written to a file, or a file that does not hold a trace."""


def plain(value: Any, where: str) -> Any:
    """The value in JSON's own types, keys sorted; a tuple becomes a list, a set a sorted list.

    TraceFileError, naming the place with `where`, for what JSON has no word for.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, np.generic):
        return plain(value.item(), where)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise TraceFileError(f"{where} is {value}, which JSON cannot hold. Give a finite number.")
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value), where)
    if isinstance(value, Mapping):
        items = sorted((str(key), item) for key, item in value.items())
        return {key: plain(item, f"{where}.{key}") for key, item in items}
    if isinstance(value, Set):
        return sorted((plain(item, where) for item in value), key=repr)
    if isinstance(value, list | tuple):
        return [plain(item, where) for item in value]
    raise TraceFileError(f"{where} is a {type(value).__name__}, which JSON cannot hold. Give text, numbers or lists.")


def refuse_nan(name: str, values: np.ndarray) -> None:
    """TraceFileError if one of the numbers is NaN."""
    if np.isnan(values).any():
        raise TraceFileError(f"{name!r} holds NaN, which is not a number. Look for the input that made it.")


def writable(text: str) -> str:
    """The text with a replacement mark for each character that XML or UTF-8 cannot hold."""
    return _UNWRITABLE.sub("\ufffd", text)
