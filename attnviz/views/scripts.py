"""The scripts and styles in `views/canvas` as the text of one JavaScript module, for the app and for exported files.

Each script is about one thing and all share the module's scope: a name may stand in one of them only.
`globalThis.attnvizCanvas` then holds the functions that draw.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("canvas")
_PICTURE = (
    "dom.js",
    "hash.js",
    "palette.js",
    "frame.js",
    "marks.js",
    "selection.js",
    "grid.js",
    "grid_labels.js",
    "figures.js",
    "matrix.js",
    "arcs.js",
    "overlay.js",
    "overview.js",
    "fact_list.js",
    "reading.js",
    "side.js",
    "beside.js",
    "player.js",
    "turns.js",
    "written.js",
    "tools.js",
    "steering.js",
    "way_back.js",
    "changes.js",
    "dragging.js",
    "picture.js",
    "pointing.js",
    "paint.js",
    "mount.js",
)
_OTHERS = (
    "numbers.js",
    "pairs.js",
    "board.js",
    "panel.js",
    "sheet.js",
    "sheet_card.js",
    "formula.js",
    "worksheet_line.js",
    "worksheet_working.js",
    "worksheet_edit.js",
    "worksheet_card.js",
    "worksheet_bar.js",
    "worksheet_patches.js",
    "worksheet.js",
    "asking.js",
    "longtext.js",
    "marking.js",
    "facts.js",
    "drawing.js",
    "input.js",
)
_PICTURE_STYLES = ("shared.css", "picture.css")
_OTHER_STYLES = ("board.css", "sheet.css", "worksheet.css", "asking.css", "input.css")


@cache
def picture_code() -> str:
    """What draws a single picture, as `attnvizCanvas.mount`."""
    return _module(_PICTURE, _PICTURE_STYLES)


@cache
def page_code() -> str:
    """What draws everything: pictures, and `attnvizCanvas.board`, `.sheet`, `.worksheet` and `.asking`."""
    return _module((*_PICTURE, *_OTHERS), (*_PICTURE_STYLES, *_OTHER_STYLES))


def _module(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """The scripts one after the other, with the styles before them in a constant."""
    return "\n".join([f"const STYLE = {json.dumps(_read(styles))};", _read(scripts)])


def _read(names: Sequence[str]) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
