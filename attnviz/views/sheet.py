"""All mechanisms at once: small pictures of one input, each with its prediction and figures, to sort and browse."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from attnviz.analysis.items import items, main_map
from attnviz.analysis.pairs import compare
from attnviz.trace import Trace
from attnviz.views import key_figures
from attnviz.views.board import Bytes, Pack, Panel


def sheet(panels: Sequence[Panel], reference: Panel) -> tuple[dict[str, Any], Bytes]:
    """(meta, bytes): a card for each panel; figures of pairs are those with the `reference`.

    A card's numbers are its main map, averaged over the queries: one row for each map, one number for each item.
    """
    pack = Pack()
    return {
        "text": reference.meta["text"],
        "picture": reference.meta["picture"],
        "reference": reference.trace.mechanism,
        "referenceTitle": reference.meta["title"],
        "figures": key_figures.kinds(),
        "cards": [_card(panel, reference.trace, pack) for panel in panels],
    }, pack.bytes()


def _card(panel: Panel, reference: Trace, pack: Pack) -> dict[str, Any]:
    trace, found = panel.trace, main_map(panel.trace)
    figures = key_figures.of_panel(trace, panel.cost) | key_figures.of_pair(compare(reference, trace))
    return {
        "mechanism": trace.mechanism,
        "title": panel.meta["title"],
        "options": panel.options,
        "trained": panel.meta["trained"],
        "alt": panel.meta["alt"],
        "items": list(items(trace).labels),
        "marked": panel.meta["marked"],
        "grid": panel.meta["grid"],
        "maps": list(found.labels) if found else [],
        "signed": bool(found is not None and (found.weights < 0).any()),
        "normalised": found.normalised if found else None,
        "numbers": pack.add(_rows(trace)),
        "figures": key_figures.plain(figures),
    }


def _rows(trace: Trace) -> Float[np.ndarray, "map item"]:
    found = main_map(trace)
    return np.empty((0, 0), np.float32) if found is None else found.stacked.mean(1).astype(np.float32)
