"""The scripts of the live pictures as one module's text, for the app and for exported files."""

import json
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "dom.js",
    "palette.js",
    "frame.js",
    "marks.js",
    "selection.js",
    "grid.js",
    "figures.js",
    "matrix.js",
    "arcs.js",
    "overlay.js",
    "side.js",
    "tools.js",
    "steering.js",
    "changes.js",
    "dragging.js",
    "picture.js",
    "pointing.js",
    "paint.js",
    "pairs.js",
    "board.js",
    "sheet.js",
    "formula.js",
    "way_back.js",
    "worksheet_line.js",
    "worksheet_working.js",
    "worksheet_edit.js",
    "worksheet_card.js",
    "worksheet_bar.js",
    "worksheet_patches.js",
    "worksheet.js",
    "mount.js",
)
_STYLES = ("canvas.css", "board.css", "worksheet.css")


@cache
def code() -> str:
    """All scripts as one module, the styles a constant in it. `globalThis.attnvizCanvas` has the mounts."""
    style = "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _STYLES)
    scripts = [(_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    return "\n".join([f"const STYLE = {json.dumps(style)};", *scripts])
