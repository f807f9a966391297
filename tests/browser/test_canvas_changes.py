"""Changing the live picture in a real browser: what it sends, what it shows of the answer, and the way back."""

import numpy as np
import pytest

from tests.browser.canvas_frames import QUESTION
from tests.browser.changeable import BASES
from tests.browser.reading import PICTURE, box_of, cell, linked, numbers, pointed, readout, sent

WORDS = QUESTION.split()
HOSTILE = "<img/src=x/onerror=window.broken=1>"
MASKED = {"masked": [1]}


@pytest.fixture
def change(show):
    """Opens a case that can be changed, with a change done already."""
    return lambda case, fragment="", done=None, text="": show(case, fragment, done or {}, text=text)


def before(case: str) -> np.ndarray:
    """(map, query, key) of the first group, without any change."""
    meta, flat = BASES[case](QUESTION)
    shape = meta["groups"][0]["shape"]
    return np.asarray(flat[: int(np.prod(shape))], np.float64).reshape(shape)


def without(weights: np.ndarray, key: int) -> np.ndarray:
    """The weights with one key masked."""
    kept = weights.copy()
    kept[..., key] = 0
    return kept / kept.sum(-1, keepdims=True)


def button(page, text: str):
    return page.locator(f"{PICTURE} .changes").get_by_role("button", name=text, exact=True)


def chips(page) -> list[str]:
    return page.locator(f"{PICTURE} .chip > span").all_text_contents()


def said(page, text: str) -> None:
    page.locator(f"{PICTURE} .chip", has_text=text).wait_for()


def read(texts: list[str]) -> np.ndarray:
    return np.array([float(text.replace("−", "-")) for text in texts])


def close_to(texts: list[str], expected: np.ndarray) -> None:
    """Numbers as they are written: four decimals, or two digits of a tiny one."""
    np.testing.assert_allclose(read(texts), expected, atol=5.1e-5)


def test_what_may_not_be_changed_has_no_buttons(show):
    page = show("query", "#pin=1.0")
    pointed(page)
    assert not page.locator(f"{PICTURE} .changes").is_visible()


def test_with_nothing_pinned_it_says_what_one_can_do(change):
    page = change("query")
    assert page.get_by_text("Click a word or a cell to change it.").is_visible()
    assert button(page, "undo").is_disabled() and button(page, "redo").is_disabled()
    assert page.locator(f"{PICTURE} .acts button:visible").count() == 2


def test_a_word_is_masked_and_unmasked(change):
    page = change("query")
    page.locator(f"{PICTURE} .word").nth(1).click()
    button(page, "mask “many”").click()
    assert sent(page)[-1] == {"what": "mask", "key": 1, "on": True}
    said(page, "“many” is masked")
    assert page.locator(f"{PICTURE} .word.masked").all_text_contents() == ["many"]
    page.mouse.move(5, 5)
    close_to(numbers(page), np.zeros(4))
    button(page, "unmask “many”").click()
    assert sent(page, 2)[-1] == {"what": "mask", "key": 1, "on": False}
    button(page, "mask “many”").wait_for()
    close_to(numbers(page), before("query")[:, 0, 1])


def test_a_chip_takes_back_what_it_says(change):
    page = change("query", done={"masked": [1], "off": {"head": [0]}})
    assert chips(page) == ["“many” is masked", "head 1 is off"]
    button(page, "take back: “many” is masked").click()
    assert sent(page) == [{"what": "mask", "key": 1, "on": False}]
    page.locator(f"{PICTURE} .chip", has_text="many").wait_for(state="detached")
    assert chips(page) == ["head 1 is off"]


def test_undo_redo_and_reset_go_the_whole_way(change):
    page = change("query", "#pin=1.0")
    shown = numbers(page)
    button(page, "mask “many”").click()
    said(page, "“many” is masked")
    button(page, "switch off head 1").click()
    said(page, "head 1 is off")
    button(page, "undo").click()
    page.locator(f"{PICTURE} .chip", has_text="head 1").wait_for(state="detached")
    button(page, "redo").click()
    said(page, "head 1 is off")
    assert button(page, "redo").is_disabled()
    button(page, "reset").click()
    page.locator(f"{PICTURE} .said").wait_for(state="hidden")
    assert not button(page, "reset").is_visible()
    assert numbers(page) == shown
    assert [event["what"] for event in sent(page, 5)] == ["mask", "off", "undo", "redo", "reset"]


