"""The Step by step page in a real browser, on the real server and models: one server and one page for all tests."""

import re
from dataclasses import replace
from urllib.parse import urlencode

import numpy as np
import pytest

import attnviz
from attnviz.export import to_json
from attnviz.intervention import Intervention, Override
from tests.browser.parts import expect

SHEET = ".attnviz-worksheet"
TEXT = "Who wrote Hamlet ?"
ODD = "A & B </script><img src=x onerror=window.broken=1>"


@pytest.fixture(scope="module")
def address(serve):
    return f"{serve('app.py')}/step_by_step"


@pytest.fixture
def page(kept_page):
    return kept_page


@pytest.fixture
def show(page, address):
    """Opens the page with a link and waits for the lines."""

    def open_link(fragment: str = "", **parameters):
        page.goto("about:blank")
        page.goto(f"{address}?{urlencode(parameters)}{fragment}")
        page.wait_for_selector(f"{SHEET}[data-painted]")
        return page

    return open_link


def line(page, name: str):
    """A line by the name of its step."""
    return page.locator(f"{SHEET} .ws-line[aria-label='{name}']")


def numbers(page, name: str, row: int | None = None) -> list[str]:
    """What stands in a line, row by row."""
    rows = "tbody tr" if row is None else f"tbody tr[data-row='{row}']"
    return line(page, name).locator(f"{rows} .ws-n").all_text_contents()


def everything(page) -> str:
    return page.locator(f"{SHEET} .ws-lines").evaluate("lines => lines.innerText")


def written(values) -> list[str]:
    """As the page writes numbers: four decimals, or two digits where that would show next to nothing."""

    def one(v):
        tiny = v != 0 and abs(v) < 0.00095
        return re.sub(r"e-0?", "e-", f"{v:.1e}") if tiny else f"{v:.4f}"

    return [one(v).replace("-", "−") for v in np.ravel(values)]


def set_number(page, name: str, row: int, text: str, column: int = 0) -> None:
    line(page, name).locator(f"tbody tr[data-row='{row}'] .ws-n").nth(column).click()
    edit = line(page, name).locator(".ws-edit")
    edit.fill(text)
    edit.press("Enter")


def choose(page, kind: str, label: str) -> None:
    page.locator(f"{SHEET} .ws-places label", has_text=kind).locator("select").select_option(label=label)


def test_the_numbers_are_those_of_the_trace(show):
    page = show(text=TEXT)
    trace = attnviz.attend("multi_head", text=TEXT)
    assert [step.name for step in trace.steps] == page.locator(f"{SHEET} .ws-line").evaluate_all(
        "lines => lines.map((line) => line.getAttribute('aria-label'))"
    )
    for step in trace.steps:
        value = step.value[0] if step.axes[0].kind == "head" else step.value
        value = value if step.axes[-1].kind == "feature" else value.reshape(-1, 1)
        assert numbers(page, step.name) == written(value[..., :8]), step.name


def test_formulas_are_drawn_and_explained(show):
    page = show(text=TEXT)
    scores = line(page, "scores")
    assert scores.locator("math msqrt").count() == 1
    height = scores.locator("math").evaluate("math => math.getBoundingClientRect().height")
    assert height > 15
    expect(scores.locator(".ws-meaning")).to_contain_text("e: a score")


