"""Charts of what if: the prediction along a sweep, and what each part taken away changes. With words for each.

Colours can be read on light and on dark paper; axes and texts take theirs from the page's theme.
"""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from attnviz.analysis.phrases import count, listed
from attnviz.analysis.sweeps import Ablation, Removal, Sweep, called

COLOURS = (  # much alike in lightness: at least 3 : 1 against either paper
    "#3478d8",
    "#c2611f",
    "#23896b",
    "#c04b8b",
    "#7f66d6",
    "#7a7d1e",
    "#1b87a5",
    "#cf4650",
    "#a0683f",
    "#7d7f88",
)
ROSE, FELL = COLOURS[0], COLOURS[1]  # as in the pictures: above zero blue, below it orange
GREY = COLOURS[-1]
MOST_LINES, MOST_BARS = len(COLOURS), 16
FOUR = ".4f"
SMALL = 0.001  # a change of a probability that is not worth a number
LEAST_REACH = 0.01  # of the bars, so that next to nothing looks like it
BETWEEN_LABELS = 0.07  # of the axis, so that none covers another


def sweep_chart(sweep: Sweep) -> alt.LayerChart:
    """The probability of each class along the sweep, with its name at the end of its line; a rule where it stands now.

    Of more than ten classes those with the largest probability anywhere are drawn; the one predicted now is the widest.
    """
    shown = _shown(sweep)
    names = [sweep.labels[c] for c in shown]
    x, colour = _along(sweep), alt.Color("class:N", scale=_colours(names), legend=None)
    y = alt.Y("probability:Q", title="probability", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
    tips = [alt.Tooltip("value", title=sweep.title, type=_type(sweep), format=_format(sweep)), alt.Tooltip("class:N")]
    tips += [alt.Tooltip("probability:Q", format=FOUR), alt.Tooltip("weights:N")]
    lines = alt.Chart(_points(sweep, shown)).encode(x=x, y=y, color=colour, tooltip=tips)
    width = alt.condition(alt.datum["class"] == predicted(sweep), alt.value(3.0), alt.value(1.5))
    ends = alt.Chart(_ends(sweep, shown)).mark_text(align="left", dx=8, limit=96)
    now = alt.Chart(pd.DataFrame({"value": [_value(sweep, sweep.now)]}))
    layers = [
        now.mark_rule(strokeDash=[4, 4], color=GREY).encode(x=x),
        now.mark_text(text="now", dy=-8, color=GREY).encode(x=x, y=alt.value(0)),
        lines.mark_circle(size=70 if sweep.scale in ("steps", "names") else 20, opacity=1),
        ends.encode(x=x, y=alt.Y("place:Q"), text="class:N", color=colour),
    ]
    if sweep.scale != "names":
        layers.append(lines.mark_line().encode(strokeWidth=width))
    height = 340 if _is_crowded(sweep) else 260
    return alt.layer(*layers).properties(height=height, background="transparent").configure_view(stroke=None)


def ablation_chart(ablation: Ablation) -> alt.LayerChart:
    """How the watched probability changes with each part taken away, the largest change first; at most sixteen bars.

    Across from a bar stands its number or, where the prediction is another one then, that class.
    """
    shown = ablation.removals[:MOST_BARS]
    names = ranked(ablation)[:MOST_BARS]
    reach = 1.2 * max([LEAST_REACH, *(abs(removal.change) for removal in shown)])
    fell = alt.datum.change < 0
    axis = alt.Axis(labelLimit=140, labelOverlap=False, ticks=False, domain=False)
    base = alt.Chart(pd.DataFrame(map(_bar, names, shown))).encode(
        y=alt.Y("part:N", sort=names, title=None, axis=axis),
        color=alt.condition(fell, alt.value(FELL), alt.value(ROSE)),
        tooltip=[
            alt.Tooltip("part:N", title="without"),
            alt.Tooltip("before:Q", format=FOUR),
            alt.Tooltip("after:Q", format=FOUR),
            alt.Tooltip("change:Q", format="+" + FOUR),
            alt.Tooltip("distance:Q", title="all classes moved by", format=FOUR),
            alt.Tooltip("prediction:N", title="prediction then"),
        ],
    )
    change = alt.X(
        "change:Q",
        title="change of probability",
        scale=alt.Scale(domain=[-reach, reach]),
        axis=alt.Axis(tickCount=4, labelExpr="datum.value ? format(datum.value, '+.3~f') : '0'"),
    )
    says = base.mark_text(align=_side("left", "right"), dx=_side(6, -6)).encode(x=alt.datum(0), text="says:N")
    chart = alt.layer(base.mark_bar(height=14).encode(x=change), says)
    return chart.properties(height=24 * len(shown) + 60, background="transparent").configure_view(stroke=None)


def sweep_words(sweep: Sweep) -> str:
    """The sweep in words: how the class predicted now fares, and where another one takes over."""
    watched = sweep.labels.index(predicted(sweep))
    along = sweep.probabilities[:, watched]
    now, lowest, highest = _now(sweep), int(along.argmin()), int(along.argmax())
    start = f"Now, at {_said(sweep, now)}, the probability of {sweep.labels[watched]} is {along[now]:.3f}"
    if along[highest] - along[lowest] < SMALL:
        start += f"; it changes by less than {SMALL:g} over the whole range"
    else:
        start += f"; it is lowest at {_said(sweep, lowest)} with {along[lowest]:.3f}"
        start += f" and highest at {_said(sweep, highest)} with {along[highest]:.3f}"
    best = sweep.probabilities.argmax(1)
    others = {sweep.labels[b]: _said(sweep, i) for i, b in reversed(list(enumerate(best))) if b != watched}
    if not others:
        return f"{start}. The prediction is the same everywhere."
    took = [f"{label} (first at {where})" for label, where in reversed(others.items())]
    return f"{start}. Elsewhere the prediction is {listed(took)}."


def ablation_words(ablation: Ablation) -> str:
    """The ranking in words: what matters most, how many parts turn the prediction, and how many were not tried."""
    if not ablation.removals:
        return f"Every {ablation.kind} is already off or masked: there is nothing left to take away."
    sentences = [_largest(ablation), _turning(ablation)]
    if ablation.left_out:
        tried = count(len(ablation.removals), ablation.kind)
        sentences.append(f"Tried: the {tried} with the largest weights; {ablation.left_out} with less are left out.")
    return " ".join(sentences)


def _largest(ablation: Ablation) -> str:
    first = ablation.removals[0]
    if abs(first.change) < SMALL:
        return f"No single {ablation.kind} moves the probability of {ablation.predicted} by {SMALL:g} or more."
    return (
        f"Without {called(ablation.kind, first.label)} the probability of {ablation.predicted} goes "
        f"from {first.before:.3f} to {first.after:.3f}, the largest change."
    )


def _turning(ablation: Ablation) -> str:
    turning = [f"{called(ablation.kind, r.label)} ({r.best})" for r in ablation.removals if r.changes]
    if turning:
        return f"Another prediction follows without {listed(turning)}."
    return f"The prediction stays the same without any one {ablation.kind}."


def ablation_table(ablation: Ablation) -> pd.DataFrame:
    """Every part with the figures of its removal, ranked by the size of the change."""
    rows = {
        "probability": [removal.after for removal in ablation.removals],
        "change": [removal.change for removal in ablation.removals],
        "all classes moved by": [removal.distance for removal in ablation.removals],
        "prediction": [removal.best for removal in ablation.removals],
    }
    return pd.DataFrame(rows, index=pd.Index(ranked(ablation), name="without"))


def ranked(ablation: Ablation) -> list[str]:
    """The parts with their ranks, so that words which occur twice have different names."""
    return [f"{rank}. {removal.label}" for rank, removal in enumerate(ablation.removals, 1)]


def predicted(sweep: Sweep) -> str:
    """The class with the largest probability where the control stands now."""
    return sweep.labels[int(sweep.probabilities[_now(sweep)].argmax())]


def _now(sweep: Sweep) -> int:
    return sweep.values.index(sweep.now)


def _shown(sweep: Sweep) -> list[int]:
    """The classes that are drawn, in their own order."""
    order = np.argsort(-sweep.probabilities.max(0), kind="stable")
    return sorted(order[:MOST_LINES].tolist())


def _colours(names: list[str]) -> alt.Scale:
    return alt.Scale(domain=names, range=list(COLOURS[: len(names)]))


def _type(sweep: Sweep) -> str:
    return {"log": "quantitative", "linear": "quantitative", "steps": "ordinal", "names": "nominal"}[sweep.scale]


def _format(sweep: Sweep) -> Any:
    return ".4~f" if _type(sweep) == "quantitative" else alt.Undefined


def _is_crowded(sweep: Sweep) -> bool:
    """Whether the names under the axis need a slant to fit."""
    return sweep.scale == "names" and len(sweep.values) > 3


def _along(sweep: Sweep) -> alt.X:
    if _type(sweep) != "quantitative":
        order = [_value(sweep, value) for value in sweep.values]
        axis = alt.Axis(labelAngle=-40 if _is_crowded(sweep) else 0, labelOverlap=False)
        return alt.X("value", type=_type(sweep), title=sweep.title, sort=order, axis=axis)
    ends = alt.Scale(type=sweep.scale, domain=[sweep.values[0], sweep.values[-1]], nice=False)
    ticks = [0.1, 0.25, 0.5, 1, 2, 4] if sweep.scale == "log" else [0, 0.25, 0.5, 0.75, 1]
    return alt.X("value:Q", title=sweep.title, scale=ends, axis=alt.Axis(values=ticks, format=".3~g", grid=False))


def _value(sweep: Sweep, value: Any) -> Any:
    """A value as the axis shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("_", " ") if sweep.scale == "names" else value


def _said(sweep: Sweep, index: int) -> str:
    """A value in a sentence."""
    value = _value(sweep, sweep.values[index])
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _points(sweep: Sweep, shown: list[int]) -> pd.DataFrame:
    """A row for each class and value."""
    n = len(sweep.values)
    return pd.DataFrame(
        {
            "value": [_value(sweep, value) for value in sweep.values] * len(shown),
            "class": np.repeat([sweep.labels[c] for c in shown], n),
            "probability": sweep.probabilities[:, shown].T.ravel(),
            "weights": ["trained" if trained else "random" for trained in sweep.trained] * len(shown),
        }
    )


def _ends(sweep: Sweep, shown: list[int]) -> pd.DataFrame:
    """Where the name of each class stands: at the end of its line, apart from the others and not above the axis."""
    last = sweep.probabilities[-1, shown]
    order = np.argsort(last, kind="stable")
    steps = BETWEEN_LABELS * np.arange(len(shown))
    places = np.empty(len(shown))
    places[order] = np.minimum(np.maximum.accumulate(last[order] - steps), 1 - steps[-1]) + steps
    names = [sweep.labels[c] for c in shown]
    return pd.DataFrame({"value": _value(sweep, sweep.values[-1]), "class": names, "place": places})


def _bar(name: str, removal: Removal) -> dict[str, Any]:
    change = "0" if abs(removal.change) < 5e-5 else f"{removal.change:+.4f}".replace("-", "−")
    return {
        "part": name,
        "before": removal.before,
        "after": removal.after,
        "change": removal.change,
        "distance": removal.distance,
        "prediction": removal.best,
        "says": f"→ {removal.best}" if removal.changes else change,
    }


def _side(below: Any, above: Any) -> alt.ExprRef:
    """A property of a mark that belongs to a bar below or above zero."""
    return alt.expr(f"datum.change < 0 ? {below!r} : {above!r}")
