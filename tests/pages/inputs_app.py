"""A page that asks for the parts of toy tasks, `?task=` says of which, and says what it was given.

`?slot=` is the slot that it asks for.
"""

import json

import streamlit as st

from attnviz.attention import registry
from attnviz.errors import AttnvizError
from attnviz.tasks.registry import Task
from attnviz.ui import changes, inputs, link
from attnviz.views.canvas import load_code
from tests.toy_tasks import TASKS


@st.fragment
def follow(task: Task, slot: str) -> None:
    try:
        given = inputs.ask(task, slot)
    except AttnvizError as error:
        st.caption(str(error))
        return
    shown = {name: v if isinstance(v, str) else [v.name, *v.image.size] for name, v in given.values.items()}
    st.text(json.dumps({"values": shown, "shared": given.shared, "text": given.text}, ensure_ascii=False))


st.set_page_config(layout="wide")
load_code()
link.start("task", list(TASKS), "talk")
task = TASKS[st.selectbox("Task", list(TASKS), key="task")]
link.keep("task", task.name, "talk")
slot = st.query_params.get("slot", "")
changes.start({slot: (registry.get("multi_head"), task)})
inputs.examples(task, slot)
follow(task, slot)
link.show()
