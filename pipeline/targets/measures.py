"""Sizes of a lesion as drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from pipeline.core.case import Lesion
from pipeline.core.errors import GeometryError

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionMeasures:
    """Diameters in mm, on the contours.

    Attributes:
        axial_diameter_mm: longest in-plane diameter on any slice (RECIST 1.1 convention [C]).
        short_axis_mm: longest extent at right angles to it on the same slice.
        diameter_3d_mm: longest distance between any two contour points.
    """

    axial_diameter_mm: float
    short_axis_mm: float
    diameter_3d_mm: float


def lesion_measures(lesion: Lesion) -> LesionMeasures:
    """Measure a lesion.

    Each part of a slice is measured by itself, so that two islands do not count as one diameter.

    Raises:
        GeometryError: the lesion has no contours.
    """
    contours = lesion.contours
    if contours.is_empty:
        raise GeometryError("lesion without contours cannot be measured", where=lesion.name)
    heights = contours.grid.plane_positions_mm
    hulls: list[Points] = []
    best = (0.0, 0.0)
    for k, section in contours.sections.items():
        for part in section.geoms:
            points = shapely.get_coordinates(part.convex_hull)[:-1]
            best = max(best, _axes(points))
            height = np.full((len(points), 1), heights[k])
            hulls.append(np.hstack([points, height]))
    longest = _farthest(np.concatenate(hulls))
    return LesionMeasures(axial_diameter_mm=best[0], short_axis_mm=best[1], diameter_3d_mm=longest)


def _axes(points: Points) -> tuple[float, float]:
    """Longest diameter of a convex ring and its extent at right angles."""
    spread = _distances(points, points)
    i, j = np.unravel_index(int(spread.argmax()), spread.shape)
    along = (points[j] - points[i]) / max(float(spread[i, j]), 1e-9)
    across = points @ np.array([-along[1], along[0]])
    return float(spread[i, j]), float(np.ptp(across))


def _farthest(points: Points) -> float:
    """The longest distance between any two of the points, exact."""
    # A long one first: to the farthest from the middle, and from there on.
    middle = (points.min(axis=0) + points.max(axis=0)) / 2.0
    start, longest = middle, 0.0
    for _ in range(4):
        away = np.linalg.norm(points - start, axis=1)
        longest, start = float(away.max()) if start is not middle else 0.0, points[int(away.argmax())]
    # Whoever is in a longer pair lies this far out at least.
    out = np.linalg.norm(points - middle, axis=1)
    outer = points[out >= longest - out.max()]
    for block in np.array_split(outer, max(1, len(outer) // 500)):
        longest = max(longest, float(_distances(block, outer).max()))
    return longest


def _distances(one: Points, other: Points) -> Points:
    """Between every point of one set and every point of the other, shape (n, m)."""
    return np.asarray(np.linalg.norm(one[:, None] - other[None], axis=2))
