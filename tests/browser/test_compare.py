"""The Compare page in a real browser, on the real server and models: one server and one page for all tests."""

from urllib.parse import urlencode

import numpy as np
import pytest

import attnviz
from attnviz.analysis.pairs import compare, difference
from tests.browser.parts import expect
from tests.browser.reading import written
from tests.helpers import mechanisms_for

BOARD, SHEET = ".attnviz-board", ".attnviz-sheet"
QUESTION = attnviz.tasks()["trec"].examples[0]


@pytest.fixture(scope="module")
def address(serve):
    return f"{serve('app.py')}/compare"


@pytest.fixture
def page(kept_page):
    return kept_page


@pytest.fixture
def show(page, address):
    """Opens Compare with a link and waits for its first picture."""

    def open_link(fragment: str = "", root: str = BOARD, **parameters):
        page.goto("about:blank")
        page.goto(f"{address}?{urlencode(parameters)}{fragment}")
        page.wait_for_selector(f"{root}[data-painted]")
        return page

    return open_link


def panel(page, number: int):
    return page.locator(f"{BOARD} .panel").nth(number - 1)


def point_at(page, place, key: int, row: int = 0) -> None:
    """Puts the mouse on a cell of a picture."""
    place.scroll_into_view_if_needed()
    x, y = place.locator(".attnviz-picture").evaluate(
        """(root, [key, row]) => {
            const { grid } = root.picture;
            const box = grid.scroller.getBoundingClientRect();
            const x = (grid.edges[key] + grid.edges[key + 1]) / 2 - grid.scroller.scrollLeft;
            return [box.left + grid.spec.labelWidth + x, box.top + grid.head + (row + 0.5) * grid.rowHeight];
        }""",
        [key, row],
    )
    page.mouse.move(x, y)


def figure(page, name: str) -> list[str]:
    return page.locator(f"{BOARD} tr[data-figure={name}] td").all_text_contents()


def shown_difference(page) -> np.ndarray:
    """The numbers that the difference picture draws."""
    root = page.locator(f"{BOARD} .difference .attnviz-picture")
    return np.array(root.evaluate("(root) => Array.from(root.picture.frame.groups[0].raw)"))


def traces(*mechanisms, text=QUESTION):
    return [attnviz.attend(name, text=text) for name in mechanisms]


def test_it_opens_with_two_panels_and_their_difference_in_sight(show):
    page = show()
    expect(page.locator(f"{BOARD} .panel")).to_have_count(2)
    first, second = traces("multi_head", "multi_hop")
    said = panel(page, 2).locator(".predicted .strong")
    expect(said).to_have_text(f"{second.prediction.best} {second.prediction.probabilities.max():.2f}")
    box = page.locator(f"{BOARD} .difference .sentence").bounding_box()
    assert box["y"] + box["height"] < 900


def test_typing_changes_every_panel(show):
    page = show(panels=4)
    for text in ("Who", "Who sang", "Who sang it"):
        page.get_by_label("Sentence", exact=True).fill(text)
        for number, trace in enumerate(traces("multi_head", "multi_hop", "multi_head_self", "capsule", text=text), 1):
            expect(panel(page, number).locator(".word")).to_have_text(text.split())
            wanted = f"{trace.prediction.best} {trace.prediction.probabilities.max():.2f}"
            expect(panel(page, number).locator(".predicted .strong")).to_have_text(wanted)


def test_pointing_in_one_panel_marks_the_item_in_all(show):
    page = show(panels=3)
    point_at(page, panel(page, 1), 2)
    for root in [*(panel(page, number) for number in (1, 2, 3)), page.locator(f"{BOARD} .difference")]:
        expect(root.locator(".word.key")).to_have_text("people")
    weights = traces("multi_hop")[0].map("weights").stacked[:, 0, 2]
    expect(panel(page, 2).locator(".map .number")).to_have_text(written(weights))
    page.mouse.move(1, 1)
    expect(page.locator(f"{BOARD} .word.key")).to_have_count(0)