def test_another_head_query_and_key(show):
    page = show(text=TEXT, mechanism="multi_head_self")
    trace = attnviz.attend("multi_head_self", text=TEXT)
    choose(page, "head", "head 4")
    choose(page, "query", "Hamlet")
    assert numbers(page, "weights") == written(trace.step("weights").value[3, 2])
    assert numbers(page, "queries") == written(trace.step("queries").value[3, 2, :8])
    line(page, "keys").locator("tbody tr[data-row='1'] .ws-label").click()
    expect(line(page, "scores").locator("tr.chosen .ws-label")).to_have_text("wrote")
    line(page, "keys").locator("tbody tr[data-row='3'] .ws-label").click(modifiers=["Shift"])
    assert numbers(page, "weights") == written(trace.step("weights").value[3, 3])
    line(page, "keys").locator("tbody tr[data-row='2'] .ws-label").click(modifiers=["Shift"])
    q, k = (trace.step(name).value[3, row].astype(float) for name, row in (("queries", 2), ("keys", 1)))
    total = written([(q * k).sum()])[0]
    expect(line(page, "products").locator(".ws-example")).to_contain_text(f"(16 terms) = {total}")
    again = page.url
    assert "head=3" in again and "query=2" in again and "key=1" in again
    page.goto("about:blank")
    page.goto(again)
    page.wait_for_selector(f"{SHEET}[data-painted]")
    assert numbers(page, "weights") == written(trace.step("weights").value[3, 2])
    expect(line(page, "scores").locator("tr.chosen .ws-label")).to_have_text("wrote")


def test_what_the_server_writes_into_the_link_leaves_the_place(show):
    default = attnviz.tasks()["trec"].examples[0]
    page = show("#head=2&key=1", text=default)  # Streamlit takes the text out of the link, and the rest
    expect(line(page, "scores").locator("tr.chosen .ws-label")).to_have_text("many")
    assert numbers(page, "weights") == written(attnviz.attend("multi_head", text=default).step("weights").value[2])
    page.get_by_role("button", name="mask it", exact=True).click()
    page.wait_for_function("() => location.search.includes('change')")
    page.wait_for_function("() => location.hash === '#head=2&key=1'")


def test_a_changed_score_moves_all_that_follows_and_undo_goes_back_to_the_very_same(show):
    page = show("#key=1", text=TEXT)
    before = everything(page)
    set_number(page, "scores", 1, "9")
    expect(line(page, "scores").locator(".ws-n.set")).to_have_text("9.0000")
    change = Intervention(overrides=(Override("scores", (0, 0, 1), 9.0),))
    trace = attnviz.attend("multi_head", text=TEXT, intervention=change)
    assert numbers(page, "weights") == written(trace.step("weights").value[0])
    assert numbers(page, "context") == written(trace.step("context").value[0, :, :8])
    assert numbers(page, "class probabilities") == written(trace.step("class probabilities").value)
    best = trace.prediction.probabilities.max()
    expect(page.locator(f"{SHEET} .ws-prediction")).to_contain_text(written([best])[0])
    expect(line(page, "scores").locator(".ws-chips")).to_contain_text("was")
    assert line(page, "scores").locator(".ws-example:visible").count() == 0, "9 is not what the product makes"
    assert line(page, "products").locator(".changed").count() == 0
    assert line(page, "weights").locator(".changed").count() == 4
    page.get_by_role("button", name="undo").click()
    expect(line(page, "scores").locator(".ws-n.set")).to_have_count(0)
    assert everything(page) == before
    page.get_by_role("button", name="redo").click()
    expect(line(page, "scores").locator(".ws-n.set")).to_have_text("9.0000")
    line(page, "scores").locator(".ws-chips button").click()
    expect(line(page, "scores").locator(".ws-n.set")).to_have_count(0)
    assert everything(page) == before


def test_weights_set_by_hand_are_not_renormalised_and_the_line_says_so(show):
    page = show(text=TEXT)
    set_number(page, "weights", 0, "0,5")
    expect(line(page, "weights").locator(".ws-n.set")).to_have_text("0.5000")
    weights = attnviz.attend("multi_head", text=TEXT).step("weights").value[0, 0].copy()
    weights[0] = 0.5
    assert numbers(page, "weights") == written(weights)
    expect(line(page, "weights").locator(".ws-note")).to_contain_text(written([weights.sum()])[0])
    powers = line(page, "weights").locator(".ws-power").all_text_contents()
    assert powers[0] == "" and all(powers[1:]), "0.5 is not what the softmax makes"


