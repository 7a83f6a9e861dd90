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
from pipeline.core.box import Box, hull, shared
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.validity import is_valid
from pipeline.core.volume import Mask

Segments = npt.NDArray[np.float64]


def contours_to_mask(contours: Contours) -> Mask:
    """The voxels whose centres lie inside the contours, on the contours' grid."""
    from pipeline.core.outlines import fill_even_odd

    grid = contours.grid
    voxels = blank(grid.shape).view(np.bool_)
    boxes: list[Box] = []
    for k, section in contours.sections.items():
        edges = segments_of(section)
        ends = np.concatenate([edges[:, :2], edges[:, 2:]])
        index = _to_index(grid, k, ends)
        count = len(edges)
        # Only the box round the section: the rest of a fresh array need not even be touched.
        first = np.clip(np.floor(index.min(axis=0)).astype(int), 0, (grid.size[0], grid.size[1]))
        last = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, first, (grid.size[0], grid.size[1]))
        in_box = np.hstack([index[:count] - first, index[count:] - first])
        rows, columns = slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))
        voxels[k, rows, columns] = fill_even_odd(in_box, rows.stop - rows.start, columns.stop - columns.start)
        boxes.append((slice(k, k + 1), rows, columns))
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
    parts = []
    for ring in shapely.get_rings(shapely.get_parts(section)):
        points = shapely.get_coordinates(ring)
        parts.append(np.hstack([points[:-1], points[1:]]))
    return np.concatenate(parts)


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