def test_what_is_pinned_in_one_panel_stays_marked_in_all_when_the_mouse_leaves_another(show):
    page = show(panels=3)
    panel(page, 1).locator(".word").nth(3).click()
    point_at(page, panel(page, 2), 0)
    expect(panel(page, 3).locator(".word.key")).to_have_text("How")
    page.mouse.move(1, 1)
    expect(panel(page, 3).locator(".word.key")).to_have_text("live")
    page.get_by_label("Sentence", exact=True).fill(f"{QUESTION} !")
    expect(panel(page, 3).locator(".word").last).to_have_text("!")
    expect(panel(page, 3).locator(".word.key")).to_have_text("live")


def test_a_finger_marks_in_all_panels(browser, address):
    phone = browser.new_context(viewport={"width": 360, "height": 780}, has_touch=True, is_mobile=True).new_page()
    phone.goto(address)
    phone.wait_for_selector(f"{BOARD}[data-painted]")
    panel(phone, 1).locator(".word").nth(1).tap()
    expect(panel(phone, 2).locator(".word.key")).to_have_text("many")
    phone.context.close()


def test_the_keyboard_marks_in_all_panels_too(show):
    page = show()
    panel(page, 1).locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(panel(page, 2).locator(".word.key")).to_have_text("many")


def test_inputs_of_different_length_mark_the_same_word(show):
    page = show(view="inputs", textA="Who wrote the play ?", textB="When was the play written ?")
    point_at(page, panel(page, 1), 3)
    expect(panel(page, 2).locator(".word.key")).to_have_text("play")
    point_at(page, panel(page, 1), 0)
    expect(panel(page, 1).locator(".word.key")).to_have_text("Who")
    expect(panel(page, 2).locator(".word.key")).to_have_count(0)
    expect(page.locator(f"{BOARD} .difference > .problem")).to_contain_text("words")


@pytest.mark.parametrize("mechanisms", [("multi_head", "multi_hop"), ("multi_head_self", "multi_head_self")])
def test_the_difference_is_the_one_that_numpy_finds(show, mechanisms):
    page = show(mechanism1=mechanisms[0], mechanism2=mechanisms[1], temperature2=0.5)
    first = attnviz.attend(mechanisms[0], text=QUESTION)
    colder = attnviz.intervention.Intervention(temperature=0.5)
    second = attnviz.attend(mechanisms[1], text=QUESTION, intervention=colder)
    expected = difference(first, second)
    np.testing.assert_allclose(shown_difference(page), expected.weights.ravel(), atol=1e-6)
    figures = compare(first, second)
    assert figure(page, "divergence") == [f"{figures.divergence:.3f} bit"]
    assert figure(page, "overlap") == [f"{round(3 * figures.overlap)} of 3"]
    expect(page.locator(f"{BOARD} .difference .kind")).to_contain_text("2 minus 1")


def test_any_pair_can_be_chosen_and_stands_in_the_link(show):
    page = show(panels=3)
    page.get_by_role("group", name="panels").get_by_role("button", name="2 and 3").click()
    expect(page.locator(f"{BOARD} thead th").last).to_have_text("3 · Multi-head self-attention")
    page.wait_for_function("() => location.hash.includes('pair=2.3')")
    _, second, third = traces("multi_head", "multi_hop", "multi_head_self")
    np.testing.assert_allclose(shown_difference(page), difference(second, third).weights.ravel(), atol=1e-6)


def test_a_figure_that_is_missing_says_why(show):
    page = show(task2="sst")
    cell = page.locator(f"{BOARD} tr[data-figure=agreement] td")
    expect(cell).to_have_text("—")
    assert "different" in cell.get_attribute("title") and "different" in cell.get_attribute("aria-label")


