"""Facts in the live picture: one below another, a column for each hop, and the way of the query from hop to hop."""

import numpy as np
import pytest

from tests.browser.canvas_frames import CASES, STORY
from tests.browser.reading import PICTURE, box_of, linked, numbers, pointed, readout, sent, written


def weights(case: str) -> np.ndarray:
    """(hop, fact)"""
    meta, flat = CASES[case]("")
    maps, _, facts = meta["groups"][0]["shape"]
    return np.asarray(flat[: maps * facts], np.float64).reshape(maps, facts)


def fact(page, key: int):
    return page.locator(f"{PICTURE} .fact").nth(key)


def cell(page, key: int, hop: int):
    return fact(page, key).locator(".factcell").nth(hop)


def inside(page, inner, outer: str = ".factbox") -> bool:
    """Whether a part is in sight within the box that scrolls."""
    part, box = inner.bounding_box(), box_of(page, outer)
    return box["y"] - 1 <= part["y"] and part["y"] + part["height"] <= box["y"] + box["height"] + 1


def test_facts_are_listed_whole_in_their_order_with_their_weights(show):
    page = show("facts")
    assert page.locator(PICTURE).get_attribute("data-view") == "facts"
    assert page.locator(f"{PICTURE} .factsaid").all_text_contents() == STORY
    assert page.locator(f"{PICTURE} .fact .factnumber").all_text_contents() == ["1", "2", "3", "4", "5"]
    shown = [[cell(page, key, hop).text_content() for key in range(5)] for hop in range(3)]
    assert shown == [[f"{w:.2f}"[1:] if w >= 0.005 else "" for w in row] for row in weights("facts")]
    assert numbers(page) == written(weights("facts").max(1))
    assert not page.locator(f"{PICTURE} .sentence").is_visible()
    assert page.locator(f"{PICTURE} .views button").all_text_contents() == ["facts", "matrix"]
    assert page.get_by_text("effective number of facts, entropy").is_visible()


def test_a_darker_cell_is_a_larger_weight(show):
    page = show("facts")
    page.wait_for_timeout(200)
    dark = [
        [
            sum(map(int, cell(page, key, hop).evaluate(COLOUR).removeprefix("rgb(").rstrip(")").split(",")))
            for key in range(5)
        ]
        for hop in range(3)
    ]
    assert np.array_equal(np.argmin(dark, 1), weights("facts").argmax(1))


COLOUR = "node => getComputedStyle(node).backgroundColor"


def ends(page) -> list[list[float]]:
    """Where the lines begin and end, in the window: x, y, x, y."""
    return page.locator(f"{PICTURE} .factlines path").evaluate_all(
        """paths => paths.map((path) => {
            const box = path.ownerSVGElement.getBoundingClientRect();
            const at = (share) => path.getPointAtLength(share * path.getTotalLength());
            const [from, to] = [at(0), at(1)];
            return [from.x + box.left, from.y + box.top, to.x + box.left, to.y + box.top];
        })"""
    )


def test_a_line_leads_from_each_hops_largest_weight_to_the_next(show):
    page = show("facts")
    places = [cell(page, key, hop).bounding_box() for hop, key in enumerate(weights("facts").argmax(1))]
    middle = [box["y"] + box["height"] / 2 for box in places]
    expected = [
        [places[hop]["x"] + places[hop]["width"], middle[hop], places[hop + 1]["x"], middle[hop + 1]] for hop in (0, 1)
    ]
    np.testing.assert_allclose(ends(page), expected, atol=0.6)
    page.locator(f"{PICTURE} .map").nth(1).click()  # a hidden hop is passed over
    (line,) = ends(page)
    np.testing.assert_allclose(line, [*expected[0][:2], *expected[1][2:]], atol=0.6)


def test_a_hop_that_prefers_no_fact_is_passed_over(show):
    page = show("facts_even")
    even = cell(page, 0, 1).bounding_box()
    (line,) = ends(page)
    assert line[0] < even["x"] and line[2] > even["x"] + even["width"]


