"""Many people typing at once: how long the server takes for an edit, and whether anyone sees what another typed."""

import asyncio
import time
import urllib.request
from collections import Counter
from typing import Any

from benchmarks.report import Figure, Result, percentile
from benchmarks.serving import server
from benchmarks.visitor import Visitor

CROWDS = (1, 10, 30, 60)
SECONDS = 15.0  # that each crowd types
WATCHED, TARGET = 30, 5.0  # the p95 of so many people may be so many times the median of one


def measure(quick: bool = False) -> Result:
    """One crowd after the other on the same server."""
    crowds, seconds = ((1, 3), 2.0) if quick else (CROWDS, SECONDS)
    result = Result()
    with server("app.py") as address:
        for people in crowds:
            result.raw.append(asyncio.run(_crowd(address, people, seconds)))
    alone = percentile(result.raw[0]["seconds"], 0.5)
    result.figures = [_figure(found, alone) for found in result.raw]
    result.figures += [_health(found) for found in result.raw]
    for name in ("errors", "leaks"):
        total = sum(sum(found[name].values()) for found in result.raw)
        edits = sum(len(found["seconds"]) for found in result.raw)
        result.figures.append(Figure(f"{name} in {edits} edits", str(total), total, 0, unit=""))
    return result


async def _crowd(address: str, people: int, seconds: float) -> dict[str, Any]:
    ready = asyncio.Barrier(people)
    visitors = [Visitor(address, people * 1000 + i) for i in range(people)]
    health: list[float] = []
    asking = asyncio.create_task(_ask_health(address, health))
    await asyncio.gather(*(visitor.visit(seconds, ready) for visitor in visitors))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    errors: Counter[str] = sum((visitor.errors for visitor in visitors), Counter())
    if any(failed < 0 for failed in health):
        errors["health refused"] = sum(failed < 0 for failed in health)
    return {
        "people": people,
        "seconds": [taken for visitor in visitors for taken in visitor.times],
        "health": [taken for taken in health if taken >= 0],
        "errors": dict(errors),
        "leaks": dict(Counter(f"marker {number}" for visitor in visitors for number in visitor.leaks)),
    }


async def _ask_health(address: str, times: list[float]) -> None:
    """Ask for the server's health twice a second; -1 where it did not answer."""

    def ask() -> float:
        start = time.perf_counter()
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=10):
                return time.perf_counter() - start
        except OSError:
            return -1.0

    while True:
        times.append(await asyncio.to_thread(ask))
        await asyncio.sleep(0.5)


def _figure(found: dict[str, Any], alone: float) -> Figure:
    people, times = found["people"], found["seconds"]
    what = f"server time of an edit, {people} typing: p95 / median of one"
    if not times:
        return Figure(what, "no edit was answered", None, TARGET)
    middle, late = percentile(times, 0.5), percentile(times, 0.95)
    shown = f"{late / alone:.1f}x (p50 {middle * 1e3:.0f} ms, p95 {late * 1e3:.0f} ms, {len(times)} edits)"
    return Figure(what, shown, late / alone, TARGET if people == WATCHED else None)


def _health(found: dict[str, Any]) -> Figure:
    times = found["health"]
    middle, late = percentile(times, 0.5), percentile(times, 0.95)
    what = f"`GET /_stcore/health` meanwhile, {found['people']} typing"
    return Figure(what, f"p50 {middle * 1e3:.0f} ms, p95 {late * 1e3:.0f} ms")
