"""Maps in turns and words that were produced, in a real browser: what is shown, and what the server hears."""

import numpy as np
import pytest

from tests.browser.query_frames import CASES, CLASSES, QUESTION, SOURCE, TRANSLATED
from tests.browser.reading import PICTURE, box_of, cell, linked, numbers, pointed, readout, sent, written

TURNS = f"{PICTURE} .turns:visible"


def weights(case: str) -> np.ndarray:
    """The weights of a case's first group, (turn, class, query, key) or (map, query, key)."""
    meta, flat = CASES[case](QUESTION)
    group = meta["groups"][0]
    leading = [len(labels) for _, labels in group["leading"]]
    return np.asarray(flat[: int(np.prod(group["shape"]))], np.float64).reshape([*leading, *group["shape"][1:]])


def names(page) -> list[str]:
    return page.locator(f"{PICTURE} .map:visible .name").all_text_contents()


def labels(page, box: str) -> list[str]:
    return page.locator(f"{PICTURE} {box} .bar:visible .label").all_text_contents()


def test_the_last_turn_is_shown_and_another_one_can_be_chosen(show):
    page = show("routing")
    assert names(page) == list(CLASSES) and labels(page, ".spread") == list(CLASSES)
    assert numbers(page) == written(weights("routing")[2].max((1, 2)))
    page.get_by_role("button", name="iteration 2").click()
    linked(page, "#turn=1")
    assert numbers(page) == written(weights("routing")[1].max((1, 2)))
    page.keyboard.press("ArrowRight")
    linked(page, "")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    linked(page, "#turn=0")
    assert numbers(page) == written(weights("routing")[0].max((1, 2)))
    spread = page.locator(f"{PICTURE} .spread .value").all_text_contents()
    assert spread == ["12.0"] * 6


def test_a_class_stays_pinned_from_turn_to_turn(show):
    page = show("routing", "#turn=1&pin=3.4")
    pointed(page)
    assert readout(page).endswith(f"query → live {written(weights('routing')[1, 4, 0, [3]])[0]}")
    page.get_by_role("button", name="iteration 3").click()
    linked(page, "#pin=3.4")
    assert readout(page).endswith(f"query → live {written(weights('routing')[2, 4, 0, [3]])[0]}")


def test_play_goes_through_the_turns_and_stops_at_the_last(show):
    page = show("routing")
    play = page.get_by_title("goes through them one by one")
    play.click()
    linked(page, "#turn=0")
    assert play.text_content() == "stop"
    linked(page, "#turn=1")
    linked(page, "")
    assert play.text_content() == "play"


def test_a_label_that_is_a_number_gets_its_kind(show):
    page = show("routed_digits")
    assert names(page) == [f"class {i}" for i in range(10)]


@pytest.mark.parametrize("fragment", ["#turn=7", "#turn=x", "#turn=-1"])
def test_a_turn_that_does_not_exist_is_the_last(show, fragment):
    page = show("routing", fragment)
    assert numbers(page) == written(weights("routing")[2].max((1, 2)))


def edited(page) -> list[dict]:
    return page.locator(PICTURE).evaluate("root => root.picture.marks.edited")


def test_a_change_is_about_the_turn_that_is_shown(show):
    page = show("routing", "#turn=1", {})
    page.mouse.click(*cell(page, 3, 4))
    page.mouse.move(5, 5)
    linked(page, "#turn=1&pin=3.4")
    page.locator(f"{PICTURE} .stage").press("+")
    page.locator(f"{PICTURE} .chip").wait_for()
    found = sent(page)[-1]
    assert (found["what"], found["map"], found["at"]) == ("edit", "weights", [1, 4, 0, 3])
    assert found["weight"] == pytest.approx(weights("routing")[1, 4, 0, 3] + 0.05, abs=1e-4)
    assert edited(page) == [{"map": 4, "query": 0, "key": 3}]
    page.get_by_role("button", name="before").click()
    assert written(weights("routing")[1, 4, 0, [3]])[0] in readout(page)
    page.get_by_role("button", name="difference").click()
    page.get_by_role("button", name="iteration 3").click()
    assert edited(page) == []
    page.get_by_role("button", name="switch off iteration 3").click()
    page.wait_for_selector(f"{PICTURE} .map.switched-off")
    assert {k: sent(page, 2)[-1][k] for k in ("what", "kind", "index", "on")} == {
        **{"what": "off", "kind": "iteration", "index": 2, "on": True}
    }
    assert page.locator(f"{PICTURE} .map.switched-off").count() == 6
    page.get_by_role("button", name="iteration 2", exact=True).click()
    assert page.locator(f"{PICTURE} .map.switched-off").count() == 0


