"""Every kind of part, run in process: what a link, an example and another task make of its value."""

import base64
import json

import numpy as np
import pytest

import attnviz
from attnviz.errors import PictureError
from attnviz.features.picture import digits
from attnviz.ui import inputs
from attnviz.ui.inputs import drawing
from tests.helpers import open_app, png
from tests.toy_tasks import TASKS

SCRIPT = "tests/pages/inputs_app.py"


def text_of(ink: np.ndarray) -> str:
    """A drawing as its editor writes it."""
    cells = ink.astype(np.uint8).reshape(-1, 2)
    return base64.urlsafe_b64encode((cells[:, 0] * 16 + cells[:, 1]).tobytes()).decode().rstrip("=")


ONE = np.zeros((28, 28), np.uint8)
ONE[4:24, 13:16] = 15


def asked(task: str, **parameters: str):
    found = open_app(SCRIPT, task=task, **parameters)
    assert not found.exception
    return found


def given(found) -> dict:
    return json.loads(found.text[0].value)


def values(found) -> dict:
    return given(found)["values"]


def warned(found) -> str:
    return " ".join(warning.value for warning in found.warning)


@pytest.mark.parametrize("task", [task for task in TASKS if task != "sketch"])
def test_every_part_begins_with_the_first_example(task):
    about = TASKS[task]
    found = values(asked(task))
    first = about.values(about.examples[0])
    for part in about.parts:
        shown = found[part.name]
        assert shown == first[part.name] or first[part.name].endswith(shown[0])


def test_parts_with_a_number_or_an_example_of_their_own():
    task = TASKS["story"]
    assert inputs.values_of(task, task.examples[1]) == {"facts": "Cy is here.", "question": "Where is Cy?"}
    picture = inputs.values_of(TASKS["cells"], TASKS["cells"].examples[1])["picture"]
    assert picture.name == "3.png"


@pytest.mark.parametrize("slot", ["", "A"])
def test_a_link_brings_back_every_part(slot):
    story = {f"facts{slot}": "A & B\nC # %\n你好", f"question{slot}": "Who?"}
    assert values(asked("story", slot=slot, **story)) == {"facts": "A & B\nC # %\n你好", "question": "Who?"}
    review = {f"review{slot}": "Fine food, cold food.", f"target{slot}": "food@2"}
    assert values(asked("review", slot=slot, **review)) == {"review": "Fine food, cold food.", "target": "food@2"}
    found = values(asked("cells", slot=slot, **{f"picture{slot}": "3", f"kind{slot}": "bright"}))
    assert found["picture"][0] == "3.png" and found["kind"] == "bright"
    assert values(asked("cloze", slot=slot, **{f"document{slot}": "One.\n\nTwo."}))["document"] == "One.\n\nTwo."
    found = given(asked("sketch", slot=slot, **{f"sketch{slot}": text_of(ONE)}))
    assert found["values"]["sketch"] == ["drawing", 28, 28] and found["shared"]


@pytest.mark.parametrize(
    ("task", "name", "value", "says"),
    [
        ("story", "facts", "x" * 20_001, "20,001 characters"),
        ("story", "facts", "x\n" * 400, "401 facts"),
        ("cloze", "document", "x" * 30_000, "30,000 characters"),
        ("cells", "kind", "<b>odd</b>", "bright, dark"),
        ("cells", "picture", "../../etc/passwd", "picture"),
        ("sketch", "sketch", "no drawing", "not a drawing"),
        ("sketch", "sketch", "A" * 522 + "!", "not a drawing"),
        ("sketch", "sketch", "A" * 524, "not a drawing"),
        ("digit", "picture", "dra", "draw"),
    ],
)
def test_a_link_that_cannot_be_used_falls_back_and_says_so(task, name, value, says):
    found = asked(task, **{name: value})
    assert says in warned(found) and name in warned(found)
    assert name not in found.query_params
    if task != "sketch":
        assert values(found) == values(asked(task))


def test_typed_text_goes_on_in_a_task_of_the_same_kind_and_makes_room_in_another():
    found = asked("talk")
    found.text_input(key="text").set_value("My own words .").run()
    found.selectbox(key="task").set_value("weather").run()
    assert values(found)["text"] == "My own words ."
    found.selectbox(key="task").set_value("other").run()
    assert values(found)["text"] == "Of another kind ."


def test_one_example_makes_room_for_the_next_task_s():
    found = asked("talk")
    found.selectbox(key="task").set_value("weather").run()
    assert values(found)["text"] == "It pours ."


def test_a_question_of_a_story_is_not_asked_of_a_text():
    found = asked("story", question="Where is Bob?", facts="Bob is out.")
    assert found.query_params["facts"] == "Bob is out."
    found.selectbox(key="task").set_value("cloze").run()
    assert values(found) == TASKS["cloze"].examples[0]
    assert "facts" not in found.query_params
    found.selectbox(key="task").set_value("story").run()
    assert values(found)["facts"] == "Bob is out."
    assert found.query_params["facts"] == "Bob is out."


