"""How the holes of a structure are written: as contours inside contours, by keyholes, or by exclusive or."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString, Point, Polygon

from pipeline.core.contour import Contours
from pipeline.core.rules import Holes
from pipeline.write.rings import DECIMALS, Points, Ring, nested_rings

XOR = "CLOSEDPLANAR_XOR"


def rings_of(contours: Contours, holes: Holes) -> list[Ring]:
    """The rings of a structure, ascending in k; outer rings counter-clockwise in (u, v), holes clockwise."""
    if holes is Holes.KEYHOLE:
        return [
            Ring(k=k, points=keyholed(part))
            for k, section in contours.sections.items()
            for part in shapely.get_parts(shapely.orient_polygons(section))
        ]
    rings = nested_rings(contours)
    has_holes = any(part.interiors for section in contours.sections.values() for part in section.geoms)
    if holes is Holes.XOR and has_holes:
        return [replace(ring, geometric_type=XOR) for ring in rings]
    return rings


def keyholed(polygon: Polygon) -> Points:
    """A polygon as one ring: each hole is joined to what is nearest by a channel of no width.

    The nearest hole comes first, so no channel crosses another hole.

    Args:
        polygon: its shell counter-clockwise, its holes clockwise.

    Returns:
        The ring, its last point not repeating the first, shape (n, 2).
    """
    path: Points = shapely.get_coordinates(polygon.exterior)[:-1]
    waiting = [shapely.get_coordinates(hole) for hole in polygon.interiors]
    while waiting:
        around = LineString(np.vstack([path, path[:1]]))
        outlines = [LineString(hole) for hole in waiting]
        nearest = int(np.argmin([shapely.distance(around, outline) for outline in outlines]))
        ends = shapely.get_coordinates(shapely.shortest_line(around, outlines[nearest]))
        start, end = np.round(ends, DECIMALS) + 0.0
        hole = _beginning_at(waiting.pop(nearest)[:-1], end)
        path = _beginning_at(path, start)
        path = np.vstack([path, start, hole, end])
        path = path[np.any(path != np.roll(path, 1, axis=0), axis=1)]  # a hole that touches needs no channel
    return path


def _beginning_at(ring: Points, point: npt.NDArray[np.float64]) -> Points:
    """The same ring, begun at a point on it."""
    following = np.roll(ring, -1, axis=0)
    edges = shapely.linestrings(np.stack([ring, following], axis=1))
    edge = int(np.argmin(shapely.distance(edges, Point(point))))
    turned: Points = np.roll(ring, -(edge + 1), axis=0)  # from the edge's end to its start
    if np.array_equal(turned[-1], point):
        turned = np.roll(turned, 1, axis=0)
    elif not np.array_equal(turned[0], point):
        turned = np.vstack([point, turned])
    return turned
