"""The parts of a task in a real browser: facts, long texts, marked words, drawings, by mouse, keys and finger."""

import json
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.toy_tasks import REVIEW, STORY, TASKS

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
expect = playwright.expect

INPUT = ".attnviz-input"
LINES = STORY.split("\n")


@pytest.fixture(scope="module")
def address(serve):
    return serve("tests/pages/inputs_app.py")


@pytest.fixture
def opened(kept_page, address):
    """Opens the page for a task and waits for its parts."""

    def show(task: str, page=kept_page, **parameters: str):
        page.goto("about:blank")
        page.goto(f"{address}/?task={task}" + "".join(f"&{name}={quote(v)}" for name, v in parameters.items()))
        page.wait_for_selector(f"{INPUT}[data-theme]")
        return page

    return show


def given(page) -> dict:
    return json.loads(page.get_by_test_id("stText").first.text_content())["values"]


def wait_for(page, name: str, value: object) -> None:
    """Waits until the server was given this value."""
    try:
        page.wait_for_function(
            """([name, value]) => {
                const said = document.querySelector('[data-testid=stText]');
                return said && JSON.stringify(JSON.parse(said.textContent).values[name]) === value;
            }""",
            arg=[name, json.dumps(value, ensure_ascii=False, separators=(",", ":"))],
        )
    except playwright.TimeoutError:
        assert given(page)[name] == value


def linked(page) -> dict[str, str]:
    return {name: found[0] for name, found in parse_qs(urlsplit(page.url).query, keep_blank_values=True).items()}


def fact(page, number: int):
    return page.get_by_label(f"Fact {number}", exact=True)


def focused(page) -> str | None:
    return page.locator(INPUT).first.evaluate("node => node.getRootNode().activeElement?.getAttribute('aria-label')")


