"""Traces to take along: as a picture (SVG, PNG, a page of HTML), as numbers (JSON, CSV, NPZ), as Python.

Every file says what made it: mechanism, task, options, interventions, version and seed.
"""

from attnviz.export.as_csv import to_csv
from attnviz.export.as_html import sheet_html, to_html
from attnviz.export.as_json import from_json, to_json
from attnviz.export.as_npz import to_npz
from attnviz.export.as_png import sheet_png, to_png
from attnviz.export.as_python import to_python
from attnviz.export.as_svg import sheet_svg, to_svg
from attnviz.export.plain import TraceFileError
from attnviz.export.scene import views_of

__all__ = [
    "TraceFileError",
    "from_json",
    "sheet_html",
    "sheet_png",
    "sheet_svg",
    "to_csv",
    "to_html",
    "to_json",
    "to_npz",
    "to_png",
    "to_python",
    "to_svg",
    "views_of",
]
