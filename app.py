"""attnviz: the list of pages. Start it with `make run` or `streamlit run app.py`."""

import streamlit as st

from attnviz.ui.warm import settle, warm_up

st.set_page_config(page_title="attnviz", page_icon="◉", layout="wide", initial_sidebar_state="collapsed")
warm_up()
st.navigation([st.Page("pages/explore.py", title="Explore", default=True)], position="top").run()
settle()