def test_maps_that_do_not_follow_one_another_have_no_lines(show):
    assert show("fact_heads").locator(f"{PICTURE} .factlines path").count() == 0


def test_pointing_pinning_and_letting_go(show):
    page = show("facts")
    every = weights("facts")
    cell(page, 3, 1).hover()
    pointed(page)
    assert numbers(page) == written(every[:, 3])
    assert readout(page) == f"hop 2: query → {STORY[3]} {every[1, 3]:.4f}"
    cell(page, 3, 1).click()
    page.mouse.move(5, 5)
    linked(page, "#pin=3.1")
    assert page.locator(f"{PICTURE} .factcell.here").count() == 1
    assert page.locator(f"{PICTURE} .factcell.pointed").count() == 3
    page.locator(f"{PICTURE} .stage").press("Escape")
    linked(page, "")
    assert page.locator(f"{PICTURE} .factcell.pointed").count() == 0


def test_the_keyboard_goes_down_the_facts_and_across_the_hops(show):
    page = show("facts")
    stage = page.locator(f"{PICTURE} .stage")
    every = weights("facts")
    steps = [("ArrowDown", 0, 0), ("ArrowDown", 0, 1), ("ArrowRight", 1, 1), ("End", 1, 4), ("ArrowUp", 1, 3)]
    for key, hop, which in steps:
        stage.press(key)
        spoken = page.locator(f"{PICTURE} .unseen").text_content()
        assert spoken == f"hop {hop + 1}: query → {STORY[which]} {written(every[hop, [which]])[0]}"
    stage.press("Enter")
    linked(page, "#pin=3.1")


def test_a_hop_can_be_enlarged(show):
    page = show("facts")
    page.locator(f"{PICTURE} .factname .enlarge").nth(1).click()
    linked(page, "#big=1")
    assert page.locator(f"{PICTURE} .bigbar").text_content().startswith("hop 2")
    assert page.locator(f"{PICTURE} .factcell").count() == 5
    assert cell(page, 3, 0).text_content() == f"{weights('facts')[1, 3]:.4f}"
    page.locator(f"{PICTURE} .bigbar button").click()
    assert page.locator(f"{PICTURE} .factcell").count() == 15


def test_small_weights_can_be_hidden(show):
    page = show("facts")
    assert cell(page, 0, 0).text_content() == ".08"
    page.locator(f"{PICTURE} .tools input[type=range]").first.fill("60")
    assert cell(page, 0, 0).text_content() == "" and cell(page, 1, 0).text_content() == ".92"
    assert "faint" in fact(page, 0).get_attribute("class")


def test_the_largest_of_two_hundred_facts_are_found_one_after_the_other(show):
    page = show("facts_200")
    box = box_of(page, ".factbox")
    assert box["height"] <= 430
    assert "faint" in fact(page, 5).get_attribute("class") and "faint" not in fact(page, 120).get_attribute("class")
    assert fact(page, 5).bounding_box()["height"] < fact(page, 120).bounding_box()["height"]
    for hop, key in enumerate((180, 40, 120)):
        assert not inside(page, fact(page, key))
        page.get_by_role("button", name="find the largest").click()
        linked(page, f"#pin={key}.{hop}")
        assert inside(page, fact(page, key))
        assert readout(page).startswith(f"hop {hop + 1}: query → ")
    page.get_by_role("button", name="find the largest").click()
    linked(page, "#pin=180.0")


def test_the_strip_beside_two_hundred_facts_shows_where_weight_is_and_leads_there(show):
    page = show("facts_200")
    strip = box_of(page, ".factlist .overview")
    rows = page.locator(f"{PICTURE} .factlist .overview").evaluate(
        """canvas => {
            const { data } = canvas.getContext('2d').getImageData(canvas.width / 2, 0, 1, canvas.height);
            return Array.from({ length: canvas.height }, (_, y) => data[4 * y]);
        }"""
    )
    dark = [y for y, red in enumerate(rows) if red < 60]
    height = page.locator(f"{PICTURE} .factbox").evaluate("box => box.scrollHeight")
    first = fact(page, 0).bounding_box()["y"] - box_of(page, ".factbox")["y"]
    for key in (40, 120, 180):
        place = fact(page, key).bounding_box()
        middle = (place["y"] + place["height"] / 2 - fact(page, 0).bounding_box()["y"] + first) / height * len(rows)
        assert min(abs(y - middle) for y in dark) <= 2
    place = fact(page, 120).bounding_box()
    down = (place["y"] - box_of(page, ".factbox")["y"]) / height * strip["height"]
    page.mouse.click(strip["x"] + 6, strip["y"] + down)
    assert inside(page, fact(page, 120))


