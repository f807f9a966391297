"""A page that holds nothing but What if; the link chooses mechanism, task, text and what is masked."""

from pathlib import Path

import streamlit as st

from attnviz.features.picture import read_picture
from attnviz.intervention import Intervention
from attnviz.tasks import registry
from attnviz.ui.what_if import what_if
from attnviz.zoo import models

SAMPLES = Path(__file__).parents[2] / "sample_data"

st.set_page_config(layout="wide")
task = registry.get(st.query_params.get("task", "trec"))
model = models.load(task.name, st.query_params.get("mechanism", "multi_head"))
if task.kind == "text":
    given = models.encode_text(task.name, st.query_params.get("text", task.examples[0]))
else:
    given = models.encode_picture(task.name, read_picture((SAMPLES / task.examples[0]).read_bytes()))
masked = frozenset(int(key) for key in st.query_params.get("masked", "").split())
intervention = Intervention(masked=masked)
fold = st.expander("What if", on_change="rerun", key="what_if", expanded=True)
if fold.open:
    with fold:
        what_if(model, given, intervention, model.trace(given, intervention))
