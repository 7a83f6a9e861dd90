"""Surfaces of solids as triangles, the distance between two of them, and fields at single points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import GeometryError
from pipeline.core.lattice import Field
from pipeline.core.sampling import values_between
from pipeline.core.solid import FAR, Solid

Points = npt.NDArray[np.float64]

# Triangles looked at for a point: the one that holds the nearest point of a surface has its centre among
# the nearest dozen, as marching cubes makes a few small ones beside a large one.
_TRIANGLES_A_POINT = 24
_TINY = 1e-12
_ROUNDING = 1e-9
# Corners of each surface that give a first, too large distance.
_FEW, _SIEVES = 400, 4
# Pairs that are looked at one by one, all and at one time: above, a tree is worth its import.
_MOST_PAIRS, _PAIRS_AT_ONCE = 10_000_000, 2_000_000
_POINTS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """Where a solid's field is 0.

    Attributes:
        vertices: frame coordinates (u, v, w) in mm, shape (n, 3); each lies on a lattice edge.
        triangles: indices of three vertices, shape (m, 3).
    """

    vertices: Points
    triangles: npt.NDArray[np.intp]


def surface_of(solid: Solid) -> Surface:
    """The surface of a solid.

    Raises:
        GeometryError: the solid is empty.
    """
    if solid.is_empty:
        raise GeometryError("an empty solid has no surface")
    from skimage.measure import marching_cubes

    padded = np.pad(solid.field, 1, constant_values=FAR)
    lattice = solid.lattice
    corners, triangles, _, _ = marching_cubes(padded, 0.0, spacing=lattice.pitches_mm[::-1])
    start = np.array(lattice.origin_mm) - np.array(lattice.pitches_mm)
    return Surface(vertices=corners[:, ::-1] + start, triangles=triangles.astype(np.intp))


def surface_distance_mm(one: Surface, other: Surface) -> float:
    """Least distance between two surfaces, from the corners of each to the triangles of the other.

    It is not told whether one solid lies inside the other: see `values_at`.
    """
    most, _, _ = _sieved(one.vertices, other.vertices)
    return min(_from_corners(one, other, most), _from_corners(other, one, most))


def _sieved(some: Points, others: Points) -> tuple[float, Points, Points]:
    """A distance that the least one does not exceed, and the points that may be so near."""
    mine, its, most = some, others, np.inf
    for _ in range(_SIEVES):  # any two are at least as far apart; those that face each other tell more
        few, fewer = mine[:: 1 + len(mine) // _FEW], its[:: 1 + len(its) // _FEW]
        most = min(most, float(np.sqrt(_squared_distances(few, fewer).min())))
        reach = most * (1.0 + _ROUNDING)  # so that the nearest two always stay
        mine, its = _within(mine, mine, its, reach), _within(its, its, mine, reach)
    return most, mine, its


def box_distance_mm(one: Solid, other: Solid) -> float:
    """Distance between the boxes of two lattices: their solids are at least as far apart."""
    gaps = []
    for mine, its, pitch, its_pitch, count, its_count in zip(
        one.lattice.origin_mm,
        other.lattice.origin_mm,
        one.lattice.pitches_mm,
        other.lattice.pitches_mm,
        one.lattice.size,
        other.lattice.size,
        strict=True,
    ):
        gaps.append(max(0.0, mine - its - (its_count - 1) * its_pitch, its - mine - (count - 1) * pitch))
    return float(np.linalg.norm(gaps))


def values_at(solid: Solid, points_mm: Points) -> Field:
    """The field at frame points, shape (n, 3), linear between lattice points; far below 0 off the lattice."""
    lattice = solid.lattice
    steps = (points_mm - np.array(lattice.origin_mm)) / np.array(lattice.pitches_mm)
    found: Field = values_between(solid.field, steps, float(FAR))
    return found


def distances_mm(points_mm: Points, surface: Surface) -> Points:
    """Distance of each point, shape (n, 3), to the nearest point of a surface."""
    triangles = surface.vertices[surface.triangles]
    centres = triangles.mean(axis=1)
    found = np.empty(len(points_mm))
    for rows in np.array_split(np.arange(len(points_mm)), 1 + len(points_mm) // _POINTS_AT_ONCE):
        points = points_mm[rows]
        _, near = _nearest(points, centres, min(_TRIANGLES_A_POINT, len(centres)))
        found[rows] = np.min([_to_triangles(points, triangles[column]) for column in near.T], axis=0)
    return found


def _from_corners(corners_of: Surface, other: Surface, most: float) -> float:
    """Least distance from one surface's corners to the other's triangles, which is at most `most`."""
    triangles = other.vertices[other.triangles]
    centres = _middles(triangles)
    away = triangles - centres[:, None]
    widest = float(np.sqrt(np.einsum("ijk,ijk->ij", away, away).max()))
    # Only what faces the other one within reach can be the nearest.
    reach = most + 2.0 * widest
    corners = _within(corners_of.vertices, corners_of.vertices, centres, reach)
    triangles = _within(triangles, centres, corners, reach)
    centres = _middles(triangles)
    nearest, near = _nearest(corners, centres, 1)
    # A triangle reaches nearer than its centre by no more than the widest does.
    points = corners[nearest <= nearest.min() + widest]
    _, near = _nearest(points, centres, min(_TRIANGLES_A_POINT, len(centres)))
    return min(most, *(float(_to_triangles(points, triangles[column]).min()) for column in near.T))


def _within(items: Points, places: Points, others: Points, reach: float) -> Points:
    """Items whose places lie within reach of the box round others."""
    apart = np.maximum(0.0, np.maximum(others.min(axis=0) - places, places - others.max(axis=0)))
    return np.asarray(items[np.einsum("ij,ij->i", apart, apart) <= reach**2 * (1.0 + _ROUNDING)])


def _middles(triangles: Points) -> Points:
    """Centres of triangles, (n, 3, 3): corner by corner, in a third of the time of `mean`."""
    return np.asarray((triangles[:, 0] + triangles[:, 1] + triangles[:, 2]) / 3.0)


def _nearest(points: Points, centres: Points, count: int) -> tuple[Points, npt.NDArray[np.intp]]:
    """Distance to the nearest centre, and the indices of the `count` nearest ones, shape (n, count)."""
    pairs = len(points) * len(centres)
    if pairs <= _MOST_PAIRS:
        parts = [
            _of_all(part, centres, count) for part in np.array_split(points, 1 + pairs // _PAIRS_AT_ONCE)
        ]
        return np.concatenate([away for away, _ in parts]), np.concatenate([near for _, near in parts])
    from scipy.spatial import cKDTree

    tree = cKDTree(centres)
    away, near = tree.query(points, k=count)
    near = near.reshape(len(points), count)
    return np.asarray(away).reshape(len(points), -1)[:, 0], near


def _of_all(points: Points, centres: Points, count: int) -> tuple[Points, npt.NDArray[np.intp]]:
    """The same by looking at every pair."""
    squared = _squared_distances(points, centres)
    if count == 1:
        near = squared.argmin(axis=1)[:, None]
    else:
        near = np.argpartition(squared, count - 1, axis=1)[:, :count]
    return np.sqrt(squared.min(axis=1)), near


def _squared_distances(points: Points, centres: Points) -> Points:
    """Of every point, (n, 3), to every centre, (m, 3): shape (n, m). Axis by axis, for the memory's sake."""
    total = np.zeros((len(points), len(centres)))
    for mine, its in zip(points.T, centres.T, strict=True):
        apart = np.subtract.outer(mine, its)
        total += np.multiply(apart, apart, out=apart)
    return total


def _to_triangles(points: Points, triangles: Points) -> Points:
    """Distance of each point, (n, 3), to its triangle, (n, 3, 3)."""
    a, b, c = (triangles[:, corner] for corner in range(3))
    found = np.minimum(np.minimum(_to_edges(points, a, b), _to_edges(points, b, c)), _to_edges(points, c, a))
    normal = np.cross(b - a, c - a)
    squared = _dot(normal, normal)
    safe = np.maximum(squared, _TINY)
    # Shares of the area, each on one corner's side: all positive where the foot lies inside.
    beta = _dot(np.cross(points - a, c - a), normal) / safe
    gamma = _dot(np.cross(b - a, points - a), normal) / safe
    inside = (squared > _TINY) & (beta >= 0) & (gamma >= 0) & (beta + gamma <= 1)
    height = np.abs(_dot(points - a, normal)) / np.sqrt(safe)
    return np.where(inside, height, found)


def _to_edges(points: Points, start: Points, stop: Points) -> Points:
    along = stop - start
    share = np.clip(_dot(points - start, along) / np.maximum(_dot(along, along), _TINY), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - start - share[:, None] * along, axis=1))


def _dot(one: Points, other: Points) -> Points:
    return np.asarray(np.einsum("ij,ij->i", one, other))
