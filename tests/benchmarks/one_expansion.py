"""A 5 mm expansion of a 300 cc solid on a whole CT grid, one method per process.

`python -m tests.benchmarks.one_expansion METHOD` prints one JSON line: the median seconds of a few repeats
(the first, which loads compiled code, left out) and the volume in cc.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.contour import Contours
from pipeline.core.volume import Mask
from tests.closed_forms import make_grid

SIZE = (512, 512, 150)
SPACING = (0.98, 0.98, 3.0)
MARGIN_MM = 5.0
REPEATS = {"contours": 5, "mask": 5, "SciPy": 3, "SimpleITK ball": 3, "nothing": 1}


def lesion() -> Contours:
    """About 300 cc: a lumpy ellipsoid off the middle, outlines of 120 points as planning systems draw."""
    grid = make_grid(size=SIZE, spacing_mm=SPACING, centre_mm=(0.0, 0.0, 0.0))
    turn = np.linspace(0.0, 2.0 * np.pi, 120, endpoint=False)
    sections = {}
    for k, w in enumerate(grid.plane_positions_mm):
        height = (w - 21.3) / 50.0
        if abs(height) >= 1.0:
            continue
        radius = np.sqrt(1.0 - height**2) * (
            1.0 + 0.08 * np.sin(3 * turn + 2 * height) + 0.04 * np.cos(7 * turn)
        )
        sections[k] = MultiPolygon(
            [Polygon(np.c_[40.4 + 42.0 * radius * np.cos(turn), -30.2 + 34.0 * radius * np.sin(turn)])]
        )
    return Contours(grid=grid, sections=sections)


def from_contours() -> Callable[[], float]:
    from tests.benchmarks.scenes import grown

    drawn = lesion()
    return lambda: grown(drawn, (MARGIN_MM, MARGIN_MM)).contours().volume_cc


def from_mask() -> Callable[[], float]:
    from pipeline.core.raster import contours_to_mask, mask_to_contours
    from tests.benchmarks.scenes import grown

    voxels = contours_to_mask(lesion())
    return lambda: contours_to_mask(grown(mask_to_contours(voxels), (MARGIN_MM,) * 2).contours()).volume_cc


def peer(name: str) -> Callable[[], float]:
    from pipeline.core.raster import contours_to_mask
    from tests.benchmarks import peers

    grow = {"SciPy": peers.scipy_distance, "SimpleITK ball": peers.itk_ball_floor}[name]
    drawn = contours_to_mask(lesion())
    return lambda: Mask(grid=drawn.grid, voxels=grow(drawn.voxels, SPACING, (MARGIN_MM,) * 3)).volume_cc


def main(method: str) -> None:
    """Measure one method in this process."""
    if method == "nothing":  # what the inputs alone weigh
        task: Callable[[], float] = lambda: lesion().volume_cc  # noqa: E731
    else:
        made = {"contours": from_contours, "mask": from_mask}
        task = made[method]() if method in made else peer(method)
    volume = task() if method in {"contours", "mask"} else 0.0
    seconds = []
    for _ in range(REPEATS[method]):
        start = time.perf_counter()
        volume = task()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": statistics.median(seconds), "volume_cc": volume}))


if __name__ == "__main__":
    main(sys.argv[1])
