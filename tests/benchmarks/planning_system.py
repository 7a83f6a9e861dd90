"""The README's figures of LUNG1-002 beside its planning system."""

from __future__ import annotations

import os
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from pipeline.core.contour import Contours
from tests.benchmarks.processes import ROOT
from tests.benchmarks.tables import print_table
from tests.real.planning_system import ARCHIVE, compare


def main() -> bool:
    """Print the tables; says so where the real CT is not there."""
    data = Path(os.environ.get("RT_TARGETS_DATA", ROOT.parent / "shared" / "data"))
    if not (data / ARCHIVE).is_file():
        print(f"\nLeft out: no {ARCHIVE} in {data}; set RT_TARGETS_DATA to the folder that holds it.")
        return True
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(data / ARCHIVE) as tar:
            tar.extractall(folder, filter="data")
        comparisons = compare(Path(folder))
    for one in comparisons:
        print_table(
            f"LUNG1-002, {one.what}",
            ["", "cc", "to theirs", "left-right mm", "front-back mm", "slices"],
            [
                _row("planning system", one.theirs, ""),
                _row("rt-targets", one.ours, f"{one.percent:+.1f} %"),
                _row(
                    "rt-targets, had each contour filled its slice",
                    one.filled,
                    f"{one.filled_percent:+.1f} %",
                ),
            ],
        )
        mm = one.distance_mm
        print(
            f"  Between the first two surfaces, in space: mean {mm.mean():.2f} mm, 95 % within "
            f"{np.percentile(mm, 95):.2f} mm, largest {mm.max():.2f} mm."
        )
    return True


def _row(name: str, contours: Contours, percent: str) -> list[str]:
    bounds = np.array([section.bounds for section in contours.sections.values()])
    u0, v0 = bounds[:, :2].min(axis=0)
    u1, v1 = bounds[:, 2:].max(axis=0)
    slices = f"{len(contours.slices)}"
    return [
        name,
        f"{contours.volume_cc:.1f}",
        percent,
        f"{u0:.1f} to {u1:.1f}",
        f"{v0:.1f} to {v1:.1f}",
        slices,
    ]
