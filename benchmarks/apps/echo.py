"""The least that a live Streamlit page can do: the text field of Explore, and its text again."""

import gc

import streamlit as st


@st.cache_resource(show_spinner=False)
def freeze() -> None:
    """As in the app itself: what the first run imported is taken out of the garbage collector's sight."""
    gc.collect()
    gc.freeze()


@st.fragment
def follow() -> None:
    """Text field and echo; only this reruns while someone types."""
    text = st.text_input("Sentence", "", key="text", live="0ms", bind="query-params", label_visibility="collapsed")
    with st.container(key="echo"):
        st.text(text)


st.set_page_config(page_title="echo", layout="wide")
follow()
freeze()
