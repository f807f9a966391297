"""Step by step: the computation of a mechanism line by line, each formula with the numbers under it."""

from attnviz.ui import details, stage, worksheet
from attnviz.ui.style import page_head
from attnviz.views.canvas import load_code

page_head("Step by step")
load_code()
stage.one_mechanism(worksheet.draw)
details.closed()
