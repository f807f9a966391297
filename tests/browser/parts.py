"""The parts of a task in a browser: what the server was given of them, and what is done to them."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.reading import INPUT

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
expect = playwright.expect


def given(page) -> dict:
    return json.loads(page.get_by_test_id("stText").first.text_content())["values"]


def wait_for(page, name: str, value: object) -> None:
    """Waits until the server was given this value."""
    try:
        page.wait_for_function(
            """([name, value]) => {
                const said = document.querySelector('[data-testid=stText]');
                return said && JSON.stringify(JSON.parse(said.textContent).values[name]) === value;
            }""",
            arg=[name, json.dumps(value, ensure_ascii=False, separators=(",", ":"))],
        )
    except playwright.TimeoutError:
        assert given(page)[name] == value


def linked(page) -> dict[str, str]:
    return {name: found[0] for name, found in parse_qs(urlsplit(page.url).query, keep_blank_values=True).items()}


def fact(page, number: int):
    return page.get_by_label(f"Fact {number}", exact=True)


def focused(page) -> str | None:
    return page.locator(INPUT).first.evaluate("node => node.getRootNode().activeElement?.getAttribute('aria-label')")


def paste(page, text: str) -> None:
    """Pastes into the field that has the focus, as a browser does."""
    page.locator(INPUT).first.evaluate(
        """(node, text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData('text/plain', text);
            const about = { clipboardData, bubbles: true, cancelable: true };
            node.getRootNode().activeElement.dispatchEvent(new ClipboardEvent('paste', about));
        }""",
        text,
    )


def choose_example(page, name: str) -> None:
    page.get_by_role("button", name="Examples").click()
    page.get_by_role("menuitem", name=name).click()
