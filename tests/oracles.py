"""Exact truths to judge the geometry by: shapely and plain mathematics, nothing of the package.

Lengths in mm. A margin is six semi-axes (left, right, anterior, posterior, superior, inferior); in
a plane, x grows to the left and y to the back. An octant ellipsoid is convex, so a Minkowski sum of
several of them with a prism has a closed description: at the height `dz` beyond the prism's end its
section is the prism's polygon plus one convex shape, the section of the ellipsoids' own sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPoint, Polygon
from shapely.geometry.base import BaseGeometry

Points = npt.NDArray[np.float64]
Axes = tuple[float, float, float, float, float, float]

DIRECTIONS = 720  # of a curved outline: the polygon misses a 25 mm circle by 0.0003 mm


def uniform(mm: float) -> Axes:
    return (mm,) * 6


def circle(radius: float, centre: tuple[float, float] = (0.0, 0.0), vertices: int = 360) -> Polygon:
    """A regular polygon with the area of the circle's inscribed one: as a planning system draws it."""
    turn = np.linspace(0.0, 2.0 * np.pi, vertices, endpoint=False)
    return Polygon(np.c_[centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn)])


def rectangle(half_x: float, half_y: float, centre: tuple[float, float] = (0.0, 0.0)) -> Polygon:
    x, y = centre
    return shapely.box(x - half_x, y - half_y, x + half_x, y + half_y)


# ------------------------------------------------------------------------------ ellipsoids with octants


def ellipsoid_section(axes: Axes, dz: float) -> Points:
    """Support points of one ellipsoid's section at height dz, one per direction; empty beyond it."""
    return ellipsoid_sum_section([axes], dz)


def ellipsoid_sum_section(ellipsoids: Sequence[Axes], dz: float) -> Points:
    """Outline of the section of a sum of one or two ellipsoids at height dz above its centre.

    Returns:
        (DIRECTIONS, 2) points of a convex outline, counter-clockwise; (0, 2) beyond the sum.
    """
    heights = [axes[4] if dz >= 0 else axes[5] for axes in ellipsoids]
    rise = abs(dz)
    if rise > sum(heights) + 1e-12:
        return np.empty((0, 2))
    turn = np.linspace(0.0, 2.0 * np.pi, DIRECTIONS, endpoint=False)
    points = [_support_points(axes, turn) for axes in ellipsoids]
    if len(ellipsoids) == 1:
        return points[0] * _scale(np.array([rise]), heights[0])[:, None]
    (first, second), (c1, c2) = points, heights
    normal = np.c_[np.cos(turn), np.sin(turn)]
    share = _best_share((first * normal).sum(axis=1), (second * normal).sum(axis=1), c1, c2, rise)
    return first * _scale(share, c1)[:, None] + second * _scale(rise - share, c2)[:, None]


def _support_points(axes: Axes, turn: Points) -> Points:
    left, right, anterior, posterior = axes[:4]
    x, y = np.cos(turn), np.sin(turn)
    a = np.where(x >= 0, left, right)
    b = np.where(y >= 0, posterior, anterior)
    length = np.hypot(a * x, b * y)
    safe = np.where(length > 0, length, 1.0)
    return np.c_[a * a * x / safe, b * b * y / safe]


def _scale(height: Points, semi_axis: float) -> Points:
    if semi_axis == 0.0:
        return np.ones_like(height)
    return np.sqrt(np.clip(1.0 - (height / semi_axis) ** 2, 0.0, None))


def _best_share(s1: Points, s2: Points, c1: float, c2: float, rise: float) -> Points:
    """The part of the rise that the first ellipsoid takes, best for each direction: a concave maximum."""
    low = np.full_like(s1, max(0.0, rise - c2))
    high = np.full_like(s1, min(rise, c1))

    def value(share: Points) -> Points:
        return s1 * _scale(share, c1) + s2 * _scale(rise - share, c2)

    for _ in range(90):  # ternary search
        third = (high - low) / 3.0
        left_better = value(low + third) > value(high - third)
        low, high = np.where(left_better, low, low + third), np.where(left_better, high - third, high)
    return (low + high) / 2.0


# ------------------------------------------------------------------------------------- Minkowski sums


def minkowski(polygon: Polygon, convex: Points) -> BaseGeometry:
    """A polygon, with or without holes, plus a convex outline of points."""
    if len(convex) == 0:
        return Polygon()
    if not polygon.interiors and polygon.area > polygon.convex_hull.area - 1e-9:
        return _convex_sum(np.array(polygon.exterior.coords)[:-1], convex)
    # Of any polygon: itself carried to one point of the shape, and each edge's own sum.
    carried = shapely.affinity.translate(polygon, *convex.mean(axis=0))
    edges = [
        MultiPoint(np.vstack([convex + start, convex + stop])).convex_hull
        for ring in (polygon.exterior, *polygon.interiors)
        for start, stop in pairwise(np.array(ring.coords))
    ]
    return shapely.union_all([carried, *edges])


