"""The files of the zoo: safetensors with a card beside each. Nothing else is ever read, and nothing is unpickled."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from attnviz.errors import ZooError

SCALE = "/scale"  # behind the name of a matrix that is stored in eight bits


def root() -> Path:
    """The folder of the zoo; the environment variable ATTNVIZ_ZOO names another."""
    return Path(os.environ.get("ATTNVIZ_ZOO") or Path(__file__).parent)


def variant(options: Any) -> str:
    """File name of an options object: what differs from the defaults, or "default"."""
    changed = [f"{f.name}={getattr(options, f.name)}" for f in fields(options) if getattr(options, f.name) != f.default]
    return ",".join(changed) or "default"


def write(path: Path, tensors: Mapping[str, Tensor], card: Mapping[str, Any], *, eight_bits: bool = False) -> None:
    """Store tensors, half precision where they are floating, and the card with the checksum of the file.

    With `eight_bits` matrices are whole numbers from -127 to 127 with one scale a row.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    small = {name: (t.half() if t.is_floating_point() else t).contiguous() for name, t in tensors.items()}
    for name, t in tensors.items() if eight_bits else ():
        if t.is_floating_point() and t.ndim == 2:
            scale = (t.abs().amax(1, keepdim=True).clamp_min(1e-8) / 127).half()
            small |= {name: (t / scale.float()).round().clamp(-127, 127).to(torch.int8), name + SCALE: scale}
    save_file(small, path)
    full = dict(card) | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
    path.with_suffix(".json").write_text(json.dumps(full, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors in single precision, and the card.

    ZooError if the file or its card is missing, or if the file is not the one that the card describes.
    """
    again = "Get the file again, or make it with `python -m attnviz train`."
    try:
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != card["sha256"]:
            raise ZooError(f"The weights {_short(path)} are damaged: their checksum is not the card's. {again}")
        tensors = load(data)
    except FileNotFoundError:
        raise ZooError(f"The weights {_short(path)} are missing. {again}") from None
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ZooError(f"The weights {_short(path)} cannot be read: {str(error)[:80]}. {again}") from None
    found = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    for name in [name for name in found if name.endswith(SCALE)]:
        found[name.removesuffix(SCALE)] = found[name.removesuffix(SCALE)].float() * found.pop(name)
    return found, card


def _short(path: Path) -> str:
    return path.relative_to(root()).as_posix() if path.is_relative_to(root()) else path.name
