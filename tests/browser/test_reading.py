"""Long texts to be read, and marked words, in the live picture."""

import numpy as np
import pytest

from tests.browser.canvas_frames import CASES, QUESTION
from tests.browser.reading import PICTURE, box_of, linked, numbers, pointed, readout, written

WORDS = QUESTION.split()


def weights(case: str) -> np.ndarray:
    """(map, query, key)"""
    meta, flat = CASES[case](QUESTION)
    shape = meta["groups"][0]["shape"]
    return np.asarray(flat[: int(np.prod(shape))], np.float64).reshape(shape)


def word(page, key: int):
    return page.locator(f"{PICTURE} .readtext .word").nth(key)


def views(page) -> list[str]:
    return page.locator(f"{PICTURE} .views button").all_text_contents()


def background(page, key: int) -> list[int]:
    text = word(page, key).evaluate("node => getComputedStyle(node).backgroundColor")
    return [int(part) for part in text.removeprefix("rgb(").rstrip(")").split(",")]


def in_sight(page, key: int) -> bool:
    part, box = word(page, key).bounding_box(), box_of(page, ".readtext")
    return box["y"] <= part["y"] and part["y"] + part["height"] <= box["y"] + box["height"]


def test_a_long_text_is_read_first_of_all(show):
    page = show("report_1")
    assert views(page) == ["reading", "tokens", "matrix", "arcs"]
    assert page.locator(PICTURE).get_attribute("data-view") == "reading"
    assert page.locator(f"{PICTURE} .readtext .word").all_text_contents() == CASES["report_1"]("")[0]["items"]
    assert not page.locator(f"{PICTURE} .sentence").is_visible()


def test_a_short_text_offers_it_as_a_choice(show):
    page = show("query")
    assert views(page) == ["tokens", "matrix", "arcs", "reading"]
    page.locator(f"{PICTURE} .views").get_by_text("reading").click()
    linked(page, "#view=reading")
    assert page.locator(f"{PICTURE} .readtext .word").all_text_contents() == WORDS
    page.reload()
    page.wait_for_selector(f"{PICTURE}[data-view=reading]")


def test_a_text_that_becomes_long_is_read_unless_a_view_was_chosen(show):
    page = show("query")
    for wanted, chosen in (("reading", None), ("matrix", "matrix")):
        if chosen:
            page.locator(f"{PICTURE} .views").get_by_text(chosen).click()
        long = f"{QUESTION} {QUESTION} {QUESTION} {QUESTION}"
        page.get_by_label("Text").fill(long)
        page.wait_for_selector(f"{PICTURE}[data-text='{long}']")
        assert page.locator(PICTURE).get_attribute("data-view") == wanted
        page.get_by_label("Text").fill(QUESTION)
        page.wait_for_selector(f"{PICTURE}[data-text='{QUESTION}']")


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_words_flow_as_a_paragraph_and_punctuation_stays_with_its_word(show, width):
    page = show("report_1", width=width)
    items = CASES["report_1"]("")[0]["items"]
    comma = items.index(",")
    before, mark, after = (word(page, comma + i).bounding_box() for i in (-1, 0, 1))
    assert abs(before["x"] + before["width"] - mark["x"]) < 1
    assert after["x"] - mark["x"] - mark["width"] >= 3 or after["y"] > mark["y"]
    lines = {round(word(page, key).bounding_box()["y"]) for key in range(0, 400, 5)}
    assert 15 <= len(lines) <= 90
    starts = page.locator(f"{PICTURE} .readtext .word").evaluate_all(
        "words => words.filter((w, i) => i && w.offsetLeft < words[i - 1].offsetLeft).map((w) => w.textContent)"
    )
    assert len(starts) > 10 and not {",", "."} & set(starts)


def test_words_with_weight_are_tinted(show):
    page = show("report_1")
    page.wait_for_timeout(200)
    row = weights("report_1")[0, 0]
    strongest, weakest = int(row.argmax()), int(row.argmin())
    assert sum(background(page, strongest)) < sum(background(page, weakest)) - 200


def test_a_few_maps_are_lines_under_each_word(show):
    page = show("report_3")
    assert (
        page.locator(f"{PICTURE} .readorder").text_content()
        == "lines under a word, from the top: head 1, head 2, head 3"
    )
    every = weights("report_3")[:, 0]
    for head in range(3):
        key = int(every[head].argmax())
        layers = word(page, key).evaluate("node => getComputedStyle(node).backgroundImage").count("linear-gradient")
        assert layers == 1 + (every[:, key] >= 0.02 * every.max()).sum()
    box = word(page, int(every[1].argmax())).bounding_box()
    page.mouse.move(box["x"] + 6, box["y"] + box["height"] - 6)  # the second of three lines of four pixels
    pointed(page)
    assert readout(page).startswith("head 2: query → ") and readout(page).endswith(f"{every[1].max():.4f}")
    page.mouse.move(box["x"] + 6, box["y"] + 8)
    page.wait_for_function("() => !0")
    assert readout(page).startswith("mean of 3 heads: query → ")


def test_with_many_maps_one_is_read_alone(show):
    page = show("report")
    assert page.locator(f"{PICTURE} .readorder").text_content() == "double click a name to read with it alone"
    assert page.locator(f"{PICTURE} .readnames .map").count() == 8
    row = weights("report")[4, 0]
    key = int(row.argmax())
    pale = sum(background(page, key))
    page.locator(f"{PICTURE} .readnames .map").nth(4).dblclick()
    page.wait_for_timeout(250)
    assert sum(background(page, key)) < pale - 60
    page.mouse.move(5, 5)
    assert readout(page).startswith("The text shows the head 5.")


