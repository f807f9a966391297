"""attnviz: the list of pages. Start it with `make run` or `streamlit run app.py`."""

import streamlit as st

from attnviz.ui.warm import settle, warm_up

st.set_page_config(page_title="attnviz", page_icon="◉", layout="wide", initial_sidebar_state="collapsed")
warm_up()
pages = [
    st.Page("pages/explore.py", title="Explore", default=True),
    st.Page("pages/queries.py", title="Queries"),
    st.Page("pages/compare.py", title="Compare"),
    st.Page("pages/step_by_step.py", title="Step by step"),
]
st.navigation(pages, position="top").run()
settle()
