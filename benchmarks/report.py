"""What the benchmarks share: measuring side by side, the table that is printed, the file that is kept."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One line of a table: what was measured and, if it has a target, whether `value` meets it.

    With `at_least` the value must not be below the target, else not above. `shown` is what the table says.
    """

    what: str
    shown: str
    value: float | None = None
    target: float | None = None
    at_least: bool = False
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        """None if there is no target; a figure without a value, one that could not be measured, has not met it."""
        if self.target is None:
            return None
        if self.value is None:
            return False
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def wanted(self) -> str:
        """The target in words."""
        if self.target is None:
            return ""
        return f"{'at least' if self.at_least else 'at most'} {self.target:g}{self.unit}"


@dataclass
class Result:
    """The lines of a table and the numbers they come from, which can be written as JSON."""

    figures: list[Figure] = field(default_factory=list)
    raw: list[dict[str, Any]] = field(default_factory=list)


def machine() -> dict[str, Any]:
    """Where and with what it was measured."""
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "streamlit": version("streamlit"),
    }


def table(figures: Sequence[Figure]) -> str:
    """The figures in Markdown."""
    answers = {None: "", True: "yes", False: "**no**"}
    rows = [(f.what, f.shown, f.wanted, answers[f.met]) for f in figures]
    rows = [("what", "measured", "target", "met"), ("---", "---", "---", "---"), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def write(name: str, result: Result) -> Path:
    """Keep the result as `results/<name>.json`; returns the path."""
    RESULTS.mkdir(exist_ok=True)
    figures = [{**asdict(f), "met": f.met} for f in result.figures]
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), "figures": figures, "raw": result.raw}, indent=1) + "\n")
    return path


def side_by_side(
    calls: Sequence[Callable[[], object]], seconds: float, at_least: int = 5, at_most: int = 2000
) -> list[list[float]]:
    """Seconds of every call of each, in turns: one round calls each once, every other round in reversed order.

    Rounds go on for `seconds`, at least and at most so many. What disturbs the machine then disturbs all alike.
    """
    for call in calls:
        call()
    times: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + seconds
    while len(times[0]) < at_least or (time.perf_counter() < end and len(times[0]) < at_most):
        order = range(len(calls)) if len(times[0]) % 2 == 0 else reversed(range(len(calls)))
        for i in order:
            start = time.perf_counter()
            calls[i]()
            times[i].append(time.perf_counter() - start)
    return times


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