def _convex_sum(one: Points, other: Points) -> Polygon:
    """Edges of both, sorted by direction."""
    chains = [_from_lowest(points) for points in (one, other)]
    edges = np.vstack([np.roll(chain, -1, axis=0) - chain for chain in chains])
    edges = edges[np.hypot(edges[:, 0], edges[:, 1]) > 1e-12]
    order = np.argsort(np.arctan2(edges[:, 1], edges[:, 0]) % (2.0 * np.pi), kind="stable")
    walk = chains[0][0] + chains[1][0] + np.vstack([[0.0, 0.0], np.cumsum(edges[order], axis=0)[:-1]])
    return Polygon(walk)


def _from_lowest(points: Points) -> Points:
    hull = MultiPoint(points).convex_hull
    if not isinstance(hull, Polygon):  # a shape without width
        ends = np.array(hull.coords)
        return ends[np.lexsort((ends[:, 0], ends[:, 1]))]
    ring = np.array(shapely.geometry.polygon.orient(hull).exterior.coords)[:-1]
    return np.roll(ring, -int(np.lexsort((ring[:, 0], ring[:, 1]))[0]), axis=0)


def prism_section(
    polygon: Polygon, z_range: tuple[float, float], margins: Sequence[Axes], z: float
) -> BaseGeometry:
    """Section at height z of a prism grown by one margin, or by two one after the other."""
    low, high = z_range
    dz = z - high if z > high else min(0.0, z - low)
    return minkowski(polygon, ellipsoid_sum_section(margins, dz)) if margins else _own(polygon, dz)


def _own(polygon: Polygon, dz: float) -> Polygon:
    return polygon if dz == 0.0 else Polygon()


def prism_volume(polygon: Polygon, height: float, margins: Sequence[Axes]) -> float:
    """Continuous volume in mm³ of a grown prism, by Gauss quadrature along z."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    total = prism_section(polygon, (0.0, height), margins, height / 2.0).area * height
    for sign, reach in ((1.0, sum(m[4] for m in margins)), (-1.0, sum(m[5] for m in margins))):
        # z = reach * sin(turn): smooth where the section closes
        turns = (nodes + 1.0) * np.pi / 4.0
        for turn, weight in zip(turns, weights, strict=True):
            area = minkowski(polygon, ellipsoid_sum_section(margins, sign * reach * math.sin(turn))).area
            total += area * reach * math.cos(turn) * weight * np.pi / 4.0
    return float(total)


# ----------------------------------------------------------------------------------------- round stacks


def stack_radius(planes: Points, radii: Points, spacing: float, z: Points) -> Points:
    """Radius at heights z of circles on planes: linear between, flat half a slice beyond, then -1."""
    inside = (z >= planes[0] - spacing / 2 - 1e-9) & (z <= planes[-1] + spacing / 2 + 1e-9)
    return np.where(inside, np.interp(z, planes, radii), -1.0)


def grown_radius(planes: Points, radii: Points, spacing: float, *, margin: float, z: Points) -> Points:
    """Radius at heights z of that solid grown by a uniform margin; 0 beyond it."""
    ends = (planes[0] - spacing / 2, planes[-1] + spacing / 2)
    fine = np.unique(np.r_[np.linspace(*ends, 40001), planes])
    own = stack_radius(planes, radii, spacing, fine)
    grown = []
    for height in np.atleast_1d(z):
        near = np.abs(fine - height) <= margin
        reach = own[near] + np.sqrt(np.clip(margin**2 - (fine[near] - height) ** 2, 0.0, None))
        grown.append(reach.max(initial=0.0))
    return np.array(grown)


# ------------------------------------------------------------------------------------------ brute force


def boundary_points(sections: Iterable[tuple[float, BaseGeometry]], step: float) -> Points:
    """Points (x, y, z) along the outlines of sections at heights z, no further apart than `step`."""
    found = []
    for z, section in sections:
        for ring in shapely.get_rings(shapely.get_parts(section)):
            dense = shapely.get_coordinates(shapely.segmentize(ring, step))
            found.append(np.c_[dense, np.full(len(dense), z)])
    return np.vstack(found)


def union_of_grown_sections(
    sections: Iterable[tuple[float, BaseGeometry]], axes: Axes, z: float
) -> BaseGeometry:
    """Section at z of a solid given by finely spaced sections, grown by a margin: union over the sections."""
    parts = []
    for height, section in sections:
        outline = ellipsoid_section(axes, z - height)[::8]
        if len(outline):
            parts += [minkowski(part, outline) for part in shapely.get_parts(section)]
    return shapely.union_all(parts)


# --------------------------------------------------------------------------------------------- measures


def outline_distance(one: BaseGeometry, other: BaseGeometry, step: float = 0.2) -> float:
    """Hausdorff distance between two boundary lines, both ways; infinite when only one is empty."""
    if one.is_empty or other.is_empty:
        return 0.0 if one.is_empty and other.is_empty else math.inf
    return max(_one_way(one.boundary, other.boundary, step), _one_way(other.boundary, one.boundary, step))


def _one_way(one: BaseGeometry, other: BaseGeometry, step: float) -> float:
    points = shapely.points(shapely.get_coordinates(shapely.segmentize(one, step)))
    shapely.prepare(other)
    return float(shapely.distance(points, other).max())


def polygons_from_rings(rings: Iterable[Points]) -> BaseGeometry:
    """What lies inside an odd number of rings that do not cross."""
    inside: BaseGeometry = Polygon()
    for ring in rings:
        if len(ring) > 3:
            inside = inside.symmetric_difference(Polygon(ring))
    return inside
