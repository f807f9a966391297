"""Examples and answers that come late, in a real browser: what was typed and what was chosen do not mix."""

from tests.browser.parts import choose_example, expect, fact, given, linked, wait_for
from tests.browser.reading import INPUT, INPUTS_PAGE
from tests.toy_tasks import STORY, TASKS

LINES = STORY.split("\n")


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

    def test_pictures_and_choices_too(self, kept_page, serve):
        kept_page.goto(f"{serve(INPUTS_PAGE)}/?task=cells")
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
