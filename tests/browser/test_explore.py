"""The Explore page in a real browser, on the real server and models: one server and one page for all tests."""

import json
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

import attnviz
from tests.browser.files import FILES
from tests.browser.parts import expect
from tests.browser.reading import PICTURE, box_of, cell, colour, linked, numbers, pointed, readout, written
from tests.helpers import png

PICTURES = Path(__file__).parents[2] / "sample_data" / "pictures"
QUESTION = attnviz.tasks()["trec"].examples[0]
ODD = "A & B # + % 你 🙂 </script><img src=x onerror=window.broken=1>"


@pytest.fixture(scope="module")
def address(serve):
    return serve("app.py")


@pytest.fixture(scope="module")
def opened(kept):
    """The page of all tests here; what its console complains about counts too."""
    kept.on("console", lambda said: kept.complaints.append(said.text) if said.type == "error" else None)
    return kept


@pytest.fixture
def page(opened, kept_page):
    return kept_page


@pytest.fixture
def explore(page, address):
    """Opens Explore with a link and waits for its first picture."""

    def show(link: str = ""):
        page.goto("about:blank")
        return open_link(page, f"{address}/{link}")

    return show


def open_link(page, url: str):
    page.goto(url)
    page.wait_for_selector(f"{PICTURE}[data-painted]")
    return page


def shown(page, **wanted: str) -> None:
    """Waits for a painted picture of that text, mechanism or view."""
    found = "".join(f"[data-{name}={json.dumps(value, ensure_ascii=False)}]" for name, value in wanted.items())
    page.wait_for_selector(f"{PICTURE}[data-painted]{found}")


def says(page, sentence: str) -> None:
    """Waits for a sentence that can be seen."""
    page.get_by_text(sentence).first.wait_for()


def sentence(page):
    return page.get_by_label("Sentence")


def write(page, text: str) -> None:
    sentence(page).fill(text)
    shown(page, text=text)


def pick(page, group: str, name: str) -> None:
    page.get_by_role("radiogroup", name=group).get_by_role("radio", name=name, exact=True).click()


def predicted(page) -> list[str]:
    return page.locator(f"{PICTURE} .bar:not(.soft) .value").all_text_contents()


def probabilities(trace) -> list[str]:
    return [f"{p:.2f}" for p in trace.prediction.probabilities.tolist()]


def weights(trace) -> np.ndarray:
    """(map, query, key)"""
    return trace.maps[0].stacked


# Typing


def test_each_key_press_changes_picture_and_prediction(explore):
    page = explore()
    sentence(page).fill("")
    says(page, "Type a sentence, or choose one of the examples.")
    typed = ""
    for letter in "Who sang":
        sentence(page).press_sequentially(letter)
        typed += letter
        shown(page, text=typed)
        assert predicted(page) == probabilities(attnviz.attend("multi_head", text=typed))
    assert page.locator(f"{PICTURE} .word").all_text_contents() == ["Who", "sang"]
    assert "text=Who+sang" in page.url


def test_clearing_the_text_keeps_the_picture_and_says_what_to_do(explore):
    page = explore()
    write(page, "Who sang")
    before = predicted(page)
    sentence(page).fill("   ")
    says(page, "Type a sentence, or choose one of the examples.")
    assert page.locator(PICTURE).get_attribute("data-text") == "Who sang"
    assert predicted(page) == before
    write(page, "Who sang it")
    assert page.get_by_text("There is no word to attend to yet.").count() == 0


def test_of_two_thousand_words_the_cut_is_said(explore):
    page = explore()
    write(page, " ".join(f"w{i}" for i in range(2000)))
    says(page, "The text has 2,000 words; only the first 256 are used. It was cut after “… w253 w254 w255”.")
    assert page.locator(f"{PICTURE} .readtext .word").count() == 256
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("text", ["x", "🙂 👩‍👩‍👧", "你好 世界", "שלום עולם", "e\u0301\u202e abc", ODD])
def test_odd_texts_are_text(explore, page, text):
    if not page.url.endswith("odd=1"):
        explore("?odd=1")
    write(page, text)
    trace = attnviz.attend("multi_head", text=text)
    assert page.locator(f"{PICTURE} .word").all_text_contents() == list(trace.maps[0].axes[-1].labels)
    assert predicted(page) == probabilities(trace)
    assert page.evaluate("window.broken") is None
    assert page.locator(f"{PICTURE} img").count() == 0


# Pointing, pinning, keyboard


def test_pointing_shows_the_weight_that_python_computes(explore):
    page = explore()
    expected = weights(attnviz.attend("multi_head", text=QUESTION))[:, 0, 3]
    page.mouse.move(*cell(page, 3, row=2))
    pointed(page)
    assert numbers(page) == written(expected)
    assert readout(page) == f"head 3: query → live {written(expected)[2]}"


