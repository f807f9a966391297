"""Frames that follow a reader's changes, worked out in numpy: what the server answers in the tests of changes."""

from typing import Any

import numpy as np

from attnviz.intervention import Intervention
from tests.browser.canvas_frames import (
    STORY,
    facts,
    frame,
    group,
    heads,
    picture,
    report,
    sentence_scores,
    softmax,
    token_by_token,
)
from tests.browser.query_frames import CASES

Made = tuple[dict[str, Any], np.ndarray]


def one_query(text: str) -> Made:
    """Four heads over the words."""
    words = text.split() or [""]
    return frame(
        "multi_head", words, [group(softmax(sentence_scores(words, 4)), heads(4), ["query"], words)], text=text
    )


def classes_and_heads(text: str) -> Made:
    """Two classes of three heads each."""
    words = text.split() or [""]
    weights = softmax(sentence_scores(words, 6))
    maps = [f"{c} · head {h}" for c in ("human", "number") for h in (1, 2, 3)]
    leading = [["class", ["human", "number"]], ["head", ["head 1", "head 2", "head 3"]]]
    return frame("capsule", words, [group(weights, maps, ["query"], words, leading=leading)], text=text)


def over_heads(text: str) -> Made:
    """Weights that sum to one over the heads, and gates that sum to nothing."""
    words = text.split() or [""]
    shared = group(softmax(sentence_scores(words, 3), 0), heads(3), ["query"], words, normalised="head")
    gates = group(np.abs(np.sin(sentence_scores(words, 3))), heads(3), ["query"], words, normalised=None, title="gates")
    return frame("shared", words, [shared, gates | {"name": "gates"}], text=text)


BASES = {
    "query": one_query,
    "self": token_by_token,
    "two": classes_and_heads,
    "shared": over_heads,
    "picture": lambda text: picture(False),
    "facts": lambda text: facts(STORY, [1, 3, 4]),
    "report": lambda text: report(1),
    "patches": lambda text: picture(True),
    "routing": CASES["routing"],
}


def changed_weights(weights: np.ndarray, done: Intervention, made: dict[str, Any]) -> np.ndarray:
    """(map, query, key) after the change: masked keys, edits (the rest of the row is scaled), then what is off."""
    weights = weights.astype(np.float64).reshape([len(labels) for _, labels in made["leading"]] + made["shape"][1:])
    for key in done.masked:
        weights[..., key] = 0
    weights /= np.maximum(weights.sum(-1, keepdims=True), 1e-12)
    for edit in done.edits:
        if edit.map == made["name"]:
            row, key = weights[edit.at[:-1]], edit.at[-1]
            others = np.delete(row, key).sum()
            scaled = row * ((1 - edit.weight) / others)
            scaled[key] = edit.weight
            weights[edit.at[:-1]] = scaled
    for kind, indices in done.off.items():
        axis = [name for name, _ in made["leading"]].index(kind)
        weights[(slice(None),) * axis + (sorted(indices),)] = 0
    return weights.reshape(made["shape"])


def answered(case: str, text: str, done: Intervention, undo: bool, redo: bool, problem: str) -> Made:
    """The frame after the change, with the weights before it behind."""
    words = text.split()
    old = {i: words[i] for i in done.swapped if i < len(words)}
    meta, before = BASES[case](text)
    after, _ = BASES[case](" ".join(done.swapped.get(i, word) for i, word in enumerate(words)))
    now = change(done, old, after["items"]) | {"undo": undo, "redo": redo, "problem": problem}
    after |= {"text": meta["text"], "change": now}
    if done.is_nothing:
        return after, before
    parts = []
    for made in after["groups"]:
        flat = before[made["offset"] : made["offset"] + int(np.prod(made["shape"]))]
        weights = changed_weights(flat.reshape(made["shape"]), done, made)
        parts.append(weights.astype(np.float32).ravel())
        made["scale"] = float(max(np.abs(weights).max(), np.abs(flat).max()))
        made["before"] = made["offset"] + len(before)
        made["spread_before"] = made["spread"]
    after["before"] = {"prediction": meta["prediction"]}
    after["prediction"] = meta["prediction"] | {"probabilities": [0, 0.004, 0.01, 0.75, 0.03, 0.206]}
    return after, np.concatenate([*parts, before])


def change(done: Intervention, old: dict[int, str], items: list[str]) -> dict[str, Any]:
    """What `meta["change"]` says of it."""
    said = [(f"“{items[k]}” is masked", {"what": "mask", "key": k, "on": False}) for k in sorted(done.masked)]
    for kind, indices in done.off.items():
        for i in sorted(indices):
            said.append((f"{kind} {i + 1} is off", {"what": "off", "kind": kind, "index": i, "on": False}))
    for edit in done.edits:
        event = {"what": "edit", "map": edit.map, "at": list(edit.at), "weight": None}
        said.append((f"weight {edit.at} is {edit.weight:g}", event))
    for i, word in done.swapped.items():
        said.append((f"“{old.get(i)}” became “{word}”", {"what": "swap", "key": i, "word": None}))
    return {
        "said": [{"text": text, "event": event} for text, event in said],
        "masked": sorted(done.masked),
        "off": {kind: sorted(indices) for kind, indices in done.off.items()},
        "edits": [{"map": e.map, "at": list(e.at), "weight": e.weight} for e in done.edits],
        "swapped": {str(i): word for i, word in old.items()},
    }