def test_ten_digits_stand_three_in_a_row_on_a_phone(show):
    page = show("routed_digits", width=360)
    figures = page.locator(f"{PICTURE} .figures figure").all()
    tops = [round(figure.bounding_box()["y"]) for figure in figures]
    assert [tops.count(top) for top in sorted(set(tops))] == [3, 3, 3, 1]
    box = box_of(page, ".figures")
    assert figures[7].bounding_box()["y"] + 84 < box["y"] + box["height"]


def rows(page) -> int:
    return page.locator(PICTURE).evaluate("root => root.picture.grid.spec.rows")


def test_a_translation_is_a_table_with_a_row_for_each_written_word(show):
    page = show("translation")
    assert page.locator(PICTURE).get_attribute("data-view") == "matrix"
    assert page.locator(PICTURE).evaluate("root => root.picture.grid.spec.rowLabels") == list(TRANSLATED)
    page.mouse.move(*cell(page, 3, 2))
    weight = weights("translation")[2, 3]
    page.locator(f"{PICTURE} .readout", has_text=f"猫 → cats {weight:.4f}").wait_for()
    sentence, stage = box_of(page, ".sentence"), box_of(page, ".stage")
    assert sentence["y"] >= stage["y"] + stage["height"]
    assert page.locator(f"{PICTURE} .sentence .word").all_text_contents() == list(SOURCE)


def row_label(page, row: int) -> tuple[float, float]:
    """The middle of what stands before a row of the grid."""
    box = page.locator(PICTURE).evaluate(
        """(root, row) => {
            const { grid } = root.picture;
            const box = grid.scroller.getBoundingClientRect();
            return [box.left + grid.spec.labelWidth - 14, box.top + grid.head + (row + 0.5) * grid.rowHeight];
        }""",
        row,
    )
    return tuple(box)


def test_a_written_word_is_looked_from_by_a_click_on_its_row_or_on_itself(show):
    page = show("translation")
    page.mouse.click(*row_label(page, 1))
    linked(page, "#query=1")
    page.mouse.move(5, 5)
    made = page.locator(f"{PICTURE} .produced [role=button]")
    assert made.all_text_contents() == list(TRANSLATED)
    assert page.locator(f"{PICTURE} .produced").text_content() == " ".join(TRANSLATED)
    assert page.locator(f"{PICTURE} .produced [aria-pressed=true]").all_text_contents() == ["喜欢"]
    page.mouse.click(*row_label(page, 1))
    linked(page, "")
    made.nth(3).click()
    linked(page, "#query=3")
    assert "“吗”" in readout(page)
    made.nth(3).press("Enter")
    linked(page, "")


def test_what_is_written_so_far_is_shown_row_by_row(show):
    page = show("translation")
    slider = page.get_by_label("written so far")
    slider.fill("2")
    linked(page, "#query=1&written=2")
    assert rows(page) == 2
    assert page.locator(f"{PICTURE} .produced .later").all_text_contents() == list(TRANSLATED[2:])
    slider.press("ArrowRight")
    linked(page, "#query=2&written=3")
    page.locator(f"{PICTURE} .produced [role=button]").nth(3).click()
    linked(page, "#query=3&written=4")
    assert rows(page) == 4
    page.reload()
    page.wait_for_selector(f"{PICTURE}[data-painted]")
    assert rows(page) == 4
    page.get_by_title("writes it word by word").click()
    linked(page, "#query=4")
    assert rows(page) == 5
    page.get_by_title("writes it word by word").click()
    linked(page, "#query=0&written=1")


def test_the_keyboard_walks_over_the_rows_that_are_written(show):
    page = show("translation", "#written=2&query=0")
    stage = page.locator(f"{PICTURE} .stage")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown"):
        stage.press(key)
    assert f"喜欢 → Do {weights('translation')[1, 0]:.4f}" in readout(page)


@pytest.mark.parametrize("case", ["routing", "routed_digits", "translation"])
def test_a_phone_does_not_scroll_sideways(show, page, case):
    page.set_viewport_size({"width": 360, "height": 800})
    show(case)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(TURNS).count() == 1
    assert box_of(page, ".turns:visible")["width"] <= 330
