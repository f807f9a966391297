"""A list of facts in a real browser: typed, moved, deleted, pasted, and brought back."""

from tests.browser.parts import choose_example, expect, fact, focused, given, linked, paste, wait_for
from tests.browser.reading import INPUT
from tests.toy_tasks import STORY, TASKS

LINES = STORY.split("\n")


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