def test_facts_are_given_without_rows_that_are_empty():
    assert values(asked("story", facts="\n  One. \n\nTwo.\n"))["facts"] == "One.\nTwo."


def test_an_empty_story_is_no_crash():
    assert values(asked("story", facts="", question="Who?"))["facts"] == ""


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        ("Really good food, slow staff, cold food.", "food@2"),
        ("Good slow staff, cold food.", "food"),  # the other one is gone
        ("The food: good food, slow staff, cold food.", "food@3"),
        ("Good food, slow staff, cold food. More food.", "food@2"),
        ("Good food, slow staff, cold foo.", "food@2"),  # it is being typed at: the mark waits
        ("Nothing of it", "food@2"),
        ("", "food@2"),
    ],
)
def test_a_mark_stays_on_its_word(typed, target):
    found = asked("review", target="food@2")
    found.text_input(key="review").set_value(typed).run()
    assert not found.exception
    assert values(found) == {"review": typed, "target": target}


def test_a_mark_comes_back_with_its_word():
    found = asked("review", target="food@2")
    for typed in ("Good foo, slow staff, cold food.", "Good food, slow staff, cold food."):
        found.text_input(key="review").set_value(typed).run()
    assert values(found)["target"] == "food@2"


def test_a_target_of_several_words_moves_too():
    found = asked("review", review="The pie dish and the pie dish.", target="pie dish@2")
    found.text_input(key="review").set_value("And the pie dish.").run()
    assert values(found)["target"] == "pie dish"


def test_a_target_that_is_typed_is_taken_as_it_is():
    found = asked("review")
    found.text_input(key="target").set_value("no such word").run()
    assert values(found)["target"] == "no such word"


def test_choices_of_few_letters_stand_in_a_row_and_others_in_a_list():
    found = asked("cells")
    assert found.button_group(key="kind").value == "dark"
    assert found.selectbox(key="where").value == "a place with number 1"
    found.button_group(key="kind").set_value("bright").run()
    assert values(found)["kind"] == "bright" and found.query_params["kind"] == "bright"
    found.button_group(key="kind").set_value("dark").run()
    assert "kind" not in found.query_params


def test_a_picture_of_one_s_own_is_not_shared_and_a_broken_one_hides_no_other_part():
    found = asked("cells")
    found.file_uploader(key="upload").set_value(("cells.png", png(40, 30), "image/png")).run()
    assert values(found)["picture"] == ["cells.png", 40, 30] and not given(found)["shared"]
    found.file_uploader(key="upload").set_value(("cells.png", b"broken", "image/png")).run()
    assert not found.exception and "not a picture" in found.caption[0].value
    assert found.button_group(key="kind").value == "dark"


def test_a_drawing_takes_the_picture_s_place():
    found = asked("digit", picture="draw", drawing=text_of(ONE))
    assert given(found) == {"values": {"picture": ["drawing", 28, 28]}, "shared": True, "text": ""}
    assert found.query_params["drawing"] == text_of(ONE)
    found.button_group(key="picture").set_value("3").run()
    assert values(found)["picture"][0] == "3.png" and "drawing" not in found.query_params
    found.button_group(key="picture").set_value("draw").run()
    assert values(found)["picture"][0] == "drawing" and found.query_params["drawing"] == text_of(ONE)


def test_an_empty_drawing_is_a_sentence():
    found = asked("digit", picture="draw")
    assert "Nothing is drawn yet" in found.caption[0].value and not found.text


def test_a_drawing_goes_there_and_back():
    ink = np.random.default_rng(0).integers(0, 16, (28, 28))
    np.testing.assert_array_equal(drawing.read(text_of(ink)), ink)
    np.testing.assert_array_equal(np.asarray(drawing.picture(text_of(ink)).image)[:, :, 0], ink * 17)
    assert len(text_of(ink)) < 600 and not drawing.read("").any()
    with pytest.raises(PictureError, match="Nothing is drawn"):
        drawing.picture(text_of(np.zeros((28, 28))))


def test_a_drawn_one_is_seen_as_a_one_on_explore():
    assert digits(drawing.picture(text_of(ONE))).getextrema()[0] == (0, 255)
    found = open_app(task="mnist", picture="draw", drawing=text_of(ONE))
    assert not found.exception
    shown = found.session_state["_last_image"].trace.prediction
    assert shown.labels[int(np.argmax(shown.probabilities))] == "1"
    assert attnviz.tasks()["mnist"].drawn and not attnviz.tasks()["cifar10"].drawn
    empty = open_app(task="mnist", picture="draw")
    assert not empty.exception and "Nothing is drawn yet" in " ".join(caption.value for caption in empty.caption)