def test_masking_a_word_masks_it_in_both_panels_and_can_be_undone(show):
    page = show()
    before = shown_difference(page)
    panel(page, 1).locator(".word").nth(1).click()
    panel(page, 1).get_by_role("button", name="mask").click()
    for number, trace in enumerate(["multi_head", "multi_hop"], 1):
        expect(panel(page, number).locator(".word.masked")).to_have_text("many")
        done = attnviz.intervention.Intervention(masked=frozenset({1}))
        found = attnviz.attend(trace, text=QUESTION, intervention=done).prediction
        wanted = f"{found.best} {found.probabilities.max():.2f}"
        expect(panel(page, number).locator(".predicted .strong")).to_have_text(wanted)
    page.wait_for_function("() => location.search.includes('change2')")
    panel(page, 2).get_by_role("button", name="undo").click()
    expect(page.locator(f"{BOARD} .word.masked")).to_have_count(0)
    np.testing.assert_array_equal(shown_difference(page), before)


def test_a_weight_set_in_one_panel_moves_only_that_panel_and_the_difference(show):
    page = show(mechanism2="multi_head")
    assert not shown_difference(page).any()
    point_at(page, panel(page, 2), 4, row=1)
    page.mouse.down()
    page.mouse.up()
    panel(page, 2).get_by_role("slider", name="weight").fill("80")
    expect(panel(page, 2).locator(".chip")).to_have_count(1)
    expect(panel(page, 1).locator(".chip")).to_have_count(0)
    edited = attnviz.intervention.Intervention(edits=(attnviz.intervention.Edit("weights", (1, 0, 4), 0.8),))
    plain = attnviz.attend("multi_head", text=QUESTION)
    changed = attnviz.attend("multi_head", text=QUESTION, intervention=edited)
    wanted = difference(plain, changed).weights.ravel()
    np.testing.assert_allclose(shown_difference(page), wanted, atol=1e-3)


def test_a_link_restores_everything_in_another_browser(show, browser):
    page = show(panels=3, mechanism3="capsule", n_hops2=6, text="Who sang “Hello” ?")
    page.get_by_role("group", name="panels").get_by_role("button", name="1 and 3").click()
    panel(page, 2).get_by_role("button", name="matrix").click()
    panel(page, 1).locator(".word").nth(2).click()
    page.get_by_role("button", name="Prediction and spread").first.click()
    for wanted in ("pair=1.3", "p2.view", "p1.pin", "more=1"):
        page.wait_for_function("wanted => location.hash.includes(wanted)", arg=wanted)
    link = page.url
    other = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    other.goto(link)
    other.wait_for_selector(f"{BOARD}[data-painted]")
    expect(other.locator(f"{BOARD} thead th").last).to_have_text("3 · Capsule attention")
    expect(panel(other, 2).locator(".about")).to_contain_text("6 hops")
    expect(panel(other, 2).locator(".views [aria-pressed=true]")).to_have_text("matrix")
    expect(panel(other, 3).locator(".word.key")).to_have_text("“")
    expect(panel(other, 1).locator(".card.right")).to_be_visible()
    np.testing.assert_array_equal(shown_difference(other), shown_difference(page))
    other.context.close()


def chosen_pair(page):
    return page.get_by_role("group", name="panels").locator("[aria-pressed=true]")


def test_what_the_server_writes_into_the_link_leaves_the_pair_and_the_views(show):
    kept = ["pair=2.3", "more=1", "p2.view=matrix", "p1.pin=1", "d.view=matrix"]
    page = show(f"#{'&'.join(kept)}", panels=3, text=QUESTION)  # Streamlit takes the text out of the link, and the rest
    expect(chosen_pair(page)).to_have_text("2 and 3")
    panel(page, 1).get_by_role("button", name="mask").click()
    page.wait_for_function("() => location.search.includes('change1')")
    page.wait_for_function("kept => kept.every((part) => location.hash.includes(part))", arg=kept)
    page.evaluate("location.hash = 'pair=1.3'")
    expect(chosen_pair(page)).to_have_text("1 and 3")
    expect(panel(page, 2).locator(".views [aria-pressed=true]")).to_have_text("tokens")


