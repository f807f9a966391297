"""Tasks with every kind of part, which nothing was trained for: for tests of what a page asks for."""

import torch

from attnviz.tasks.job import Part
from attnviz.tasks.registry import DataSource, Examples, Task


def toy(name: str, kind: str, parts: tuple[Part, ...], examples: tuple, **more) -> Task:
    nothing = Examples([], torch.zeros(0, dtype=torch.long))
    about = {"classes": ("no", "yes"), "data": DataSource("toy", "made up", "A"), "read": lambda folder, split: nothing}
    return Task(name=name, title=name, kind=kind, predicts="it", parts=parts, examples=examples, **about, **more)


TEXT = (Part("text", "text", "Sentence"),)
PICTURE = (Part("picture", "picture", "Picture"),)
STORY = "Ann went to the garden.\nBob took the key.\nAnn went to the kitchen."
REVIEW = "Good food, slow staff, cold food."
TASKS = {
    task.name: task
    for task in (
        toy("talk", "text", TEXT, ("One sentence .", "Another one .")),
        toy("weather", "text", TEXT, ("It pours .", "The sun shines .")),
        toy("other", "other", TEXT, ("Of another kind .",)),
        toy("digit", "image", PICTURE, ("digits/7.png", "digits/3.png"), drawn=True),
        toy(
            "story",
            "story",
            (Part("facts", "facts", "Story"), Part("question", "text", "Question", help="Who, what or where?")),
            (
                {"facts": STORY, "question": "Where is Ann?"},
                {"facts": "Cy is here.", "question": "Where is Cy?"},
                {"facts": "\n".join(f"Fact number {i}." for i in range(200)), "question": "How many?"},
            ),
        ),
        toy(
            "review",
            "target",
            (Part("review", "text", "Review"), Part("target", "words", "Target", of="review")),
            (
                {"review": REVIEW, "target": "food"},
                {"review": "The pie is fine and the pie dish too.", "target": "pie dish"},
                {"review": " ".join(f"word{i}" for i in range(200)), "target": "word7"},
            ),
        ),
        toy(
            "cloze",
            "cloze",
            (Part("document", "text", "Text", long=True), Part("question", "text", "Sentence with a blank")),
            ({"document": "Ann has a cat.\nThe cat sleeps.", "question": "The ___ sleeps."},),
        ),
        toy(
            "cells",
            "cells",
            (
                Part("picture", "picture", "Picture"),
                Part("kind", "choice", "Kind", choices=("bright", "dark"), help="How it was taken."),
                Part("where", "choice", "Where", choices=tuple(f"a place with number {i}" for i in range(6))),
            ),
            (
                {"picture": "digits/7.png", "kind": "dark", "where": "a place with number 1"},
                {"picture": "digits/3.png", "kind": "bright", "where": "a place with number 2"},
            ),
        ),
        toy(
            "sketch",
            "sketch",
            (Part("sketch", "drawing", "Sketch"), Part("word", "text", "Word")),
            ({"sketch": "", "word": "x"},),
        ),
    )
}
