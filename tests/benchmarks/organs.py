"""Reading a folder of 41 organ masks, beside SimpleITK reading the same files."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import SimpleITK as sitk

from tests.benchmarks.processes import ROOT
from tests.benchmarks.tables import Limit, print_limits, print_table

MOST_READINGS, ROUNDS = 1.3, 5


def main() -> bool:
    """Print the table; says so where the masks are not there."""
    data = Path(os.environ.get("RT_TARGETS_DATA", ROOT.parent / "shared" / "data"))
    folder = data / "lung1-002" / "anatomy"
    if not folder.is_dir():
        print(f"\nLeft out: no masks in {folder}; set RT_TARGETS_DATA to the folder that holds them.")
        return True
    from pipeline.read import OrganInput, load_organ_names, read_organs
    from pipeline.read.image_grid import craniocaudal_last, grid_of, read_image

    files = sorted(folder.glob("*.nii.gz"))
    grid = grid_of(craniocaudal_last(read_image(files[0])))
    names = load_organ_names()
    seconds: dict[str, list[float]] = {"SimpleITK": [], "rt-targets": []}
    for _ in range(ROUNDS + 1):  # the first one warms caches
        start = time.perf_counter()
        arrays = [sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in files]
        seconds["SimpleITK"].append(time.perf_counter() - start)
        del arrays
        start = time.perf_counter()
        read_organs(OrganInput(grid=grid, anatomy=folder), names)
        seconds["rt-targets"].append(time.perf_counter() - start)
    ratio = statistics.median(
        ours / theirs
        for ours, theirs in zip(seconds["rt-targets"][1:], seconds["SimpleITK"][1:], strict=True)
    )
    rows = [[name, f"{statistics.median(values[1:]):.2f}"] for name, values in seconds.items()]
    print_table(f"{len(files)} masks of LUNG1-002, median of {ROUNDS}", ["reader", "seconds"], rows)
    return print_limits([Limit(what="times SimpleITK's own reading", value=ratio, limit=MOST_READINGS)])