def test_what_the_server_writes_into_the_link_leaves_the_order_of_the_sheet(show):
    order = "#sort=divergence&order=up"
    page = show(order, root=SHEET, view="all", text=QUESTION)
    assert page.get_by_label("Sort by").input_value() == "divergence"
    page.evaluate("history.pushState(history.state, '', `${location.pathname}?view=all&more=yes`)")  # as Streamlit does
    page.wait_for_function("wanted => location.hash === wanted && location.search.includes('yes')", arg=order)


def test_token_text_is_never_markup(show):
    page = show(text="<b onclick=1>x</b> </script>", panels=3)
    assert page.locator(f"{BOARD} b").count() == 0
    expect(panel(page, 1).locator(".word").first).to_have_text("<")


def order(page) -> list[str]:
    return page.locator(f"{SHEET} .card").evaluate_all("cards => cards.map((card) => card.dataset.mechanism)")


def test_the_sheet_is_sorted_by_any_figure_and_keeps_it_in_the_link(show):
    page = show(root=SHEET, view="all")
    names = mechanisms_for("trec")
    assert order(page) == names
    (reference,) = traces("multi_head")
    found = {name: compare(reference, trace).divergence for name, trace in zip(names, traces(*names), strict=True)}
    page.get_by_label("Sort by").select_option("Jensen-Shannon divergence")
    assert order(page) == sorted(names, key=lambda name: -found[name])
    page.get_by_role("button", name="largest first").press("Enter")
    assert order(page) == sorted(names, key=found.get)
    page.wait_for_function("() => location.hash === '#sort=divergence&order=up'")
    page.reload()
    page.wait_for_selector(f"{SHEET}[data-painted]")
    assert order(page) == sorted(names, key=found.get)
    shown = page.locator(f"{SHEET} .card").last.locator("dd.strong")
    expect(shown).to_have_text(f"{max(found.values()):.3f} bit")


def test_pointing_at_a_word_marks_it_on_all_cards_and_says_its_weight(show):
    page = show(root=SHEET, view="all")
    page.locator(f"{SHEET} .card").nth(0).locator(".word").nth(1).hover()
    expect(page.locator(f"{SHEET} .word.key")).to_have_count(len(mechanisms_for("trec")))
    weight = attnviz.attend("multi_head", text=QUESTION).map("weights").stacked.mean((0, 1))[1]
    card = page.locator(f"{SHEET} .card[data-mechanism=multi_head]")
    expect(card.locator(".readout")).to_contain_text(f"many {weight:.4f}")


def test_a_card_puts_its_mechanism_beside_the_reference(show):
    page = show(root=SHEET, view="all", mechanism1="capsule")
    page.get_by_role("button", name="Structured self-attention").click()
    page.wait_for_selector(f"{BOARD}[data-painted]")
    expect(panel(page, 1).locator(".strong").first).to_have_text("Capsule attention")
    expect(panel(page, 2).locator(".strong").first).to_have_text("Structured self-attention (Lin 2017)")


@pytest.mark.parametrize("view", ["side", "inputs", "all"])
@pytest.mark.parametrize("task", ["trec", "cifar10"])
def test_nothing_is_cut_off_on_a_phone(browser, address, view, task):
    phone = browser.new_context(viewport={"width": 360, "height": 780}).new_page()
    phone.goto(f"{address}?view={view}&task1={task}&panels=4")
    root = SHEET if view == "all" else BOARD
    phone.wait_for_selector(f"{root}[data-painted]")
    wide = phone.locator(root).evaluate(
        """(root) => [...root.querySelectorAll('.card, table, .panelhead, .choice, select')]
            .filter((node) => node.getBoundingClientRect().right > innerWidth + 1).length"""
    )
    assert wide == 0
    phone.context.close()
