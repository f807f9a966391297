"""The calls for notebooks and programs; pages and the command line use the same ones."""

from collections.abc import Mapping
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
    given: Mapping[str, str | Path | bytes] | None = None,
    intervention: Intervention | None = None,
    **options: Any,
) -> Trace:
    """Run a mechanism with the weights of the zoo on a text, on a picture (a file name or its bytes), or on an input of
    several parts: `given` names them, such as {"review": "…", "target": "food"}.

    The task is "trec" for a text and "cifar10" for a picture unless it is named. Where the zoo has no weights for these
    options the module is untrained, and `trace.made_by["trained"]` says so. An AttnvizError says what to do.
    """
    about, values = read(task, text=text, image=image, given=given)
    model = models.load(about.name, mechanism, registry.get(mechanism).parse(options))
    swapped = intervention.swapped if intervention else {}
    return model.trace(models.encode(about.name, values, swapped), intervention)


def read(
    task: str | None = None,
    *,
    text: str | None = None,
    image: str | Path | bytes | None = None,
    given: Mapping[str, str | Path | bytes] | None = None,
) -> tuple[task_registry.Task, dict[str, Any]]:
    """The task, and what was given for each of its parts, as `attend` takes them; pictures are read.

    OptionError for a part that is missing or unknown; one with choices may be left out.
    """
    if (text is not None) + (image is not None) + (given is not None) != 1:
        raise OptionError(
            "Give one of text, image and given (for a task with several parts), not several and not none."
        )
    about = task_registry.get(task or ("cifar10" if image is not None else "trec"))
    by_kind = {"text": text, "picture": image}
    found = dict(given or {p.name: by_kind[p.kind] for p in about.parts if by_kind.get(p.kind) is not None})
    names = [p.name for p in about.parts]
    wanted = f"The task {about.name} takes {' and '.join(names)}"
    if unknown := [name for name in found if name not in names]:
        raise OptionError(f"{wanted}, not {unknown[0]!r}.")
    for part in about.parts:
        if part.kind == "choice":
            found.setdefault(part.name, part.choices[0])
        if part.name not in found:
            raise OptionError(f"{wanted}: {part.name} is missing. Other tasks take other things: {_takes()}.")
        if part.kind == "picture":
            found[part.name] = read_picture(_bytes(found[part.name]), _name(found[part.name]), part.longest)
    return about, found


def _takes() -> str:
    return "; ".join(f"{t.name}: {' and '.join(p.name for p in t.parts)}" for t in tasks().values())


def _bytes(image: str | Path | bytes) -> bytes:
    try:
        return image if isinstance(image, bytes) else Path(image).read_bytes()
    except OSError as error:
        raise PictureError(f"The picture {image} cannot be opened: {error.strerror}.") from None


def _name(image: str | Path | bytes) -> str:
    return "picture" if isinstance(image, bytes) else Path(image).name
