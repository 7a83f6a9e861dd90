"""Whole `rt-targets run` processes on a real CT, beside only reading it and beside the usual script."""

from __future__ import annotations

import os
import statistics
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.benchmarks.processes import ROOT, Ran, run_process
from tests.benchmarks.tables import Limit, print_limits, print_table

ARCHIVE = "lung1-002/ct-and-xio-plan.tar.xz"
ROUNDS = 7
MOST_READINGS, LEAST_TIMES_FASTER, MOST_MB = 6.0, 2.5, 700.0

READING = "only reading the CT's pixels (pydicom)"
PLAIN = "rt-targets run --arm ifi --no-pictures"
PICTURES = "rt-targets run --arm ifi"
USUAL = "rt-utils mask, SciPy distance transform, rt-utils writer"


def main() -> bool:
    """Print the table; whether all limits hold. Says so where the real CT is not there."""
    data = Path(os.environ.get("RT_TARGETS_DATA", ROOT.parent / "shared" / "data"))
    if not (data / ARCHIVE).is_file():
        print(f"\nLeft out: no {ARCHIVE} in {data}; set RT_TARGETS_DATA to the folder that holds it.")
        return True
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "in")
        with tarfile.open(data / ARCHIVE) as tar:
            tar.extractall(folder, filter="data")
        rounds = [_round(folder, Path(scratch)) for _ in range(ROUNDS + 1)][1:]  # the first one warms caches
    return _told(rounds)


def _round(folder: Path, scratch: Path) -> dict[str, Ran]:
    """All commands once, in turn, so that a slow spell of the machine hits all of them."""
    here = Path(__file__).parent
    command = [str(Path(sys.executable).with_name("rt-targets")), "run", str(folder), "--arm", "ifi"]
    command += ["--gtv", "GTV-1=GTV-T", "--quiet", "--overwrite", "--out"]
    return {
        READING: run_process([sys.executable, str(here / "read_ct.py"), str(folder)]),
        PLAIN: run_process([*command, str(scratch / "plain"), "--no-pictures"]),
        PICTURES: run_process([*command, str(scratch / "pictures")]),
        USUAL: run_process(
            [sys.executable, str(here / "usual_script.py"), str(folder), "GTV-1", str(scratch / "rs.dcm")]
        ),
    }


def _told(rounds: list[dict[str, Ran]]) -> bool:
    def median(values: list[float]) -> float:
        return statistics.median(values)

    rows = []
    for name in (READING, PLAIN, PICTURES, USUAL):
        seconds = median([done[name].seconds for done in rounds])
        ratio = median([done[name].seconds / done[READING].seconds for done in rounds])
        peak = max(done[name].peak_mb for done in rounds)
        rows.append([name, f"{seconds:.2f}", f"{ratio:.1f}", f"{peak:.0f}"])
    print_table(
        f"Whole processes on LUNG1-002 (111 slices of 512 x 512); medians of {len(rounds)} rounds in turn",
        ["process", "seconds", "x reading", "peak MB"],
        rows,
    )
    readings = median([done[PLAIN].seconds / done[READING].seconds for done in rounds])
    faster = median([done[USUAL].seconds / done[PICTURES].seconds for done in rounds])
    peak = max(max(done[PLAIN].peak_mb, done[PICTURES].peak_mb) for done in rounds)
    return print_limits(
        [
            Limit(what="without pictures: times the reading", value=readings, limit=MOST_READINGS),
            Limit(
                what="with pictures: times faster than the usual script",
                value=faster,
                limit=LEAST_TIMES_FASTER,
                at_least=True,
            ),
            Limit(what="peak memory of a run", value=peak, limit=MOST_MB, unit=" MB"),
        ]
    )
