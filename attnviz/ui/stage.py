"""What a page about one mechanism is made of: the choices above, the input, what is drawn of it, and the options."""

import streamlit as st

from attnviz.attention.registry import Mechanism
from attnviz.errors import AttnvizError
from attnviz.trace import Trace
from attnviz.ui import changes, controls, inputs, link, live
from attnviz.ui.take import open_file
from attnviz.zoo import models


def one_mechanism(draw: live.Draw | None = None) -> Mechanism:
    """Choose mechanism, task, options and input, and draw the trace: as the live picture, or by `draw`.

    Returns the mechanism that was chosen.
    """
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with right.container(horizontal=True, vertical_alignment="bottom"):
        spec = controls.mechanism()
        task = controls.choose_task(spec)
        if task.has_examples:
            inputs.examples(task)
        with st.popover("Open"):
            opened = open_file()
    if opened is not None:
        _show_opened(opened, draw)
        return spec
    with left:
        controls.choose_mechanism()
    st.caption(controls.introduced(spec, task))
    changes.start({"": (spec, task)})

    with st.container(key="stage"):
        notes = st.container()
        picture = st.container()
        with st.container(key="options", horizontal=True, vertical_alignment="bottom", gap="medium"):
            options, untrained = controls.choose_options(spec, task)
            controls.choose_alignment(spec)
            controls.choose_temperature()

    with picture:
        try:
            model = models.load(task.name, spec.name, options)
            plain = models.load(task.name, spec.name, controls.unchanged(spec, task, options))
        except AttnvizError as error:
            live.show_last(task.kind, str(error), draw)
        else:
            live.follow(live.Asked(model, plain), draw)

    with notes:
        link.show()
        if untrained:
            st.caption(untrained)
    return spec


def _show_opened(trace: Trace, draw: live.Draw | None) -> None:
    """A trace from a file in the place of a live one."""
    made = ", ".join(f"{name}: {value}" for name, value in trace.made_by.items() if value)
    st.info("This trace was saved before; nothing is computed here. To go back, take the file away under “Open”.")
    st.text(f"{trace.mechanism} · {made}"[:600])
    live.show_file(trace, draw)
