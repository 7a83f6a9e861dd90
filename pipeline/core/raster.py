"""Between masks and contours."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.blank import blank
from pipeline.core.box import Box, hull
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.volume import Mask

Segments = npt.NDArray[np.float64]


def contours_to_mask(contours: Contours) -> Mask:
    """The voxels whose centres lie inside the contours, on the contours' grid."""
    from pipeline.core.kernels import fill_even_odd

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
    from skimage.measure import find_contours

    grid = mask.grid
    pixel_mm2 = grid.spacing_mm[0] * grid.spacing_mm[1]
    sections: dict[int, MultiPolygon] = {}
    first, (_, rows, columns) = mask.box[0].start, mask.box
    # The box alone: what lies far outside has no outline, and coordinates are told from its corner.
    corner = np.array([columns.start - 1.0, rows.start - 1.0])
    for k in np.flatnonzero(mask.part.any(axis=(1, 2))):
        plane = mask.part[k]
        rings = [ring[:, ::-1] + corner for ring in find_contours(np.pad(plane.astype(np.float32), 1), 0.5)]
        drawn = polygons_from_rings(_to_frame(grid, first + int(k), ring) for ring in rings)
        sections[first + int(k)] = _of_area(drawn, np.count_nonzero(plane) * pixel_mm2)
    return Contours(grid=grid, sections=sections)


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


def polygons_from_rings(rings: Iterable[npt.NDArray[np.float64]]) -> MultiPolygon:
    """Rings that do not cross, each (n, 2), to polygons with holes by nesting depth."""
    polygons = [Polygon(ring) for ring in rings if len(ring) > 3]
    polygons = sorted((p for p in polygons if p.area > 0), key=lambda p: -p.area)
    outer: list[tuple[Polygon, list[Polygon]]] = []
    for polygon in polygons:
        point = polygon.representative_point()
        depth = sum(other.contains(point) for other in polygons if other.area > polygon.area)
        if depth % 2 == 0:
            outer.append((polygon, []))
            continue
        # The smallest enclosing outer ring came last, because rings are sorted by area.
        holes = next(hs for shell, hs in reversed(outer) if shell.contains(point))
        holes.append(polygon)
    built = [Polygon(shell.exterior, [h.exterior for h in holes]) for shell, holes in outer]
    joined = MultiPolygon(built)
    if shapely.is_valid(joined):
        return joined
    repaired = shapely.union_all([shapely.make_valid(p) for p in built])
    return as_multipolygon(repaired)


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