def test_a_link_to_a_fact_far_below_shows_it(show):
    page = show("facts_200", "#pin=150.2")
    pointed(page)
    assert inside(page, fact(page, 150))


def test_few_facts_need_no_strip(show):
    page = show("facts")
    assert not page.locator(f"{PICTURE} .factlist .overview").is_visible()
    assert not page.get_by_role("button", name="find the largest").is_visible()


@pytest.mark.parametrize("case", ["facts", "facts_6", "facts_200"])
def test_on_a_phone_every_hop_is_in_sight_and_nothing_scrolls_sideways(show, case):
    page = show(case, width=360)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    hops = len(weights(case))
    box, last = box_of(page, ".factbox"), cell(page, 0, hops - 1).bounding_box()
    assert last["x"] + last["width"] <= box["x"] + box["width"] + 1
    names = page.locator(f"{PICTURE} .factname .name").all_text_contents()
    assert names == [str(hop + 1) for hop in range(hops)] and page.get_by_text("hop", exact=True).is_visible()


def test_a_fact_is_forgotten(show):
    page = show("facts", "#pin=1.0", done={})
    button = page.get_by_role("button", name="mask fact 2", exact=True)
    assert "forgotten" in button.get_attribute("title")
    assert not page.locator(f"{PICTURE} .swap").is_visible()  # a fact is not one word
    button.click()
    assert sent(page, 1) == [{"what": "mask", "key": 1, "on": True}]
    page.wait_for_selector(f"{PICTURE} .fact.masked")
    assert fact(page, 1).locator(".factsaid").evaluate("n => getComputedStyle(n).textDecorationLine") == "line-through"
    assert "repeating-linear-gradient" in cell(page, 1, 0).evaluate("n => getComputedStyle(n).backgroundImage")
    shown = page.locator(f"{PICTURE} .shows")
    shown.get_by_text("before").click()
    assert cell(page, 1, 0).text_content() == ".92" and page.locator(f"{PICTURE} .fact.masked").count() == 0
    shown.get_by_text("difference").click()
    assert cell(page, 1, 0).text_content() == "−.92"
    assert page.locator(f"{PICTURE} .factlines path").count() == 0


SETTLED = """() => [...document.querySelectorAll('*')].some((node) =>
    node.shadowRoot?.querySelector('.attnviz-picture')?.picture.changes.steering.weight === null)"""


def test_the_pinned_weight_is_dragged(show):
    page = show("facts", "#pin=0.0", done={})
    box = cell(page, 0, 0).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for up in (10, 20, 45):
        page.mouse.move(x, y - up)
    page.mouse.up()
    event = sent(page, 1)[-1]
    assert event["what"] == "edit" and event["at"] == [0, 0, 0]
    page.wait_for_selector(f"{PICTURE} .factcell.edited")
    page.wait_for_function(SETTLED)
    final = sent(page, 1)[-1]["weight"]
    assert abs(final - (weights("facts")[0, 0] + 45 / 150)) < 1e-4
    linked(page, "#pin=0.0")


def test_a_gesture_never_asks_the_server(show, page):
    asked = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: asked.append(frame)))
    show("facts_200")
    page.wait_for_timeout(400)
    assert asked
    asked.clear()
    page.get_by_role("button", name="find the largest").click()
    page.locator(f"{PICTURE} .map").first.click()
    page.locator(f"{PICTURE} .factname .enlarge").first.click()
    page.wait_for_timeout(400)
    assert asked == []
