"""Changing things in Explore, on the real server and models: what is shown is what the library computes."""

import json
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest

import attnviz
from attnviz.intervention import Intervention
from tests.browser.parts import expect
from tests.browser.reading import PICTURE, cell, numbers, written

TEXT = "Who wrote the first novel about time travel ?"


@pytest.fixture(scope="module")
def address(serve):
    return serve("app.py")


@pytest.fixture
def page(kept_page):
    return kept_page


@pytest.fixture
def show(page, address):
    """Opens Explore with a link and waits for its picture."""

    def open_link(fragment: str = "", **parameters):
        page.goto("about:blank")
        page.goto(f"{address}/?{urlencode({'text': TEXT, **parameters})}{fragment}")
        page.wait_for_selector(f"{PICTURE}[data-painted]")
        return page

    return open_link


def button(page, name: str):
    return page.locator(PICTURE).get_by_role("button", name=name, exact=True)


def seen(page) -> dict:
    """Everything that the picture was given and shows: weights, prediction, its place in the link, and its pixels."""
    page.wait_for_timeout(400)  # colours have faded
    return page.locator(PICTURE).evaluate(
        """root => ({
            weights: Array.from(root.picture.frame.groups[0].raw),
            prediction: root.picture.frame.meta.prediction.probabilities,
            pixels: root.querySelector('.cells').toDataURL(),
        })"""
    )


def asked(page) -> Intervention:
    """The change that stands in the link, without temperature and alignment."""
    return Intervention.from_plain(json.loads(parse_qs(urlsplit(page.url).query).get("change", ["{}"])[0]))


def is_what_the_library_computes(page, mechanism: str = "multi_head") -> None:
    trace = attnviz.attend(mechanism, text=TEXT, intervention=asked(page))
    found = seen(page)
    np.testing.assert_array_equal(np.float32(found["weights"]), trace.maps[0].weights.ravel())
    np.testing.assert_array_equal(np.float32(found["prediction"]), trace.prediction.probabilities)


def test_a_weight_is_dragged_and_undo_goes_back_to_the_very_same_picture(show):
    page = show("#pin=4.1")
    page.mouse.move(1, 1)
    before = seen(page)
    x, y = cell(page, 4, 1)
    page.mouse.move(x, y)
    page.mouse.down()
    for up in (15, 40, 70):
        page.mouse.move(x, y - up)
    page.mouse.up()
    page.wait_for_function("() => location.search.includes('edits')")
    page.wait_for_timeout(1000)
    (edit,) = asked(page).edits
    assert edit.at == (1, 0, 4) and edit.weight > np.reshape(before["weights"], (8, -1))[1, 4]
    is_what_the_library_computes(page)
    row = np.float32(seen(page)["weights"]).reshape(8, -1)[1]
    assert abs(row.sum() - 1) < 1e-6 and abs(row[4] - edit.weight) < 1e-6
    button(page, "undo").click()
    page.wait_for_function("() => !location.search.includes('edits')")
    page.mouse.move(1, 1)
    assert seen(page) == before
    button(page, "redo").click()
    page.wait_for_function("() => location.search.includes('edits')")
    is_what_the_library_computes(page)


def test_mask_swap_and_switch_off_one_after_the_other_and_reset(show):
    page = show("#pin=4.1")
    before = seen(page)["weights"]
    button(page, "mask “novel”").click()
    page.wait_for_function("() => location.search.includes('masked')")
    button(page, "switch off head 2").click()
    page.wait_for_function("() => location.search.includes('head')")
    field = page.locator(PICTURE).get_by_label("swap “novel” for")
    field.fill("poem")
    field.press("Enter")
    page.wait_for_function("() => location.search.includes('poem')")
    expect(page.locator(f"{PICTURE} .chip")).to_have_count(3)
    assert asked(page) == Intervention(masked=frozenset({4}), off={"head": frozenset({1})}, swapped={4: "poem"})
    is_what_the_library_computes(page)
    button(page, "reset").click()
    page.wait_for_function("() => !location.search.includes('change')")
    assert seen(page)["weights"] == before


def test_a_swap_that_is_not_one_word_is_refused_with_a_sentence(show):
    page = show("#pin=4.1")
    field = page.locator(PICTURE).get_by_label("swap “novel” for")
    field.fill("two words")
    field.press("Enter")
    page.get_by_text("“two words” is not one word").wait_for()
    assert asked(page).is_nothing


def test_undo_moves_the_slider_back_too(show):
    page = show()
    before = seen(page)
    page.get_by_role("slider", name="Temperature").press("ArrowRight")
    page.wait_for_function("() => location.search.includes('temperature=1.1')")
    assert seen(page)["weights"] != before["weights"]
    button(page, "undo").click()
    page.wait_for_function("() => !location.search.includes('temperature')")
    assert seen(page) == before
    expect(page.get_by_role("slider", name="Temperature")).to_have_value("1")


def test_a_change_opens_in_a_second_browser_with_before_and_difference(show, browser):
    change = {"masked": [4], "off": {"head": [0]}}
    page = show("#pin=1.2&show=difference", change=json.dumps(change))
    after, before = (
        attnviz.attend("multi_head", text=TEXT, intervention=i).maps[0].weights for i in (asked(page), None)
    )
    moved = after[:, 0, 1].astype(float) - before[:, 0, 1]
    expect(page.locator(f"{PICTURE} .map .number").first).to_have_text(written_signed(moved[:1])[0])
    assert numbers(page) == written_signed(moved)
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    other = context.new_page()
    other.goto(page.url)
    other.wait_for_selector(f"{PICTURE}[data-painted]")
    assert seen(other)["weights"] == seen(page)["weights"] and numbers(other) == numbers(page)
    context.close()


def written_signed(values: np.ndarray) -> list[str]:
    return [("−" if value < 0 else "") + written(np.abs([value]))[0] for value in values]
