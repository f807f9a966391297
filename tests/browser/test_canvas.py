"""The live picture in a real browser: what it shows, what it answers to, and that the server is never asked."""

import re
from urllib.parse import quote

import numpy as np
import pytest

from tests.browser.canvas_frames import CASES, ODD, QUESTION
from tests.browser.reading import PICTURE, box_of, cell, colour, linked, numbers, pointed, readout, written

WORDS = QUESTION.split()


def weights(case: str) -> np.ndarray:
    """(map, query, key) of the case's first group, as the browser got them."""
    meta, flat = CASES[case](QUESTION)
    shape = meta["groups"][0]["shape"]
    return np.asarray(flat[: int(np.prod(shape))], np.float64).reshape(shape)


def type_after(page, text: str, shown: str) -> None:
    page.get_by_label("Text").click()
    page.keyboard.press("End")
    page.keyboard.type(text)
    page.wait_for_selector(f"{PICTURE}[data-text='{shown}']")


@pytest.mark.parametrize("case", ["self", "patches", "scales", "one", "long", "odd", "large"])
def test_a_paint_says_what_it_shows(show, case):
    root = show(case).locator(PICTURE)
    meta, _ = CASES[case](QUESTION)
    assert root.get_attribute("data-text") == meta["text"]
    assert root.get_attribute("data-mechanism") == meta["mechanism"]
    assert root.get_attribute("aria-label") == meta["alt"]
    assert int(root.get_attribute("data-painted")) >= 1


def test_typing_repaints_the_same_picture(show):
    page = show("query")
    page.locator(PICTURE).evaluate("root => (root.mine = true)")
    type_after(page, " now", f"{QUESTION} now")
    assert page.locator(PICTURE).evaluate("root => root.mine")
    assert page.locator(f"{PICTURE} .word").all_text_contents() == [*WORDS, "now"]


def test_a_picture_without_maps_still_shows_the_prediction(show):
    page = show("empty")
    assert not page.locator(f"{PICTURE} .left").is_visible()
    assert page.locator(f"{PICTURE} .bar:visible").count() == 6


def test_pointing_shows_the_exact_weight_in_every_map(show):
    page = show("query")
    page.mouse.move(*cell(page, 3))
    pointed(page)
    expected = weights("query")[:, 0, 3]
    assert numbers(page) == written(expected)
    assert readout(page) == f"head 1: query → live {expected[0]:.4f}"
    page.mouse.move(5, 5)
    page.wait_for_selector(f"{PICTURE} .map.pointed", state="detached")


def test_pointing_at_a_word_marks_its_column(show):
    page = show("class")
    page.locator(f"{PICTURE} .word").nth(1).hover()
    pointed(page)
    assert numbers(page) == written(weights("class")[:, 0, 1])


def test_a_token_by_token_map_starts_with_the_mean_and_follows_the_clicked_word(show):
    page = show("self")
    every = weights("self")
    assert numbers(page) == written(every.mean(1).max(-1))
    page.locator(f"{PICTURE} .word").nth(2).click()
    page.mouse.move(5, 5)
    linked(page, "#query=2")
    assert numbers(page) == written(every[:, 2].max(-1))


def test_a_click_pins_and_escape_releases(show):
    page = show("query")
    page.mouse.click(*cell(page, 1))
    page.mouse.move(5, 5)
    linked(page, "#pin=1.0")
    assert numbers(page) == written(weights("query")[:, 0, 1])
    page.locator(f"{PICTURE} .stage").press("Escape")
    linked(page, "")
    assert page.locator(f"{PICTURE} .map.pointed").count() == 0


def test_the_keyboard_walks_over_keys_and_maps(show):
    page = show("query")
    stage = page.locator(f"{PICTURE} .stage")
    every = weights("query")[:, 0]
    steps = [("ArrowRight", 0, 0), ("ArrowRight", 0, 1), ("ArrowDown", 1, 1), ("End", 1, 11), ("Home", 1, 0)]
    for key, map_, word in steps:
        stage.press(key)
        spoken = page.locator(f"{PICTURE} .unseen").text_content()
        assert spoken == f"head {map_ + 1}: query → {WORDS[word]} {written(every[map_, [word]])[0]}"
    stage.press("Enter")
    linked(page, "#pin=0.1")
    stage.press("Escape")
    linked(page, "")


def test_in_an_enlarged_matrix_the_keyboard_walks_over_queries(show):
    page = show("self", "#view=matrix&big=2")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.locator(f"{PICTURE} .stage").press(key)
    assert readout(page) == f"head 3: many → many {weights('self')[2, 1, 1]:.4f}"


