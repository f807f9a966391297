"""A picture from the gallery, a file or the camera, or drawn here where a task says so."""

from pathlib import Path

import streamlit as st

from attnviz.features.picture import LONGEST, Picture, read_picture
from attnviz.tasks.job import Part
from attnviz.ui import changes, link
from attnviz.ui.inputs import drawing
from attnviz.ui.inputs.field import Field

_DRAW = "draw"
SAMPLES = Path(__file__).parents[3] / "sample_data"


def ask(field: Field) -> Picture:
    """The picture that was chosen last. PictureError for a file that is none, or an empty drawing."""
    names = {stem(file): file for file in (field.task.values(e)[field.part.name] for e in field.task.examples)}
    own = _own(field)
    if own is None:
        _start_gallery(field.key, [*names, *_more(field)], stem(field.example))
    is_drawing = own is None and st.session_state[field.key] == _DRAW
    columns = st.columns([1, 1, 1], gap="medium") if is_drawing else st.columns([3, 2], vertical_alignment="bottom")
    with columns[0]:
        name = _gallery(field, list(names))
    with columns[1]:
        drawn = drawing.edit(_drawn(field)) if is_drawing else ""
    with columns[-1].container(horizontal=True):
        _files(field)
    if own is not None:
        return read_picture(own.getvalue(), own.name, field.part.longest)
    return drawing.picture(drawn) if is_drawing else sample(names[name], field.part.longest)


def _more(field: Field) -> list[str]:
    """What the gallery offers besides its pictures."""
    return [_DRAW] if field.task.drawn else []


def _gallery(field: Field, names: list[str]) -> str | None:
    """What was chosen; nothing if a file has taken its place."""
    label = f"Gallery {field.slot}".strip() if field.alone else field.label
    choices = [*names, *_more(field)]
    name = st.pills(
        label,
        choices,
        key=field.key,
        format_func=lambda name: name.replace("_", " "),
        required=True,
        width="content",
        on_change=_choose_gallery,
        args=(field,),
    )
    if name:
        link.keep(field.key, name, stem(field.example))
    return name


def _files(field: Field) -> None:
    """Ways to bring a picture of one's own."""
    with st.popover("Upload", width="stretch"):
        st.file_uploader(
            "A picture of your own",
            key=_key("upload", field),
            on_change=_choose_own,
            args=("upload", field),
            help="PNG, JPEG, GIF, WebP, BMP or TIFF, up to 10 MB. It stays in this session, outside the link.",
        )
    with st.popover("Camera", width="stretch"):
        key = _key("camera", field)
        st.camera_input("Take a photograph", key=key, on_change=_choose_own, args=("camera", field))


def sample(file: str, longest: float = LONGEST) -> Picture:
    """One of the pictures that come with the app."""
    return read_picture((SAMPLES / file).read_bytes(), Path(file).name, longest)


def stem(file: str) -> str:
    """What a picture is called in the gallery."""
    return Path(file).stem


def is_own(field: Field) -> bool:
    """Whether a person's own picture is shown, which no link brings back."""
    return field.part.kind == "picture" and _own(field) is not None


def fill(field: Field) -> None:
    """Put the example's picture in the place of the one that is shown."""
    st.session_state[field.key] = stem(field.example)
    st.session_state[_key("_own_picture", field)] = None


def _key(what: str, field: Field) -> str:
    """The key of a control that stands beside the gallery."""
    return f"{_name(what, field)}{field.slot}"


def _name(what: str, field: Field) -> str:
    return what if field.part.name == "picture" else f"{what}_{field.part.name}"


def _drawn(field: Field) -> Field:
    """The drawing beside the gallery."""
    return Field(field.task, Part(_name("drawing", field), "drawing", "Drawing"), field.slot, "")


def _own(field: Field) -> object | None:
    """The file that was given, if it is shown."""
    source = st.session_state.get(_key("_own_picture", field))
    return st.session_state.get(source) if source else None


def _start_gallery(key: str, names: list[str], default: str) -> None:
    """A gallery where nothing was chosen, because a file took its place, goes back to what the link says."""
    if st.session_state.get(key, "") is None:
        del st.session_state[key]
    link.start(key, names, default)


def _choose_gallery(field: Field) -> None:
    changes.forget_input()
    st.session_state[_key("_own_picture", field)] = None


def _choose_own(what: str, field: Field) -> None:
    """A file that was just given takes the place of the gallery's picture; one that was taken away gives it back."""
    changes.forget_input()
    source = _key(what, field)
    given = st.session_state[source] is not None
    st.session_state[_key("_own_picture", field)] = source if given else None
    if given:
        st.session_state[field.key] = None
