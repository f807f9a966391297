"""A page with nothing but a text field and the live picture, on a made-up frame; `?case=` says which."""

import streamlit as st
from canvas_frames import CASES, QUESTION

from attnviz.views.canvas import live_picture, load_code


@st.fragment
def explore() -> None:
    text = st.text_input("Text", QUESTION, live="0ms", key="text", bind="query-params")
    live_picture(*CASES[st.query_params.get("case", "query")](text), key="picture")


st.set_page_config(layout="wide")
load_code()
explore()
if st.button("Say it in the link"):
    st.query_params["said"] = "yes"
