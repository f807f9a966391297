"""The command line: python -m attnviz list | attend | train | evaluate."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from attnviz import export, library
from attnviz.analysis.words import in_words
from attnviz.attention.registry import get
from attnviz.errors import AttnvizError, OptionError, UnknownNameError
from attnviz.intervention import Intervention
from attnviz.tasks import registry as tasks
from attnviz.trace import Trace
from attnviz.version import VERSION
from attnviz.zoo import models

Made = Callable[[Trace, Image.Image | None, Trace | None], str | bytes]  # of a trace, its picture, the one before
_FILES: dict[str, tuple[str, Made]] = {
    "csv": ("the weights as a table", lambda trace, picture, before: export.to_csv(trace)),
    "npz": ("the whole trace as NumPy arrays", lambda trace, picture, before: export.to_npz(trace)),
    "svg": ("the picture, for papers", lambda trace, picture, before: export.to_svg(trace, picture=picture)),
    "png": ("the picture, 300 dpi", lambda trace, picture, before: export.to_png(trace, picture=picture)),
    "html": (
        "the live picture as one page",
        lambda trace, picture, before: export.to_html(trace, picture, before=before),
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it worked, 2 with a sentence on standard error if not."""
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except AttnvizError as error:
        print(f"attnviz: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("attnviz: stopped; what was finished is kept.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="attnviz", description="See attention mechanisms work.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="list | attend | train | evaluate")

    listing = commands.add_parser("list", help="mechanisms, their axes and options, and tasks with trained weights")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)

    attend = commands.add_parser("attend", help="run a mechanism on a text or a picture")
    attend.add_argument("mechanism")
    attend.add_argument("--task")
    attend.add_argument("--text")
    attend.add_argument("--image", type=Path)
    attend.add_argument(
        "--give", action="append", default=[], metavar="PART=VALUE", help="one part of an input that has several"
    )
    attend.add_argument(
        "--intervention", metavar="JSON", help='what to change, such as {"temperature": 0.5, "masked": [2]}'
    )
    attend.add_argument("--json", type=Path, metavar="FILE", help="write the whole trace; - for standard output")
    for kind, (written, _) in _FILES.items():
        attend.add_argument(f"--{kind}", type=Path, metavar="FILE", help=f"write {written}")
    attend.set_defaults(run=_attend)

    train = commands.add_parser("train", help="make a file of the zoo; `train all` makes all of them")
    train.add_argument("task", help="a task, `text` for the general text features, or `all`")
    train.add_argument("mechanism", nargs="?", help="a mechanism, or `features` for the task's feature model")
    train.add_argument("--missing", action="store_true", help="with `all`: only what the zoo lacks")
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("evaluate", help="figures of trained models on a split of the data")
    evaluate.add_argument("task")
    evaluate.add_argument("mechanism", nargs="?")
    evaluate.add_argument("--split", choices=("train", "val", "test"), default="val")
    evaluate.add_argument("--json", action="store_true")
    evaluate.set_defaults(run=_evaluate)

    for command in (attend, train, evaluate):
        command.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", dest="options")
    for command in (train, evaluate):
        command.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with trec/, sst/, …")
    return parser


def _options(given: argparse.Namespace) -> dict[str, str]:
    return _pairs("--set", given.options)


def _pairs(argument: str, settings: Sequence[str]) -> dict[str, str]:
    pairs = [setting.partition("=") for setting in settings]
    for name, equals, _ in pairs:
        if not equals:
            raise OptionError(f"{argument} {name} has no value; write {argument} name=value.")
    return {name: value for name, _, value in pairs}


def described() -> dict[str, Any]:
    """What `list --json` prints: mechanisms with axes and options, tasks, and what is trained for each."""
    known = library.tasks()
    return {
        "mechanisms": [
            {
                "name": spec.name,
                "title": spec.title,
                "family": spec.family,
                "query": spec.query,
                "paper": spec.paper,
                "yields": spec.yields,
                "axes": list(spec.axes),
                "options": {
                    name: {"default": f.default, "choices": list(f.metadata["choices"])}
                    for name, f in spec.options.__dataclass_fields__.items()
                },
                "trained": [task for task in known if models.trained(task, spec.name)],
            }
            for spec in library.mechanisms().values()
        ],
        "tasks": [
            {"name": t.name, "title": t.title, "kind": t.kind, "predicts": t.predicts, "classes": list(t.classes)}
            for t in known.values()
        ],
    }