def test_pin_and_keyboard(explore):
    page = explore()
    expected = weights(attnviz.attend("multi_head", text=QUESTION))[:, 0]
    page.mouse.click(*cell(page, 1, row=4))
    page.mouse.move(1, 1)
    linked(page, "#pin=1.4")
    assert numbers(page) == written(expected[:, 1])
    stage = page.locator(f"{PICTURE} .stage")
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        stage.press(key)
    linked(page, "#pin=2.5")
    assert page.locator(f"{PICTURE} .unseen").text_content() == readout(page)
    assert readout(page) == f"head 6: query → people {written(expected[[5], 2])[0]}"
    stage.press("Escape")
    linked(page, "")


# Choosing


def test_family_mechanism_option_and_temperature(explore):
    page = explore()
    pick(page, "Family", "Self-attention")
    shown(page, mechanism="constant_query")
    pick(page, "Family", "Multiple queries")
    pick(page, "Mechanism", "Multi-head")
    shown(page, mechanism="multi_head")
    pick(page, "Heads", "2")
    expect(page.locator(f"{PICTURE} .map")).to_have_count(2)
    assert predicted(page) == probabilities(attnviz.attend("multi_head", text=QUESTION, n_heads=2))
    page.get_by_role("slider", name="Temperature").press("ArrowLeft")
    page.wait_for_url("**temperature=0.9**")
    cooler = attnviz.attend("multi_head", text=QUESTION, n_heads=2, intervention=attnviz.Intervention(temperature=0.9))
    expect(page.locator(f"{PICTURE} .map .number")).to_have_text(written(weights(cooler).max((1, 2))))
    assert page.url.split("?")[1] == "n_heads=2&temperature=0.9"


def test_task_example_and_picture(explore):
    page = explore()
    page.get_by_role("button", name="Examples").press("Enter")
    page.get_by_role("menuitem", name=attnviz.tasks()["trec"].examples[1]).press("Enter")
    shown(page, text=attnviz.tasks()["trec"].examples[1])
    for title, view in (("Film sentiment", "tokens"), ("Handwritten digit", "overlay"), ("What is in the picture", "")):
        page.get_by_role("combobox", name="Predicts").click()
        page.get_by_role("option", name=title).click()
        classes = next(task.classes for task in attnviz.tasks().values() if task.title == title)
        page.locator(f"{PICTURE} .bar:not(.soft) .label", has_text=classes[-1]).wait_for()
        shown(page, view=view or "overlay")
    pick(page, "Gallery", "rocket")
    shown(page, text="rocket.jpg")
    assert predicted(page) == probabilities(attnviz.attend("multi_head", "cifar10", image=PICTURES / "rocket.jpg"))


# Files


def give(page, name: str, data: bytes) -> None:
    """Uploads a file, opening the popover of the control if it is closed."""
    field = page.locator("input[type=file]")
    if not field.count():
        page.get_by_role("button", name="Upload", exact=True).click()
    field.set_input_files({"name": name, "mimeType": "image/png", "buffer": data})


@pytest.mark.parametrize("task", ["cifar10", "mnist"])
def test_an_uploaded_picture_has_the_weights_that_python_computes(explore, task):
    page = explore(f"?task={task}")
    data = png(40, 40, seed=1)
    give(page, "mine.png", data)
    shown(page, text="mine.png")
    says(page, "A picture of your own is not part of the link.")
    page.keyboard.press("Escape")
    trace = attnviz.attend("multi_head", task, image=data)
    assert predicted(page) == probabilities(trace)
    box = box_of(page, "figure canvas")
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6)
    pointed(page)
    label = readout(page).split("→ ")[1].rsplit(" ", 1)[0]
    assert numbers(page) == written(weights(trace)[:, 0, trace.maps[0].axes[-1].labels.index(label)])


def test_the_picture_that_was_chosen_last_is_shown(explore):
    page = explore("?task=cifar10&picture=flower")
    give(page, "mine.png", png(40, 40))
    shown(page, text="mine.png")
    page.keyboard.press("Escape")
    expect(page.get_by_role("radio", checked=True, name="flower")).to_have_count(0)
    pick(page, "Gallery", "rocket")
    shown(page, text="rocket.jpg")
    give(page, "mine again.png", png(40, 40))
    shown(page, text="mine again.png")
    page.get_by_role("button", name="Remove mine again.png").click()
    shown(page, text="rocket.jpg")
    assert page.url.endswith("?task=cifar10&picture=rocket")


@pytest.mark.parametrize("kind", FILES)
def test_each_kind_of_file_gives_a_picture_or_a_sentence(explore, page, kind):
    make, sentence, good = FILES[kind]
    if not page.url.endswith("files=1"):
        explore("?task=cifar10&files=1")
    before = page.locator(PICTURE).get_attribute("data-text")
    give(page, f"{kind}.file.png", make())
    says(page, sentence)
    if good:
        shown(page, text=f"{kind}.file.png")
    else:
        assert page.locator(PICTURE).get_attribute("data-text") in (before, "cat.jpg")
    assert len(predicted(page)) == 10


# The link


