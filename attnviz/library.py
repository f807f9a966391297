"""The calls for notebooks and programs; pages and the command line use the same ones."""

from pathlib import Path
from typing import Any

from torch import nn

from attnviz.attention import registry
from attnviz.errors import OptionError, PictureError
from attnviz.features.picture import read_picture
from attnviz.intervention import Intervention
from attnviz.tasks import registry as task_registry
from attnviz.trace import Trace
from attnviz.zoo import models


def mechanisms() -> dict[str, registry.Mechanism]:
    """All mechanisms by name."""
    return registry.mechanisms()


def tasks() -> dict[str, task_registry.Task]:
    """All tasks by name."""
    return task_registry.tasks()


def build(mechanism: str, d_model: int, n_classes: int | None = None, **options: Any) -> nn.Module:
    """A new module with random weights: an ordinary `nn.Module` with `forward(items, mask=None)`.

    Raises UnknownNameError for a mechanism or option that does not exist, OptionError for a value out of bounds.
    """
    spec = registry.get(mechanism)
    return spec.build(d_model, spec.parse(options), n_classes)


def attend(
    mechanism: str,
    task: str | None = None,
    *,
    text: str | None = None,
    image: str | Path | bytes | None = None,
    intervention: Intervention | None = None,
    **options: Any,
) -> Trace:
    """Run a mechanism with the weights of the zoo on a text or a picture (a file name or its bytes).

    The task is "trec" for a text and "cifar10" for a picture unless it is named. Where the zoo has no weights for these
    options the module is untrained, and `trace.made_by["trained"]` says so. An AttnvizError says what to do.
    """
    if (text is None) == (image is None):
        raise OptionError("Give either a text or an image, not both and not neither.")
    about = task_registry.get(task or ("trec" if image is None else "cifar10"))
    wanted = "text" if image is None else "image"
    if about.kind != wanted:
        fitting = [t.name for t in tasks().values() if t.kind == wanted]
        raise OptionError(
            f"The task {about.name} needs a {about.kind}, not a {wanted}; for it, choose {', '.join(fitting)}."
        )
    spec = registry.get(mechanism)
    model = models.load(about.name, mechanism, spec.parse(options))
    if image is None:
        swapped = intervention.swapped if intervention else {}
        return model.trace(models.encode_text(about.name, text, swapped), intervention)
    given = models.encode_picture(about.name, read_picture(_bytes(image)), _name(image))
    return model.trace(given, intervention)


def _bytes(image: str | Path | bytes) -> bytes:
    try:
        return image if isinstance(image, bytes) else Path(image).read_bytes()
    except OSError as error:
        raise PictureError(f"The picture {image} cannot be opened: {error.strerror}.") from None


def _name(image: str | Path | bytes) -> str:
    return "picture" if isinstance(image, bytes) else Path(image).name
