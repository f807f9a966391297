"""Where the input comes from: controls for the parts of a task, and examples that fill them.

A part's key, in the session and in the link, is its name and the slot of the input.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attnviz.errors import AttnvizError
from attnviz.features.picture import Picture
from attnviz.tasks.job import Part
from attnviz.tasks.registry import Task
from attnviz.ui import changes
from attnviz.ui.inputs import choice, drawing, editor, facts, marked, pictures, text
from attnviz.ui.inputs.field import Field
from attnviz.ui.inputs.pictures import SAMPLES, sample

__all__ = ["SAMPLES", "Given", "ask", "examples", "fill", "sample", "values_of"]

_ASK: Mapping[str, Callable[[Field], Any]] = {
    "text": text.ask,
    "words": marked.ask,
    "facts": facts.ask,
    "choice": choice.ask,
    "picture": pictures.ask,
    "drawing": drawing.ask,
}
_TALL = ("facts", "drawing")
_SHORT = ("text", "choice")
_SHOWN = 60  # characters of a part in the menu of examples


@dataclass(frozen=True)
class Given:
    """What was given, part by part; `shared` if a link can bring all of it back."""

    values: dict[str, str | Picture]
    shared: bool

    @property
    def text(self) -> str:
        """The texts in one line."""
        return " · ".join(" ".join(value.split()) for value in self.values.values() if isinstance(value, str))


def ask(task: Task, slot: str = "", number: int = 0, example: Any = None) -> Given:
    """Draw a control for each part of the task, in their order, and return what they hold.

    They begin with `example`, or with the task's example of that number. PictureError for a picture that cannot be
    used, after all controls are drawn.
    """
    begin = task.values(task.examples[min(number, len(task.examples) - 1)] if example is None else example)
    fields = [Field(task, part, slot, begin[part.name]) for part in task.parts]
    values: dict[str, str | Picture] = {}
    problem = None
    before = st.session_state.pop(editor.edited(slot), set())
    for field, place in zip(fields, _places(task), strict=True):
        try:
            with place:
                values[field.part.name] = _ASK[field.part.kind](field)
        except AttnvizError as error:
            problem = problem or error
    for key in before - st.session_state.get(editor.edited(slot), set()):
        st.query_params.pop(key, None)
    if problem:
        raise problem
    return Given(values, not any(pictures.is_own(field) for field in fields))


def _places(task: Task) -> list[DeltaGenerator]:
    """Where each part stands: beside a tall one all others, and a choice in line with the text or choice before it."""
    first, *others = task.parts
    is_tall = bool(others) and (first.long or first.kind in _TALL)
    left, right = st.columns([3, 2]) if is_tall else (st.container(), st.container())
    joins = [
        part.kind == "choice" and before.kind in _SHORT and not before.long for before, part in pairwise(task.parts)
    ]
    places: list[DeltaGenerator] = []
    for column, joined, is_joined in zip([left, *[right] * len(others)], [False, *joins], [*joins, False], strict=True):
        line = places[-1] if joined else column.container(horizontal=is_joined, vertical_alignment="bottom")
        places.append(line)
    return places


def values_of(task: Task, example: Any) -> dict[str, str | Picture]:
    """One of the task's examples, part by part, with its pictures opened."""
    begin = task.values(example)
    return {part.name: _opened(part, begin[part.name]) for part in task.parts}


def _opened(part: Part, value: str) -> str | Picture:
    if part.kind == "picture":
        return sample(value, part.longest)
    return drawing.picture(value) if part.kind == "drawing" else value


def examples(task: Task, slot: str = "") -> None:
    """Inputs to try; choosing one fills all parts."""
    known = {_in_a_line(task, example): example for example in task.examples}
    key = f"example{slot}"
    st.menu_button("Examples", list(known), key=key, on_click=lambda: fill(task, known[st.session_state[key]], slot))


def fill(task: Task, example: Any, slot: str = "") -> None:
    """Put an example into all parts: for a callback. What was changed in the words of the old input is dropped."""
    begin = task.values(example)
    for part in task.parts:
        field = Field(task, part, slot, begin[part.name])
        if part.kind == "picture":
            pictures.fill(field)
        else:
            st.session_state[field.key] = field.example
            editor.overrule(field)
        if part.kind == "words":
            marked.forget(field)
    changes.forget_input()


def _in_a_line(task: Task, example: Any) -> str:
    """An example in the menu: a sentence as it stands, of several parts the beginning of each."""
    begin = task.values(example)
    texts = [
        pictures.stem(begin[part.name]) if part.kind == "picture" else " ".join(begin[part.name].split())
        for part in task.parts
    ]
    if len(texts) == 1:
        return texts[0]
    return " · ".join(text if len(text) <= _SHOWN else f"{text[:_SHOWN].rstrip()}…" for text in texts)
