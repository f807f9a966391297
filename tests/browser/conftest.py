"""A real browser on a real server: `serve(path)` starts a Streamlit script, `page` opens what it gives."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

import pytest

from tests.browser.reading import INPUT, INPUTS_PAGE, PICTURE, asked

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STARTED_WITHIN = 60  # seconds
ANSWERS_WITHIN = 60_000  # milliseconds, on a busy machine


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str, server: subprocess.Popen, log: IO[str]) -> None:
    """Asks for the server's health until it answers."""
    end = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < end:
        if server.poll() is not None:
            log.seek(0)
            raise RuntimeError(f"streamlit ended with code {server.returncode}: {log.read()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"streamlit did not answer at {url} within {STARTED_WITHIN} s")


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[str | Path], str]]:
    """A function from a script's path (from the project's root) to the address where Streamlit serves it."""
    servers: dict[str, tuple[subprocess.Popen, str]] = {}

    def start(path: str | Path) -> str:
        name = str(path)
        if name not in servers:
            port = _free_port()
            command = [sys.executable, "-m", "streamlit", "run", str(ROOT / path), "--server.port", str(port)]
            command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
            command += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
            environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
            log = tempfile.TemporaryFile("w+")  # not a pipe: nobody would empty it, and a full one stops the server
            server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
            servers[name] = server, f"http://127.0.0.1:{port}"
            _wait_for(servers[name][1], server, log)
        return servers[name][1]

    yield start
    for server, _ in servers.values():
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """One headless Chromium for all tests; skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: apt-get install chromium, or say where it is with CHROMIUM=/path")
    playwright.expect.set_options(timeout=ANSWERS_WITHIN)
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def context(browser) -> Iterator[object]:
    """One browser window for all tests, so that Streamlit's own scripts are fetched once."""
    opened = browser.new_context(viewport={"width": 1400, "height": 900})
    opened.set_default_timeout(ANSWERS_WITHIN)
    yield opened
    opened.close()


@pytest.fixture
def page(context) -> Iterator[object]:
    """An empty page, 1400 by 900, with nothing kept from other tests but what the browser caches."""
    opened = context.new_page()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def kept(context) -> Iterator[object]:
    """One page for all tests of a file, and what its scripts complained about."""
    found = context.new_page()
    found.complaints = []
    found.on("pageerror", lambda error: found.complaints.append(str(error)))
    yield found
    found.close()


@pytest.fixture
def kept_page(kept) -> Iterator[object]:
    """That page, with the mouse out of the way; an error in a script fails the test."""
    kept.complaints.clear()
    kept.mouse.move(1, 1)
    yield kept
    assert kept.complaints == []


@pytest.fixture
def show(page, serve) -> Iterator[object]:
    """Opens a case of `canvas_app` and waits for its first paint; an error in a script fails the test.

    With `done`, a change in plain words, the case can be changed and has that change already.
    """
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    address = serve("tests/browser/canvas_app.py")

    def opened(case: str, fragment: str = "", done: dict | None = None, width: int | None = None, text: str = ""):
        if width is not None:
            page.set_viewport_size({"width": width, "height": 900})
        which = f"case={case}" if done is None else f"change={case}&done={quote(json.dumps(done))}"
        typed = f"&text={quote(text)}" if text else ""
        page.goto("about:blank")
        page.goto(f"{address}/?{which}{typed}{fragment}")
        page.wait_for_selector(f"{PICTURE}[data-painted]")
        return page

    yield opened
    assert errors == []


@pytest.fixture
def opened(kept_page, serve) -> Callable[..., object]:
    """Opens the page that asks for the parts of a toy task, and waits for them."""
    address = serve(INPUTS_PAGE)

    def show_parts(task: str, page=kept_page, **parameters: str):
        page.goto("about:blank")
        page.goto(f"{address}/?task={task}" + "".join(f"&{name}={quote(v)}" for name, v in parameters.items()))
        page.wait_for_selector(f"{INPUT}[data-theme]")
        asked(page)
        return page

    return show_parts
