"""Between masks and contours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.blank import blank
from pipeline.core.box import NOWHERE, hull, shared
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.validity import is_valid
from pipeline.core.volume import Mask

Segments = npt.NDArray[np.float64]


def contours_to_mask(contours: Contours) -> Mask:
    """The voxels whose centres lie inside the contours, on the contours' grid."""
    from pipeline.core.outlines import fill_slices

    grid = contours.grid
    voxels = blank(grid.shape).view(np.bool_)
    if contours.is_empty:
        return Mask(grid=grid, voxels=voxels, within=NOWHERE)
    slices = np.array(contours.slices)
    edges, section_of = edges_of(np.array(list(contours.sections.values()), dtype=object))
    w = grid.plane_positions_mm[slices][section_of, None]
    ends = [grid.to_index(grid.frame.to_patient(np.hstack([uv, w])))[:, :2] for uv in np.hsplit(edges, 2)]
    starts = np.searchsorted(section_of, np.arange(len(slices) + 1))
    # Only the box round each section: the rest of a fresh array need not even be touched.
    size = grid.size[:2]
    least, most = np.minimum(*ends), np.maximum(*ends)
    first = np.clip(np.floor(np.minimum.reduceat(least, starts[:-1])).astype(int), 0, size)
    last = np.clip(np.ceil(np.maximum.reduceat(most, starts[:-1])).astype(int) + 1, first, size)
    fill_slices(np.hstack(ends), starts, slices, np.hstack([first, last]), voxels)
    boxes = [
        (slice(k, k + 1), slice(top, bottom), slice(left, right))
        for k, (left, top, right, bottom) in zip(
            slices.tolist(), np.hstack([first, last]).tolist(), strict=True
        )
    ]
    return Mask(grid=grid, voxels=voxels, within=hull(boxes))


def mask_to_contours(mask: Mask) -> Contours:
    """Contours half-way between voxel centres inside and outside the mask.

    Corners of the voxel staircase are cut at 45 degrees, which follows a smooth surface without
    bias; each section is then widened to the area of its voxels, which matters for a few of them.
    """
    planes, rows, columns = mask.box  # the box alone: what lies far outside has no outline
    slices = (planes.start + np.flatnonzero(mask.part.any(axis=(1, 2)))).tolist()
    return Contours(grid=mask.grid, sections={k: _section(mask, k, (rows, columns)) for k in slices})


def mask_sections(
    mask: Mask, slices: Iterable[int], bounds: tuple[float, float, float, float]
) -> dict[int, MultiPolygon]:
    """The same on some slices and near some bounds only, which takes less time.

    Args:
        mask: of a structure.
        slices: wanted ones; those where the mask has nothing near the bounds are left out.
        bounds: (u low, v low, u high, v high) in mm; sections are right inside them, and end a few pixels
            further out.
    """
    grid = mask.grid
    u0, v0, u1, v1 = bounds
    corners = _to_index(grid, 0, np.array([(u, v) for u in (u0, u1) for v in (v0, v1)]))
    first = np.maximum(np.floor(corners.min(axis=0)).astype(int) - _BEYOND, 0)
    last = np.maximum(np.ceil(corners.max(axis=0)).astype(int) + _BEYOND + 1, 0)
    asked = (slice(0, grid.size[2]), slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0])))
    planes, rows, columns = shared(asked, mask.box)
    met = [k for k in slices if planes.start <= k < planes.stop and mask.voxels[k, rows, columns].any()]
    return {k: _section(mask, k, (rows, columns)) for k in met}


# Pixels beyond bounds that are looked at, so that the cut makes no edge inside them.
_BEYOND = 3


def _section(mask: Mask, k: int, box: tuple[slice, slice]) -> MultiPolygon:
    """The polygons of a slice's pixels in a box of rows and columns."""
    grid = mask.grid
    pixels = mask.voxels[k][box]
    start = np.array([box[1].start, box[0].start]) - 1.0
    drawn = polygons_above(
        np.pad(pixels.astype(np.float32), 1), 0.5, lambda points: _to_frame(grid, k, points + start)
    )
    return _of_area(drawn, np.count_nonzero(pixels) * grid.spacing_mm[0] * grid.spacing_mm[1])