class TestFacts:
    def test_typing_is_followed_letter_by_letter(self, opened):
        page = opened("story")
        fact(page, 2).press("End")
        page.keyboard.type(" And Cy took the lamp, and all of that without a pause.", delay=5)
        now = f"{LINES[1]} And Cy took the lamp, and all of that without a pause."
        wait_for(page, "facts", "\n".join([LINES[0], now, LINES[2]]))
        expect(fact(page, 2)).to_have_value(now)
        assert focused(page) == "Fact 2"

    def test_enter_makes_a_row_below_and_backspace_takes_an_empty_one_away(self, opened):
        page = opened("story")
        fact(page, 1).press("End")
        page.keyboard.press("Enter")
        assert focused(page) == "Fact 2"
        wait_for(page, "facts", STORY)  # an empty row is no fact
        page.keyboard.type("Cy is here.")
        wait_for(page, "facts", "\n".join([LINES[0], "Cy is here.", *LINES[1:]]))
        fact(page, 2).fill("")
        fact(page, 2).press("Backspace")
        assert focused(page) == "Fact 1"
        wait_for(page, "facts", STORY)
        expect(page.locator(f"{INPUT} li")).to_have_count(3)

    def test_enter_within_a_fact_cuts_it_in_two(self, opened):
        page = opened("story", facts="Ann sleeps. Bob reads.")
        fact(page, 1).press("Home")
        for _ in "Ann sleeps. ":
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        wait_for(page, "facts", "Ann sleeps.\nBob reads.")
        assert focused(page) == "Fact 2"

    def test_facts_move_by_keys_and_by_buttons(self, opened):
        page = opened("story")
        fact(page, 3).press("Alt+ArrowUp")
        wait_for(page, "facts", "\n".join([LINES[0], LINES[2], LINES[1]]))
        assert focused(page) == "Fact 2"
        fact(page, 2).press("Alt+ArrowDown")
        wait_for(page, "facts", STORY)
        fact(page, 1).hover()
        page.get_by_label("Fact 1: move down").click()
        wait_for(page, "facts", "\n".join([LINES[1], LINES[0], LINES[2]]))
        expect(page.get_by_label("Fact 3: move down")).to_be_disabled()

    def test_a_deleted_fact_comes_back(self, opened):
        page = opened("story")
        expect(page.get_by_role("button", name="undo")).to_be_hidden()
        for _ in range(3):
            fact(page, 1).hover()
            page.get_by_label("Fact 1: delete").click()
        wait_for(page, "facts", "")
        page.keyboard.type("New.")
        for n in range(2):
            page.get_by_role("button", name="undo").click()
            wait_for(page, "facts", "\n".join([*LINES[2 - n :], "New."]))
        page.get_by_role("button", name="undo").click()
        wait_for(page, "facts", f"{STORY}\nNew.")
        expect(page.get_by_role("button", name="undo")).to_be_hidden()

    def test_pasted_lines_become_rows(self, opened):
        page = opened("story", facts="Ann  Bob")
        fact(page, 1).press("Home")
        for _ in "Ann ":
            page.keyboard.press("ArrowRight")
        paste(page, "one.\r\ntwo. \n\n three.")
        wait_for(page, "facts", "Ann one.\ntwo.\nthree. Bob")
        assert focused(page) == "Fact 3"
        expect(fact(page, 3)).to_have_value("three. Bob")

    def test_a_link_brings_them_back_and_the_example_is_not_in_it(self, opened):
        page = opened("story")
        assert "facts" not in linked(page)
        page.get_by_role("button", name="add a fact").click()
        page.keyboard.type("A & B # <b>你</b>")
        wait_for(page, "facts", f"{STORY}\nA & B # <b>你</b>")
        page.wait_for_function("() => location.search.includes('facts=')")
        page.goto(page.url)
        wait_for(page, "facts", f"{STORY}\nA & B # <b>你</b>")
        expect(fact(page, 4)).to_have_value("A & B # <b>你</b>")

    def test_typing_leaves_few_steps_in_the_history(self, opened):
        page = opened("story")
        before = page.evaluate("() => history.length")
        fact(page, 1).press("End")
        page.keyboard.type(" twenty letters more", delay=30)
        wait_for(page, "facts", "\n".join([f"{LINES[0]} twenty letters more", *LINES[1:]]))
        page.wait_for_function("() => location.search.includes('facts=') && location.search.includes('more')")
        assert page.evaluate("() => history.length") <= before + 2

    def test_two_hundred_stay_usable(self, opened):
        page = opened("story")
        choose_example(page, "How many?")
        expect(page.locator(f"{INPUT} li")).to_have_count(200)
        box = page.locator(f"{INPUT} .facts").bounding_box()
        assert box["height"] < 300
        fact(page, 150).press("End")
        page.keyboard.type(" Found.", delay=5)
        expected = TASKS["story"].examples[2]["facts"].split("\n")
        wait_for(page, "facts", "\n".join([*expected[:149], f"{expected[149]} Found.", *expected[150:]]))
        assert focused(page) == "Fact 150"
        page.keyboard.press("ArrowDown")
        assert focused(page) == "Fact 151"

    def test_no_more_than_there_is_room_for(self, opened):
        page = opened("story", facts="\n".join(f"{i}" for i in range(300)))
        expect(page.get_by_role("button", name="add a fact")).to_be_disabled()
        expect(page.get_by_text("There is room for 300 facts.")).to_be_visible()
        fact(page, 5).press("Enter")
        expect(page.locator(f"{INPUT} li")).to_have_count(300)
        assert given(page)["facts"].count("\n") == 299

    def test_what_a_browser_sends_is_not_trusted(self, opened):
        page = opened("story")
        for odd in ('"x".repeat(20001)', '"x\\n".repeat(300)', "7", "null", "[1]", '{a: "b"}'):
            page.locator(INPUT).evaluate(f"node => node.input.send({{ value: {odd}, sent: ++node.input.sent }})")
        fact(page, 1).fill("Still there.")
        wait_for(page, "facts", "\n".join(["Still there.", *LINES[1:]]))