def _list(given: argparse.Namespace) -> None:
    found = described()
    if given.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for spec in found["mechanisms"]:
        print(f"{spec['name']:20} {spec['family']:18} {' × '.join(spec['axes']):24} {spec['title']}")
        print(f"{'':20} {spec['query']}")
        for name, about in spec["options"].items():
            print(f"{'':20} --set {name}={'|'.join(map(str, about['choices']))} (default {about['default']})")
        print(f"{'':20} trained for: {', '.join(spec['trained']) or 'nothing yet'}")
    print()
    for task in found["tasks"]:
        print(f"{task['name']:20} {task['kind']:18} {task['predicts']}: {', '.join(task['classes'])}")


def _attend(given: argparse.Namespace) -> None:
    changes = _intervention(given.intervention)
    parts = _pairs("--give", given.give) or None
    attend = partial(
        library.attend, given.mechanism, given.task, text=given.text, image=given.image, given=parts, **_options(given)
    )
    trace = attend(intervention=changes)
    if given.json is not None and str(given.json) == "-":
        print(export.to_json(trace))
    else:
        _print(trace)
        _write(given.json, lambda: export.to_json(trace))
    picture = _picture(given, parts) if given.svg or given.png or given.html else None
    before = attend() if given.html and changes else None
    for kind, (_, made) in _FILES.items():
        _write(getattr(given, kind), partial(made, trace, picture, before))


def _intervention(text: str | None) -> Intervention | None:
    if text is None:
        return None
    try:
        return Intervention.from_plain(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise OptionError(f'--intervention is not JSON ({error}). Write it like {{"masked": [2]}}.') from None


def _picture(given: argparse.Namespace, parts: dict[str, str] | None) -> Image.Image | None:
    """What lies under the weights of a picture's trace."""
    task, values = library.read(given.task, text=given.text, image=given.image, given=parts)
    return models.encode(task.name, values).picture


def _write(path: Path | None, made: Callable[[], str | bytes]) -> None:
    if path is None:
        return
    content = made()
    try:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise OptionError(f"{path} cannot be written: {error.strerror}. Choose another place.") from None
    print(f"written to {path}", file=sys.stderr)


def _print(trace: Trace) -> None:
    print("".join(text for text, _ in in_words(trace)))
    for found in trace.maps:
        print(f"\n{found.name}: {' × '.join(axis.kind for axis in found.axes)}")
        for label, weights in zip(found.labels, found.stacked, strict=True):
            row = weights.mean(0)
            best = row.argsort()[::-1][:5]
            print(f"  {label:20} " + "  ".join(f"{found.axes[-1].labels[i]} {row[i]:.3f}" for i in best))
    if trace.prediction is not None:
        print("\nprediction" + ("" if trace.made_by.get("trained") else " (untrained: random weights)"))
        for label, probability in zip(trace.prediction.labels, trace.prediction.probabilities, strict=True):
            print(f"  {label:20} {probability:.4f}")


def _train(given: argparse.Namespace) -> None:
    from attnviz.training import recipes

    if given.task == "all":
        for task, mechanism, options in recipes.everything():
            if not (given.missing and recipes.made(task, mechanism, options)):
                _report(recipes.train(task, mechanism, given.data, options))
        return
    if given.mechanism is None:
        raise UnknownNameError("mechanism", "", ("features", *library.mechanisms()))
    _report(recipes.train(given.task, given.mechanism, given.data, _options(given)))


def _report(card: dict[str, Any]) -> None:
    figures = ", ".join(f"{name} {value}" for name, value in card["metric"].items())
    settings = " ".join(f"{name}={value}" for name, value in card["options"].items())
    print(f"{card['task']} {card['mechanism']} {settings}: {figures} ({card['seconds']} s)", flush=True)


def _evaluate(given: argparse.Namespace) -> None:
    from attnviz.training import recipes

    tasks.get(given.task)
    wanted = [get(given.mechanism)] if given.mechanism else list(library.mechanisms().values())
    rows = []
    for spec in wanted:
        chosen = [spec.parse(_options(given))] if given.mechanism else models.trained(given.task, spec.name)
        for options in chosen:
            figures = recipes.evaluate(given.task, spec.name, options, given.data, given.split)
            rows.append({"mechanism": spec.name, "options": models.store.variant(options), **figures})
    if given.json:
        print(json.dumps({"task": given.task, "split": given.split, "models": rows}, indent=1))
        return
    for row in rows:
        figures = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if isinstance(value, float))
        print(f"{row['mechanism']:20} {row['options']:28} {figures}")


if __name__ == "__main__":
    sys.exit(main())