def test_small_weights_can_be_hidden(show):
    page = show("query")
    before = colour(page)
    page.locator(f"{PICTURE} .tools input[type=range]").first.fill("60")
    assert colour(page)[0] > before[0] + 5  # lighter, on light paper
    assert re.fullmatch(r"#hide=0\.\d+", page.evaluate("location.hash"))


def test_a_hidden_map_is_left_out_of_the_mean(show):
    page = show("query")
    label = page.locator(f"{PICTURE} .map").first
    label.click()
    linked(page, "#off=0")
    assert label.get_attribute("aria-pressed") == "false"
    page.mouse.move(5, 5)
    page.wait_for_selector(f"{PICTURE} .map.pointed", state="detached")
    assert numbers(page)[0] == "hidden"
    page.locator(f"{PICTURE} .word").nth(4).hover()
    pointed(page)
    assert readout(page) == f"mean of 7 heads: query → in {weights('query')[1:, 0, 4].mean():.4f}"
    label.click()
    linked(page, "")


def test_a_double_click_leaves_one_map_and_another_brings_all_back(show):
    page = show("query")
    on = page.locator(f"{PICTURE} .map[aria-pressed=true]")
    page.locator(f"{PICTURE} .map").nth(2).dblclick()
    assert on.all_text_contents()[0].startswith("head 3")
    assert on.count() == 1
    page.locator(f"{PICTURE} .map").nth(2).dblclick()
    assert on.count() == 8


@pytest.mark.parametrize(("case", "view"), [("self", "matrix"), ("self", "arcs"), ("picture", "overlay")])
def test_a_map_can_be_enlarged(show, case, view):
    page = show(case, f"#view={view}")
    figures = page.locator(f"{PICTURE} figure:visible")
    assert figures.count() == 4
    figures.nth(1).hover()
    page.locator(f"{PICTURE} .enlarge").nth(1).click()
    assert page.locator(f"{PICTURE} .bigbar").text_content().startswith("head 2")
    assert figures.count() <= 1
    page.locator(f"{PICTURE} .stage").press("Escape")
    page.locator(f"{PICTURE} .stage").press("Escape")
    assert figures.count() == 4


def test_in_a_matrix_pointing_marks_the_cell_in_every_map(show):
    page = show("self", "#view=matrix")
    box = box_of(page, "figure canvas")
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5)
    pointed(page)
    assert numbers(page) == written(weights("self")[:, -1, -1])


def test_on_a_picture_pointing_marks_the_patch_in_every_map(show):
    page = show("picture")
    page.wait_for_timeout(200)
    box = box_of(page, "figure canvas")
    assert abs(box["width"] / box["height"] - 1.5) < 0.02
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.3)
    pointed(page)
    assert numbers(page) == written(weights("picture")[:, 0, 2 * 8 + 1])
    assert "row 3, column 2" in readout(page)


def test_clicking_a_patch_looks_from_there(show):
    page = show("patches")
    page.wait_for_timeout(200)
    box = box_of(page, "figure canvas")
    place = box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.3
    page.mouse.click(*place)
    linked(page, "#query=17")
    page.mouse.move(place[0] + 1, place[1])
    pointed(page)
    assert numbers(page) == written(weights("patches")[:, 17, 17])


def test_opacity_goes_from_the_bare_picture_to_the_bare_weights(show):
    page = show("picture")
    seen = []
    for value in ("0", "60", "100"):
        page.locator(f"{PICTURE} .tools input[type=range]").nth(1).fill(value)
        seen.append(colour(page, "figure canvas"))
    assert np.abs(seen[0] - seen[1]).max() > 5
    assert np.abs(seen[1] - seen[2]).max() > 5
    linked(page, "#opacity=1")


def test_a_link_restores_the_selection(show):
    page = show("self", "#view=matrix&pin=3.1&query=2&off=0&hide=0.05")
    expected = written(weights("self")[:, 2, 3])
    for _ in range(2):
        assert page.locator(PICTURE).get_attribute("data-view") == "matrix"
        assert numbers(page) == expected
        assert page.locator(f"{PICTURE} .map[aria-pressed=false]").count() == 1
        page.reload()
        pointed(page)


def test_the_selection_survives_typing_and_what_the_server_writes_into_the_link(show):
    page = show("query", "#pin=1.0&hide=0.1")
    type_after(page, " now", f"{QUESTION} now")
    linked(page, "#pin=1.0&hide=0.1")
    page.get_by_role("button", name="Say it in the link").click()
    page.wait_for_url("**said=yes**")
    linked(page, "#pin=1.0&hide=0.1")
    assert "text=how+many" in page.url


