"""Surfaces of solids as triangles, the distance between two of them, and fields at single points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import GeometryError
from pipeline.core.lattice import Field
from pipeline.core.solid import FAR, Solid

Points = npt.NDArray[np.float64]

# Triangles looked at for a point: the one that holds the nearest point of a surface has its centre among
# the nearest dozen, as marching cubes makes a few small ones beside a large one.
_TRIANGLES_A_POINT = 24
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """Where a solid's field is 0.

    Attributes:
        vertices: frame coordinates (u, v, w) in mm, shape (n, 3); each lies on a lattice edge.
        triangles: indices of three vertices, shape (m, 3).
    """

    vertices: Points
    triangles: npt.NDArray[np.intp]

    @property
    def box_mm(self) -> tuple[Points, Points]:
        """Lowest and highest (u, v, w)."""
        return self.vertices.min(axis=0), self.vertices.max(axis=0)


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
    return min(_from_corners(one, other), _from_corners(other, one))


def box_distance_mm(one: Surface, other: Surface) -> float:
    """Distance between the boxes round two surfaces: they are at least as far apart."""
    (low, high), (its_low, its_high) = one.box_mm, other.box_mm
    return float(np.linalg.norm(np.maximum(0.0, np.maximum(its_low - high, low - its_high))))


def values_at(solid: Solid, points_mm: Points) -> Field:
    """The field at frame points, shape (n, 3), linear between lattice points; far below 0 off the lattice."""
    from scipy.ndimage import map_coordinates

    lattice = solid.lattice
    steps = (points_mm - np.array(lattice.origin_mm)) / np.array(lattice.pitches_mm)
    found: Field = map_coordinates(
        solid.field, steps.T[::-1], order=1, mode="constant", cval=float(FAR), output=np.float32
    )
    return found


def _from_corners(corners_of: Surface, other: Surface) -> float:
    from scipy.spatial import cKDTree

    triangles = other.vertices[other.triangles]
    centres = triangles.mean(axis=1)
    widest = float(np.linalg.norm(triangles - centres[:, None], axis=2).max())
    tree = cKDTree(centres)
    away, _ = tree.query(corners_of.vertices)
    # A triangle reaches nearer than its centre by no more than the widest does.
    points = corners_of.vertices[away <= away.min() + widest]
    count = min(_TRIANGLES_A_POINT, len(centres))
    _, near = tree.query(points, k=count)
    near = near.reshape(len(points), count)
    return min(float(_to_triangles(points, triangles[column]).min()) for column in near.T)


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
