"""Edges and centres of structures from level to level, as curves that know nothing of slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from pipeline.anatomy.organ_view import Bools, Floats
from pipeline.anatomy.stations.structures import Crop

# The lattice has planes on the faces of slices; which side of one they fall by rounding must not matter.
ON_FACE_MM = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A coordinate in mm along the patient, linear between the planes where it was taken.

    Attributes:
        w: levels, ascending.
        values: one each.
        half_step: how far the curve still counts as present beyond its ends.
    """

    w: Floats
    values: Floats
    half_step: float

    def at(self, levels: Floats) -> Floats:
        """Values at levels; beyond the ends the last ones hold."""
        return np.interp(levels, self.w, self.values)

    def present(self, levels: Floats) -> Bools:
        """Where the structure is."""
        reach = self.half_step + ON_FACE_MM
        return np.asarray((levels >= self.w[0] - reach) & (levels <= self.w[-1] + reach))

    def moved(self, mm: float) -> Curve:
        """The curve with `mm` added."""
        return Curve(w=self.w, values=self.values + mm, half_step=self.half_step)

    def smoothed(self, width_mm: float) -> Curve:
        """Running mean over a width."""
        near = np.abs(self.w[:, None] - self.w[None, :]) <= width_mm / 2.0
        return Curve(
            w=self.w, values=(near * self.values).sum(axis=1) / near.sum(axis=1), half_step=self.half_step
        )


# A structure ends in a tip: this near its end, planes below half of the largest section tell no edge [I].
TIP_MM = 10.0


def edge_curve(mask: Bools, crop: Crop, edge: str) -> Curve:
    """Outermost voxel faces of a mask on one side (`left`, `right`, `anterior` or `posterior`) by plane.

    Not of its tips: the last edge holds beyond the end, and that of a tip would change with the slices.
    """
    along_u = edge in ("left", "right")
    lines: Bools = np.any(mask, axis=1 if along_u else 2)
    axis = crop.u if along_u else crop.v
    half = float(axis[1] - axis[0]) / 2.0
    planes = np.flatnonzero(lines.any(axis=1))
    if edge in ("left", "posterior"):
        last = lines.shape[1] - 1 - np.argmax(lines[planes, ::-1], axis=1)
        values = axis[last] + half
    else:
        values = axis[np.argmax(lines[planes], axis=1)] - half
    curve = Curve(w=crop.w[planes], values=values, half_step=_half_step(crop))
    return _without_tips(curve, np.count_nonzero(mask[planes], axis=(1, 2)).astype(float))


def _without_tips(curve: Curve, areas: Floats) -> Curve:
    """A curve between the levels at which the section has half of its size, on a plane or between two."""
    ends = [_whole_from(curve.w, areas), -_whole_from(-curve.w[::-1], areas[::-1])]
    kept = curve.w[(curve.w > ends[0]) & (curve.w < ends[1])]
    levels = np.unique([ends[0], *kept, ends[1]])
    return Curve(w=levels, values=curve.at(levels), half_step=curve.half_step)


def _whole_from(w: Floats, areas: Floats) -> float:
    """The first level with half of the largest section near it; levels ascend from the end in question."""
    least = float(areas[w - w[0] <= TIP_MM].max()) / 2.0
    first = int(np.argmax(areas >= least))
    if first == 0:
        return float(w[0])
    share = (areas[first] - least) / (areas[first] - areas[first - 1])
    return float(w[first] - share * (w[first] - w[first - 1]))


def centre_curves(mask: Bools, crop: Crop) -> tuple[Curve, Curve]:
    """Centroids of a mask, plane by plane, along u and along v."""
    planes = np.flatnonzero(mask.any(axis=(1, 2)))
    inner = mask[planes]
    counts = np.count_nonzero(inner, axis=(1, 2))
    u = np.count_nonzero(inner, axis=1) @ crop.u / counts
    v = np.count_nonzero(inner, axis=2) @ crop.v / counts
    half = _half_step(crop)
    return Curve(w=crop.w[planes], values=u, half_step=half), Curve(
        w=crop.w[planes], values=v, half_step=half
    )


def nearest_curves(mask: Bools, other: Bools, crop: Crop) -> tuple[Curve, Curve]:
    """The point of a mask nearest to another, on the planes that have both, along u and along v."""
    planes = np.flatnonzero(mask.any(axis=(1, 2)) & other.any(axis=(1, 2)))
    points = []
    for k in planes.tolist():
        mine, theirs = (_pixels(_rim(one[k]), crop) for one in (mask, other))
        apart = np.square(mine[:, None] - theirs[None, :]).sum(axis=2)
        points.append(mine[int(apart.min(axis=1).argmin())])
    found = np.array(points, dtype=float).reshape(-1, 2)
    half = _half_step(crop)
    return (
        Curve(w=crop.w[planes], values=found[:, 0], half_step=half),
        Curve(w=crop.w[planes], values=found[:, 1], half_step=half),
    )


def hull_edges(section: Bools, crop: Crop) -> Floats:
    """Half-planes of the convex hull of a plane's voxels: rows (a, b, c), inside where a u + b v + c < 0."""
    points = _pixels(_rim(section), crop)
    du, dv = (crop.u[1] - crop.u[0]) / 2.0, (crop.v[1] - crop.v[0]) / 2.0
    # Mid-points of the outer faces: corners would widen every slanting side by half a pixel.
    faces = np.concatenate([points + offset for offset in ((du, 0), (-du, 0), (0, dv), (0, -dv))])
    hull = shapely.MultiPoint(faces).convex_hull
    ring = shapely.get_coordinates(shapely.orient_polygons(hull).exterior)
    along = np.diff(ring, axis=0)
    normals = np.column_stack([along[:, 1], -along[:, 0]]) / np.linalg.norm(along, axis=1)[:, None]
    return np.column_stack([normals, -(normals * ring[:-1]).sum(axis=1)])


def _rim(section: Bools) -> Bools:
    """Pixels of a section with a neighbour outside it."""
    inner = section.copy()
    inner[1:] &= section[:-1]
    inner[:-1] &= section[1:]
    inner[:, 1:] &= section[:, :-1]
    inner[:, :-1] &= section[:, 1:]
    inner[[0, -1]], inner[:, [0, -1]] = False, False
    return section & ~inner


def _pixels(section: Bools, crop: Crop) -> Floats:
    rows, columns = np.nonzero(section)
    return np.column_stack([crop.u[columns], crop.v[rows]])


def _half_step(crop: Crop) -> float:
    return float(crop.w[1] - crop.w[0]) / 2.0 if len(crop.w) > 1 else 0.0
