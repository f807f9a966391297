"""Explore: pick a mechanism, type a sentence or give a picture, and watch the weights."""

import streamlit as st

from attnviz.errors import AttnvizError
from attnviz.ui import controls, details, inputs, link, live
from attnviz.ui.style import page_head
from attnviz.views.canvas import load_code
from attnviz.zoo import models

page_head("Explore")
load_code()
left, right = st.columns([2, 1], vertical_alignment="bottom")
with right.container(horizontal=True, vertical_alignment="bottom"):
    task = controls.choose_task()
    if task.kind == "text":
        inputs.examples(task)
with left:
    spec = controls.choose_mechanism()
st.caption(controls.introduced(spec, task))

with st.container(key="stage"):
    notes = st.container()
    picture = st.container()
    with st.container(key="options", horizontal=True, vertical_alignment="bottom", gap="medium"):
        options, untrained = controls.choose_options(spec, task)
        intervention = controls.choose_temperature()

with picture:
    try:
        model = models.load(task.name, spec.name, options)
    except AttnvizError as error:
        live.show_last(task.kind, str(error))
    else:
        (live.follow_text if task.kind == "text" else live.follow_picture)(model, intervention)
if not details.are_open():
    details.closed()

with notes:
    link.show()
    if untrained:
        st.caption(untrained)