def test_what_is_no_number_is_refused_with_a_sentence(show):
    page = show("#key=1", text=TEXT)
    before = everything(page)
    set_number(page, "scores", 1, "much")
    expect(line(page, "scores").locator(".ws-message")).to_contain_text("not a number")
    set_again = line(page, "scores").locator(".ws-edit")
    set_again.fill("1e9")
    set_again.press("Enter")
    expect(line(page, "scores").locator(".ws-message")).to_contain_text("1,000,000")
    set_again.press("Escape")
    assert line(page, "scores").locator(".ws-edit").count() == 0
    assert everything(page) == before


def test_with_the_keyboard_alone(show):
    page = show(text=TEXT)
    line(page, "products").locator(".ws-n").first.focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(line(page, "products").locator("tr[data-row='2'] .ws-n.set")).to_have_text("3.0000")
    change = Intervention(overrides=(Override("products", (0, 0, 2), 3.0),))
    trace = attnviz.attend("multi_head", text=TEXT, intervention=change)
    assert numbers(page, "scores") == written(trace.step("scores").value[0])
    assert line(page, "products").locator(".ws-edit").count() == 0
    page.keyboard.press("Control+z")
    expect(line(page, "products").locator(".ws-n.set")).to_have_count(0)


def test_masking_a_word_brings_the_mask_line_and_its_numbers_are_switches(show):
    page = show("#key=1", text=TEXT)
    page.get_by_role("button", name="mask it", exact=True).click()
    expect(line(page, "mask")).to_have_count(1)
    assert numbers(page, "mask") == ["1", "0", "1", "1"]
    masked = attnviz.attend("multi_head", text=TEXT, intervention=Intervention(masked=frozenset({1})))
    assert numbers(page, "weights") == written(masked.step("weights").value[0])
    line(page, "mask").locator("tr[data-row='1'] .ws-n").click()
    expect(line(page, "mask").locator(".ws-n.set")).to_have_text("1")
    assert numbers(page, "weights") == written(attnviz.attend("multi_head", text=TEXT).step("weights").value[0])


def test_worked_examples_come_out(show):
    page = show("#key=2", text=TEXT)
    trace = attnviz.attend("multi_head", text=TEXT)
    scores = trace.step("scores").value[0, 0].astype(float)
    powers = np.exp(scores - scores.max())
    shown = line(page, "weights").locator(".ws-power").all_text_contents()
    assert shown == written(powers)
    expect(line(page, "weights").locator(".ws-example")).to_contain_text(f"÷ {written([powers.sum()])[0]} =")
    line(page, "products").get_by_role("button", name="all 16 terms").click()
    terms = line(page, "products").locator(".ws-example").inner_text()
    assert terms.count("×") == 16
    pairs = re.findall(r"\(?([−\d.e]+)\)? × \(?([−\d.e]+)\)?", terms)
    total = sum(float(a.replace("−", "-")) * float(b.replace("−", "-")) for a, b in pairs)
    assert total == pytest.approx(trace.step("products").value[0, 0, 2], abs=0.01)


def test_sparsemax_has_no_exponentials(show):
    page = show(text=TEXT, align="sparsemax")
    assert line(page, "weights").locator(".ws-power:visible").count() == 0
    assert line(page, "weights").locator(".ws-example:visible").count() == 0


def test_hovering_marks_what_a_number_was_made_from(show):
    page = show(text=TEXT)
    line(page, "context").locator(".ws-n").nth(2).hover()
    assert line(page, "weights").locator(".from").count() == 4
    assert line(page, "values").locator(".from").evaluate_all("all => all.map((n) => n.dataset.column)") == ["2"] * 4
    page.mouse.move(1, 1)
    assert page.locator(f"{SHEET} .from").count() == 0


def test_typing_goes_on_line_by_line_and_odd_tokens_stay_text(show):
    page = show(text=TEXT)
    page.get_by_label("Sentence").fill(ODD)
    expect(line(page, "keys").locator("tbody .ws-label").first).to_have_text("A")
    labels = attnviz.attend("multi_head", text=ODD).step("keys").axes[1].labels
    assert line(page, "keys").locator("tbody .ws-label").all_text_contents() == list(labels[:12])
    assert page.locator(f"{SHEET} img:visible").count() == 0 and page.evaluate("window.broken") is None


