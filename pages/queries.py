"""Queries: what is the question that is asked of the features, and who asks it?"""

from attnviz.ui import asking, details, stage
from attnviz.ui.style import page_head
from attnviz.views.canvas import load_code

page_head("Queries")
load_code()
asking.disputes(stage.one_mechanism(asking.draw))
details.closed()
