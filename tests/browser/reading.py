"""Reading the live picture in a browser: its parts by name, and numbers as it writes them."""

import json
import re

import numpy as np

PICTURE = ".attnviz-picture"
INPUT = ".attnviz-input"
INPUTS_PAGE = "tests/pages/inputs_app.py"


def written(values: np.ndarray) -> list[str]:
    """As the picture writes weights: four decimals, or two digits where that would show next to nothing."""
    return [f"{v:.4f}" if v >= 0.00095 or v == 0 else re.sub(r"e-0?", "e−", f"{v:.1e}") for v in values]


def asked(page) -> None:
    """Waits until all of the page with a task's parts is there, so that nothing moves any more."""
    page.get_by_role("button", name="Examples").wait_for()
    page.locator("[data-testid=stText], [data-testid=stCaptionContainer]").first.wait_for()


def box_of(page, selector: str) -> dict:
    """Where a part of the picture stands in the window."""
    return page.locator(f"{PICTURE} {selector}").first.bounding_box()


def cell(page, key: int, row: int = 0) -> list[float]:
    """The middle of a cell of the grid, in pixels of the window."""
    return page.locator(PICTURE).evaluate(
        """(root, [key, row]) => {
            const { grid } = root.picture;
            const box = grid.scroller.getBoundingClientRect();
            const x = (grid.edges[key] + grid.edges[key + 1]) / 2 - grid.scroller.scrollLeft;
            return [box.left + grid.spec.labelWidth + x, box.top + grid.head + (row + 0.5) * grid.rowHeight];
        }""",
        [key, row],
    )


def numbers(page) -> list[str]:
    """What stands beside the maps' names."""
    return page.locator(f"{PICTURE} .map:visible .number").all_text_contents()


def pointed(page) -> None:
    """Waits until the picture marks a place."""
    page.wait_for_selector(f"{PICTURE} .map.pointed")


def linked(page, fragment: str) -> None:
    """Waits until the part of the link behind # is `fragment`."""
    page.wait_for_function("wanted => location.hash === wanted", arg=fragment)


def readout(page) -> str:
    """The line under the picture."""
    return page.locator(f"{PICTURE} .readout").text_content()


def sent(page, count: int = 1) -> list[dict]:
    """What the server was sent, once it lists so many events: the list may come after the picture's answer."""
    page.wait_for_function(
        "count => JSON.parse(document.querySelector('[data-testid=stText]')?.textContent ?? '[]').length >= count",
        arg=count,
    )
    return json.loads(page.get_by_test_id("stText").text_content())


def colour(page, selector: str = ".cells") -> np.ndarray:
    """The mean colour of a canvas, after any fading."""
    page.wait_for_timeout(200)
    return np.array(
        page.locator(f"{PICTURE} {selector}").first.evaluate(
            """canvas => {
                const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                const sum = [0, 0, 0, 0];
                for (let i = 0; i < data.length; i++) sum[i % 4] += data[i];
                return sum.map((v) => v / (data.length / 4));
            }"""
        )
    )
