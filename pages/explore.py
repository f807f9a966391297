"""Explore: pick a mechanism, type a sentence or give a picture, and watch the weights."""

from attnviz.ui import details, stage
from attnviz.ui.style import page_head
from attnviz.views.canvas import load_code

page_head("Explore")
load_code()
stage.one_mechanism()
details.closed()