def test_the_keyboard_does_what_the_buttons_do(change):
    page = change("two", "#pin=3.1")
    stage = page.locator(f"{PICTURE} .stage")
    expected = [{"what": "mask", "key": 3, "on": True}, {"what": "off", "kind": "head", "index": 1, "on": True}]
    for count, (key, event) in enumerate(zip("mo", expected, strict=True), 1):
        stage.press(key)
        assert sent(page, count)[-1] == event
        page.wait_for_function(f"count => {ROOT}.picture.frame.meta.change.said.length === count", arg=count)
    stage.press("Control+z")
    page.wait_for_function(f"() => {ROOT}.picture.frame.meta.change.redo")
    stage.press("Control+Shift+z")
    page.wait_for_function(f"() => !{ROOT}.picture.frame.meta.change.redo")
    assert [event["what"] for event in sent(page, 4)[2:]] == ["undo", "redo"]


ROOT = "[...document.querySelectorAll('*')].map((n) => n.shadowRoot?.querySelector('.attnviz-picture')).find(Boolean)"


def test_each_axis_of_maps_has_its_own_switch(change):
    page = change("two", "#pin=3.4")
    button(page, "switch off class number").click()
    assert sent(page)[-1] == {"what": "off", "kind": "class", "index": 1, "on": True}
    button(page, "switch on class number").wait_for()
    names = page.locator(f"{PICTURE} .captions .name").all_text_contents()
    assert names == [f"human · head {h}" for h in (1, 2, 3)] + [f"number · head {h} off" for h in (1, 2, 3)]
    button(page, "switch off head 2").click()
    assert sent(page, 2)[-1] == {"what": "off", "kind": "head", "index": 1, "on": True}


def test_a_word_is_swapped_and_both_words_can_be_read(change):
    page = change("query", "#pin=1.0")
    page.get_by_label("swap “many” for").fill("few")
    page.keyboard.press("Enter")
    assert sent(page)[-1] == {"what": "swap", "key": 1, "word": "few"}
    word = page.locator(f"{PICTURE} .word[data-was]")
    word.wait_for()
    assert (word.text_content(), word.get_attribute("title")) == ("few", "was many")
    assert '" ← many"' in word.evaluate("node => getComputedStyle(node, '::after').content.replace(/\" \"/g, '')")
    page.locator(f"{PICTURE} .shows").get_by_text("before").click()
    assert page.locator(f"{PICTURE} .word").nth(1).text_content() == "many"


def test_letters_typed_for_a_swap_are_no_shortcuts(change):
    page = change("query", "#pin=1.0")
    page.evaluate("window.heard = 0; document.addEventListener('keydown', () => (window.heard += 1))")
    page.get_by_label("swap “many” for").press_sequentially("mo+-rc")
    assert page.get_by_label("swap “many” for").input_value() == "mo+-rc"
    assert sent(page, 0) == []
    assert page.evaluate("window.heard") == 0  # Streamlit has shortcuts of its own


def test_hostile_words_stay_text(change):
    page = change("query", "#pin=1.0", text=f"a <b>bold</b> c {HOSTILE}")
    assert button(page, "mask “<b>bold</b>”").is_visible()
    button(page, "mask “<b>bold</b>”").click()
    said(page, "“<b>bold</b>” is masked")
    page.get_by_label("swap “<b>bold</b>” for").fill(HOSTILE)
    page.keyboard.press("Enter")
    page.locator(f"{PICTURE} .word[data-was]").wait_for()
    assert page.locator(f"{PICTURE} img, {PICTURE} b").count() == 0
    assert page.evaluate("window.broken") is None


def test_the_slider_sends_one_gesture_and_settles_on_the_last_weight(change):
    page = change("query", "#pin=3.2")
    box = page.get_by_label("weight", exact=True).bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.22, middle)
    page.mouse.down()
    for share in (0.3, 0.4, 0.5, 0.6, 0.7):
        page.mouse.move(box["x"] + box["width"] * share, middle)
    page.mouse.up()
    settled(page)
    wanted = page.locator(f"{PICTURE} .changes output").text_content()
    events = sent(page)
    assert {event["gesture"] for event in events} == {events[0]["gesture"]}
    assert all((e["what"], e["map"], e["at"]) == ("edit", "weights", [2, 0, 3]) for e in events)
    assert 0.6 < events[-1]["weight"] < 0.8
    assert numbers(page)[2] == wanted == f"{events[-1]['weight']:.4f}"
    button(page, "undo").click()
    page.locator(f"{PICTURE} .said").wait_for(state="hidden")  # one gesture is one step back
    close_to(numbers(page), before("query")[:, 0, 3])