def _of_area(section: MultiPolygon, area_mm2: float) -> MultiPolygon:
    """A section widened evenly until it has an area, to 0.1 %."""
    lacking = area_mm2 - section.area
    if lacking <= 0.001 * area_mm2:
        return section
    # area + length w + pi w^2: exact for one convex part, near enough for the little that is asked of others.
    length, parts = section.length, math.pi * len(section.geoms)
    width = (math.sqrt(length**2 + 4.0 * parts * lacking) - length) / (2.0 * parts)
    return as_multipolygon(section.buffer(width))


def image_outline(grid: Grid) -> Polygon:
    """The outer edge of the image's pixels in (u, v) mm."""
    columns, rows = grid.size[0] - 0.5, grid.size[1] - 0.5
    corners = [(-0.5, -0.5, 0), (columns, -0.5, 0), (columns, rows, 0), (-0.5, rows, 0)]
    return Polygon(grid.frame.from_patient(grid.to_patient(corners))[:, :2])


def segments_of(section: MultiPolygon) -> Segments:
    """Directed edges (u0, v0, u1, v1) of all rings of a section, shape (m, 4)."""
    return edges_of(np.array([section], dtype=object))[0]


def edges_of(sections: npt.NDArray[np.object_]) -> tuple[Segments, npt.NDArray[np.intp]]:
    """The same of many sections, in their order, and which of them each edge is of, shape (m,)."""
    parts, section_of = shapely.get_parts(sections, return_index=True)
    rings, part_of = shapely.get_rings(parts, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    along = np.flatnonzero(ring_of[1:] == ring_of[:-1])
    return np.hstack([points[along], points[along + 1]]), section_of[part_of[ring_of[along]]]


def polygons_above(
    image: npt.NDArray[np.floating[Any]], level: float, place: Callable[[Segments], Segments]
) -> MultiPolygon:
    """The parts of an image above a level, with their holes.

    Outlines cross the lines between points where the image, linear along them, has the level. What lies
    diagonally at a saddle is apart or joined as the mean of its four corners says.

    Args:
        image: shape (rows, columns), below the level on its border.
        level: of the outlines.
        place: points (column, row), shape (n, 2), to (u, v) in mm.
    """
    from contourpy import FillType, LineType, SerialContourGenerator, ZInterp

    # Not by `contour_generator`, whose handling of masked arrays takes more time than the outlines.
    rows, columns = image.shape
    x, y = np.meshgrid(np.arange(columns, dtype=float), np.arange(rows, dtype=float))
    made = SerialContourGenerator(
        x,
        y,
        image.astype(float),
        np.zeros(image.shape, dtype=bool),
        corner_mask=False,
        line_type=LineType.Separate,
        fill_type=FillType.OuterOffset,
        quad_as_tri=False,
        z_interp=ZInterp.Linear,
    )
    polygons = []
    for points, offsets in zip(*made.filled(level, np.inf), strict=True):
        corners = place(np.asarray(points))
        shell, *holes = (corners[a:b] for a, b in pairwise(offsets))
        polygons.append(Polygon(shell, holes))
    joined = MultiPolygon([polygon for polygon in polygons if polygon.area > 0])
    if is_valid(joined):
        return joined
    return as_multipolygon(shapely.union_all([shapely.make_valid(polygon) for polygon in polygons]))


def as_multipolygon(geometry: shapely.Geometry) -> MultiPolygon:
    """The polygonal part of any geometry; may be empty."""
    parts = [p for p in shapely.get_parts(geometry) if isinstance(p, Polygon | MultiPolygon)]
    flat = [q for p in parts for q in (p.geoms if isinstance(p, MultiPolygon) else [p])]
    return MultiPolygon([p for p in flat if p.area > 0])


def _to_index(grid: Grid, k: int, uv: Segments) -> Segments:
    w = np.full((len(uv), 1), grid.plane_positions_mm[k])
    return grid.to_index(grid.frame.to_patient(np.hstack([uv, w])))[:, :2]


def _to_frame(grid: Grid, k: int, index: Segments) -> Segments:
    ijk = np.hstack([index, np.full((len(index), 1), float(k))])
    return grid.frame.from_patient(grid.to_patient(ijk))[:, :2]
