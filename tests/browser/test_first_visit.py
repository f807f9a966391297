"""A server whose very first visitor comes by a link to a page, not by the front door."""

from pathlib import Path

from tests.browser.parts import expect
from tests.browser.reading import PICTURE


def test_the_first_link_of_all_opens_the_page_inside_the_app(serve, page):
    front = Path("tests") / "browser" / ".." / ".." / "app.py"  # a name of its own: a server that nobody has visited
    page.goto(f"{serve(front)}/compare?panels=3&mechanism3=capsule")
    expect(page.locator(f"{PICTURE}[data-painted]").nth(2)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="Step by step")).to_be_visible()
    assert page.get_by_test_id("stSidebar").count() == 0 or not page.get_by_test_id("stSidebar").is_visible()
