"""Long texts, marked words and drawings in a real browser, by mouse, keys and finger."""

import pytest

from tests.browser.parts import expect, given, linked, wait_for
from tests.browser.reading import INPUT, INPUTS_PAGE, asked
from tests.toy_tasks import REVIEW


class TestLongText:
    def test_it_grows_and_follows(self, opened):
        page = opened("cloze")
        field = page.get_by_label("Text", exact=True)
        first = field.bounding_box()["height"]
        field.press("Control+End")
        page.keyboard.type("\nOne more.\n\nAnd another one, in one go, to see that no letter is lost.", delay=5)
        text = (
            "Ann has a cat.\nThe cat sleeps.\nOne more.\n\nAnd another one, in one go, to see that no letter is lost."
        )
        wait_for(page, "document", text)
        expect(field).to_have_value(text)
        assert first + 40 < field.bounding_box()["height"] < 300
        field.fill("\n".join("line" for _ in range(60)))
        assert 150 < field.bounding_box()["height"] < 300

    def test_a_link_brings_it_back(self, opened):
        page = opened("cloze", document="First.\n\nLast.")
        expect(page.get_by_label("Text", exact=True)).to_have_value("First.\n\nLast.")
        wait_for(page, "document", "First.\n\nLast.")

    def test_an_older_answer_does_not_overtake_what_is_typed(self, opened):
        page = opened("cloze")
        page.locator(INPUT).first.evaluate(
            """node => {
                node.input.editor.field.value = 'newest';
                node.input.sent += 2;
                node.input.value = 'newest';
                node.input.update({ kind: 'longtext', label: 'Text', help: '', hint: '', longest: 9, seen: true,
                                    value: 'older', sent: node.input.sent - 1 });
            }"""
        )
        expect(page.get_by_label("Text", exact=True)).to_have_value("newest")


def word(page, number: int):
    return page.locator(f"{INPUT} .mark").nth(number)


def marked(page) -> list[str]:
    return page.locator(f"{INPUT} .mark[aria-pressed=true]").all_text_contents()


class TestMarking:
    def test_a_click_marks_one_word_the_second_of_its_kind_too(self, opened):
        page = opened("review")
        assert marked(page) == ["food"]
        word(page, 7).click()
        wait_for(page, "target", "food@2")
        expect(page.get_by_label("Target", exact=True)).to_have_value("food@2")
        word(page, 3).click()
        wait_for(page, "target", "slow")
        word(page, 4).click()  # the neighbour
        wait_for(page, "target", "slow staff")
        word(page, 4).click()
        wait_for(page, "target", "staff")
        word(page, 6).click(modifiers=["Shift"])
        wait_for(page, "target", "staff , cold")
        assert marked(page) == ["staff", ",", "cold"]

    def test_dragging_marks_several(self, opened):
        page = opened("review")
        start, end = word(page, 6).bounding_box(), word(page, 3).bounding_box()
        page.mouse.move(start["x"] + 5, start["y"] + 5)
        page.mouse.down()
        page.mouse.move(end["x"] + 5, end["y"] + 5, steps=12)
        page.mouse.up()
        wait_for(page, "target", "slow staff , cold")
        word(page, 0).click()
        wait_for(page, "target", "Good")

    def test_keys_mark_too(self, opened):
        page = opened("review")
        word(page, 1).focus()
        for key in ("ArrowRight", "ArrowRight", "Enter"):
            page.keyboard.press(key)
        wait_for(page, "target", "slow")
        page.keyboard.press("Shift+ArrowRight")
        wait_for(page, "target", "slow staff")
        for key in ("End", "ArrowLeft", "Space"):
            page.keyboard.press(key)
        wait_for(page, "target", "food@2")

    def test_a_typed_target_is_marked(self, opened):
        page = opened("review")
        page.get_by_label("Target", exact=True).fill("STAFF")
        wait_for(page, "target", "STAFF")
        expect(word(page, 4)).to_have_attribute("aria-pressed", "true")
        page.get_by_label("Target", exact=True).fill("nowhere")
        wait_for(page, "target", "nowhere")
        expect(page.locator(f"{INPUT} .mark[aria-pressed=true]")).to_have_count(0)
        word(page, 4).click()
        wait_for(page, "target", "staff")

    def test_the_mark_stays_while_the_review_is_typed_at(self, opened):
        page = opened("review", target="food@2")
        page.get_by_label("Review", exact=True).press("Home")
        page.keyboard.type("Food first: ", delay=20)
        wait_for(page, "review", f"Food first: {REVIEW}")
        wait_for(page, "target", "food@3")
        expect(word(page, 10)).to_have_attribute("aria-pressed", "true")
        assert marked(page) == ["food"]

    def test_what_a_browser_sends_is_not_trusted(self, opened):
        page = opened("review")
        for odd in ('"0 99"', '"3 1"', '"-1 2"', '"0 1; x"', '"9999999999 1"', "0", "null"):
            page.locator(INPUT).evaluate(f"node => node.input.send({{ value: {odd}, sent: ++node.input.sent }})")
        page.get_by_label("Review", exact=True).fill("Still food.")
        wait_for(page, "review", "Still food.")
        assert given(page)["target"] == "food"


