"""Is the attention worth looking at? Weight on words that people labelled, and a sheet of overlays to look at.

    python -m benchmarks.quality --data DIR [--sheet FILE.png]

Film reviews come with a label for every word: very negative, negative, neutral, positive, very positive. For each
mechanism: the mean weight of a word that is not neutral (and of one with a strong label) over the mean weight that it
would have if all words had the same, on the held-out sentences. 1 is uniform.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from attnviz import library
from attnviz.features.picture import Picture
from attnviz.features.words import split
from attnviz.tasks import registry as tasks
from attnviz.tasks import sst
from attnviz.trace import Trace
from attnviz.zoo import models

NEUTRAL, STRONG = 2, (0, 4)


def item_weights(trace: Trace) -> np.ndarray:
    """One weight an item: the mean over maps and queries of the map called weights."""
    return trace.map("weights").stacked.mean((0, 1))


def word_labels(row: dict) -> np.ndarray:
    """The label of every word of a sentence as the app splits it: that of the token which it is part of."""
    ends = np.cumsum([len(token) + 1 for token in row["tokens"]])
    starts = [start for start, _ in split(" ".join(row["tokens"])).spans]
    return np.array([row["token_labels"][np.searchsorted(ends, start, side="right")] for start in starts])


def labelled_words(data: Path, limit: int) -> list[tuple[str, float, float]]:
    """(mechanism, ratio of words that are not neutral, ratio of words with a strong label)."""
    rows = sst.sentences(data / "sst", "val")[:limit]
    found = []
    for name in library.mechanisms():
        model = models.load("sst", name)
        ratios = {"labelled": [], "strong": []}
        for row in rows:
            labels = word_labels(row)
            weights = item_weights(model.trace(models.encode_text("sst", " ".join(row["tokens"]))))
            for kind, chosen in (("labelled", labels != NEUTRAL), ("strong", np.isin(labels, STRONG))):
                if chosen.any() and not chosen.all():
                    ratios[kind].append(weights[chosen].mean() * len(weights) / weights.sum())
        found.append((name, float(np.mean(ratios["labelled"])), float(np.mean(ratios["strong"]))))
    return found


def overlay_sheet(data: Path, names: list[str], n: int = 20, scale: int = 4) -> Image.Image:
    """Held-out CIFAR-10 pictures with the weights of several mechanisms over them; brighter is more weight."""
    examples = tasks.get("cifar10").read(data / "cifar10", "val")
    side = 32 * scale
    sheet = Image.new("RGB", (side * (len(names) + 1), (side + 14) * n), "white")
    draw = ImageDraw.Draw(sheet)
    for row in range(n):
        picture = Image.fromarray(examples.inputs[row].permute(1, 2, 0).numpy())
        large = picture.resize((side, side), Image.Resampling.BICUBIC)
        sheet.paste(large, (0, row * (side + 14)))
        draw.text((2, row * (side + 14) + side), tasks.get("cifar10").classes[int(examples.labels[row])], "black")
        for column, name in enumerate(names, 1):
            trace = models.load("cifar10", name).trace(models.encode_picture("cifar10", Picture(picture, ())))
            weights = item_weights(trace).reshape(trace.map("weights").axes[-1].grid)
            mask = Image.fromarray(np.uint8(255 * weights / weights.max())).resize(
                (side, side), Image.Resampling.NEAREST
            )
            dark = Image.blend(large, Image.new("RGB", large.size), 0.8)
            sheet.paste(Image.composite(large, dark, mask), (column * side, row * (side + 14)))
            draw.text((column * side + 2, row * (side + 14) + side), f"{name}: {trace.prediction.best}", "black")
    return sheet


def main() -> None:
    """Print the table; write the sheet if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=1101, help="sentences to look at")
    parser.add_argument("--sheet", type=Path, help="write twenty overlays to this PNG file")
    given = parser.parse_args()
    print("| mechanism | words with a label | words with a strong label |\n|---|---|---|")
    for name, labelled, strong in labelled_words(given.data, given.limit):
        print(f"| {name} | {labelled:.2f} | {strong:.2f} |")
    if given.sheet:
        overlay_sheet(given.data, ["learnable_query", "multi_head", "multi_hop", "self_attention"]).save(given.sheet)


if __name__ == "__main__":
    main()
