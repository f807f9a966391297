"""attnviz: see attention mechanisms work.

import attnviz

attnviz.mechanisms()
trace = attnviz.attend("capsule", task="trec", text="Who wrote Hamlet ?")
trace.maps[0].weights, trace.maps[0].axes, trace.prediction
module = attnviz.build("multi_head", d_model=64, n_heads=8)
"""

from attnviz.intervention import Edit, Intervention, Override
from attnviz.library import attend, build, mechanisms, tasks
from attnviz.recording import note, record
from attnviz.version import VERSION as __version__

__all__ = [
    "Edit",
    "Intervention",
    "Override",
    "__version__",
    "attend",
    "build",
    "mechanisms",
    "note",
    "record",
    "tasks",
]
