"""What the theme cannot say: less air above the page, the name of the app, and where the options stand.

On a wide screen the options stand above the input; on a phone below the picture, which should come first.
"""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from attnviz.ui import link

_CSS = """
<style>
.stMainBlockContainer { padding-top: 3.75rem; padding-bottom: 2rem; max-width: 1400px; }
.stMainBlockContainer .stVerticalBlock { gap: 0.6rem; }
.attnviz-name { font-weight: 700; font-size: 1.15rem; letter-spacing: -0.01em; }
.attnviz-name span { font-weight: 400; color: color-mix(in srgb, currentColor 65%, transparent); }
[data-testid="stMenuButtonBody"] { max-width: calc(100vw - 1rem); }
[data-testid="stMenuButtonBody"] [role="menuitem"] { height: auto; min-height: 2rem; padding-block: 0.3rem; }
[data-testid="stMenuButtonBody"] [role="menuitem"] > div { height: auto; }
[data-testid="stMenuButtonBody"] p { white-space: normal; }
@media (min-width: 641px) { .st-key-stage > :has(> .st-key-options) { order: -1; } }
@media (max-width: 640px) { .stMainBlockContainer { padding-left: 0.75rem; padding-right: 0.75rem; } }
</style>
"""


def page_head(title: str) -> None:
    """Style and the name of app and page; the first thing on every page."""
    _through_the_app()
    link.enter(title)
    st.html(f'{_CSS}<div class="attnviz-name">attnviz <span>· {title}</span></div>')


def _through_the_app() -> None:
    """Run app.py first, also for whoever opens a new server with a link to a page.

    Until `st.navigation` has been called once in a process, Streamlit takes the folder pages/ for an app of its older
    kind and runs the page alone: without warm-up, with a side bar of file names. Nothing public switches that off.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
