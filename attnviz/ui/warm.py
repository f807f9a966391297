"""What is done once per process, so that every later key press is fast."""

import ctypes
import gc

import streamlit as st
import torch

from attnviz import library
from attnviz.errors import ZooError

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # numbers of mallopt(3)


@st.cache_resource(show_spinner="Loading the trained weights …")
def warm_up() -> None:
    """Load and run one model before the first page is shown.

    One thread: the matrices are small, and threads of several people's runs would fight over the cores.
    """
    keep_freed_memory()
    torch.set_num_threads(1)
    try:
        library.attend("multi_head", text="How many people live here ?")
    except ZooError:
        pass  # the page says what is wrong with the weights, beside the control that chose them


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """After the first whole run of a page: take all that is now in memory out of the garbage collector's sight.

    Streamlit collects garbage after every run; with torch imported that takes 100 ms unless the heap is frozen. Not
    earlier: a page's own imports would stay in sight.
    """
    gc.collect()
    gc.freeze()


def keep_freed_memory() -> bool:
    """Let the C library keep freed memory for the next key press, where it can (glibc); whether it could.

    Else every large tensor is fresh memory, which the system must clear page by page.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, 256 << 20) and mallopt(_MMAP_MAX, 0))
