"""How a line of a computation follows from earlier ones, found by trying it with their numbers.

Nothing here knows a mechanism: a product is called one where most of its numbers are the products of two earlier steps.
What cannot be found this way, such as a multiplication by trained weights, is not claimed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from attnviz.trace import Axis, Step

CLOSE = 1e-5
SAMPLED = 2  # queries that are tried
NEAR = 10  # earlier steps of the same shape that are tried in pairs


@dataclass(frozen=True)
class Working:
    """The line is made of the steps `of` (their positions), in the way that `kind` says.

    "product": the features of of[0], the query, times those of of[1], added up, times `factor`.
    "sum": the rows of of[1], each times its weight in of[0], added up.
    "softmax": over the last axis of of[0], where of[1], if there is one, is not 0.
    "scaled": of[0] times `factor`. "mean": over the rows of of[0]. "added": of[0] + of[1]. "same": of[0] again.
    "joined": the parts of of[0], such as heads, one after the other.
    """

    kind: str
    of: tuple[int, ...]
    factor: float = 1.0


def workings(steps: Sequence[Step]) -> list[Working | None]:
    """For each step how it follows from earlier ones, None where that is not to be seen from the numbers."""
    values = [np.asarray(step.value, dtype=np.float64) for step in steps]
    return [_working(steps, values, i) for i in range(len(steps))]


def _working(steps: Sequence[Step], values: list[np.ndarray], i: int) -> Working | None:
    if not values[i].size:
        return None
    for find in _FINDERS:
        found = next(find(steps, values, i), None)
        if found is not None:
            return found
    return None


def _same(steps: Sequence[Step], values: list[np.ndarray], i: int) -> Iterator[Working]:
    for j in _before(i):
        features = all(steps[n].axes[-1:] and steps[n].axes[-1].kind == "feature" for n in (i, j))
        if features and values[j].size == values[i].size > 1 and _most(values[j].ravel() == values[i].ravel()):
            alike = values[j].squeeze().shape == values[i].squeeze().shape
            yield Working("same" if alike else "joined", (j,))


def _scaled(steps: Sequence[Step], values: list[np.ndarray], i: int) -> Iterator[Working]:
    for j in _before(i):
        if steps[j].axes == steps[i].axes and np.any(values[j]):
            largest = np.unravel_index(np.abs(values[j]).argmax(), values[j].shape)
            factor = float(values[i][largest] / values[j][largest])
            if values[i].size > 1 and factor and _most(_close(values[j] * factor, values[i])):
                yield Working("scaled", (j,), factor)


def _softmax(steps: Sequence[Step], values: list[np.ndarray], i: int) -> Iterator[Working]:
    alike = [j for j in _before(i) if steps[j].axes == steps[i].axes]
    masks = list(takewhile(lambda j: steps[j].name.split(",")[0].endswith("mask"), alike))
    if len(masks) == len(alike) or values[i].shape[-1:] in ((), (1,)):
        return
    scores = alike[len(masks)]
    for mask in (None, *masks):
        shares = _shares(values[scores], None if mask is None else values[mask])
        if _most(np.abs(shares - values[i]) <= CLOSE * np.abs(values[i])):
            yield Working("softmax", (scores,) if mask is None else (scores, mask))


def _shares(scores: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    allowed = np.isfinite(scores) if mask is None else (mask != 0) & np.isfinite(scores)
    scores = np.where(allowed, scores, -np.inf)
    largest = scores.max(-1, keepdims=True, initial=-np.inf)
    powers = np.exp(scores - np.where(np.isfinite(largest), largest, 0.0))
    return powers / np.maximum(powers.sum(-1, keepdims=True), 1e-300)


def _product(steps: Sequence[Step], values: list[np.ndarray], i: int) -> Iterator[Working]:
    axes = steps[i].axes
    if len(axes) < 2 or axes[-1].kind == "feature":
        return
    some = values[i][..., :SAMPLED, :]
    sides = [j for j in _before(i) if steps[j].axes[-1:] and steps[j].axes[-1].kind == "feature"]
    sides.sort(key=lambda j: not steps[j].name.startswith("key"))  # where values are the same numbers
    lefts = [(j, left) for j in sides if (left := _fitted(steps[j], values[j], axes[:-2], axes[-2])) is not None]
    rights = [(j, right) for j in sides if (right := _fitted(steps[j], values[j], axes[:-2], axes[-1])) is not None]
    for k, right in rights:
        for j, left in lefts:
            if j == k or left.shape[-1] != right.shape[-1]:
                continue
            found = left[..., :SAMPLED, :] @ np.swapaxes(right, -1, -2)
            for factor in (1.0, left.shape[-1] ** -0.5):
                if _most(_close(found * factor, some)):
                    yield Working("product", (j, k), factor)


def _sum(steps: Sequence[Step], values: list[np.ndarray], i: int) -> Iterator[Working]:
    axes = steps[i].axes
    if not axes or axes[-1].kind != "feature":
        return
    for j in _before(i):
        leading, keys = steps[j].axes[:-2], steps[j].axes[-1:]
        if len(steps[j].axes) < 2 or keys[0].kind == "feature":
            continue
        context = _fitted(steps[i], values[i], leading, steps[j].axes[-2])
        for k in _before(i):
            collected = None if context is None else _fitted(steps[k], values[k], leading, keys[0])
            if collected is None or collected.shape[-1] != context.shape[-1]:
                continue
            found = values[j][..., :SAMPLED, :] @ collected
            if found.shape == context[..., :SAMPLED, :].shape and _most(_close(found, context[..., :SAMPLED, :])):
                yield Working("sum", (j, k))


def _mean(steps: Sequence[Step], values: list[np.ndarray], i: int) -> Iterator[Working]:
    wanted = values[i].reshape(-1)
    for j in _before(i):
        several = values[j].ndim == 2 and steps[j].axes[-1].kind == "feature" and values[j].shape[1] == wanted.size
        if several and _most(_close(values[j].mean(0), wanted)):
            yield Working("mean", (j,))


def _added(steps: Sequence[Step], values: list[np.ndarray], i: int) -> Iterator[Working]:
    near = [j for j in _before(i) if values[j].shape == values[i].shape and values[j].size > 1][:NEAR]
    for at, j in enumerate(near):
        for k in near[at + 1 :]:
            if _most(_close(values[j] + values[k], values[i])):
                yield Working("added", (k, j))


_FINDERS: tuple[Callable[..., Iterator[Working]], ...] = (
    _same,
    _softmax,
    _scaled,
    _product,
    _sum,
    _mean,
    _added,
)


def _before(i: int) -> range:
    """Earlier steps, the nearest first."""
    return range(i - 1, -1, -1)


def _fitted(step: Step, value: np.ndarray, leading: tuple[Axis, ...], rows: Axis) -> np.ndarray | None:
    """The features of a step as an array with an axis for each of `leading`, then `rows`, then features.

    A leading axis that the step lacks is one long, and so are its rows where it has none and one row is wanted. None
    if it has another axis.
    """
    *others, features = step.axes
    if features.kind != "feature":
        return None
    if others and others[-1] == rows:
        others = others[:-1]
    elif len(rows) == 1:
        value = value[..., None, :]
    else:
        return None
    if any(axis not in leading for axis in others) or others != [axis for axis in leading if axis in others]:
        return None
    return value.reshape([len(axis) if axis in others else 1 for axis in leading] + list(value.shape[-2:]))


def _close(found: np.ndarray, shown: np.ndarray) -> np.ndarray:
    scale = np.abs(shown).max(initial=0.0, where=np.isfinite(shown))
    return np.abs(found - shown) <= CLOSE * np.maximum(np.abs(shown), 0.1 * scale)


def _most(equal: np.ndarray) -> bool:
    """More than half: a number that was set by hand does not follow, and the others still do."""
    return bool(np.count_nonzero(equal) * 2 > equal.size)
