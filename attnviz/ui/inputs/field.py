"""One part of a task's input on a page, and where its value begins."""

from dataclasses import dataclass

import streamlit as st

from attnviz.tasks.job import Part
from attnviz.tasks.registry import Task


@dataclass(frozen=True)
class Field:
    """The control of a part; `example` is what it holds at first."""

    task: Task
    part: Part
    slot: str
    example: str

    @property
    def key(self) -> str:
        """Its name in the session and in the link."""
        return f"{self.part.name}{self.slot}"

    @property
    def label(self) -> str:
        """What the part is called, and for which input."""
        return f"{self.part.title} {self.slot}".strip()

    @property
    def alone(self) -> bool:
        """Whether it is all that the task asks for: then its label need not be seen."""
        return len(self.task.parts) == 1

    @property
    def visibility(self) -> str:
        """Streamlit's word for whether the label is seen."""
        return "collapsed" if self.alone else "visible"


def make_room(field: Field) -> None:
    """One task's example makes room for the next task's; what was written for another kind of task does so too."""
    origin = f"_begun_{field.key}"
    task, kind, example = st.session_state.get(origin, (field.task.name, field.task.kind, field.example))
    is_another = task != field.task.name
    if is_another and (kind != field.task.kind or st.session_state.get(field.key) == example):
        st.session_state[field.key] = field.example
    st.session_state[origin] = (field.task.name, field.task.kind, field.example)