def draw(page, *places: tuple[float, float]) -> None:
    """A stroke over the pad; places in shares of its width and height."""
    box = page.locator(f"{INPUT} .pad").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def ink(page) -> int:
    return int(page.locator(f"{INPUT} .pad").get_attribute("data-ink"))


class TestDrawing:
    def test_a_stroke_follows_and_stands_in_the_link(self, opened):
        page = opened("digit", picture="draw")
        expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()
        draw(page, (0.5, 0.2), (0.5, 0.8))
        wait_for(page, "picture", ["drawing", 28, 28])
        page.wait_for_function("() => location.search.includes('drawing=')")
        assert len(linked(page)["drawing"]) < 600
        drawn = ink(page)
        assert drawn > 15 * 17 * 2
        page.goto(page.url)
        wait_for(page, "picture", ["drawing", 28, 28])
        assert ink(page) == drawn

    def test_undo_and_clear(self, opened):
        page = opened("sketch")
        draw(page, (0.2, 0.2), (0.8, 0.2))
        first = ink(page)
        draw(page, (0.2, 0.8), (0.8, 0.8))
        assert ink(page) > 1.8 * first
        page.get_by_role("button", name="undo").click()
        assert ink(page) == first
        page.get_by_role("button", name="clear").click()
        assert ink(page) == 0
        expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()
        page.locator(f"{INPUT} .pad").press("Control+z")
        assert ink(page) == first
        wait_for(page, "sketch", ["drawing", 28, 28])

    def test_keys_draw(self, opened):
        page = opened("sketch")
        page.locator(f"{INPUT} .pad").focus()
        for _ in range(4):
            page.keyboard.press("ArrowUp")
        assert ink(page) == 0
        page.keyboard.press("Space")
        dot = ink(page)
        assert dot > 0
        page.keyboard.down("Space")
        for _ in range(8):
            page.keyboard.press("ArrowDown")
        page.keyboard.up("Space")
        line = ink(page)
        assert line > 3 * dot
        page.keyboard.press("ArrowDown")
        assert ink(page) == line
        wait_for(page, "sketch", ["drawing", 28, 28])

    def test_the_brush_is_soft_and_wide(self, opened):
        page = opened("sketch")
        draw(page, (0.5, 0.2), (0.5, 0.8))
        row = page.locator(INPUT).evaluate("node => [...node.input.editor.ink.slice(14 * 28, 15 * 28)]")
        assert max(row) == 15 and 2 <= row.count(15) <= 3 and 3 <= sum(level > 0 for level in row) <= 4

    def test_what_a_browser_sends_is_not_trusted(self, opened):
        page = opened("sketch")
        for odd in ('"A".repeat(522)', '"!".repeat(523)', '"A".repeat(99999)', "{}", "1"):
            page.locator(INPUT).evaluate(f"node => node.input.send({{ value: {odd}, sent: ++node.input.sent }})")
        draw(page, (0.3, 0.3), (0.7, 0.7))
        wait_for(page, "sketch", ["drawing", 28, 28])

    def test_a_finger_draws_and_does_not_scroll(self, browser, serve):
        context = browser.new_context(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
        page = context.new_page()
        page.goto(f"{serve(INPUTS_PAGE)}/?task=sketch")
        asked(page)
        page.locator(f"{INPUT} .pad").scroll_into_view_if_needed()
        box = page.locator(f"{INPUT} .pad").bounding_box()
        fingers = context.new_cdp_session(page)
        x = box["x"] + box["width"] / 2
        for kind, y in [("touchStart", 40), *[("touchMove", 40 + 12 * i) for i in range(1, 11)], ("touchEnd", None)]:
            points = [] if y is None else [{"x": x, "y": box["y"] + y}]
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        assert ink(page) > 15 * 12 * 2
        assert page.locator(f"{INPUT} .pad").bounding_box()["y"] == box["y"]
        wait_for(page, "sketch", ["drawing", 28, 28])
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("task", ["story", "review", "cloze", "sketch", "cells"])
def test_everything_fits_a_phone_in_both_themes(browser, serve, task, scheme):
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{serve(INPUTS_PAGE)}/?task={task}")
    asked(page)
    page.wait_for_timeout(300)
    assert page.evaluate("() => document.scrollingElement.scrollWidth") <= 360
    if task != "cells":
        page.wait_for_selector(f"{INPUT}[data-theme={scheme}]")
        over = page.locator(INPUT).first.evaluate(
            """node => [...node.querySelectorAll('*')].filter((part) =>
                part.getBoundingClientRect().right > innerWidth).length"""
        )
        assert over == 0
    context.close()
