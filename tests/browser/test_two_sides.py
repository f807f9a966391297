"""Two inputs in a real browser: the weights on the items and those on the words that asked, without a menu."""

import numpy as np
import pytest

from attnviz.trace import Trace
from tests.browser.query_frames import ASKING, PATCHES, QUESTION, STORY, over_attention, two_sides, words
from tests.browser.reading import PICTURE, box_of, linked

BLOCKS = f"{PICTURE} .beside > div:visible"
ITEMS = words(QUESTION)


def titles(page) -> list[str]:
    return page.locator(f"{BLOCKS} button").all_text_contents()


def drawn(page, block: int) -> dict:
    """What a grid below the weights shows: its columns, the names of its rows, its numbers."""
    return page.locator(PICTURE).evaluate(
        """(root, i) => {
            const { columns, rowLabels, row, rows } = root.picture.beside.blocks[i].grid.spec;
            return { columns, rowLabels, numbers: Array.from({ length: rows }, (_, r) => Array.from(row(r))) };
        }""",
        block,
    )


def weights(trace: Trace, name: str) -> np.ndarray:
    return trace.map(name).weights


def test_both_distributions_and_the_pairs_stand_below_each_other(show):
    page = show("two_sides")
    assert titles(page) == ["weights on the asking words", "affinity"]
    asked, pairs = drawn(page, 0), drawn(page, 1)
    trace = two_sides(ITEMS)
    assert asked["columns"] == list(ASKING)
    np.testing.assert_allclose(asked["numbers"], weights(trace, "query weights"), atol=1e-6)
    assert (pairs["rowLabels"], pairs["columns"]) == (list(ASKING), list(ITEMS.labels))
    np.testing.assert_allclose(pairs["numbers"], weights(trace, "affinity"), atol=1e-6)
    about = page.locator(f"{BLOCKS} p span").all_text_contents()
    assert about[0].startswith("up to .") and about[1].startswith("does not sum to one, up to .")
    assert box_of(page, ".stage")["y"] < box_of(page, ".beside")["y"] < box_of(page, ".readout")["y"]


def test_pointing_below_tells_the_exact_weight(show):
    page = show("two_sides")
    box = page.locator(f"{BLOCKS} canvas").first.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] - 10)
    weight = weights(two_sides(ITEMS), "query weights")[0, 0]
    page.locator(f"{BLOCKS} .pointed", has_text=f"the {weight:.4f}").wait_for()
    page.mouse.move(5, 5)
    page.locator(f"{BLOCKS} .pointed").wait_for(state="detached")


def test_a_title_leads_to_its_weights_and_the_pairs_are_a_table(show):
    page = show("two_sides")
    page.locator(f"{BLOCKS} button").nth(1).click()
    linked(page, "#group=1")
    assert page.locator(PICTURE).get_attribute("data-view") == "matrix"
    assert page.locator(PICTURE).evaluate("root => root.picture.grid.spec.rowLabels") == list(ASKING)
    assert page.locator(f"{PICTURE} .kind").text_content() == "does not sum to one"
    assert page.locator(BLOCKS).count() == 0
    page.get_by_role("button", name="weights on the words", exact=True).click()
    linked(page, "")
    assert page.locator(PICTURE).get_attribute("data-view") == "tokens"
    assert len(titles(page)) == 2


def test_below_a_picture_stand_the_weights_on_the_sentence(show):
    page = show("two_sides_patches")
    assert page.locator(PICTURE).get_attribute("data-view") == "overlay"
    assert titles(page)[0] == "weights on the asking words"
    trace = two_sides(PATCHES)
    np.testing.assert_allclose(drawn(page, 0)["numbers"], weights(trace, "query weights"), atol=1e-6)


def test_each_asking_word_has_the_picture_for_itself_and_a_click_enlarges_it(show):
    page = show("two_sides_patches")
    names = page.locator(f"{BLOCKS} figure .name:visible")
    assert names.all_text_contents() == list(ASKING)
    affinity = weights(two_sides(PATCHES), "affinity")
    drawn = page.locator(PICTURE).evaluate(
        """(root) => {
            const block = root.picture.beside.blocks[1];
            return block.over.made.map(({ map }) => [...block.group.row(0, map)]);
        }"""
    )
    np.testing.assert_allclose(drawn, affinity, atol=1e-6)
    blank, tinted = page.locator(PICTURE).evaluate(
        """(root) => {
            const canvases = root.picture.beside.blocks[1].over.made.map(({ canvas }) => canvas);
            return [canvases[0].toDataURL() === canvases[1].toDataURL(), canvases[0].width > 100];
        }"""
    )
    assert tinted and not blank
    names.nth(2).click()
    linked(page, "#group=1&query=2")
    assert page.locator(PICTURE).get_attribute("data-view") == "overlay"
    page.get_by_role("button", name="matrix", exact=True).click()
    assert page.locator(PICTURE).evaluate("root => root.picture.grid.spec.columns")[:5] == [
        *("1, 1", "1, 2", "1, 3", "1, 4", "2, 1")
    ]


def test_each_hop_has_a_row_on_the_asking_words(show):
    page = show("two_sides_facts")
    assert page.locator(PICTURE).get_attribute("data-view") == "facts"
    asked, trace = drawn(page, 0), two_sides(STORY, ("where", "is", "Mary"), 2)
    assert asked["rowLabels"] == ["hop 1", "hop 2"]
    np.testing.assert_allclose(asked["numbers"], weights(trace, "query weights")[:, 0], atol=1e-6)


def test_where_items_divide_themselves_between_asking_words_the_mean_is_shown(show):
    page = show("over_attention")
    assert titles(page) == ["weights on the asking words", "affinity"]
    mean = weights(over_attention(ITEMS), "query weights").mean(1)
    np.testing.assert_allclose(drawn(page, 0)["numbers"], [mean], atol=1e-6)


@pytest.mark.parametrize("case", ["two_sides", "two_sides_patches", "two_sides_facts", "over_attention"])
def test_a_phone_does_not_scroll_sideways(show, page, case):
    page.set_viewport_size({"width": 360, "height": 800})
    show(case)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert box_of(page, ".beside")["width"] <= 330


def test_one_input_has_nothing_below(show):
    page = show("routing")
    assert page.locator(f"{PICTURE} .beside").is_hidden()
