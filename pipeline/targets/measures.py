"""Sizes of a lesion as drawn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

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
    longest = max(
        float(_distances(one, other).max()) for one, other in combinations_with_replacement(hulls, 2)
    )
    return LesionMeasures(axial_diameter_mm=best[0], short_axis_mm=best[1], diameter_3d_mm=longest)


def _axes(points: Points) -> tuple[float, float]:
    """Longest diameter of a convex ring and its extent at right angles."""
    spread = _distances(points, points)
    i, j = np.unravel_index(int(spread.argmax()), spread.shape)
    along = (points[j] - points[i]) / max(float(spread[i, j]), 1e-9)
    across = points @ np.array([-along[1], along[0]])
    return float(spread[i, j]), float(np.ptp(across))


def _distances(one: Points, other: Points) -> Points:
    """Between every point of one set and every point of the other, shape (n, m)."""
    return np.asarray(np.linalg.norm(one[:, None] - other[None], axis=2))
