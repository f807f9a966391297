"""Exported files in a real browser, without a network; what the page offers to take, and brings back."""

import io
from pathlib import Path

import numpy as np
import pytest

import attnviz
from attnviz.analysis.pairs import difference_trace
from attnviz.export import from_json, sheet_html, to_html, to_json
from attnviz.export.palette import palette
from attnviz.features.picture import read_picture
from attnviz.views.scripts import picture_code
from tests.browser.parts import expect
from tests.browser.reading import PICTURE, cell, pointed, readout
from tests.browser.take_app import TEXT
from tests.export.traces import ODD, attending, changed, odd
from tests.export.traces import TEXT as CHANGED_TEXT
from tests.helpers import mechanisms_for, png


@pytest.fixture
def offline(browser, tmp_path):
    """Opens a text as a file in a browser without a network; any request or complaint fails the test.

    A test that provokes them clears `opened.heard`.
    """
    window = browser.new_context(viewport={"width": 1200, "height": 900})
    window.set_offline(True)
    page = window.new_page()
    heard = []
    page.on(
        "request", lambda request: request.url.startswith(("file:", "data:", "about:")) or heard.append(request.url)
    )
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda message: heard.append(message.text))

    def opened(text: str):
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        page.goto(path.as_uri())
        return page

    opened.heard = heard
    yield opened
    assert heard == []
    window.close()


def painted(page):
    page.wait_for_selector(f"{PICTURE}[data-painted]")
    return page


def weights(page, group: int = 0) -> np.ndarray:
    """All weights of a group, as the browser reads them."""
    return np.array(
        page.locator(PICTURE).evaluate(
            """(root, i) => {
                const group = root.picture.frame.groups[i];
                const all = (count, read) => Array.from({ length: count }, (_, k) => read(k));
                return all(group.M, (m) => all(group.Q, (q) => all(group.K, (k) => group.at(m, q, k))));
            }""",
            group,
        )
    )


@pytest.mark.parametrize("name", mechanisms_for("trec"))
def test_an_exported_page_has_the_weights_of_the_trace(offline, name):
    trace = attnviz.attend(name, text="Who wrote Hamlet ?")
    page = painted(offline(to_html(trace)))
    for i, found in enumerate(trace.maps):
        np.testing.assert_array_equal(weights(page, i), found.stacked.astype(np.float32).astype(float))
    assert "attnviz" in page.locator("footer").text_content()


def test_many_weights_are_exact_to_one_step_of_65535(offline):
    n = 190
    keys = tuple(f"w{i}" for i in range(n))
    values = np.random.default_rng(0).dirichlet(np.ones(n), size=(2, n))
    page = painted(offline(to_html(attending(values, keys, keys))))
    np.testing.assert_allclose(weights(page), values, atol=values.max() / 65_535)


def test_pointing_views_and_the_link_work_without_a_server(offline):
    page = painted(offline(to_html(attnviz.attend("multi_head", text=TEXT))))
    page.mouse.move(*cell(page, 1))
    pointed(page)
    assert readout(page).startswith("head 1: query → many 0.")
    page.get_by_role("button", name="matrix").click()
    page.wait_for_function("() => location.hash === '#view=matrix'")
    page.reload()
    assert painted(page).locator(PICTURE).get_attribute("data-view") == "matrix"


def test_odd_tokens_are_shown_and_never_run(offline):
    page = painted(offline(to_html(odd())))
    assert page.evaluate("window.broken") is None
    assert page.locator(f"{PICTURE} .word").all_text_contents() == [word or "␣" for word in ODD]


def test_no_other_script_runs_in_the_page(offline):
    page = painted(offline(to_html(attending(np.ones((1, 1, 1)), ("w",)))))
    refused = page.evaluate(
        """() => new Promise((resolve) => {
            document.addEventListener("securitypolicyviolation", (event) => resolve([event.violatedDirective]));
            const script = Object.assign(document.createElement("script"), { textContent: "window.broken = 1" });
            document.body.append(script);
        })"""
    )
    refused += page.evaluate("() => fetch('https://example.org/').catch(() => ['fetch'])")
    assert refused == ["script-src-elem", "fetch"] and page.evaluate("window.broken") is None
    assert all("Content Security Policy" in said for said in offline.heard if not said.startswith("https:"))
    offline.heard.clear()


