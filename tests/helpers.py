"""Small things that several tests need."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

import attnviz

APP = Path(__file__).parents[1] / "app.py"


def fitting(*tasks: str) -> list[tuple[str, str]]:
    """Every mechanism with every one of these tasks (all, if none is named) that it can be used for."""
    known = attnviz.tasks()
    return [
        (name, task)
        for task in tasks or known
        for name, spec in attnviz.mechanisms().items()
        if known[task].takes(spec)
    ]


def mechanisms_for(task: str) -> list[str]:
    """The mechanisms that can be used for a task."""
    return [name for name, _ in fitting(task)]


def png(width: int, height: int, seed: int = 0) -> bytes:
    """A small picture as the bytes of a PNG file."""
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


def open_app(script: str = "app.py", /, **parameters: str) -> AppTest:
    """The app, or the script of one page, run in process, opened with a link that has these parameters."""
    page = AppTest.from_file(str(APP.parent / script), default_timeout=120)
    for name, value in parameters.items():
        page.query_params[name] = value
    return page.run()


def with_session(found, listener):
    """Calls a listener with the page's session state, as Streamlit does before a run."""
    import streamlit as st

    real, st.session_state = st.session_state, found.session_state
    try:
        listener()
    finally:
        st.session_state = real
