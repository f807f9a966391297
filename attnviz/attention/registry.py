"""The list of mechanisms. A mechanism is one file in this folder: an `nn.Module` under the decorator `mechanism`.

@dataclass(frozen=True)
class Options:
    n_heads: int = option(8, choices=(1, 2, 4, 8), label="heads", help="independent queries asked side by side")

@mechanism(name="multi_head", title="Multi-head attention", …, options=Options)
class MultiHead(nn.Module):
    def __init__(self, d_model: int, n_heads: int = 8): …
    def forward(self, items, mask=None): …
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

import torch
from torch import nn

from attnviz import recording
from attnviz.errors import OptionError, UnknownNameError

FAMILIES = (
    "basic query",
    "specialised query",
    "self-attention",
    "multiple queries",
    "capsule",
    "transformer",
    "extension",
)


@dataclass(frozen=True)
class NoOptions:
    """For a mechanism without options."""


@dataclass(frozen=True)
class Cost:
    """What one input of n items costs: scalar multiplications, and numbers held at the same time."""

    multiplications: int
    memory: int


@dataclass(frozen=True)
class Dispute:
    """Where sources disagree: what one of them says, and what holds or is done here.

    `option` is the option of the mechanism that lets a person see the difference, if one does.
    """

    source: str
    claim: str
    instead: str
    option: str = ""


@dataclass(frozen=True)
class Mechanism:
    """What attnviz knows of a mechanism besides its module.

    `query` says in one line what is asked, and by whom; `look_for` what to watch in its picture. `yields` says what
    `forward(items, mask)` returns: one context "vector" (batch, d), new "items" (batch, n, d), or the probability
    and the capsule of each class ("classes"). `steps` gives the formula of every step that the module notes (one whose
    formulas depend on its options has them in an attribute `formulas`); `symbols` says what letters mean in them where
    that is not the usual. `cost(n, d, options)` counts for n items of d features; one that yields classes takes their
    number as a fourth argument.

    `asks` names the sides that `forward` must be given besides the items, as keyword arguments, `may_ask` those that
    it can take: "query_items" (with "query_mask"), a second set of feature vectors that asks; "target", a mask over
    the items; "auxiliary", a vector of numbers; "question", a vector or its words. `sizes` names arguments of the
    module that a task decides. `kinds` are the kinds of task it is for; empty: any. `queries` names the steps that are
    its queries; of a repeated step ("query, hop 2") the name before the comma, with ">" behind it if what a turn leaves
    asks the next one, and ": " with the name of the map that holds its weights if that is not the main one. `disputes`
    say where sources disagree.
    """

    name: str
    title: str
    short: str
    family: str
    paper: str
    formula: str
    query: str
    look_for: str
    yields: Literal["vector", "items", "classes", "states"]
    steps: Mapping[str, str]
    cost: Callable[[int, int, Any], Cost]
    options: type = NoOptions
    symbols: Mapping[str, str] = field(default_factory=dict)
    module: type[nn.Module] = nn.Module
    asks: tuple[str, ...] = ()
    may_ask: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    queries: tuple[str, ...] = ("query", "queries")
    disputes: tuple[Dispute, ...] = ()

    def parse(self, values: Mapping[str, Any]) -> Any:
        """Options from loose values (text from a link or a command line).

        Raises UnknownNameError for an option that does not exist, OptionError for a value out of its bounds.
        """
        known = {f.name: f for f in fields(self.options)}
        for name in values:
            if name not in known:
                raise UnknownNameError(f"option of {self.name}", name, known or ("(it has none)",))
        return self.options(**{name: _parsed(known[name], value) for name, value in values.items()})

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """What the axes of its weights count, such as ("head", "query", "key"): read off a small forward pass."""
        module = self.build(d_model=16, n_classes=2).eval()
        with torch.inference_mode(), recording.record() as heard:
            module(torch.zeros(1, 3, 16), **example_sides(self, 3, 16))
        return tuple(axis.kind for axis in heard.maps()[0].axes)

    def build(self, d_model: int, options: Any = None, n_classes: int | None = None, **sizes: Any) -> nn.Module:
        """A new module with random weights; of `sizes` it takes those that it names."""
        values = asdict(options if options is not None else self.options())
        values |= {name: size for name, size in sizes.items() if name in self.sizes}
        if self.yields == "classes":
            values["n_classes"] = n_classes or 2
        return self.module(d_model, **values)


D_AUXILIARY = 4  # of an auxiliary variable where no task says how many numbers it has


def example_sides(spec: Mechanism, n: int, d: int, batch: int = 1) -> dict[str, torch.Tensor]:
    """Sides that a mechanism asks for, to try it on n items: always the same normal numbers, items 3 and 4 the target.

    All rows of the batch are the same.
    """
    generator = torch.Generator().manual_seed(0)
    known = {
        "query_items": torch.randn(1, 2, d, generator=generator),
        "target": torch.isin(torch.arange(n), torch.tensor([min(2, n - 1), 3]))[None],
        "auxiliary": torch.randn(1, D_AUXILIARY, generator=generator),
        "inputs": torch.randn(1, 2, d, generator=generator),
        "question": torch.randn(1, d, generator=generator),
    }
    return {name: known[name].expand(batch, *known[name].shape[1:]) for name in spec.asks}


def option(default: Any, *, choices: tuple, label: str, help: str, only: tuple[str, Any] | None = None) -> Any:
    """A field of an options dataclass; controls are built from what is said here.

    One that matters only while another option, which stands before it, has some value says so by `only`: (name, value).
    """
    return field(default=default, metadata={"choices": choices, "label": label, "help": help, "only": only})


def _parsed(f: Any, value: Any) -> Any:
    """The choice that `value` names: the same value, or the same text."""
    for choice in f.metadata["choices"]:
        if str(choice).lower() == str(value).strip().lower():
            return choice
    choices = ", ".join(map(str, f.metadata["choices"]))
    raise OptionError(f"{f.metadata['label']} cannot be {str(value)[:40]!r}; choose one of {choices}.")


_registry: dict[str, Mechanism] = {}


def mechanism(**about: Any) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Register the decorated module under `about`, the fields of `Mechanism`."""

    def decorate(module: type[nn.Module]) -> type[nn.Module]:
        _registry[about["name"]] = Mechanism(module=module, **about)
        return module

    return decorate


def unregister(name: str) -> None:
    """Forget a mechanism; for tests and notebooks that define their own."""
    _registry.pop(name, None)


def mechanisms() -> dict[str, Mechanism]:
    """All mechanisms by name, in the order of `FAMILIES`, then by the order of their files."""
    package = importlib.import_module("attnviz.attention")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"attnviz.attention.{module}")
    return dict(sorted(_registry.items(), key=lambda item: FAMILIES.index(item[1].family)))


def get(name: str) -> Mechanism:
    """The mechanism of that name; UnknownNameError if there is none."""
    known = mechanisms()
    if name not in known:
        raise UnknownNameError("mechanism", name, known)
    return known[name]
