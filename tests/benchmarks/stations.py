"""Whole `rt-targets stations` processes on a real CT with its organ masks, beside only reading both."""

from __future__ import annotations

import os
import statistics
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.benchmarks.processes import ROOT, Ran, run_process
from tests.benchmarks.run import ARCHIVE
from tests.benchmarks.tables import Limit, print_limits, print_table

MASKS = "lung1-002/anatomy"
ROUNDS = 5
MOST_READINGS, MOST_MB = 2.5, 2000.0

READING = "only reading the CT (pydicom) and 41 masks (SimpleITK)"
STATIONS = "rt-targets stations --no-pictures"


def main() -> bool:
    """Print the table; whether all limits hold. Says so where the real CT is not there."""
    data = Path(os.environ.get("RT_TARGETS_DATA", ROOT.parent / "shared" / "data"))
    if not (data / ARCHIVE).is_file() or not (data / MASKS).is_dir():
        print(f"\nLeft out: no {ARCHIVE} in {data}; set RT_TARGETS_DATA to the folder that holds it.")
        return True
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "in")
        with tarfile.open(data / ARCHIVE) as tar:
            tar.extractall(folder, filter="data")
        rounds = [_round(folder, data / MASKS, Path(scratch)) for _ in range(ROUNDS + 1)][
            1:
        ]  # one warms caches
    rows = []
    for name in (READING, STATIONS):
        seconds = statistics.median(done[name].seconds for done in rounds)
        peak = max(done[name].peak_mb for done in rounds)
        rows.append([name, f"{seconds:.2f}", f"{peak:.0f}"])
    print_table(
        f"Whole processes on LUNG1-002 with its organ masks; medians of {ROUNDS} rounds in turn",
        ["process", "seconds", "peak MB"],
        rows,
    )
    ratio = statistics.median(done[STATIONS].seconds / done[READING].seconds for done in rounds)
    peak = max(done[STATIONS].peak_mb for done in rounds)
    return print_limits(
        [
            Limit(what="without pictures: times the reading", value=ratio, limit=MOST_READINGS),
            Limit(what="peak memory", value=peak, limit=MOST_MB, unit=" MB"),
        ]
    )


def _round(folder: Path, masks: Path, scratch: Path) -> dict[str, Ran]:
    """Both commands once, in turn, so that a slow spell of the machine hits both."""
    here = Path(__file__).parent
    command = [str(Path(sys.executable).with_name("rt-targets")), "stations", str(folder)]
    command += ["--anatomy", str(masks), "--quiet", "--overwrite", "--no-pictures", "--out"]
    return {
        READING: run_process([sys.executable, str(here / "read_ct_and_masks.py"), str(folder), str(masks)]),
        STATIONS: run_process([*command, str(scratch / "out")]),
    }
