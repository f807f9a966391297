"""Routing as a flow: how items divide themselves between capsules, and those between the capsules above them."""

import re
from collections import defaultdict

import altair as alt
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Float

from attnviz.analysis.phrases import capital, item, place
from attnviz.trace import KEY, QUERY, Axis, Trace
from attnviz.views.charts import COLOURS

ITERATION = "iteration"
LEAST = 0.004  # of all that flows; thinner bands are left out
_LENGTHS = re.compile(r"(.*)lengths, iteration (\d+)")

Level = tuple[Float[np.ndarray, "upper lower"], Axis, Axis]


def levels(trace: Trace) -> list[Level]:
    """The couplings of the last iteration, level by level from the items up: (upper, lower), and what both count.

    They sum to one over the upper capsules. Empty for a trace without routing.
    """
    found = []
    for routed in trace.maps:
        if routed.axes[0].kind == ITERATION and routed.normalised not in (KEY, QUERY, None):
            found.append((routed.weights[-1].mean(-2).astype(np.float64), routed.axes[1], routed.axes[-1]))
    return found


def flow(trace: Trace) -> go.Figure:
    """A Sankey diagram: every item begins with the same share of the whole; a band is as wide as what goes that way.

    Patches of a picture are put together by where they lie.
    """
    names: list[str] = []
    sources, targets, values, shares = [], [], [], None
    lower_nodes: list[int] = []
    for coupling, upper, lower in levels(trace):
        if shares is None:
            groups = _groups(lower)
            grouping = np.array(
                [[1.0 if i in members else 0.0 for i in range(len(lower))] for members in groups.values()]
            )
            begun = grouping / len(lower)
            bands = coupling @ begun.T
            lower_nodes = _added(names, list(groups))
        else:
            bands = coupling * shares
        upper_nodes = _added(names, [_called(upper, i) for i in range(len(upper))])
        for u, row in enumerate(bands):
            for low, value in enumerate(row):
                if value >= LEAST:
                    sources.append(lower_nodes[low])
                    targets.append(upper_nodes[u])
                    values.append(float(value))
        shares, lower_nodes = bands.sum(1), upper_nodes
    figure = go.Figure(
        go.Sankey(
            node={"label": names, "pad": 9, "thickness": 14, "color": "#7a86b8"},
            link={"source": sources, "target": targets, "value": values, "color": "rgba(122,134,184,0.35)"},
            valueformat=".3f",
        )
    )
    return figure.update_layout(height=430, margin={"l": 8, "r": 8, "t": 8, "b": 8}, font={"size": 13})


def flow_words(trace: Trace) -> str:
    """In one sentence, for a screen reader and below the diagram: what the largest share of the items reaches."""
    shares, top = None, None
    for coupling, upper, _ in levels(trace):
        shares = coupling.mean(1) if shares is None else coupling @ shares
        top = upper
    if shares is None or top is None:
        return ""
    best = int(shares.argmax())
    return f"{capital(_called(top, best))} receives the most: {shares[best]:.2f} of all that the items give."


def lengths(trace: Trace) -> pd.DataFrame:
    """The length of every capsule of the last level at each iteration: columns iteration, capsule, length."""
    found = defaultdict(list)
    for step in trace.steps:
        if matched := _LENGTHS.fullmatch(step.name):
            found[matched[1]].append((int(matched[2]), step))
    rows = []
    for turn, step in found[next(reversed(found))] if found else ():
        labels = step.axes[-1].labels
        rows += [(turn, label, float(v)) for label, v in zip(labels, step.value.ravel().tolist(), strict=True)]
    return pd.DataFrame(rows, columns=["iteration", "capsule", "length"])


def lengths_chart(found: pd.DataFrame) -> alt.LayerChart:
    """`lengths` as a line for each capsule, the longest in the end in colour and with its name."""
    last = found[found["iteration"] == found["iteration"].max()]
    best = last.loc[last["length"].idxmax(), "capsule"]
    colour = alt.condition(alt.datum["capsule"] == best, alt.value(COLOURS[0]), alt.value(COLOURS[-1]))
    along = alt.X("iteration:O", title="iteration", axis=alt.Axis(labelAngle=0))
    height = alt.Y("length:Q", title="length of the capsule", scale=alt.Scale(domain=[0, 1]))
    tips = ["capsule:N", "iteration:O", alt.Tooltip("length:Q", format=".4f")]
    lines = alt.Chart(found).encode(x=along, y=height, color=colour, detail="capsule:N", tooltip=tips)
    name = alt.Chart(last[last["capsule"] == best]).mark_text(align="left", dx=8, color=COLOURS[0])
    layers = [
        lines.mark_line(),
        lines.mark_circle(size=40, opacity=1),
        name.encode(x=along, y=height, text="capsule:N"),
    ]
    return alt.layer(*layers).properties(height=380, background="transparent").configure_view(stroke=None)


def _groups(axis: Axis) -> dict[str, list[int]]:
    """Items by name; patches by the part of the picture that they lie in."""
    found: dict[str, list[int]] = {}
    for i in range(len(axis)):
        name = place(i, axis.grid).removeprefix("the ") if axis.grid else axis.labels[i]
        found.setdefault(name, []).append(i)
    return found


def _added(names: list[str], more: list[str]) -> list[int]:
    start = len(names)
    names += more
    return list(range(start, len(names)))


def _called(axis: Axis, i: int) -> str:
    label = axis.labels[i]
    return label if label.startswith(axis.kind) or not label.isdigit() else f"{item(axis)} {label}"
