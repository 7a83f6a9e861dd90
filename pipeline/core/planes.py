"""Slice planes as they were scanned, evenly spaced and upright or not, and structures drawn on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.grid import Grid
from pipeline.core.outlines import signed_distance
from pipeline.core.raster import polygons_above, segments_of
from pipeline.core.stack import counterparts, is_bridged

Points = npt.NDArray[np.float64]
Field = npt.NDArray[np.float32]

# A plane of the grid this near to a scanned one has its outlines as they were drawn.
SAME_PLANE_MM = 0.01
# Of the lattice that outlines between scanned planes are made on, by the size of the structure.
FINEST_MM, COARSEST_MM, POINTS_ACROSS = 0.25, 1.0, 250
# A part that has grown smaller on the way to the next plane may leave its middle this far outside.
_NEAR_MM = 3.0
_BEYOND = 3  # lattice points beyond the outlines
_NOTHING = np.float32(-1e3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScannedPlanes:
    """Parallel planes in the order of their heights.

    A point of the patient is told by its height along the planes' normal, and by its place in the plane
    there, (a, b) in mm: where the planes lean, origins between two of them move evenly from one to the next.

    Attributes:
        origins_mm: LPS of each plane's first pixel, shape (n, 3), heights rising.
        row, column: unit vectors (LPS) of increasing column and row.
    """

    origins_mm: Points
    row: Points
    column: Points

    @property
    def heights_mm(self) -> Points:
        """Of every plane along the normal, shape (n,), rising."""
        return np.asarray(self.origins_mm @ np.cross(self.row, self.column))

    def place(self, points_mm: Points) -> Points:
        """LPS points, shape (n, 3), as (a, b, height) in mm; beyond the ends as the end planes have it."""
        heights = points_mm @ np.cross(self.row, self.column)
        known = self.heights_mm
        origins = np.column_stack([np.interp(heights, known, one) for one in self.origins_mm.T])
        away = points_mm - origins
        return np.column_stack([away @ self.row, away @ self.column, heights])

    def to_patient(self, plane: int, points_ab: Points) -> Points:
        """Points (a, b) of a plane, shape (n, 2), to LPS mm."""
        return np.asarray(
            self.origins_mm[plane] + points_ab[:, :1] * self.row + points_ab[:, 1:2] * self.column
        )


def resliced(
    sections: Mapping[int, MultiPolygon], planes: ScannedPlanes, grid: Grid
) -> dict[int, MultiPolygon]:
    """A structure that was drawn on scanned planes, on the planes of a grid.

    By the convention of `core.solid`: between two planes the signed in-plane distance is linear, and parts
    without a counterpart on the next plane go on for half of the way to it.

    Args:
        sections: scanned plane to its polygons in (a, b) mm.
        planes: where they lie.
        grid: whose slices are wanted.

    Returns:
        Slice index to polygons in (u, v) mm of the grid's frame.
    """
    if not sections:
        return {}
    pitch = _pitch_mm(sections)
    pieces = _pieces(sections, planes, pitch)
    outline = np.concatenate(
        [planes.to_patient(k, shapely.get_coordinates(section)) for k, section in sections.items()]
    )
    turned = grid.frame.from_patient(outline)
    room = (turned[:, :2].min(axis=0), turned[:, :2].max(axis=0))
    found = {}
    for k in range(grid.size[2]):
        drawn = _as_drawn(sections, planes, grid, k)
        section = drawn if drawn is not None else _section(pieces, planes, grid, k, room)
        if not section.is_empty:
            found[k] = section
    return found


def count_lost(
    sections: Mapping[int, MultiPolygon],
    found: Mapping[int, MultiPolygon],
    planes: ScannedPlanes,
    grid: Grid,
) -> int:
    """How many drawn parts `resliced` gave no slice near them.

    Args:
        sections: as drawn.
        found: what `resliced` made of them.
        planes, grid: as for `resliced`.
    """
    lost = 0
    for k, section in sections.items():
        middles = np.array(
            [shapely.get_coordinates(part.representative_point())[0] for part in section.geoms]
        )
        u, v, w = grid.frame.from_patient(planes.to_patient(k, middles)).T
        nearest = np.abs(w[:, None] - grid.plane_positions_mm).argmin(axis=1)
        for x, y, n in zip(u, v, nearest.tolist(), strict=True):
            near = [found[m] for m in (n - 1, n, n + 1) if m in found]
            lost += not any(shapely.distance(one, shapely.Point(x, y)) <= _NEAR_MM for one in near)
    return lost


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Piece:
    """A part of the structure between two heights: fields at both ends on one (a, b) lattice."""

    low_mm: float
    high_mm: float
    start: Field
    stop: Field
    origin: Points
    pitch_mm: float

    def values(self, placed: Points) -> Field:
        """At points (a, b, height): the signed distance, and nothing outside the heights."""
        from scipy.ndimage import map_coordinates

        steps = ((placed[:, :2] - self.origin) / self.pitch_mm).T[::-1]
        low, high = (
            map_coordinates(field, steps, order=1, mode="constant", cval=float(_NOTHING))
            for field in (self.start, self.stop)
        )
        t = (placed[:, 2] - self.low_mm) / max(self.high_mm - self.low_mm, 1e-9)
        inside = (t >= -1e-9) & (t <= 1.0 + 1e-9)
        return np.where(inside, (1.0 - t) * low + t * high, _NOTHING).astype(np.float32)


def _pitch_mm(sections: Mapping[int, MultiPolygon]) -> float:
    bounds = np.array([section.bounds for section in sections.values()])
    width = float((bounds[:, 2:] - bounds[:, :2]).max())
    return min(max(FINEST_MM, width / POINTS_ACROSS), COARSEST_MM)


def _pieces(sections: Mapping[int, MultiPolygon], planes: ScannedPlanes, pitch: float) -> list[_Piece]:
    heights = planes.heights_mm
    usual = float(np.median(np.diff(heights)))
    known = sorted(sections)
    above: dict[int, set[int]] = {k: set() for k in known}
    below: dict[int, set[int]] = {k: set() for k in known}
    pieces = []
    for low, high in pairwise(known):
        if not is_bridged(round((heights[high] - heights[low]) / usual), usual):
            continue
        for lower, upper in counterparts(list(sections[low].geoms), list(sections[high].geoms)):
            above[low] |= set(lower)
            below[high] |= set(upper)
            ends = (_chosen(sections[low], lower), _chosen(sections[high], upper))
            pieces.append(_piece((heights[low], heights[high]), ends, pitch))
    for k in known:
        for met, other in ((above, k + 1), (below, k - 1)):
            alone = tuple(set(range(len(sections[k].geoms))) - met[k])
            if alone:
                gap = abs(heights[other] - heights[k]) if 0 <= other < len(heights) else usual
                end = heights[k] + (gap if other > k else -gap) / 2.0
                part = _chosen(sections[k], alone)
                pieces.append(_piece((min(heights[k], end), max(heights[k], end)), (part, part), pitch))
    return pieces


def _chosen(section: MultiPolygon, parts: tuple[int, ...]) -> MultiPolygon:
    return MultiPolygon([section.geoms[part] for part in sorted(parts)])


def _piece(heights: tuple[float, float], ends: tuple[MultiPolygon, MultiPolygon], pitch: float) -> _Piece:
    bounds = np.array([end.bounds for end in ends])
    first = np.floor(bounds[:, :2].min(axis=0) / pitch) - _BEYOND
    last = np.ceil(bounds[:, 2:].max(axis=0) / pitch) + _BEYOND
    columns, rows = (last - first).astype(int) + 1
    origin = first * pitch
    start, stop = (_distance(end, origin, (int(rows), int(columns)), pitch) for end in ends)
    return _Piece(
        low_mm=heights[0], high_mm=heights[1], start=start, stop=stop, origin=origin, pitch_mm=pitch
    )


def _distance(section: MultiPolygon, origin: Points, shape: tuple[int, int], pitch: float) -> Field:
    rows, columns = shape
    edges = (segments_of(section) - np.tile(origin, 2)) / pitch
    found: Field = signed_distance(edges, rows, columns)
    return found * np.float32(pitch)


def _as_drawn(
    sections: Mapping[int, MultiPolygon], planes: ScannedPlanes, grid: Grid, k: int
) -> MultiPolygon | None:
    """The outlines of the scanned plane that a slice coincides with; None where there is no such plane."""
    corners = grid.to_patient([[0, 0, k], [grid.size[0], 0, k], [0, grid.size[1], k]])
    heights = planes.place(corners)[:, 2]
    apart = np.abs(planes.heights_mm[:, None] - heights).max(axis=1)
    plane = int(apart.argmin())
    if apart[plane] > SAME_PLANE_MM:
        return None
    section = sections.get(plane, MultiPolygon())
    moved = shapely.transform(
        section, lambda points: grid.frame.from_patient(planes.to_patient(plane, points))[:, :2]
    )
    return MultiPolygon(moved.geoms)


def _section(
    pieces: list[_Piece], planes: ScannedPlanes, grid: Grid, k: int, room: tuple[Points, Points]
) -> MultiPolygon:
    pitch = pieces[0].pitch_mm
    start = room[0] - _BEYOND * pitch
    columns, rows = (np.ceil((room[1] - room[0]) / pitch) + 2 * _BEYOND + 1).astype(int)
    u, v = (start[axis] + np.arange(count) * pitch for axis, count in ((0, columns), (1, rows)))
    across, down = np.meshgrid(u, v)
    height = np.full(across.size, grid.plane_positions_mm[k])
    points = grid.frame.to_patient(np.column_stack([across.ravel(), down.ravel(), height]))
    placed = planes.place(points)
    low, high = placed[:, 2].min(), placed[:, 2].max()
    field = np.full(len(placed), _NOTHING, dtype=np.float32)
    for piece in pieces:
        if piece.high_mm >= low and piece.low_mm <= high:
            np.maximum(field, piece.values(placed), out=field)
    image = field.reshape(int(rows), int(columns))
    image[[0, -1]] = image[:, [0, -1]] = _NOTHING
    if image.max() <= 0:
        return MultiPolygon()
    return polygons_above(image, 0.0, lambda points: start + points * pitch)
