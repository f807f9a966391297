"""What is done once per process, before the first page is shown."""

import gc

import streamlit as st
import torch

from attnviz import library
from attnviz.errors import ZooError
from attnviz.views.frame import frame


@st.cache_resource(show_spinner="Loading the trained weights …")
def warm_up() -> None:
    """Load and run one model, then take all that is now in memory out of the garbage collector's sight.

    Streamlit collects garbage after every run; with torch imported that takes 100 ms unless the heap is frozen.
    One thread: the matrices are small, and threads of several people's runs would fight over the cores.
    """
    torch.set_num_threads(1)
    try:
        frame(library.attend("multi_head", text="How many people live here ?"), text="")
    except ZooError:
        pass  # the page says what is wrong with the weights, beside the control that chose them
    gc.collect()
    gc.freeze()
