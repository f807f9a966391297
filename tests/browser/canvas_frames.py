"""Frames made up for the tests of the live picture: every shape it must draw."""

import base64
import io
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

QUESTION = "how many people live in the largest city of south america ?"
CLASSES = ["abbreviation", "description", "entity", "human", "location", "number"]
ODD = ["</script><img src=x onerror=window.broken=1>", "🙂👩‍👩‍👧", "שלום", "<b>bold</b>", "مرحبا", "你好"]


def softmax(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    exponential = np.exp(scores - scores.max(axis, keepdims=True))
    return exponential / exponential.sum(axis, keepdims=True)


def group(weights: np.ndarray, maps: list[str], queries: list[str], keys: list[str], **more: Any) -> dict[str, Any]:
    """One group of a frame, its weights still in it."""
    share = np.abs(weights) + 1e-12
    share = share / share.sum(-1, keepdims=True)
    entropy = -(share * np.log2(share)).sum(-1).mean(-1)
    made = {
        "name": "weights",
        "title": "weights",
        "kind": "head",
        "ordered": False,
        "counts": "token",
        "leading": [["head", maps]],
        "maps": maps,
        "queries": queries,
        "keys": keys,
        "same": queries == keys,
        "of_items": True,
        "before": None,
        "shape": list(weights.shape),
        "scale": float(np.abs(weights).max()),
        "normalised": "key",
        "signed": bool(weights.min() < 0),
        "spread": [
            {"label": label, "entropy": float(e), "effective": float(2**e)}
            for label, e in zip(maps, entropy, strict=True)
        ],
        "spread_before": None,
        "weights": weights,
    }
    return made | more


def frame(mechanism: str, items: list[str], groups: list[dict[str, Any]], **more: Any) -> tuple[dict, np.ndarray]:
    """The groups as (meta, weights), in two bytes a weight where there are many."""
    large = sum(g["weights"].size for g in groups) > 65_536
    parts, offset = [], 0
    for g in groups:
        flat = g.pop("weights").ravel()
        parts.append(np.rint(flat / g["scale"] * 65_535).astype(np.uint16) if large else flat.astype(np.float32))
        g["offset"] = offset
        offset += flat.size
    meta = {
        "mechanism": mechanism,
        "title": mechanism,
        "text": " ".join(items),
        "kind": "text",
        "items": items,
        "grid": None,
        "picture": None,
        "marked": [],
        "encoding": "uint16" if large else "float32",
        "groups": groups,
        "prediction": {"labels": CLASSES, "probabilities": [0, 0.004, 0.01, 0.02, 0.03, 0.936], "independent": False},
        "trained": True,
        "words": [["In words: ", False], ["5 of 8 heads", True], [" look most at “many”.", False]],
        "alt": f"{mechanism}: weights over {len(items)} items.",
    }
    return meta | more, np.concatenate(parts)


def heads(count: int, kind: str = "head") -> list[str]:
    return [f"{kind} {i + 1}" for i in range(count)]


def sentence_scores(words: list[str], count: int) -> np.ndarray:
    """(map, 1, word) scores that depend on the words alone, so that typing changes them a little at a time."""
    seeds = np.array([sum(ord(c) * (i + 1) for i, c in enumerate(word)) % 97 for word in words])
    scores = np.sin(np.outer(np.arange(1, count + 1), seeds) * 0.31)
    return (scores * np.linspace(0.8, 4.5, count)[:, None])[:, None, :]


def one_query(text: str, words: list[str] | None = None) -> tuple[dict, np.ndarray]:
    words = words or text.split() or [""]
    made = [group(softmax(sentence_scores(words, 8)), heads(8), ["query"], words)]
    return frame("multi_head", words, made, text=text)


def token_by_token(text: str, words: list[str] | None = None) -> tuple[dict, np.ndarray]:
    words = words or text.split() or [""]
    n = len(words)
    near = -np.abs(np.arange(n)[:, None] - np.arange(n)[None, :])
    scores = np.stack([near * 0.7, -np.abs(near + 1) * 2.0, np.roll(near, 3, 1) * 0.5, np.tile(near[0], (n, 1)) * 0.3])
    return frame("self", words, [group(softmax(scores), heads(4), words, words)], text=text)


def classes(text: str) -> tuple[dict, np.ndarray]:
    words = text.split() or [""]
    weights = softmax(sentence_scores(words, 6) * 1.4)
    prediction = {"labels": CLASSES, "probabilities": [0.0, 0.45, 0.13, 0.24, 0.68, 1.0], "independent": True}
    made = [group(weights, CLASSES, ["query"], words, kind="class")]
    return frame("capsule", words, made, prediction=prediction, trained=False, text=text)


def picture(same: bool) -> tuple[dict, np.ndarray]:
    """An oblong picture of three blobs; each head looks at one of them."""
    rows, columns = 8, 8
    y, x = np.mgrid[0:240, 0:360].astype(float)
    pixels = np.stack([120 + 90 * np.sin(x / 40), 130 + 80 * np.cos(y / 30), 110 + 60 * np.sin((x + y) / 50)], -1)
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    url = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    items = [f"row {r + 1}, column {c + 1}" for r in range(rows) for c in range(columns)]
    r, c = np.divmod(np.arange(rows * columns), columns)
    centres = [(2, 2), (5, 6), (6, 1), (3, 4)]
    scores = np.stack([-((r - a) ** 2 + (c - b) ** 2) / (2 + i) for i, (a, b) in enumerate(centres)])[:, None, :]
    if same:
        distance = (r[:, None] - r[None]) ** 2 + (c[:, None] - c[None]) ** 2
        scores = np.stack([-distance / (1 + 2 * i) for i in range(4)])
    made = [group(softmax(scores), heads(4), items if same else ["query"], items, counts="patch")]
    return frame("multi_head", items, made, kind="image", grid=[rows, columns], picture=url, text="blobs")


def other_scales(text: str) -> tuple[dict, np.ndarray]:
    """Gates, which do not sum to one, and signed values, as two groups."""
    words = text.split()
    scores = sentence_scores(words, 3)
    gates = group(1 / (1 + np.exp(-2 * scores)), heads(3, "gate"), ["query"], words, normalised=None, title="gates")
    signed = group(scores, heads(3, "row"), ["query"], words, normalised=None, title="influence")
    return frame("gates", words, [gates, signed])


def many(layers: int, count: int, n: int) -> tuple[dict, np.ndarray]:
    words = [f"w{i}" if i % 3 else f"word{i}" for i in range(n)]
    noise = np.random.default_rng(0).normal(size=(layers * count, n, n)).astype(np.float32)
    maps = [f"layer {i + 1} · head {j + 1}" for i in range(layers) for j in range(count)]
    made = [group(softmax(noise - np.abs(np.arange(n)[:, None] - np.arange(n)) * 0.2), maps, words, words)]
    return frame("transformer", words, made)


@lru_cache(maxsize=2)
def large(layers: int, count: int, n: int) -> tuple[dict, np.ndarray]:
    return many(layers, count, n)


def long(text: str) -> tuple[dict, np.ndarray]:
    words = (text.split() * 30)[:256]
    return frame("multi_head", words, [group(softmax(sentence_scores(words, 8)), heads(8), ["query"], words)])


def nothing() -> tuple[dict, np.ndarray]:
    """A trace without maps, as of a mechanism that has none."""
    meta, _ = one_query("a")
    return meta | {"groups": []}, np.empty(0, np.float32)


STORY = [
    "Mary moved to the bathroom.",
    "John went to the hallway.",
    "Sandra took the football there, and then she looked for somebody to give it to, but everybody was out.",
    "Mary went back to the garden.",
    "John dropped the milk.",
]


def facts(story: list[str], looked_at: list[int | None], kind: str = "hop") -> tuple[dict, np.ndarray]:
    """A story whose maps look at one fact each, and at the one before it a little; or, with None, at all alike."""
    scores = np.zeros((len(looked_at), 1, len(story)))
    for m, k in enumerate(looked_at):
        if k is not None:
            scores[m, 0, k], scores[m, 0, k - 1] = 9, 6.5
    more = {"kind": kind, "leading": [[kind, heads(len(looked_at), kind)]], "counts": "fact", "ordered": kind == "hop"}
    made = [group(softmax(scores), heads(len(looked_at), kind), ["query"], story, **more)]
    return frame("memory_network", story, made, kind="facts")


def long_story(n: int = 200) -> list[str]:
    people, places = ("Mary", "John", "Sandra", "Daniel"), ("garden", "hallway", "office", "kitchen", "bathroom")
    return [f"{people[i * 7 % 4]} went to the {places[i * 3 % 5]}." for i in range(n)]


REPORT = (
    "the old harbour had been quiet for years , until a small ferry began to call there twice a day . people from the "
    "hills came down to watch it , and some of them never went home again ."
)


def report(count: int, n: int = 400) -> tuple[dict, np.ndarray]:
    """A long text; each map looks at a few places of it."""
    words = (REPORT.split() * 20)[:n]
    scores = np.random.default_rng(3).normal(size=(count, 1, n))
    for m in range(count):
        scores[m, 0, [37 * (m + 1) % n, (150 + 61 * m) % n, (n - 20 * (m + 1)) % n]] += 7
    made = [group(softmax(scores), heads(count), ["query"], words)]
    return frame("multi_head", words, made)


def targeted(text: str) -> tuple[dict, np.ndarray]:
    meta, numbers = one_query(text)
    return meta | {"marked": [2, 3]}, numbers


CASES: dict[str, Callable[[str], tuple[dict, np.ndarray]]] = {
    "query": one_query,
    "self": token_by_token,
    "class": classes,
    "picture": lambda text: picture(False),
    "patches": lambda text: picture(True),
    "scales": other_scales,
    "one": lambda text: one_query("word"),
    "long": long,
    "odd": lambda text: one_query(" ".join(ODD), ODD),
    "odd_self": lambda text: token_by_token(" ".join(ODD), ODD),
    "large": lambda text: large(6, 12, 128),
    "facts": lambda text: facts(STORY, [1, 3, 4]),
    "fact_heads": lambda text: facts(STORY, [0, 4, 2, 3], "head"),
    "facts_even": lambda text: facts(STORY, [1, None, 4]),
    "facts_200": lambda text: facts(long_story(), [180, 40, 120]),
    "facts_6": lambda text: facts(STORY, [1, 3, 4, 4, 2, 1]),
    "report": lambda text: report(8),
    "report_3": lambda text: report(3),
    "report_1": lambda text: report(1),
    "target": targeted,
    "target_self": lambda text: (token_by_token(text)[0] | {"marked": [2, 3]}, token_by_token(text)[1]),
    "huge": lambda text: large(6, 12, 510),
    "empty": lambda text: nothing(),
}