def test_a_held_arrow_key_on_the_slider_is_one_step_back_and_two_presses_are_two(change):
    page = change("query", "#pin=3.2")
    page.get_by_label("weight", exact=True).focus()
    for _ in range(6):
        page.keyboard.down("ArrowRight")
    page.keyboard.up("ArrowRight")
    settled(page)
    held = sent(page)
    assert len({event["gesture"] for event in held}) == 1
    assert held[-1]["weight"] > before("query")[2, 0, 3] + 0.02
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => {ROOT}.picture.frame.meta.change.edits[0].weight > {held[-1]['weight']}")
    settled(page)
    assert len({event["gesture"] for event in sent(page)}) == 2
    page.keyboard.press("Control+z")
    page.wait_for_function(f"() => {ROOT}.picture.frame.meta.change.edits[0]?.weight === {held[-1]['weight']}")
    page.keyboard.press("Control+z")
    page.locator(f"{PICTURE} .said").wait_for(state="hidden")
    close_to(numbers(page), before("query")[:, 0, 3])


def settled(page) -> None:
    """Waits until the server has answered the last weight, and the page lists it."""
    page.wait_for_function(
        f"""() => {{
            const {{ steering, pinnedWeight }} = {ROOT}.picture.changes;
            const listed = JSON.parse(document.querySelector('[data-testid=stText]')?.textContent ?? '[]').at(-1);
            return listed && steering.weight === null && Math.abs(listed.weight - pinnedWeight) < 1e-4;
        }}"""
    )


def test_the_pinned_cell_is_dragged_up_and_a_click_still_releases_it(change):
    page = change("query", "#pin=3.2")
    start = before("query")[2, 0, 3]
    x, y = cell(page, 3, 2)
    page.mouse.move(x, y)
    page.mouse.down()
    for up in (10, 20, 45):
        page.mouse.move(x, y - up)
    page.mouse.up()
    settled(page)
    events = sent(page)
    assert abs(events[-1]["weight"] - (start + 45 / 150)) < 1e-4
    assert len({event["gesture"] for event in events}) == 1
    linked(page, "#pin=3.2")
    close_to(numbers(page)[2:3], np.array([events[-1]["weight"]]))
    page.mouse.click(x, y)
    linked(page, "")
    assert len(sent(page)) == len(events)


def test_plus_and_minus_change_the_weight_by_a_twentieth(change):
    page = change("query", "#pin=3.2")
    stage = page.locator(f"{PICTURE} .stage")
    start = before("query")[2, 0, 3]
    for count, (key, expected) in enumerate((("+", start + 0.05), ("+", start + 0.1), ("-", start + 0.05)), 1):
        stage.press(key)
        assert abs(sent(page, count)[-1]["weight"] - expected) < 2e-4
        settled(page)


def test_one_event_at_a_time_and_the_newest_follows(change):
    page = change("query", "#pin=3.2")
    emitted = page.locator(PICTURE).evaluate(
        """root => {
            const emitted = [];
            const { picture } = root;
            picture.emit = (event) => emitted.push(event.weight);
            const { steering, place } = picture.changes;
            steering.begin(place);
            const { meta, groups } = picture.frame;
            const answer = (weight) => {
                const change = { ...meta.change, edits: [{ ...place, weight }] };
                picture.update({ ...meta, change }, groups[0].raw, "");
            };
            for (const weight of [0.1, 0.2, 0.3, 0.4]) steering.to(weight);
            const first = [...emitted];
            answer(0.1);
            answer(0.1);
            steering.to(0.5);
            steering.release();
            const second = [...emitted];
            answer(0.4);
            answer(0.5);
            return [first, second, emitted, steering.weight];
        }"""
    )
    assert emitted == [[0.1], [0.1, 0.4], [0.1, 0.4, 0.5], None]


def test_only_a_definite_weight_has_a_slider(change):
    page = change("self", "#pin=3.2")
    weight = page.get_by_label("weight", exact=True)
    assert not weight.is_visible()
    assert page.get_by_text("Choose a query to change one weight.").is_visible()
    page.get_by_label("query").select_option("4")
    assert weight.is_visible()
    page.locator(f"{PICTURE} .stage").press("+")
    assert sent(page)[-1]["at"] == [2, 4, 3]


