"""Outlines with fewer points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from pipeline.core.validity import are_valid

Shapes = npt.NDArray[np.object_]

_LEAST_POINTS = 4  # of a ring, its first point once more at the end


def simplified(shapes: Any, tolerance: float) -> Any:
    """Polygons with fewer points: no point of an outline moves by more than the tolerance.

    By Douglas and Peucker, ring by ring, each held where it begins. What comes to meet itself that way is
    done again by GEOS with the topology in view, which takes ten times as long. With half of the tolerance:
    it takes the place where a ring begins out afterwards, and moves it by up to twice as much.

    Args:
        shapes: valid, not empty polygons or multipolygons, as an array or one.
        tolerance: in the unit of the points.

    Returns:
        As many valid shapes of the same kind, with every part and hole; one for one.
    """
    whole = np.atleast_1d(np.asarray(shapes, dtype=object))
    found = _thinned(whole, tolerance)
    meets = ~are_valid(found)
    found[meets] = shapely.simplify(whole[meets], tolerance / 2.0)
    return found if isinstance(shapes, np.ndarray) else found[0]


def _thinned(shapes: Shapes, tolerance: float) -> Shapes:
    """The same with thinned rings; whether they meet is not looked at."""
    parts, shape_of = shapely.get_parts(shapes, return_index=True)
    rings, part_of = shapely.get_rings(parts, return_index=True)
    # Each is begun at a corner of its hull: a point on a line would stay where it begins.
    points, ring_of = shapely.get_coordinates(shapely.normalize(rings), return_index=True)
    lines = shapely.linestrings(points, indices=ring_of)
    thin = shapely.simplify(lines, tolerance, preserve_topology=False)
    # What is smaller than the tolerance stays as it is.
    thin = np.where(shapely.get_num_coordinates(thin) < _LEAST_POINTS, lines, thin)
    points, ring_of = shapely.get_coordinates(thin, return_index=True)
    polygons = shapely.polygons(shapely.linearrings(points, indices=ring_of), indices=part_of)
    several = shapely.multipolygons(polygons, indices=shape_of)
    alone = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    several[alone] = polygons[alone[shape_of]]
    return np.asarray(several)