def test_a_link_brings_everything_back(explore, browser, page):
    explore()
    pick(page, "Mechanism", "Multi-hop")
    shown(page, mechanism="multi_hop")
    pick(page, "Hops", "2")
    page.wait_for_url("**n_hops=2**")
    page.get_by_role("slider", name="Temperature").press("ArrowLeft")
    page.wait_for_url("**temperature=0.9**")
    write(page, ODD)
    page.mouse.click(*cell(page, 2, row=1))
    page.mouse.move(1, 1)
    linked(page, "#pin=2.1")
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    other = open_link(context.new_page(), page.url)
    pointed(other)
    assert other.url == page.url
    expect(sentence(other)).to_have_value(ODD)
    for name in ("data-text", "data-mechanism", "data-view"):
        assert other.locator(PICTURE).get_attribute(name) == page.locator(PICTURE).get_attribute(name)
    assert other.get_by_role("radiogroup", name="Hops").get_by_role("radio", name="2").is_checked()
    assert numbers(other) == numbers(page)
    assert predicted(other) == predicted(page)
    trace = attnviz.attend("multi_hop", text=ODD, n_hops=2, intervention=attnviz.Intervention(temperature=0.9))
    assert numbers(other) == written(weights(trace)[:, 0, 2])
    context.close()


def test_a_link_to_the_page_by_name_keeps_what_is_pinned(explore):
    page = explore("")  # the server knows its pages now, and leads this one's name to its own address
    page = explore("explore#pin=1.0")
    pointed(page)
    linked(page, "#pin=1.0")
    page.complaints.clear()  # Streamlit looks for its own files under the page's name first


def test_a_link_that_makes_no_sense_falls_back_with_sentences(explore):
    page = explore("?mechanism=<b>&task=9&temperature=1e9&n_heads=-1&what_if=maybe#pin=x.y&view=nothing&off=900")
    for name in ("mechanism “<b>”", "task “9”", "n_heads “-1”", "temperature “1e9”: it goes from 0.1 to 4", "“maybe”"):
        says(page, name)
    assert page.locator(PICTURE).get_attribute("data-mechanism") == "multi_head"
    assert predicted(page) == probabilities(attnviz.attend("multi_head", text=QUESTION))
    assert page.get_by_text("The link asked for").last.bounding_box()["y"] < sentence(page).bounding_box()["y"]


def test_what_a_link_asked_for_is_quoted_and_never_markup(explore):
    page = explore(f"?task=cifar10&picture={quote('![x](/y.png) [a](//b) $x$ :red[c] <i> é')}")
    says(page, "picture “![x](/y.png) [a](//b) $x$ :red[c] <i> é”")
    assert page.get_by_test_id("stAlert").locator("img, a, i, .katex").count() == 0


def test_two_people_do_not_see_each_others_text(explore, browser, address):
    page = explore()
    context = browser.new_context()
    other = open_link(context.new_page(), address)
    for i in range(3):
        write(page, f"mine {i}")
        write(other, f"theirs {i}")
        assert page.locator(PICTURE).get_attribute("data-text") == f"mine {i}"
    pick(other, "Family", "Capsule")
    shown(other, mechanism="capsule", text="theirs 2")
    assert page.locator(PICTURE).get_attribute("data-mechanism") == "multi_head"
    expect(sentence(page)).to_have_value("mine 2")
    context.close()


# Screens


def test_dark_mode_has_its_own_page_and_picture(explore):
    page = explore()
    paper = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    light, drawn = page.evaluate(paper), colour(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector(f"{PICTURE}[data-theme=dark]")
    assert page.evaluate(paper) != light
    assert np.abs(colour(page) - drawn).max() > 15
    page.emulate_media(color_scheme="light")
    page.wait_for_selector(f"{PICTURE}[data-theme=light]")


@pytest.mark.parametrize("link", ["", "?task=cifar10"])
def test_a_phone_has_the_picture_first_and_nothing_beside_the_screen(explore, link):
    page = explore(link)
    page.set_viewport_size({"width": 360, "height": 800})
    page.wait_for_function("document.documentElement.scrollWidth <= 360")
    picture, prediction = box_of(page, ".left"), box_of(page, ".right")
    assert picture["width"] <= 360
    assert picture["y"] + picture["height"] <= prediction["y"]
    assert page.get_by_role("radiogroup", name="Heads").bounding_box()["y"] > prediction["y"]
    page.set_viewport_size({"width": 1400, "height": 900})


def test_the_next_page_goes_on_with_what_the_link_asked_for(page, address):
    page.goto(f"{address}/?mechanism=capsule&text=Who+sang+%3F")
    page.wait_for_selector(f"{PICTURE}[data-painted]")
    for name, part in {
        "Step by step": "mechanism=capsule",
        "Compare": "mechanism1=capsule",
        "Explore": "capsule",
    }.items():
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.locator(".attnviz-name")).to_have_text(f"attnviz · {name}")
        page.wait_for_function("part => location.search.includes(part)", arg=part)
        page.wait_for_function("() => location.search.includes('text=Who+sang')")
        expect(page.get_by_label("Sentence", exact=True)).to_have_value("Who sang ?")
        expect(page.locator("[data-testid=stException]")).to_have_count(0)