def test_patches_of_a_picture_are_chosen_on_it(show):
    page = show(task="cifar10", mechanism="multi_head_self")
    picture = page.locator(f"{SHEET} .ws-picture")
    expect(picture).to_be_visible()
    picture.click(position={"x": 5, "y": 5})
    expect(line(page, "scores").locator("tr.chosen .ws-label")).to_have_text("row 1, column 1")
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] - 5, "y": box["height"] - 5})
    labels = attnviz.attend("multi_head_self", image="sample_data/pictures/cat.jpg").step("keys").axes[1].labels
    expect(line(page, "scores").locator("tr.chosen .ws-label")).to_have_text(labels[-1])


def test_of_a_long_text_the_rows_of_another_query_are_fetched(show):
    text = " ".join(f"word{i}" for i in range(200))
    page = show(text=text, mechanism="multi_head_self")
    choose(page, "query", "word150")
    trace = attnviz.attend("multi_head_self", text=text)
    expected = written(trace.step("weights").value[0, 150, :12])
    expect(line(page, "weights").locator("tbody tr[data-row='0'] .ws-n")).to_have_text(expected[0])
    assert numbers(page, "weights")[:12] == expected
    set_number(page, "scores", 3, "20")
    expect(line(page, "scores").locator(".ws-n.set")).to_have_text("20.0000")
    expect(line(page, "scores").locator(".ws-chips")).to_contain_text("word150 · word3")


def test_one_hop_at_a_time(show):
    page = show(text=TEXT, mechanism="stacked", n_hops="3")
    assert page.locator(f"{SHEET} .ws-line:visible").count() == 3 + 3 * 5 + 3
    choose(page, "hop", "hop 2")
    shown = page.locator(f"{SHEET} .ws-line:visible")
    names = shown.evaluate_all("lines => lines.map((line) => line.getAttribute('aria-label'))")
    assert "scores, hop 2" in names and "features" in names and "scores, hop 1" not in names and len(names) == 11
    trace = attnviz.attend("stacked", text=TEXT, n_hops=3)
    assert numbers(page, "weights, hop 2") == written(trace.step("weights, hop 2").value)
    page.locator(f"{SHEET} .ws-contents button", has_text="scores, hop 3").click()
    expect(line(page, "scores, hop 3")).to_be_visible()
    assert numbers(page, "scores, hop 3") == written(trace.step("scores, hop 3").value)


def test_a_hostile_file_is_text_and_cannot_be_changed(show, tmp_path):
    trace = attnviz.attend("multi_head", text=ODD)
    bad = r"\href{javascript:window.broken=1}{x}\text{<img src=x onerror=window.broken=1>}"
    steps = tuple(replace(step, name=f"<b>{step.name}</b>", formula=bad) for step in trace.steps)
    file = tmp_path / "trace.json"
    file.write_text(to_json(replace(trace, mechanism="<i>x</i>", steps=steps)), encoding="utf-8")
    page = show(text=TEXT)
    page.get_by_test_id("stPopoverButton").filter(has_text="Open").click()
    page.locator("input[type=file]").first.set_input_files(file)
    keys = line(page, "<b>keys</b>")
    expect(keys.locator("tbody .ws-label").first).to_have_text("A")
    expect(keys.locator("h4")).to_have_text("4. <b>keys</b>")
    step = trace.step("keys")
    assert numbers(page, "<b>keys</b>")[:8] == written(step.value[0, 0, :8])
    sheet = page.locator(SHEET)
    assert sheet.locator("img:visible, b, i, a, script, [href], [onerror]").count() == 0
    assert page.evaluate("window.broken") is None
    keys.locator(".ws-n").first.click()
    assert keys.locator(".ws-edit").count() == 0
