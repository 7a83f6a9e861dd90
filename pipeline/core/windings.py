"""What a closed line winds around, however it crosses itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString, Polygon

from pipeline.core.raster import as_multipolygon
from pipeline.core.validity import is_valid

Points = npt.NDArray[np.float64]

# Points nearer than this are one point: ten times finer than any contour is drawn.
WELD_MM = 0.01
# Two lines no farther apart than this are one line gone twice: a channel, a spike that does not quite close.
CHANNEL_MM = 0.1
# A point this near a line lies on it: coordinates that were computed, with room to spare.
ON_LINE_MM = 1e-9


def without_dead_ends(points: Points) -> Points:
    """A closed line without what it goes out and back along the same way; fewer than three points if all is.

    A spike encloses nothing, but the line that it doubles would pass for the bridge of a keyhole.
    """
    before, after = np.roll(points, 1, axis=0) - points, np.roll(points, -1, axis=0) - points
    longer = np.maximum(np.hypot(*before.T), np.hypot(*after.T))
    off_line = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
    if not np.any(((before * after).sum(axis=1) > 0) & (off_line <= ON_LINE_MM * longer)):
        return points
    kept: list[tuple[float, float]] = []
    for u, v in points.tolist():
        while len(kept) > 1 and _turns_back(kept[-2], kept[-1], (u, v)):
            kept.pop()
        if not kept or kept[-1] != (u, v):
            kept.append((u, v))
    first = 0  # the seam, where the line was begun
    while len(kept) - first > 2:
        if kept[-1] == kept[first] or _turns_back(kept[-2], kept[-1], kept[first]):
            kept.pop()
        elif _turns_back(kept[-1], kept[first], kept[first + 1]):
            first += 1
        else:
            break
    return np.array(kept[first:])


def _turns_back(before: tuple[float, float], tip: tuple[float, float], after: tuple[float, float]) -> bool:
    """Whether the line goes back from the tip on the way that it came."""
    a, b = before[0] - tip[0], before[1] - tip[1]
    c, d = after[0] - tip[0], after[1] - tip[1]
    longer = max(a * a + b * b, c * c + d * d) ** 0.5
    return a * c + b * d > 0 and abs(a * d - b * c) <= ON_LINE_MM * longer


def wound(points: Points) -> shapely.Geometry:
    """The parts that a closed line winds around, in either direction."""
    polygon = Polygon(points)
    if is_valid(polygon):
        return polygon
    faces, closed = faces_of(points)
    inside = [face for face in faces if _winding(face.representative_point(), closed)]
    return _without_slivers(shapely.union_all(inside))


def enclosed(points: Points) -> shapely.Geometry:
    """The parts that a closed line encloses, those included that it goes around once in each direction."""
    return shapely.union_all(faces_of(points)[0])


def faces_of(points: Points) -> tuple[npt.NDArray[np.object_], Points]:
    """The faces that a closed line cuts out, and the line with its first point at the end again."""
    closed = np.vstack([points, points[:1]])
    return shapely.get_parts(shapely.polygonize([shapely.node(LineString(closed))])), closed


def _winding(point: shapely.Point, closed: Points) -> int:
    """How often the closed line goes around the point, counted by crossings of a ray to the right."""
    start, end = closed[:-1], closed[1:]
    up = (start[:, 1] <= point.y) & (end[:, 1] > point.y)
    down = (start[:, 1] > point.y) & (end[:, 1] <= point.y)
    edge, offset = end - start, np.array([point.x, point.y]) - start
    side = edge[:, 0] * offset[:, 1] - edge[:, 1] * offset[:, 0]
    return int(np.count_nonzero(up & (side > 0)) - np.count_nonzero(down & (side < 0)))


def _without_slivers(geometry: shapely.Geometry) -> shapely.Geometry:
    """Without parts and holes that lie between two ways of the same line."""
    parts = as_multipolygon(geometry).geoms
    whole = [Polygon(part.exterior, [ring for ring in part.interiors if _is_wide(ring)]) for part in parts]
    return shapely.union_all([part for part in whole if _is_wide(part.exterior)])


def _is_wide(ring: shapely.LinearRing) -> bool:
    return bool(2.0 * Polygon(ring).area > CHANNEL_MM * ring.length)
