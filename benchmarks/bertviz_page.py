"""BertViz's model view of the same weights: a program to run with BertViz on the path, no dependency of attnviz."""

import argparse
import io
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

BERTVIZ = ("bertviz==1.4.1", "ipython==9.6.0")
# What its page loads from a content delivery network, as npm has it: package, file, and how the address ends.
SCRIPTS = (
    ("requirejs@2.3.6", "package/require.js", "require.min.js"),
    ("jquery@2.2.4", "package/dist/jquery.min.js", "jquery.min.js"),
    ("d3@5.7.0", "package/dist/d3.min.js", "d3.min.js"),
)
CDN = "https://cdnjs.cloudflare.com/**"


def install(folder: Path) -> None:
    """Put BertViz and the three scripts into `folder`. RuntimeError if they cannot be had."""
    commands = [
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), BERTVIZ[0]],
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), BERTVIZ[1]],
        *(["npm", "pack", "--silent", "--pack-destination", str(folder), package] for package, _, _ in SCRIPTS),
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    for package, inside, name in SCRIPTS:
        packed = folder / f"{package.replace('@', '-')}.tgz"
        with tarfile.open(fileobj=io.BytesIO(packed.read_bytes())) as archive:
            (folder / name).write_bytes(archive.extractfile(inside).read())


def route(page: Any, folder: Path) -> None:
    """Answer the page's questions to the network from `folder`; all others are refused."""

    def answer(asked: Any) -> None:
        file = folder / asked.request.url.rsplit("/", 1)[-1]
        if file.is_file():
            asked.fulfill(path=file, content_type="text/javascript")
        else:
            asked.abort()

    page.route(CDN, answer)


def main() -> None:
    """Write the page and say how many seconds it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tokens", type=int)
    parser.add_argument("file", type=Path)
    given = parser.parse_args()

    import torch
    from bertviz import model_view

    from benchmarks import synthetic

    attention = [torch.from_numpy(layer)[None] for layer in synthetic.weights(given.tokens)]
    words = list(synthetic.words(given.tokens))
    start = time.perf_counter()
    view = model_view(attention, words, html_action="return")
    given.file.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{view.data}", encoding="utf-8")
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