def test_weights_that_share_nothing_have_no_slider_and_others_share_along_their_axis(change):
    page = change("shared", "#pin=3.2")
    total = page.locator(PICTURE).evaluate("root => root.picture.changes.total")
    assert abs(total - before("shared")[:, 0, 3].sum()) < 1e-6
    assert page.get_by_label("weight", exact=True).is_visible()
    page = change("shared", "#pin=3.2&group=1")
    assert button(page, "mask “live”").is_visible()
    assert not page.get_by_label("weight", exact=True).is_visible()


@pytest.mark.parametrize("done", [{"masked": [3]}, {"off": {"head": [2]}}])
def test_what_has_no_weight_to_share_has_no_slider(change, done):
    page = change("query", "#pin=3.2", done=done)
    assert button(page, "undo").is_visible()
    assert not page.get_by_label("weight", exact=True).is_visible()


def test_before_after_and_difference_are_numpys(change):
    page = change("query", "#pin=3.2", MASKED)
    old = before("query")[:, 0]
    new = without(old, 1)
    expected = {"after": new, "before": old, "difference": new - old}
    for name in ("difference", "before", "after"):
        page.locator(f"{PICTURE} .shows").get_by_text(name, exact=True).click()
        close_to(numbers(page), expected[name][:, 3])
        linked(page, "#pin=3.2" + ("" if name == "after" else f"&show={name}"))
        gained = f"{new[2, 3]:.4f} (before {old[2, 3]:.4f}, +{new[2, 3] - old[2, 3]:.4f})"
        assert readout(page) == f"head 3: query → live {gained}"
    page.locator(f"{PICTURE} .stage").press("Escape")
    page.locator(f"{PICTURE} .shows").get_by_text("difference").click()
    largest = [row[np.abs(row).argmax()] for row in new - old]
    close_to(numbers(page), np.array(largest))
    assert page.locator(f"{PICTURE} .kind").text_content() == "after − before"


def test_a_link_opens_the_difference_and_without_changes_it_means_nothing(change):
    page = change("query", "#show=difference", MASKED)
    assert page.locator(f"{PICTURE} .shows [aria-pressed=true]").text_content() == "difference"
    button(page, "reset").click()
    linked(page, "")
    assert not page.locator(f"{PICTURE} .shows").is_visible()


def test_a_change_made_while_looking_back_is_seen(change):
    page = change("query", "#pin=3.2&show=before", MASKED)
    button(page, "switch off head 3").click()
    linked(page, "#pin=3.2")
    said(page, "head 3 is off")


def test_pointing_at_a_masked_word_says_so(change):
    page = change("query", done=MASKED)
    page.mouse.move(*cell(page, 1, 1))
    pointed(page)
    old = before("query")[1, 0, 1]
    assert readout(page) == f"head 2: query → many (masked) 0.0000 (before {old:.4f}, −{old:.4f})"


def pixels(page, selector: str = ".cells") -> np.ndarray:
    page.wait_for_timeout(250)
    script = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    return np.array(page.locator(f"{PICTURE} {selector}").first.evaluate(script), float)


@pytest.mark.parametrize("done", [MASKED, {"edits": [{"map": "weights", "at": [0, 0, 3], "weight": 0.5}]}])
@pytest.mark.parametrize(
    ("case", "fragment"), [("query", ""), ("self", "#view=matrix"), ("self", "#view=arcs"), ("picture", "")]
)
def test_masked_and_edited_are_drawn_and_not_told_by_colour_alone(change, case, fragment, done):
    selector = ".cells" if case == "query" else "figure canvas"
    page = change(case, fragment, done)
    marked = pixels(page, selector)
    page.locator(PICTURE).evaluate(
        """root => {
            const { picture } = root;
            picture.frame.meta.change = { ...picture.frame.meta.change, masked: [], edits: [] };
            picture.marked = null;
            picture.paint(false);
        }"""
    )
    assert (marked != pixels(page, selector)).sum() > 100


def test_the_prediction_shows_what_it_was(change):
    page = change("query", done=MASKED)
    assert page.get_by_text("was number 0.94").is_visible()
    rows = page.locator(f"{PICTURE} .right section").first.locator(".bar")
    gains = rows.locator(".gain").all_text_contents()
    assert gains == ["", "", "", "+0.73", "", "−0.73"]
    ghost, track = (rows.nth(5).locator(part).bounding_box() for part in (".ghost", ".track"))
    assert abs((ghost["x"] - track["x"]) / track["width"] - 0.936) < 0.01
    assert not rows.nth(0).locator(".ghost").is_visible()
    assert not change("query").locator(f"{PICTURE} .gain:visible").count()


