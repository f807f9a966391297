"""What a page shows of one computation, for the parts of a page that follow it."""

from dataclasses import dataclass

from attnviz.intervention import Intervention
from attnviz.trace import Trace
from attnviz.zoo.models import Input, Model


@dataclass(frozen=True)
class Shown:
    """A trace, the one before anything was changed (None if nothing is), and the picture as a data URL (None: text).

    `model`, run on `given` with `intervention`, made it; a trace from a file has no model. `slot` and `title` tell the
    traces of a page apart.
    """

    trace: Trace
    before: Trace | None = None
    picture: str | None = None
    model: Model | None = None
    given: Input | None = None
    intervention: Intervention = Intervention()
    slot: str = ""
    title: str = ""
