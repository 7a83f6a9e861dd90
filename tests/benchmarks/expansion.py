"""Speed and memory of one expansion on a whole CT grid, beside SciPy and SimpleITK."""

from __future__ import annotations

import json

from tests.benchmarks.one_expansion import MARGIN_MM, SIZE, SPACING
from tests.benchmarks.processes import run_python
from tests.benchmarks.tables import Limit, print_limits, print_table

METHODS = {
    "contours": "rt-targets, contours to contours",
    "mask": "rt-targets, mask to mask",
    "SciPy": "SciPy distance transform, full grid",
    "SimpleITK ball": "SimpleITK ball, full grid",
    "nothing": "(the lesion alone)",
}
LEAST_RATIO, MOST_MB = 5.0, 500.0


def main() -> bool:
    """Print the table; whether all limits hold."""
    rows, limits = [], []
    seconds: dict[str, float] = {}
    peak: dict[str, float] = {}
    cc: dict[str, float] = {}
    for method in METHODS:
        ran = run_python("-m", "tests.benchmarks.one_expansion", method)
        found = json.loads(ran.output.splitlines()[-1])
        seconds[method], cc[method], peak[method] = found["seconds"], found["volume_cc"], ran.peak_mb
    for method, label in METHODS.items():
        ratio = "" if method == "nothing" else f"{seconds['SciPy'] / seconds[method]:.1f}"
        rows.append([label, f"{seconds[method]:.3f}", ratio, f"{peak[method]:.0f}", f"{cc[method]:.1f}"])
    for method in ("contours", "mask"):
        ratio = seconds["SciPy"] / seconds[method]
        limits += [
            Limit(what=f"{method}: times faster than SciPy", value=ratio, limit=LEAST_RATIO, at_least=True),
            Limit(what=f"{method}: peak memory", value=peak[method], limit=MOST_MB, unit=" MB"),
        ]
    size, spacing = (" x ".join(f"{value:g}" for value in triple) for triple in (SIZE, SPACING))
    print_table(
        f"One {MARGIN_MM:g} mm expansion on a CT of {size} voxels of {spacing} mm; medians, fresh processes",
        ["method", "seconds", "SciPy / it", "peak MB", "cc"],
        rows,
    )
    return print_limits(limits)