def test_a_problem_is_said(change):
    page = change("query", "#pin=1.0")
    page.locator(PICTURE).evaluate(
        "root => root.picture.emit({ what: 'edit', map: 'weights', at: [0, 0, 1], weight: 7 })"
    )
    problem = page.locator(f"{PICTURE} [role=status]")
    problem.wait_for()
    assert "goes from 0 to 1" in problem.text_content()


def test_a_patch_is_masked(change):
    page = change("picture", "#pin=9.0")
    assert not page.locator(f"{PICTURE} .swap").is_visible()
    button(page, "mask row 2, column 2").click()
    assert sent(page)[-1] == {"what": "mask", "key": 9, "on": True}
    page = change("patches", "#query=9")
    assert button(page, "mask row 2, column 2").is_visible()


@pytest.mark.parametrize("case", ["query", "self", "two", "picture"])
def test_on_a_phone_nothing_overlaps(change, page, case):
    page.set_viewport_size({"width": 360, "height": 800})
    done = {"masked": [1, 2, 4], "off": {"head": [0, 1]}}
    change(case, "#pin=3.2&query=1", done)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    parts = [box_of(page, part) for part in (".stage", ".readout", ".acts", ".said", ".tools", ".right")]
    for upper, lower in zip(parts, parts[1:], strict=False):
        assert upper["y"] + upper["height"] <= lower["y"] + 0.5
    for part in page.locator(f"{PICTURE} .acts > :visible, {PICTURE} .chip").all():
        box = part.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360
    acts = [part.bounding_box() for part in page.locator(f"{PICTURE} .acts > :visible").all()]
    for i, a in enumerate(acts):
        assert all(apart(a, b) for b in acts[i + 1 :])


def apart(a: dict, b: dict) -> bool:
    beside = a["x"] + a["width"] <= b["x"] + 0.5 or b["x"] + b["width"] <= a["x"] + 0.5
    return beside or a["y"] + a["height"] <= b["y"] + 0.5 or b["y"] + b["height"] <= a["y"] + 0.5


def test_a_picture_tells_where_the_reader_is_and_is_told(change):
    page = change("self")
    page.locator(PICTURE).evaluate(
        "root => { root.told = []; root.picture.onPoint = (point) => root.told.push(point); }"
    )
    page.mouse.move(*cell(page, 2, 1))
    pointed(page)
    page.mouse.click(*cell(page, 2, 1))
    page.mouse.move(5, 5)
    told = page.locator(PICTURE).evaluate("root => root.told")
    assert told == [{"map": 1, "query": None, "key": 2}]
    page.locator(f"{PICTURE} .stage").press("Escape")
    assert page.locator(PICTURE).evaluate("root => root.told.at(-1)") is None
    page.locator(PICTURE).evaluate("root => root.picture.markFromOutside({ key: 4, query: 1 })")
    pointed(page)
    close_to(numbers(page), before("self")[:, 1, 4])
    assert page.locator(PICTURE).evaluate("root => root.told.length") == 2
    page.locator(PICTURE).evaluate("root => root.picture.markFromOutside(null)")
    page.wait_for_selector(f"{PICTURE} .map.pointed", state="detached")


def test_a_query_elsewhere_is_a_key_where_there_is_one_query(change):
    page = change("query")
    page.locator(PICTURE).evaluate("root => root.picture.markFromOutside({ key: null, query: 4 })")
    pointed(page)
    close_to(numbers(page), before("query")[:, 0, 4])
    page.locator(PICTURE).evaluate("root => root.picture.markFromOutside({ key: 400, query: null })")
    page.wait_for_selector(f"{PICTURE} .map.pointed", state="detached")


def test_a_compact_picture_is_lower_and_has_its_side_below(change):
    page = change("patches")
    page.wait_for_timeout(200)
    tall = box_of(page, ".figures")["height"]
    page.locator(PICTURE).evaluate(
        """root => {
            const { picture } = root;
            picture.compact = true;
            picture.tallest = 0;
            picture.update(picture.frame.meta, picture.frame.groups[0].raw, "");
        }"""
    )
    page.wait_for_timeout(200)
    assert box_of(page, ".figures")["height"] <= 260 < tall
    left, right = box_of(page, ".left"), box_of(page, ".right")
    assert left["y"] + left["height"] <= right["y"]
    assert readout(page) == "" and not page.get_by_text("Click a patch to change it.").is_visible()
