"""Compare: mechanisms beside each other on one input, one mechanism on two inputs, or all mechanisms at once."""

import streamlit as st

from attnviz.ui import compare, details, link, panels
from attnviz.ui.style import page_head
from attnviz.views.canvas import load_code

page_head("Compare")
load_code()
top = st.container(horizontal=True, vertical_alignment="center")
with top:
    view = compare.choose_view()
    slots = panels.choose_count() if view == "side" else ("1",)
setups = panels.choose(slots, compare.TWO if view == "inputs" else slots)

if setups:
    task = setups[0].task
    with top:
        compare.examples(task, view)
    if view == "side":
        compare.side_by_side(setups)
    elif view == "inputs":
        compare.two_inputs(setups[0])
    else:
        compare.all_mechanisms(setups[0])
details.closed()
link.show()
