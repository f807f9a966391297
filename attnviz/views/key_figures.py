"""The figures of a comparison in words: what each is called and means, and how its number is written."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from attnviz.analysis.cost import Figures
from attnviz.analysis.pairs import PairFigures, shares
from attnviz.analysis.spread import entropy
from attnviz.trace import Trace

NONE = "—"


@dataclass(frozen=True)
class Kind:
    """A figure's name and what it means; it belongs to a pair or to each panel."""

    id: str
    name: str
    help: str
    of: Literal["pair", "panel"]


KINDS = (
    Kind("divergence", "Jensen-Shannon divergence", "How far apart two distributions of weight over the items are, in "
         "bits: 0 if every item receives the same share in both, 1 if no item has weight in both.", "pair"),
    Kind("rank_correlation", "Rank correlation", "Spearman's rho: whether both put the items in the same order of "
         "weight. 1 is the same order, 0 none in common, −1 the reverse.", "pair"),
    Kind("overlap", "Overlap of the top items", "How many of the few items with the largest weights both have in "
         "common.", "pair"),
    Kind("agreement", "Same prediction", "Whether the most probable class is the same.", "pair"),
    Kind("distance", "Distance of the predictions", "Total variation distance: how much probability would have to move "
         "from class to class to make both predictions alike, 0 to 1.", "pair"),
    Kind("prediction", "Prediction", "The most probable class and its probability.", "panel"),
    Kind("entropy", "Entropy", "How evenly the weight is spread over the items, in bits: 0 if one item has all, and "
         "one bit more each time the number of items that share it evenly doubles.", "panel"),
    Kind("multiplications", "Multiplications", "Multiplications of two numbers that the mechanism needs for this "
         "input, without the feature model and the output model.", "panel"),
    Kind("memory", "Memory", "Numbers that the mechanism holds at the same time for this input.", "panel"),
    Kind("seconds", "Measured time", "Median time of a forward pass of mechanism and output model for so many items, "
         "on the machine that serves this page.", "panel"),
    Kind("parameters", "Parameters", "Trained numbers in the mechanism and its output model.", "panel"),
    Kind("accuracy", "Validation accuracy", "Share of right answers on examples that were not trained on. Film "
         "sentiment is right only if the degree, one of five, is.", "panel"),
)  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A figure's number, None where it has no meaning; how it is written; and a sentence why it is missing."""

    number: float | None
    text: str
    why: str = ""


def kinds() -> list[dict[str, str]]:
    """All figures in the order of the table, as plain dictionaries."""
    return [asdict(kind) for kind in KINDS]


def of_panel(trace: Trace, cost: Figures | None) -> dict[str, Value]:
    """The figures of one trace; of `cost` None, a trace whose model is not here, the cost is missing."""
    spread = float(entropy(shares(trace)))
    found = {"prediction": _prediction(trace), "entropy": Value(spread, f"{spread:.3f} bit")}
    if cost is None:
        return found | {name: Value(None, NONE, "The model is not here.") for name in _OF_MODEL}
    untrained = "" if cost.accuracy is not None else "The weights are random: untrained."
    return found | {
        "multiplications": Value(cost.multiplications, f"{cost.multiplications:,}"),
        "memory": Value(cost.memory, f"{cost.memory:,} numbers"),
        "seconds": Value(cost.seconds, f"{cost.seconds * 1e3:.2f} ms"),
        "parameters": Value(cost.parameters, f"{cost.parameters:,}"),
        "accuracy": Value(cost.accuracy, NONE if untrained else f"{cost.accuracy:.1%}".replace("%", " %"), untrained),
    }


def of_pair(found: PairFigures) -> dict[str, Value]:
    """The figures of two traces beside each other."""
    why = found.comparable or "All items have the same weight in one of the two."
    classes = "The two predict different things: their classes are not the same ones."
    agreement = {None: NONE, True: "yes", False: "no"}[found.same_class]
    return {
        "divergence": _three(found.divergence, why, " bit"),
        "rank_correlation": _three(found.rank_correlation, why),
        "overlap": _overlap(found, why),
        "agreement": Value(_number(found.same_class), agreement, classes if found.same_class is None else ""),
        "distance": _three(found.distance, classes),
    }


def plain(values: dict[str, Value]) -> dict[str, dict[str, Any]]:
    """Values as plain dictionaries, by the figures' names."""
    return {name: asdict(value) for name, value in values.items()}


_OF_MODEL = ("multiplications", "memory", "seconds", "parameters", "accuracy")


def _prediction(trace: Trace) -> Value:
    if trace.prediction is None:
        return Value(None, NONE, "It predicts nothing.")
    best = float(trace.prediction.probabilities.max())
    if trace.prediction.sequence:
        return Value(best, trace.prediction.best)
    return Value(best, f"{trace.prediction.best} {best:.2f}")


def _overlap(found: PairFigures, why: str) -> Value:
    if found.overlap is None:
        return Value(None, NONE, why)
    return Value(found.overlap, f"{round(found.overlap * found.overlap_k)} of {found.overlap_k}")


def _three(number: float | None, why: str, unit: str = "") -> Value:
    if number is None:
        return Value(None, NONE, why)
    return Value(number, f"{number:.3f}{unit}".replace("-", "−"))


def _number(answer: bool | None) -> float | None:
    return None if answer is None else float(answer)
