"""A page that holds nothing but one large picture: 6 layers of 12 heads over `?tokens=` items."""

import streamlit as st

from attnviz.views.canvas import live_picture, load_code
from benchmarks.synthetic import framed

st.set_page_config(page_title="picture", layout="wide")
load_code()
live_picture(*st.cache_resource(framed)(int(st.query_params.get("tokens", 64))), key="picture")