def test_the_theme_follows_the_system_unless_it_is_named(offline):
    trace = attending(np.ones((1, 1, 1)), ("w",))
    page = painted(offline(to_html(trace)))
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector(f"{PICTURE}[data-theme=dark]")
    page.emulate_media(color_scheme="light")
    page.wait_for_selector(f"{PICTURE}[data-theme=light]")
    assert painted(offline(to_html(trace, theme="dark"))).locator(PICTURE).get_attribute("data-theme") == "dark"


def test_a_picture_lies_under_its_weights(offline):
    picture = read_picture(png(96, 64)).image
    page = painted(offline(to_html(attnviz.attend("multi_head", image=png(96, 64)), picture)))
    assert page.locator(PICTURE).get_attribute("data-view") == "overlay"
    assert page.locator(PICTURE).evaluate("root => root.picture.frame.meta.picture.startsWith('data:image/')")


def test_a_change_can_be_compared_with_what_was_before_it_and_not_be_changed(offline):
    trace, plain = changed("multi_head"), attnviz.attend("multi_head", text=CHANGED_TEXT)
    page = painted(offline(to_html(trace, before=plain)))
    np.testing.assert_array_equal(weights(page), trace.maps[0].stacked.astype(float))
    assert page.locator(f"{PICTURE} .word.masked").all_text_contents() == ["wrote"]
    assert page.locator(f"{PICTURE} .word[data-was]").get_attribute("data-was") == "novel"
    assert page.locator(f"{PICTURE} .map.switched-off:visible").count() == 1
    page.get_by_role("button", name="before", exact=True).click()
    page.wait_for_function("() => location.hash === '#show=before'")
    shown = page.locator(PICTURE).evaluate("root => Array.from(root.picture.group.row(0, 0))")
    np.testing.assert_allclose(shown, plain.maps[0].stacked[0, 0].astype(float), atol=1e-7)
    assert page.locator(f"{PICTURE} .word").all_text_contents() == CHANGED_TEXT.split()
    page.get_by_role("button", name="difference", exact=True).click()
    page.wait_for_function("() => location.hash === '#show=difference'")
    assert page.get_by_role("button", name="undo").count() == page.get_by_role("button", name="reset").count() == 0


def test_a_sheet_has_every_picture_with_a_link_of_its_own(offline):
    text = "Who wrote Hamlet ?"
    traces = [attnviz.attend(name, text=text) for name in ("multi_head", "multi_hop")]
    traces.append(difference_trace(*traces))
    page = painted(offline(sheet_html(traces, ["one", "two", "two minus one"])))
    page.wait_for_function("() => document.querySelectorAll('[data-painted]').length === 3")
    assert page.locator("h2").all_text_contents() == ["one", "two", "two minus one"]
    for i, trace in enumerate(traces):
        read = page.locator(PICTURE).nth(i).evaluate("root => Array.from(root.picture.frame.groups[0].row(0, 0))")
        np.testing.assert_allclose(read, trace.maps[0].stacked[0, 0].astype(np.float32).astype(float), atol=1e-7)
    page.locator("main > section").nth(1).get_by_role("button", name="matrix").click()
    page.wait_for_function("() => location.hash === '#p2.view=matrix'")
    page.reload()
    page.wait_for_function("() => document.querySelectorAll('[data-painted]').length === 3")
    assert [page.locator(PICTURE).nth(i).get_attribute("data-view") for i in range(3)] == ["tokens", "matrix", "tokens"]


def test_a_picture_under_several_weights_is_shown_under_each(offline):
    picture = read_picture(png(96, 64)).image
    traces = [attnviz.attend(name, image=png(96, 64)) for name in ("multi_head", "capsule")]
    page = painted(offline(sheet_html(traces, pictures=[picture, picture])))
    urls = [page.locator(PICTURE).nth(i).evaluate("root => root.picture.frame.meta.picture") for i in range(2)]
    assert urls[0] == urls[1] and urls[0].startswith("data:image/")


