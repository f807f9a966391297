"""Where the input comes from: a live text field with examples, or a picture from gallery, file or camera."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from attnviz.features.picture import Picture, read_picture
from attnviz.tasks.registry import Task
from attnviz.ui import link

SAMPLES = Path(__file__).parents[2] / "sample_data"
_LONGEST = 20_000  # characters that the text field takes


@dataclass(frozen=True)
class Chosen:
    """A picture and where it came from; `shared` if a link can bring it back."""

    picture: Picture
    name: str
    shared: bool


def examples(task: Task) -> None:
    """Sentences to try; choosing one puts it in the text field."""
    with st.popover("Examples", width="stretch"):
        for number, sentence in enumerate(task.examples):
            st.button(sentence, key=f"example-{number}", on_click=_write, args=(sentence,), type="tertiary")


def _write(sentence: str) -> None:
    st.session_state["text"] = sentence


def text_field(task: Task) -> str:
    """The live text field. A sentence that is another task's first example makes room for this task's."""
    if st.session_state.get("_text_task", task.name) != task.name:
        if st.session_state.get("text") == st.session_state["_text_default"]:
            st.session_state["text"] = task.examples[0]
    st.session_state["_text_task"], st.session_state["_text_default"] = task.name, task.examples[0]
    return st.text_input(
        "Sentence",
        task.examples[0],
        key="text",
        live="0ms",
        bind="query-params",
        max_chars=_LONGEST,
        placeholder="Type a sentence: the picture follows",
        label_visibility="collapsed",
        autocomplete="off",
    )


def choose_picture(task: Task) -> Chosen:
    """A picture from the gallery, unless one was uploaded or taken. Raises PictureError for a file that is none."""
    names = {Path(name).stem: name for name in task.examples}
    link.start("picture", list(names), next(iter(names)))
    left, middle, right = st.columns([3, 1, 1], vertical_alignment="bottom")
    with left:
        name = st.pills("Gallery", list(names), key="picture", required=True)
        link.keep("picture", name, next(iter(names)))
    with middle, st.popover("Upload", width="stretch"):
        file = st.file_uploader(
            "A picture of your own",
            key="upload",
            help="PNG, JPEG, GIF, WebP, BMP or TIFF, up to 10 MB. It stays in this session, outside the link.",
        )
    with right, st.popover("Camera", width="stretch"):
        photo = st.camera_input("Take a photograph", key="camera")
    own = file or photo
    if own is not None:
        return Chosen(read_picture(own.getvalue()), own.name, shared=False)
    return Chosen(read_picture((SAMPLES / names[name]).read_bytes()), names[name], shared=True)