class TestExamples:
    def test_all_parts_are_filled(self, opened):
        page = opened("story")
        fact(page, 1).fill("Something of my own.")
        choose_example(page, "Where is Cy?")
        wait_for(page, "facts", "Cy is here.")
        assert given(page)["question"] == "Where is Cy?"
        expect(fact(page, 1)).to_have_value("Cy is here.")
        expect(page.locator(f"{INPUT} li")).to_have_count(1)

    def test_what_was_still_on_its_way_does_not_come_back(self, opened):
        page = opened("story")
        fact(page, 1).fill("Typed.")
        wait_for(page, "facts", "\n".join(["Typed.", *LINES[1:]]))
        choose_example(page, "Where is Cy?")
        wait_for(page, "facts", "Cy is here.")
        page.locator(INPUT).evaluate("node => node.input.send({ value: 'Late.', sent: 3 })")
        page.get_by_label("Question", exact=True).fill("Asked after that?")
        wait_for(page, "question", "Asked after that?")
        assert given(page)["facts"] == "Cy is here."
        fact(page, 1).press("End")
        page.keyboard.type("!")
        wait_for(page, "facts", "Cy is here.!")
        page.wait_for_function("() => decodeURIComponent(location.search).includes('here.!')")

    def test_that_nobody_writes_any_more_is_said_of_what_stands_there_now(self, opened):
        page = opened("story")
        fact(page, 1).fill("Typed.")
        said = page.locator(INPUT).evaluate(
            """({ input }) => {
                const said = [];
                input.send = (event) => said.push(event);
                const meta = { ...input.editor, seen: true, linked: true, help: '' };
                input.update({ ...meta, sent: 1000, value: 'Given.' });
                input.rest();
                input.rest();
                return said;
            }"""
        )
        assert said == [{"value": "Given.", "sent": 1000, "rests": True}]

    def test_leaving_the_field_says_that_nobody_writes_any_more(self, opened):
        page = opened("story")
        fact(page, 1).fill("Typed.")
        said = page.locator(INPUT).evaluate(
            """(node) => {
                const said = [];
                node.input.send = (event) => said.push(event.rests);
                const [first, second] = node.querySelectorAll('li input');
                second.focus();
                const within = said.length;
                second.blur();
                return [within, said];
            }"""
        )
        assert said == [0, [True]]

    def test_pictures_and_choices_too(self, opened, kept_page, address):
        kept_page.goto(f"{address}/?task=cells")
        choose_example(kept_page, "bright")
        wait_for(kept_page, "picture", ["3.png", 112, 112])
        assert given(kept_page)["kind"] == "bright" and linked(kept_page)["picture"] == "3"

    def test_the_same_example_again_takes_back_what_was_typed(self, opened):
        page = opened("review")
        for _ in range(2):
            page.get_by_label("Review", exact=True).fill("My own food.")
            wait_for(page, "review", "My own food.")
            choose_example(page, "pie dish")
            wait_for(page, "review", TASKS["review"].examples[1]["review"])
            wait_for(page, "target", "pie dish")


def test_a_goodbye_that_is_not_meant_takes_nothing_away(opened):
    found = opened("story").evaluate(
        """async () => {
            const parentElement = document.createElement('div');
            parentElement.innerHTML = '<div class="attnviz-input"></div>';
            document.body.append(parentElement);
            const about = { kind: 'facts', label: 'Facts', help: '', most: 9, longest: 9 };
            const meta = { ...about, seen: true, sent: 0, value: 'a' };
            const component = { data: { meta }, parentElement, setTriggerValue: () => undefined };
            const field = () => parentElement.querySelector('li input');
            const soon = () => new Promise((resolve) => setTimeout(resolve, 50));
            const leave = attnvizCanvas.input(component);
            const first = field();
            first.focus();
            first.value = 'typed';
            first.dispatchEvent(new Event('input', { bubbles: true }));
            leave();
            const leaveAgain = attnvizCanvas.input(component);
            await soon();
            const stays = document.activeElement === first && field() === first && first.value === 'typed';
            parentElement.remove();
            leaveAgain();
            await soon();
            attnvizCanvas.input(component);
            return [stays, field() === first];
        }"""
    )
    assert found == [True, False]


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

    def test_a_finger_draws_and_does_not_scroll(self, browser, address):
        context = browser.new_context(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
        page = context.new_page()
        page.goto(f"{address}/?task=sketch")
        page.wait_for_selector(f"{INPUT} .pad")
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
def test_everything_fits_a_phone_in_both_themes(browser, address, task, scheme):
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{address}/?task={task}")
    page.wait_for_selector('[data-testid="stText"], [data-testid="stCaptionContainer"]')
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


def paste(page, text: str) -> None:
    """Pastes into the field that has the focus, as a browser does."""
    page.locator(INPUT).first.evaluate(
        """(node, text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData('text/plain', text);
            const about = { clipboardData, bubbles: true, cancelable: true };
            node.getRootNode().activeElement.dispatchEvent(new ClipboardEvent('paste', about));
        }""",
        text,
    )


def choose_example(page, name: str) -> None:
    page.get_by_role("button", name="Examples").click()
    page.get_by_role("menuitem", name=name).click()
