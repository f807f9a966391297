"""Where the input comes from: a live text field with examples, or a picture from gallery, file or camera."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from attnviz.features.picture import Picture, read_picture
from attnviz.tasks.registry import Task
from attnviz.ui import changes, link

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
    changes.forget_input()


def text_field(task: Task, slot: str = "", example: str = "") -> str:
    """The live text field, at first with an `example`, the task's first one unless another is given.

    One task's example makes room for the next task's.
    """
    key, last, shown = f"text{slot}", f"_text_task{slot}", f"_text_default{slot}"
    example = example or task.examples[0]
    link.resume(key, example)
    if st.session_state.get(last, task.name) != task.name:
        if st.session_state.get(key) == st.session_state[shown]:
            st.session_state[key] = example
    st.session_state[last], st.session_state[shown] = task.name, example
    typed = st.text_input(
        f"Sentence {slot}".strip(),
        example,
        key=key,
        live="0ms",
        bind="query-params",
        max_chars=_LONGEST,
        placeholder="Type a sentence: the picture follows",
        label_visibility="collapsed",
        autocomplete="off",
    )
    link.remember(key, typed)
    return typed


def choose_picture(task: Task, slot: str = "", first: int = 0) -> Chosen:
    """The picture that was chosen last: gallery, file or photograph. Raises PictureError for a file that is none.

    `first` is the number of the example that is shown before anything is chosen.
    """
    names = {Path(name).stem: name for name in task.examples}
    default = list(names)[min(first, len(names) - 1)]
    gallery, source = f"picture{slot}", st.session_state.get(f"_own_picture{slot}")
    own = st.session_state.get(source) if source else None
    if own is None:
        _start_gallery(gallery, list(names), default)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        label = f"Gallery {slot}".strip()
        name = st.pills(label, list(names), key=gallery, required=True, on_change=_choose_gallery, args=(slot,))
        if name:
            link.keep(gallery, name, default)
    side_by_side = right.container(horizontal=True)
    with side_by_side.popover("Upload", width="stretch"):
        st.file_uploader(
            "A picture of your own",
            key=f"upload{slot}",
            on_change=_choose_own,
            args=("upload", slot),
            help="PNG, JPEG, GIF, WebP, BMP or TIFF, up to 10 MB. It stays in this session, outside the link.",
        )
    with side_by_side.popover("Camera", width="stretch"):
        st.camera_input("Take a photograph", key=f"camera{slot}", on_change=_choose_own, args=("camera", slot))
    if own is not None:
        return Chosen(read_picture(own.getvalue()), own.name, shared=False)
    return sample(names[name])


def sample(file: str) -> Chosen:
    """One of the pictures that come with the app."""
    return Chosen(read_picture((SAMPLES / file).read_bytes()), Path(file).name, shared=True)


def _start_gallery(key: str, names: list[str], default: str) -> None:
    """A gallery where nothing was chosen, because a file took its place, goes back to what the link says."""
    if st.session_state.get(key, "") is None:
        del st.session_state[key]
    link.start(key, names, default)


def _choose_gallery(slot: str) -> None:
    changes.forget_input()
    st.session_state[f"_own_picture{slot}"] = None


def _choose_own(source: str, slot: str) -> None:
    """A file that was just given takes the place of the gallery's picture; one that was taken away gives it back."""
    changes.forget_input()
    given = st.session_state[f"{source}{slot}"] is not None
    st.session_state[f"_own_picture{slot}"] = f"{source}{slot}" if given else None
    if given:
        st.session_state[f"picture{slot}"] = None
