"""A page with a picture, what there is to take, and a field to bring a file back; at its end it counts its runs."""

import streamlit as st

import attnviz
from attnviz.ui.shown import Shown
from attnviz.ui.take import open_file, take_it
from attnviz.views.canvas import live_picture, load_code
from attnviz.views.frame import frame

TEXT = "How many people live in the largest city of South America ?"

st.set_page_config(layout="wide")
load_code()
own = attnviz.attend("multi_head_self", text=TEXT)
trace = open_file() or own
live_picture(*frame(trace), key="picture", link=None)
with st.expander("Take it with you"):
    take_it(Shown(trace))
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
st.text(st.session_state["runs"])
