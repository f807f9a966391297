"""A page with nothing but a text field and the live picture, on a made-up frame; `?case=` says which.

With `?change=` the picture can be changed: the frames of `changeable` answer, and what the picture sent is listed.
"""

import json

import streamlit as st
from canvas_frames import CASES, QUESTION
from query_frames import CASES as MORE

from attnviz.changes import History, changed
from attnviz.errors import OptionError
from attnviz.intervention import Intervention
from attnviz.views.canvas import event, live_picture, load_code
from tests.browser.changeable import answered


def receive() -> None:
    found = event("picture")
    st.session_state["sent"] = [*st.session_state.get("sent", []), found]
    history = st.session_state["history"]
    try:
        st.session_state["history"] = after(history, found)
    except OptionError as error:
        st.session_state["problem"] = str(error)


def after(history: History, found: dict) -> History:
    if found["what"] in ("undo", "redo"):
        return history.undone() if found["what"] == "undo" else history.redone()
    if found["what"] == "reset":
        return history.then(Intervention())
    return history.then(changed(history.now, found), found.get("gesture"))


@st.fragment
def explore() -> None:
    text = st.text_input("Text", QUESTION, live="0ms", key="text", bind="query-params")
    live_picture(*(CASES | MORE)[st.query_params.get("case", "query")](text), key="picture")


@st.fragment
def change() -> None:
    text = st.text_input("Text", QUESTION, live="0ms", key="text", bind="query-params")
    start = Intervention.from_plain(json.loads(st.query_params.get("done", "{}")))
    history = st.session_state.setdefault("history", History.start(start))
    undo, redo, problem = bool(history.past), bool(history.future), st.session_state.pop("problem", "")
    frame = answered(st.query_params["change"], text, history.now, undo, redo, problem)
    live_picture(*frame, key="picture", on_event=receive)
    st.text(json.dumps(st.session_state.get("sent", []), ensure_ascii=False))


st.set_page_config(layout="wide")
load_code()
(change if "change" in st.query_params else explore)()
if st.button("Say it in the link"):
    st.query_params["said"] = "yes"
