"""`python -m tests.benchmarks [NAME ...]`: all benchmarks, or those named."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "errors",
    "spheres",
    "planning_system",
    "expansion",
    "run",
    "organs",
    "landmarks",
    "station_volumes",
    "stations",
)


def main(arguments: list[str]) -> int:
    """Run benchmarks; 0 when every figure keeps its limit."""
    unknown = [name for name in arguments if name not in NAMES]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    good = True
    for name in arguments or NAMES:
        print(f"\n==== {name} ====")
        good &= importlib.import_module(f"tests.benchmarks.{name}").main()
    print("\nAll figures keep their limits." if good else "\nA figure breaks its limit: see FAIL above.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