def test_a_selection_is_found_although_the_link_says_a_default(show):
    page = show("query", f"&text={quote(QUESTION)}#pin=1.0")  # Streamlit takes the text out of the link, and the rest
    pointed(page)
    linked(page, "#pin=1.0")
    page.locator(f"{PICTURE} .stage").press("Escape")
    linked(page, "")


@pytest.mark.parametrize("fragment", ["#view=<b>&pin=99.99&off=x.77&hide=-1&big=400&group=9", "#pin=NaN&hide=1e4&%E0"])
def test_a_link_that_does_not_parse_is_ignored(show, fragment):
    page = show("query", fragment)
    assert page.locator(PICTURE).get_attribute("data-view") == "tokens"
    assert page.locator(f"{PICTURE} .map.pointed").count() == 0
    assert page.locator(f"{PICTURE} .map[aria-pressed=false]").count() == 0


def test_a_pin_beyond_a_shortened_text_is_dropped(show):
    page = show("query", "#pin=11")
    page.get_by_label("Text").fill("how many")
    page.wait_for_selector(f"{PICTURE}[data-text='how many']")
    assert page.locator(f"{PICTURE} .map.pointed").count() == 0
    linked(page, "")


@pytest.mark.parametrize(("case", "view"), [("odd", "tokens"), ("odd_self", "matrix"), ("odd_self", "arcs")])
def test_tokens_are_never_markup(show, case, view):
    page = show(case, f"#view={view}")
    page.locator(f"{PICTURE} .word").first.hover()
    assert page.locator(f"{PICTURE} .word").all_text_contents() == ODD
    assert page.locator(f"{PICTURE} img").count() == 0
    assert page.evaluate("window.broken") is None


def test_groups_can_be_chosen(show):
    page = show("scales")
    assert page.locator(f"{PICTURE} .kind").text_content() == "does not sum to one"
    page.locator(f"{PICTURE} .groups button").nth(1).click()
    assert page.locator(f"{PICTURE} .low").text_content().startswith("−")
    linked(page, "#group=1")


def test_independent_and_untrained_are_said(show):
    page = show("class")
    assert page.get_by_text("independent yes/no per class").is_visible()
    assert page.get_by_text("untrained").is_visible()
    assert not show("query").get_by_text("untrained").is_visible()


def test_the_dark_theme_has_its_own_colours(show):
    page = show("query")
    light = colour(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector(f"{PICTURE}[data-theme=dark]")
    assert np.abs(colour(page) - light).max() > 30


@pytest.mark.parametrize("case", ["class", "self", "picture", "large"])
def test_a_phone_never_scrolls_the_page_sideways(show, page, case):
    page.set_viewport_size({"width": 360, "height": 800})
    show(case)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    left, right = box_of(page, ".left"), box_of(page, ".right")
    assert left["y"] + left["height"] <= right["y"]
    assert left["width"] <= 360


def test_picture_prediction_and_words_are_above_the_fold(show):
    page = show("query")
    for part in (".left", ".right", ".words"):
        box = box_of(page, part)
        assert box["y"] + box["height"] <= 900


def test_with_reduced_motion_colours_are_there_at_once(show, page):
    page.emulate_media(reduced_motion="reduce")
    show("query")
    assert page.locator(f"{PICTURE} .word").first.evaluate("word => getComputedStyle(word).transitionDuration") == "0s"
    page.get_by_label("Text").fill("who wrote it")
    page.wait_for_selector(f"{PICTURE}[data-text='who wrote it']")
    assert page.locator(PICTURE).evaluate("root => root.picture.grid.progress") == 1


def test_a_gesture_never_asks_the_server(show, page):
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    show("query")
    page.wait_for_timeout(400)
    assert sent
    sent.clear()
    page.mouse.click(*cell(page, 2))
    page.locator(f"{PICTURE} .map").first.click()
    page.locator(f"{PICTURE} .views button").nth(1).click()
    page.locator(f"{PICTURE} .tools input[type=range]").first.fill("30")
    page.wait_for_timeout(400)
    assert sent == []


def test_a_key_press_sends_the_weights_and_not_the_script(show, page):
    received = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    show("query")
    assert max(received) > 20_000  # the script, once
    received.clear()
    page.get_by_label("Text").fill("who wrote it")
    page.wait_for_selector(f"{PICTURE}[data-text='who wrote it']")
    assert max(received) < 10_000
