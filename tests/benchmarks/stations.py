"""Whole `stations` and `run --arm both` processes on a real CT with organ masks, beside only reading both."""

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
MOST_MB = 2000.0

READING = "only reading the CT (pydicom) and 41 masks (SimpleITK)"
STATIONS = "rt-targets stations --no-pictures"
ARMS = "rt-targets run --arm both --no-pictures"
# What each may take in times of the reading.
MOST_READINGS = {STATIONS: 2.5, ARMS: 3.0}


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
    for name in (READING, *MOST_READINGS):
        seconds = statistics.median(done[name].seconds for done in rounds)
        peak = max(done[name].peak_mb for done in rounds)
        rows.append([name, f"{seconds:.2f}", f"{peak:.0f}"])
    print_table(
        f"Whole processes on LUNG1-002 with its organ masks; medians of {ROUNDS} rounds in turn",
        ["process", "seconds", "peak MB"],
        rows,
    )
    limits = []
    for name, most in MOST_READINGS.items():
        ratio = statistics.median(done[name].seconds / done[READING].seconds for done in rounds)
        peak = max(done[name].peak_mb for done in rounds)
        limits.append(Limit(what=f"{name}: times the reading", value=ratio, limit=most))
        limits.append(Limit(what=f"{name}: peak memory", value=peak, limit=MOST_MB, unit=" MB"))
    return print_limits(limits)


def _round(folder: Path, masks: Path, scratch: Path) -> dict[str, Ran]:
    """Every command once, in turn, so that a slow spell of the machine hits all."""
    here = Path(__file__).parent
    program = str(Path(sys.executable).with_name("rt-targets"))
    words = [str(folder), "--anatomy", str(masks), "--quiet", "--overwrite", "--no-pictures", "--out"]
    return {
        READING: run_process([sys.executable, str(here / "read_ct_and_masks.py"), str(folder), str(masks)]),
        STATIONS: run_process([program, "stations", *words, str(scratch / "stations")]),
        ARMS: run_process([program, "run", *words, str(scratch / "arms"), "--arm", "both"]),
    }