def test_pointing_pinning_and_the_keyboard(show):
    page = show("report_1")
    row = weights("report_1")[0, 0]
    word(page, 7).hover()
    page.wait_for_selector(f"{PICTURE} .readout.pointed")
    assert readout(page).endswith(written(row[[7]])[0])
    word(page, 7).click()
    page.mouse.move(5, 5)
    linked(page, "#pin=7.0")
    stage = page.locator(f"{PICTURE} .stage")
    stage.press("End")
    assert in_sight(page, 399)
    assert page.locator(f"{PICTURE} .unseen").text_content().endswith(written(row[[399]])[0])
    stage.press("Escape")
    linked(page, "")


def test_pointing_moves_no_word(show):
    page = show("report")
    page.mouse.move(5, 5)
    last = page.locator(f"{PICTURE} .readnames .map").last
    before = word(page, 60).bounding_box(), last.bounding_box()
    word(page, 8).hover()
    pointed(page)
    assert (word(page, 60).bounding_box(), last.bounding_box()) == before


def test_the_largest_weight_of_a_long_text_is_found(show):
    page = show("report")
    for head in (0, 1):
        page.get_by_role("button", name="find the largest").click()
        key = int(weights("report")[head, 0].argmax())
        linked(page, f"#pin={key}.{head}")
        assert in_sight(page, key)
    assert page.locator(f"{PICTURE} .reading .overview").is_visible()


def test_in_a_token_by_token_map_a_click_looks_from_a_word(show):
    page = show("self", "#view=reading")
    every = weights("self")
    word(page, 2).click()
    page.mouse.move(5, 5)
    linked(page, "#view=reading&query=2")
    word(page, 5).hover()
    pointed(page)
    assert numbers(page) == written(every[:, 2, 5])
    assert page.locator(f"{PICTURE} .word.query").all_text_contents() == [WORDS[2]]


def test_a_word_is_masked_and_its_weight_dragged(show):
    page = show("report", "#pin=3.0", done={})
    page.get_by_role("button", name="mask “had”", exact=True).click()
    page.wait_for_selector(f"{PICTURE} .readtext .word.masked")
    page.get_by_role("button", name="unmask “had”", exact=True).click()
    page.wait_for_selector(f"{PICTURE} .readtext .word.masked", state="detached")
    box = word(page, 3).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 10)
    page.mouse.move(x, y - 75)
    page.mouse.up()
    page.wait_for_selector(f"{PICTURE} .chip", state="visible")
    page.wait_for_function("() => /0\\.5/.test(document.querySelector('[data-testid=stText]').textContent)")


def test_on_a_phone_a_long_text_wraps_and_nothing_scrolls_sideways(show):
    page = show("report", width=360)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = box_of(page, ".readtext")
    for key in range(0, 400, 37):
        part = word(page, key).bounding_box()
        assert box["x"] <= part["x"] and part["x"] + part["width"] <= box["x"] + box["width"] + 1


def test_words_that_are_read_are_never_markup(show):
    page = show("odd", "#view=reading")
    assert page.locator(f"{PICTURE} .readtext .word").all_text_contents() == CASES["odd"]("")[0]["items"]
    assert page.locator(f"{PICTURE} img").count() == 0 and page.evaluate("window.broken") is None


def framed(page, box: str) -> list[str]:
    return page.locator(f"{PICTURE} {box} .word.target").evaluate_all(
        "words => words.filter((w) => getComputedStyle(w).outlineStyle === 'solid').map((w) => w.textContent)"
    )


@pytest.mark.parametrize(("view", "box"), [("tokens", ".sentence"), ("matrix", ".sentence"), ("reading", ".readtext")])
def test_the_target_is_framed_and_in_the_legend(show, view, box):
    page = show("target", f"#view={view}")
    assert framed(page, box) == WORDS[2:4]
    assert page.locator(f"{PICTURE} .legend .targetname").is_visible()
    assert not show("query", f"#view={view}").locator(f"{PICTURE} .legend .targetname").is_visible()


@pytest.mark.parametrize(
    ("case", "plain", "view"),
    [("target", "query", "tokens"), ("target_self", "self", "arcs"), ("target_self", "self", "matrix")],
)
def test_the_target_is_framed_where_labels_are_drawn(show, case, plain, view):
    """The frame is ink on the canvas that is not there without a target."""
    canvas = ".cells" if view == "tokens" else "figure canvas"
    with_target, without = (
        show(name, f"#view={view}").locator(f"{PICTURE} {canvas}").first.evaluate(PIXELS) for name in (case, plain)
    )
    changed = [i for i, (one, other) in enumerate(zip(with_target, without, strict=True)) if one != other]
    assert 40 < len(changed) < len(without) / 20


PIXELS = """canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return [...new Uint32Array(data.buffer)];
}"""


def test_who_points_at_the_target_sees_both_marks(show):
    page = show("target")
    page.locator(f"{PICTURE} .sentence .word").nth(2).hover()
    pointed(page)
    style = page.locator(f"{PICTURE} .word.target.key").evaluate(
        "node => { const s = getComputedStyle(node); return [s.outlineStyle, s.outlineOffset, s.boxShadow]; }"
    )
    assert style[0] == "solid" and style[1] == "2px" and style[2] != "none"
