"""From key press to changed picture: Explore beside a page that only echoes the text, Compare beside Explore.

Timed inside the browser: from the keydown event until the new text stands in the page and a frame has begun.
"""

from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import TimeoutError

from benchmarks.report import Figure, Result, percentile
from benchmarks.serving import chromium, opened, server

PRESSES, WARM_UP = 40, 6
HEADS = 8
FIRST, LONGEST = 60_000, 10_000  # milliseconds to wait for the first picture and for each after it
LATE = f"new Promise((_, fail) => setTimeout(() => fail(new Error('no picture in {LONGEST} ms')), {LONGEST}))"
SETTLED = 250  # milliseconds between two key presses: what follows a paint is over, as when a person types
WORDS = "Who wrote the first novel about a journey through time and space in the last century".split()
SIZES = {16: 1.25, 60: 1.5}  # tokens, and how many times the echo the picture may take
PANELS = {"two panels": None, "four panels": 2.5}  # of Compare, and how many times one picture they may take
COMPARED = 16  # tokens
LETTERS = "there"

# The picture's root says what it shows; the echo is what stands in its container.
WATCHED = {
    "explore": {"root": ".attnviz-picture", "attribute": "data-text"},
    "echo": {"root": ".st-key-echo", "attribute": None},
    "two panels": {"root": ".attnviz-board", "attribute": "data-text"},
    "four panels": {"root": ".attnviz-board", "attribute": "data-text"},
}
LINKS = {
    "explore": {"task": "trec", "mechanism": "multi_head"},
    "echo": {},
    "two panels": {"task1": "trec", "panels": 2},
    "four panels": {"task1": "trec", "panels": 4},
}
Times = dict[str, list[dict[str, float]]]


def measure(quick: bool = False) -> Result:
    """All pages in one browser, a key press here, then the same there, for each length of text."""
    result = Result()
    presses = 2 if quick else PRESSES
    with ExitStack() as stack:
        app = stack.enter_context(server("app.py"))
        addresses = {"explore": app, "echo": stack.enter_context(server("benchmarks/apps/echo.py"))}
        browser = stack.enter_context(chromium())
        for tokens, target in SIZES.items():
            times = _typed(browser, addresses, tokens, presses)
            result.figures += _figures(tokens, times, target)
            result.raw.append({"tokens": tokens, "milliseconds": times, "browser": browser.version})
        times = _typed(browser, {"explore": app} | dict.fromkeys(PANELS, f"{app}/compare"), COMPARED, presses)
        result.figures += _compared(times)
        result.raw.append({"tokens": COMPARED, "milliseconds": times, "browser": browser.version})
    return result


def sentence(tokens: int) -> str:
    """So many words; the last is the one that will be typed at."""
    return " ".join((WORDS * (tokens // len(WORDS) + 1))[: tokens - 1] + ["we"])


def keys(text: str, presses: int) -> list[tuple[str, str]]:
    """(key, the text after it): letters are added to the last word and taken away again."""
    typed, found = text, []
    for i in range(presses):
        at = i % (2 * len(LETTERS))
        typed = typed + LETTERS[at] if at < len(LETTERS) else typed[:-1]
        found.append((LETTERS[at] if at < len(LETTERS) else "Backspace", typed))
    return found


def _typed(browser: Any, addresses: dict[str, str], tokens: int, presses: int) -> Times:
    """The times of each page, opened anew."""
    with ExitStack() as tabs:
        pages = {name: tabs.enter_context(opened(browser)) for name in addresses}
        return _type(pages, addresses, sentence(tokens), presses)


def _type(pages: dict[str, Any], addresses: dict[str, str], text: str, presses: int) -> Times:
    for name, page in pages.items():
        _open(page, addresses[name], LINKS[name], {**WATCHED[name], "expected": text})
        page.get_by_label("Sentence").click()
        page.keyboard.press("End")
    times: Times = {name: [] for name in pages}
    for key, expected in keys(text, WARM_UP + presses):
        for name, page in pages.items():
            page.bring_to_front()
            page.evaluate("(it) => probe.arm(it)", {**WATCHED[name], "expected": expected})
            page.keyboard.press(key)
            times[name].append(page.evaluate(f"() => Promise.race([measured, {LATE}])"))
            page.wait_for_timeout(SETTLED)
    return {name: found[WARM_UP:] for name, found in times.items()}


def _open(page: Any, address: str, link: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Open a page with the wanted text in its link. RuntimeError, with what the page says, if it does not show it."""
    page.goto(f"{address}?{urlencode({'text': wanted['expected'], **link})}")
    try:
        page.wait_for_function("(it) => probe.shows(it)", arg=wanted, timeout=FIRST)
    except TimeoutError as error:
        said = page.evaluate("() => document.body.innerText")
        raise RuntimeError(f"no {wanted['root']} with the text in {FIRST} ms; the page says: {said[:2000]}") from error


def _figures(tokens: int, times: Times, target: float) -> list[Figure]:
    painted, answered = _by(times, "painted"), _by(times, "answered")
    size = f"{tokens} tokens x {HEADS} heads"
    what = f"key press to picture / to echoed text, {size}"
    return [
        _ratio(f"{what}, median", painted, ("explore", "echo"), 0.5, target),
        _ratio(f"{what}, p95", painted, ("explore", "echo"), 0.95),
        _ratio(f"of it, key press to the server's last message, {size}, median", answered, ("explore", "echo"), 0.5),
    ]


def _compared(times: Times) -> list[Figure]:
    painted, found = _by(times, "painted"), []
    for name, target in PANELS.items():
        what = f"key press to {name} in Compare / to one picture in Explore, {COMPARED} tokens"
        found.append(_ratio(f"{what}, median", painted, (name, "explore"), 0.5, target))
        found.append(_ratio(f"{what}, p95", painted, (name, "explore"), 0.95))
    return found


def _by(times: Times, what: str) -> dict[str, list[float]]:
    return {name: [press[what] for press in found] for name, found in times.items()}


def _ratio(
    what: str, times: dict[str, list[float]], of: tuple[str, str], share: float, target: float | None = None
) -> Figure:
    over, under = (percentile(times[name], share) for name in of)
    return Figure(what, f"{over / under:.2f}x ({over:.0f} / {under:.0f} ms)", over / under, target)
