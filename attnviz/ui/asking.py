"""Queries: who asks, the query itself beside the weights, and where sources disagree about it."""

from dataclasses import fields

import streamlit as st

from attnviz.attention.registry import Mechanism
from attnviz.ui import live
from attnviz.views import canvas, flow
from attnviz.views.asking import asking

KEY = "asking"


def draw(shown: live.Shown, notes: tuple[str, ...]) -> None:
    """The live picture, below it the queries."""
    live.draw_picture(shown, notes)
    st.markdown("**Who asks, and what is the question?**")
    meta, numbers = asking(shown.trace)
    meta["text"] = shown.trace.given
    canvas.asking(meta, numbers, key=KEY)
    if flow.levels(shown.trace):
        _routing(shown)


def _routing(shown: live.Shown) -> None:
    """Capsules: the flow from level to level, and how long each capsule becomes."""
    left, right = st.columns([3, 2], gap="large")
    words = flow.flow_words(shown.trace)
    with left:
        st.markdown("**Who speaks for whom**")
        st.plotly_chart(flow.flow(shown.trace), key="flow", config={"displayModeBar": False})
        st.caption(f"Every item begins with the same share. {words}")
    with right:
        st.markdown("**Length of each capsule, its probability**")
        st.altair_chart(flow.lengths_chart(flow.lengths(shown.trace)), width="stretch")


def disputes(spec: Mechanism) -> None:
    """Where the survey, the papers' code and the blog disagree, and the switch that shows the difference."""
    if not spec.disputes:
        return
    with st.expander("Where sources disagree", key="disputes"):
        for found in spec.disputes:
            switch = f" *Switch: {_switch(spec, found.option)}.*" if found.option else ""
            st.markdown(f"**{found.source}:** {found.claim}  \n**Here:** {found.instead}{switch}")


def _switch(spec: Mechanism, option: str) -> str:
    """Where the switch is: its label, and what must be chosen for it to be there."""
    known = {f.name: f.metadata for f in fields(spec.options)}
    only = known[option].get("only")
    found = f"“{known[option]['label']}”, above"
    return found + (f", with {known[only[0]]['label']} {only[1]}" if only else "")
