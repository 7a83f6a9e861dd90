"""CT series that lean or are unevenly spaced, brought onto even, upright slices when the user asks for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.grid import Grid
from pipeline.core.planes import ScannedPlanes
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Volume

Array = npt.NDArray[Any]

AIR_HU = -1024
# Slices nearer together than this are not looked for.
FINEST_MM = 0.5
# Over a gap wider than this many usual ones, what lies between would be made up.
MOST_GAPS = 2.0


def even_grid(
    planes: ScannedPlanes, size: tuple[int, int], spacing_mm: tuple[float, float], frame_of_reference: str
) -> Grid:
    """The grid that holds all of a series.

    Its third axis is the stack's direction or the images' normal, whichever is nearer to head and foot; the
    other two lie at right angles, as near to the images' as may be.

    The spacing between its slices is the finest of the series, so that nothing drawn on one of its slices
    falls between those of the grid; a little less, so that the first and the last slice of an upright stack
    are slices of the grid.

    Args:
        planes: of the series.
        size: columns and rows of its images.
        spacing_mm: between columns and between rows.
        frame_of_reference: of the series.
    """
    steps = np.diff(planes.origins_mm, axis=0)
    along = planes.origins_mm[-1] - planes.origins_mm[0]
    along /= np.linalg.norm(along)
    normal = np.cross(planes.row, planes.column)
    up = normal if abs(normal[2]) >= abs(along[2]) else along
    row = planes.row - (planes.row @ up) * up
    row /= np.linalg.norm(row)
    column = np.cross(up, row)
    axes = np.column_stack([row, column, up])
    corners = np.array([(a, b) for a in (0, size[0] - 1) for b in (0, size[1] - 1)]) * np.array(spacing_mm)
    ends = np.concatenate([planes.to_patient(k, corners) for k in (0, len(planes.origins_mm) - 1)]) @ axes
    low, high = ends.min(axis=0), ends.max(axis=0)
    finest = max(FINEST_MM, float(np.abs(steps @ up).min()))
    count = max(1, math.ceil(float(high[2] - low[2]) / finest - 1e-3))
    spacing = (*spacing_mm, round(float(high[2] - low[2]) / count, 9))
    whole = [int(np.ceil((high[axis] - low[axis]) / spacing[axis] - 1e-6)) + 1 for axis in (0, 1)]
    x, y, z = (float(value) for value in axes @ low)
    a, b, c, d, e, f, g, h, o = (float(value) for value in (axes + 0.0).ravel())
    return Grid(
        size=(whole[0], whole[1], count + 1),
        spacing_mm=spacing,
        origin_mm=(x, y, z),
        direction=(a, b, c, d, e, f, g, h, o),
        frame_of_reference=frame_of_reference,
    )


def resampled(stack: Array, planes: ScannedPlanes, spacing_mm: tuple[float, float], grid: Grid) -> Volume:
    """Hounsfield units on the grid, linear between those of the series, air outside it.

    Args:
        stack: of the series, shape (slices, rows, columns).
        planes: of its slices.
        spacing_mm: between columns and between rows.
        grid: of `even_grid`.

    Returns:
        The volume, int16 or float32 as the stack.
    """
    from scipy.ndimage import map_coordinates

    heights = planes.heights_mm
    out = np.full(grid.shape, AIR_HU, dtype=stack.dtype)
    columns, rows = np.meshgrid(np.arange(grid.size[0]), np.arange(grid.size[1]))
    for k in range(grid.size[2]):
        index = np.column_stack([columns.ravel(), rows.ravel(), np.full(columns.size, k)])
        placed = planes.place(grid.to_patient(index))
        numbers = np.interp(placed[:, 2], heights, np.arange(len(heights)))
        steps = np.array([numbers, placed[:, 1] / spacing_mm[1], placed[:, 0] / spacing_mm[0]])
        last = np.array(stack.shape)[:, None] - 1
        # A hair beyond the edge, by rounding, is the edge.
        near = np.clip(steps, 0, last)
        met = (np.abs(near - steps) < 1e-4).all(axis=0)
        met &= (placed[:, 2] >= heights[0] - 1e-4) & (placed[:, 2] <= heights[-1] + 1e-4)
        values = map_coordinates(stack, near[:, met], order=1, output=np.float32)
        flat = out[k].reshape(-1)
        flat[met] = np.rint(values) if stack.dtype.kind == "i" else values
    return Volume(grid=grid, hu=out)


def resampled_finding(series: str, told: Sequence[str], planes: ScannedPlanes, grid: Grid) -> Finding:
    """`CT_RESAMPLED` (warning).

    Args:
        series: UID of the series.
        told: what is wrong with it.
        planes: of its slices.
        grid: that it was brought onto.
    """
    gaps = np.linalg.norm(np.diff(planes.origins_mm, axis=0), axis=1)
    return Finding(
        code="CT_RESAMPLED",
        severity=Severity.WARNING,
        where=f"CT series {series}",
        message=f"{'; '.join(told)}. As --resample asks, CT and contours were brought onto {grid.size[2]} "
        f"even, upright slices every {grid.spacing_mm[2]:g} mm, linear between slices (before: "
        f"{len(gaps) + 1}, {gaps.min():.2f} to {gaps.max():.2f} mm apart). The volumes refer to that series, "
        "which is written beside them: import it too, and look whether it fits the planning CT.",
    )
