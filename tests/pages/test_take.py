"""What there is to take, and what is brought back, run in process."""

import json

import pytest
from streamlit.testing.v1 import AppTest

import attnviz
from attnviz import export
from attnviz.export import to_json
from attnviz.features.words import MAX_WORDS
from attnviz.intervention import Intervention
from tests.export.traces import ODD, assert_same, example

TEXT = "Who wrote Hamlet ?"


def page(source: str = "own") -> AppTest:
    """A page with one trace and all that can be done with it."""

    def script(source: str):
        import streamlit as st

        import attnviz
        from attnviz.ui.shown import Shown
        from attnviz.ui.take import open_file, take_it
        from tests.export.traces import example, odd

        trace = open_file()
        if trace is not None:
            st.caption(f"opened {trace.mechanism}")
        known = {"odd": odd, "example": example, "own": lambda: attnviz.attend("multi_head", text="Who wrote Hamlet ?")}
        take_it(Shown(known[source]()))

    return AppTest.from_function(script, args=(source,), default_timeout=60).run()


def labels(app: AppTest) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]


def test_no_file_is_made_before_it_is_asked_for(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("made too early")

    for name in ("to_svg", "to_png", "to_html", "to_json", "to_csv", "to_npz"):
        monkeypatch.setattr(export, name, refuse)
    app = page()
    assert not app.exception and len(labels(app)) == 6


def test_files_views_and_the_snippet_are_offered():
    app = page()
    assert not app.exception
    assert labels(app) == ["SVG", "PNG", "HTML", "JSON", "CSV", "NPZ"]
    assert app.button_group(key="take-view-0").options == ["tokens", "matrix", "arcs"]
    found = {}
    exec(app.code[0].value, found)
    assert found["trace"].prediction.best == attnviz.attend("multi_head", text=TEXT).prediction.best


def test_a_trace_that_does_not_say_what_made_it_has_no_snippet_but_all_files():
    app = page("example")
    assert len(labels(app)) == 6 and not app.code
    assert any("no snippet" in caption.value for caption in app.caption)
    assert app.selectbox(key="take-map").options == ["weights", "gates"]
    app.button_group(key="take-view-0").set_value("arcs").run()
    app.selectbox(key="take-map").set_value(1).run()
    assert not app.exception and app.button_group(key="take-view-1").options == ["overlay", "matrix"]


def test_odd_names_are_harmless():
    app = page("odd")
    assert not app.exception and len(labels(app)) == 6
    assert ODD[0] not in "".join(markdown.value for markdown in app.markdown)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not text"),
        (b"[1, 2", "not JSON"),
        (json.dumps({"format": "attnviz trace", "version": 9}).encode(), "version 9"),
        (to_json(example()).replace("0.1", "1e99").encode(), "damaged"),
    ],
)
def test_a_file_that_holds_no_trace_is_a_sentence(data, says):
    app = page()
    app.file_uploader(key="open").set_value(("trace.json", data, "application/json")).run()
    assert not app.exception
    assert says in app.warning[0].value
    assert len(labels(app)) == 6


def test_a_saved_trace_is_opened():
    app = page()
    saved = to_json(attnviz.attend("capsule", text=TEXT)).encode()
    app.file_uploader(key="open").set_value(("trace.json", saved, "application/json")).run()
    assert [c.value for c in app.caption if c.value.startswith("opened")] == ["opened capsule"]
    assert not app.warning and not app.exception


def test_the_longest_text_can_be_opened_again():
    from attnviz.ui import take

    text = " ".join(f"w{i}" for i in range(MAX_WORDS))
    done = Intervention(temperature=0.5, masked=frozenset({1}), off={"head": frozenset({0})})
    trace = attnviz.attend("multi_head_self", text=text, intervention=done)
    opened, problem = take._read(to_json(trace).encode())
    assert problem == ""
    assert_same(opened, trace)


def several() -> AppTest:
    """A page with a change, two mechanisms and their difference, in the folds of a real page."""

    def script():
        import streamlit as st

        import attnviz
        from attnviz.analysis.pairs import difference_trace
        from attnviz.ui import details
        from attnviz.ui.shown import Shown

        st.session_state["take"] = True
        text, done = "Who wrote Hamlet ?", attnviz.Intervention(masked=frozenset({1}))
        before = attnviz.attend("multi_head", text=text)
        first, second = (attnviz.attend(name, text=text, intervention=done) for name in ("multi_head", "multi_hop"))
        both = [Shown(first, before, slot="1", title="1 · multi-head"), Shown(second, slot="2", title="2 · multi-hop")]
        details.follow(lambda: [*both, Shown(difference_trace(first, second), slot="12", title="2 minus 1")])

    return AppTest.from_function(script, default_timeout=60).run()


def test_several_are_offered_one_by_one_and_as_one_picture():
    app = several()
    assert not app.exception
    assert labels(app) == ["SVG", "PNG", "HTML", "JSON", "CSV", "NPZ", "SVG", "PNG", "HTML"]
    assert "**All 3 in one picture**" in [found.value for found in app.markdown]
    app.selectbox(key="of-take").set_value("2 minus 1").run()
    assert not app.exception
    found = {}
    exec(app.code[0].value, found)
    assert found["trace"].mechanism == "difference"


def test_the_picture_of_all_has_every_title_and_every_change():
    from attnviz.ui import take
    from attnviz.ui.shown import Shown

    buttons = {}
    text, done = "Who wrote Hamlet ?", Intervention(masked=frozenset({1}))
    before, first = attnviz.attend("multi_head", text=text), attnviz.attend("multi_head", text=text, intervention=done)
    shown = [Shown(first, before, title="1 · one"), Shown(attnviz.attend("capsule", text=text), title="2 · two")]

    def script(take, shown):
        take.take_all(shown)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(take, "_button", lambda file, name, kind, make: buttons.update({kind: make}))
        assert not AppTest.from_function(script, args=(take, shown), default_timeout=60).run().exception
    svg, page = buttons["SVG"](), buttons["HTML"]()
    assert all(title in svg and title in page for title in ("1 · one", "2 · two"))
    assert "line-through" in svg and "wrote” is masked" in page and buttons["PNG"]().startswith(b"\x89PNG")


def test_the_limit_of_size_is_said(monkeypatch):
    from attnviz.ui import take

    monkeypatch.setattr(take, "_MOST_MEGABYTES", 0)
    assert "more than 0 MB" in take._read(b" ")[1]
