"""python -m benchmarks [engine | payload | live | sessions | all]: measure, print a table, keep the raw numbers."""

import argparse
import importlib
import sys

from benchmarks.report import table, write

NAMES = ("engine", "payload", "live", "sessions")


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; 1 if a figure misses its target."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="engine | payload | live | sessions | all", default=["all"])
    parser.add_argument("--quick", action="store_true", help="few and small measurements: to see whether it runs")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - {*NAMES, "all"}
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}, all")
    met = True
    for name in NAMES if "all" in given.names else given.names:
        result = importlib.import_module(f"benchmarks.{name}").measure(quick=given.quick)
        print(f"\n## {name}\n\n{table(result.figures)}\n\nRaw numbers: {write(name, result)}", flush=True)
        met = met and all(figure.met is not False for figure in result.figures)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
