"""What a whole transformer's weights cost on their way to the screen, beside BertViz's model view of the same weights.

Bytes, seconds to make them, and seconds until they are painted in the same Chromium: from the moment the data is
there, and from opening the page, which for us includes all of Streamlit.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow

from benchmarks import bertviz_page, synthetic
from benchmarks.report import Figure, Result
from benchmarks.serving import ROOT, chromium, opened, server

SIZES, REPEATS, WARM_UP = (64, 128, 510), 3, 4
TARGET = 20.0  # times less than BertViz
PATIENCE = 120  # seconds for writing a page, and for painting it
PARTS = {"made": "made", "from_data": "data there to painted", "from_opening": "page opened to painted"}

# Both are looked at in every frame; two frames after the picture stands it has been drawn.
OURS = """
probe.painted(
  () => probe.shows({ root: ".attnviz-picture", attribute: "data-mechanism", expected: "transformer" }),
  () => probe.arrived.find(({ bytes }) => bytes >= LEAST).at,
)
"""
THEIRS = """
probe.painted(
  () => document.getElementsByTagName("line").length >= LEAST,
  () => performance.getEntriesByType("navigation")[0].responseEnd,
)
"""


def measure(quick: bool = False) -> Result:
    """Ours and theirs in turns, size by size, largest last."""
    sizes, repeats = ((8,), 1) if quick else (SIZES, REPEATS)
    result = Result()
    with (
        tempfile.TemporaryDirectory() as folder,
        server("benchmarks/apps/picture.py") as address,
        chromium() as browser,
    ):
        bertviz_page.install(Path(folder))
        _ours(browser, address, WARM_UP)
        _theirs(browser, Path(folder), WARM_UP)
        for tokens in sizes:
            ours, theirs = [], []
            for _ in range(repeats):
                ours.append(_ours(browser, address, tokens))
                if not (theirs and "failed" in theirs[-1]):
                    theirs.append(_theirs(browser, Path(folder), tokens))
            result.raw.append({"tokens": tokens, "ours": ours, "bertviz": theirs, "browser": browser.version})
            result.figures += _figures(tokens, ours, theirs)
    return result


def _ours(browser: Any, address: str, tokens: int) -> dict[str, Any]:
    found = synthetic.trace(tokens)
    start = time.perf_counter()
    meta, weights = synthetic.frame(found, title="Transformer")
    size = _arrow(weights) + len(json.dumps(meta).encode())
    made = time.perf_counter() - start
    with opened(browser) as page:
        times = _times(page, f"{address}/?tokens={tokens}", OURS.replace("LEAST", str(weights.nbytes)))
    return {"bytes": size, "made": made, **times}


def _arrow(weights: synthetic.Weights) -> int:
    sink = pyarrow.BufferOutputStream()
    table = pyarrow.table({"w": weights})
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().size


def _theirs(browser: Any, folder: Path, tokens: int) -> dict[str, Any]:
    file = folder / f"{tokens}.html"
    command = [sys.executable, "-m", "benchmarks.bertviz_page", str(tokens), str(file)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
    except subprocess.SubprocessError as error:
        return {"failed": f"page not written: {str(getattr(error, 'stderr', '') or error)[-300:]}"}
    wrote = {"bytes": file.stat().st_size, "made": float(done.stdout)}
    return {**wrote, **_painted(browser, folder, file, tokens)}


def _painted(browser: Any, folder: Path, file: Path, tokens: int) -> dict[str, Any]:
    """Times of BertViz's page; `failed` says why if it is not painted."""
    lines = synthetic.LAYERS * synthetic.HEADS * tokens**2
    with opened(browser) as page:
        try:
            bertviz_page.route(page, folder)
            return _times(page, file.as_uri(), THEIRS.replace("LEAST", str(lines)))
        except Exception as error:  # whatever it dies of belongs into the table
            return {"failed": f"not painted in {PATIENCE} s: {str(error).splitlines()[0][:200]}"}


def _times(page: Any, address: str, watch: str) -> dict[str, float]:
    """Seconds until the picture is painted, and how many nodes the page then has."""
    page.add_init_script(watch)
    page.goto(address, wait_until="commit", timeout=PATIENCE * 1000)
    page.wait_for_function("() => probe.times", timeout=PATIENCE * 1000)
    opened_at, data_at, painted = page.evaluate("() => probe.times")
    return {
        "from_opening": (painted - opened_at) / 1000,
        "from_data": (painted - data_at) / 1000,
        "nodes": page.evaluate("() => probe.nodes()"),
    }


def _figures(tokens: int, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[Figure]:
    size = f"{synthetic.LAYERS} layers x {synthetic.HEADS} heads x {tokens} tokens"
    figures = [_less(f"bytes, {size}", _median(ours, "bytes") / 1e6, _median(theirs, "bytes", 1e6), "MB", TARGET)]
    for part, what in PARTS.items():
        figures.append(_less(f"{what}, {size}", _median(ours, part), _median(theirs, part), "s"))
    what = f"made, and painted once the data is there, {size}"
    return [*figures, _less(what, _made_and_painted(ours), _made_and_painted(theirs), "s", TARGET)]


def _less(what: str, ours: float, theirs: float | None, unit: str, target: float | None = None) -> Figure:
    """How many times less than BertViz; what BertViz did not finish counts as the time it was given."""
    if theirs is None and unit != "s":
        return Figure(what, f"{ours:.2f} {unit} / page not written in {PATIENCE} s")
    ratio = (theirs or PATIENCE) / ours
    shown = f"{theirs:.2f} {unit}" if theirs else f"not finished in {PATIENCE} s"
    more = "" if theirs else "more than "
    return Figure(what, f"{more}{ratio:.0f}x less ({ours:.3f} {unit} / {shown})", ratio, target, at_least=True)


def _median(found: list[dict[str, Any]], name: str, scale: float = 1.0) -> float | None:
    values = [one[name] for one in found if name in one]
    return statistics.median(values) / scale if values else None


def _made_and_painted(found: list[dict[str, Any]]) -> float | None:
    values = [one["made"] + one["from_data"] for one in found if "from_data" in one]
    return statistics.median(values) if values else None