def test_several_traces_live_in_one_notebook(offline):
    traces = [attnviz.attend("multi_head", text=text) for text in ("Who ?", "Where is it ?")]
    page = offline("<!DOCTYPE html>" + "".join(trace._repr_html_() for trace in [*traces, odd()]))
    shown = [painted(frame).locator(PICTURE).get_attribute("data-text") for frame in page.frames[1:3]]
    assert shown == ["Who ?", "Where is it ?"]
    painted(page.frames[3])
    assert [frame.evaluate("window.broken") for frame in page.frames] == [None] * 4
    assert page.frames[1].evaluate("() => { try { return parent.document.title } catch (e) { return e.name } }") == (
        "SecurityError"
    )


def test_files_have_the_colours_of_the_live_picture(page):
    page.add_script_tag(content=f"{picture_code()}\nglobalThis.parts = {{ makePalette, stepFor }};", type="module")
    page.wait_for_function("() => Boolean(globalThis.parts)")
    values = np.concatenate([np.linspace(-1.2, 1.2, 997), [0, 1e-9, 0.5, 1]])
    for theme in ("light", "dark"):
        for kind in ("one", "free", "signed"):
            rgb, steps = page.evaluate(
                """([theme, kind, values]) => {
                    const palette = parts.makePalette(theme, kind);
                    return [palette.rgb, values.map((value) => parts.stepFor(palette, value, 0.9, 0))];
                }""",
                [theme, kind, values.tolist()],
            )
            ours = palette(theme, kind)
            np.testing.assert_array_equal(ours.colours, rgb)
            np.testing.assert_array_equal(ours.steps(values, 0.9), steps)


@pytest.fixture
def shown(page, serve):
    page.goto(serve("tests/browser/take_app.py"))
    return painted(page)


def taken(page, kind: str) -> bytes:
    with page.expect_download() as found:
        page.get_by_role("button", name=kind, exact=True).click()
    assert found.value.suggested_filename == f"multi_head_self-trec.{kind.lower()}"
    return Path(found.value.path()).read_bytes()


def test_everything_that_is_offered_is_the_trace(shown):
    shown.locator("summary").click()
    shown.get_by_role("button", name="SVG").wait_for()
    trace = attnviz.attend("multi_head_self", text=TEXT)
    assert from_json(taken(shown, "JSON").decode()).maps[0].weights.tobytes() == trace.maps[0].weights.tobytes()
    arrays = np.load(io.BytesIO(taken(shown, "NPZ")), allow_pickle=False)
    np.testing.assert_array_equal(arrays["map_0"], trace.maps[0].weights)
    assert len(taken(shown, "CSV").splitlines()) == 1 + trace.maps[0].weights.size
    assert taken(shown, "HTML").startswith(b"<!DOCTYPE html>")
    assert taken(shown, "PNG").startswith(b"\x89PNG")
    assert b"<path" not in taken(shown, "SVG")
    runs = shown.get_by_test_id("stText")
    before = runs.text_content()
    shown.get_by_role("radio", name="arcs").click()
    expect(runs).not_to_have_text(before)  # what is taken while the page runs is of the old run, and lost
    assert b"<path" in taken(shown, "SVG")
    assert "attnviz.attend(" in shown.locator("[data-testid=stCode]").text_content()


def test_a_saved_file_is_shown_again_and_a_damaged_one_explained(shown):
    trace = attnviz.attend("capsule", text="Where is the Nile ?")
    field = shown.locator("input[type=file]")
    field.set_input_files({"name": "a.json", "mimeType": "application/json", "buffer": to_json(trace).encode()})
    shown.wait_for_selector(f"{PICTURE}[data-mechanism=capsule]")
    np.testing.assert_array_equal(weights(shown), trace.maps[0].stacked.astype(float))
    field.set_input_files({"name": "b.json", "mimeType": "application/json", "buffer": b'{"format": 3}'})
    shown.get_by_text("This file does not hold a trace").wait_for()
    shown.locator(PICTURE).wait_for(state="visible")
