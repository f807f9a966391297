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
    st.menu_button("Examples", task.examples, key="example", on_click=_write_example)


def _write_example() -> None:
    st.session_state["text"] = st.session_state["example"]


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
    """The picture that was chosen last: gallery, file or photograph. Raises PictureError for a file that is none."""
    names = {Path(name).stem: name for name in task.examples}
    source = st.session_state.get("_own_picture")
    own = st.session_state.get(source) if source else None
    if own is None:
        _start_gallery(list(names))
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        name = st.pills("Gallery", list(names), key="picture", required=True, on_change=_choose_gallery)
        if name:
            link.keep("picture", name, next(iter(names)))
    side_by_side = right.container(horizontal=True)
    with side_by_side.popover("Upload", width="stretch"):
        st.file_uploader(
            "A picture of your own",
            key="upload",
            on_change=_choose_own,
            args=("upload",),
            help="PNG, JPEG, GIF, WebP, BMP or TIFF, up to 10 MB. It stays in this session, outside the link.",
        )
    with side_by_side.popover("Camera", width="stretch"):
        st.camera_input("Take a photograph", key="camera", on_change=_choose_own, args=("camera",))
    if own is not None:
        return Chosen(read_picture(own.getvalue()), own.name, shared=False)
    return Chosen(read_picture((SAMPLES / names[name]).read_bytes()), Path(names[name]).name, shared=True)


def _start_gallery(names: list[str]) -> None:
    """A gallery where nothing was chosen, because a file took its place, goes back to what the link says."""
    if st.session_state.get("picture", "") is None:
        del st.session_state["picture"]
    link.start("picture", names, names[0])


def _choose_gallery() -> None:
    st.session_state["_own_picture"] = None


def _choose_own(source: str) -> None:
    """A file that was just given takes the place of the gallery's picture; one that was taken away gives it back."""
    given = st.session_state[source] is not None
    st.session_state["_own_picture"] = source if given else None
    if given:
        st.session_state["picture"] = None
