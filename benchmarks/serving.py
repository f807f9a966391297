"""Streamlit servers and a headless Chromium for the benchmarks; both end with the `with` that started them."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROBE = Path(__file__).parent / "probe.js"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STARTED_WITHIN, ENDED_WITHIN = 120, 10  # seconds


@contextmanager
def server(script: str) -> Iterator[str]:
    """Serve a script, its path seen from the project's root; gives the address. RuntimeError if it does not start."""
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / script)]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            if not _answers(address, process):
                said.seek(0)
                raise RuntimeError(f"streamlit run {script} did not start:\n{said.read().decode()[-2000:]}")
            yield address
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(address: str, process: subprocess.Popen) -> bool:
    end = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return True
        except OSError:
            time.sleep(0.1)
    return False


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(ENDED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium; each measurement opens a context of its own in it. RuntimeError if there is none."""
    from playwright.sync_api import sync_playwright

    if not Path(CHROMIUM).exists():
        raise RuntimeError(f"no Chromium at {CHROMIUM}: install it, or say where it is with CHROMIUM=/path")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Any) -> Iterator[Any]:
    """A new page, 1400 by 900, with nothing remembered from others and `probe.js` in it."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        context.add_init_script(path=PROBE)
        yield context.new_page()
    finally:
        context.close()
