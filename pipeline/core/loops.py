"""Raw planar loops of a structure set to valid polygons, with notes on the dirt that was met.

What each loop, and each pair of loops on one slice, comes to:

- Repeated points are dropped; a loop of fewer than three distinct points is dropped.
- A loop that crosses itself keeps every part that it winds around, in either direction: the little
  curls of freehand drawing neither vanish nor tear holes.
- A keyhole (out and back along one line, to draw a hole with a single loop) becomes a hole.
- Loops that coincide count once: even-odd would erase them.
- A loop inside another is a hole, a loop inside a hole is an island, and so on (even-odd). Holes are told.
- A loop that sticks out of another, by more than a hair's breadth all along, overlaps it: both are joined.
  Only `CLOSEDPLANAR_XOR` loops cancel where they overlap.
- A hole that leaves hardly more than a rim is told apart: it may be the same contour drawn again.
- Parts and holes of less than 2 mm² are specks and dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon

from pipeline.core.contour import Contours
from pipeline.core.raster import as_multipolygon
from pipeline.core.validity import is_valid

Points = npt.NDArray[np.float64]

SPECK_MM2 = 2.0
# Points nearer than this are one point: ten times finer than any contour is drawn.
WELD_MM = 0.01
# Loops whose outlines run less than this apart, on average, are one loop drawn twice.
COINCIDENT_MM = 0.1
# A loop that sticks out of another by no more than this anywhere still lies inside it: rounded coordinates.
STICKS_OUT_MM = 0.1
# A hole that leaves a wall thinner than this, on average, may be the contour drawn again [I].
THINNEST_WALL_MM = 2.0


class LoopNote(StrEnum):
    """One kind of dirt; the count tells how many loops had it."""

    REPEATED_POINTS = "repeated points dropped"
    TOO_FEW_POINTS = "loops of fewer than three distinct points dropped"
    DUPLICATE = "loops drawn twice, counted once"
    SPECK = "specks below 2 mm² dropped"
    SELF_CROSSING = "loops that cross or touch themselves repaired"
    KEYHOLE = "keyholes opened into holes"
    OVERLAP = "overlapping loops joined"
    HOLE = "loops inside others taken as holes"
    THIN_WALL = "holes that leave less than 2 mm of a wall"


Notes = Mapping[LoopNote, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loop:
    """One closed planar contour.

    Attributes:
        points: shape (n, 2), (u, v) in mm; closed by itself, the first point need not come again.
        xor: of type `CLOSEDPLANAR_XOR`.
    """

    points: Points
    xor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sections:
    """The polygons of a structure by slice, the notes by slice, and the slices that came to nothing.

    Attributes:
        polygons: slice index to a valid, not empty MultiPolygon in (u, v) mm, ascending.
        notes: slice index to its notes; slices without any are absent.
        emptied: slices that had loops of which nothing was left.
    """

    polygons: Mapping[int, MultiPolygon]
    notes: Mapping[int, Notes]
    emptied: tuple[int, ...]

    @property
    def totals(self) -> Notes:
        """The notes of all slices added up."""
        total: Counter[LoopNote] = Counter()
        for notes in self.notes.values():
            total.update(notes)
        return dict(total)


def sections_from_loops(loops: Mapping[int, Sequence[Loop]]) -> Sections:
    """Loops by slice index to polygons by slice index; the rules stand at the top of this module."""
    polygons: dict[int, MultiPolygon] = {}
    notes: dict[int, Notes] = {}
    emptied = []
    for k in sorted(loops):
        polygon, said = section_from_loops(loops[k])
        if polygon.is_empty:
            emptied.append(k)
        else:
            polygons[k] = polygon
        if said:
            notes[k] = said
    return Sections(polygons=polygons, notes=notes, emptied=tuple(emptied))


def section_from_loops(loops: Sequence[Loop]) -> tuple[MultiPolygon, Notes]:
    """The loops of one slice to one valid MultiPolygon, which may be empty, and the notes."""
    notes: Counter[LoopNote] = Counter()
    shapes: list[shapely.Geometry] = []
    any_xor = False
    seen: set[bytes] = set()
    for loop in loops:
        points = _distinct(loop.points, notes)
        if points is None:
            continue
        key = _key(points)
        if key in seen:
            notes[LoopNote.DUPLICATE] += 1
            continue
        seen.add(key)
        shape = _shape(points, notes)
        if shape.area < SPECK_MM2:
            notes[LoopNote.SPECK] += 1
            continue
        shapes.append(shape)
        any_xor = any_xor or loop.xor
    if not shapes:
        return MultiPolygon(), dict(notes)
    joined = shapes[0]
    if len(shapes) > 1:
        joined = _exclusive(shapes) if any_xor else _even_odd(shapes, notes)
    return _without_specks(joined, notes), dict(notes)


def _distinct(points: Points, notes: Counter[LoopNote]) -> Points | None:
    """The loop without points that repeat their predecessor, or None if too few are left."""
    points = np.asarray(points, dtype=float)
    if len(points) > 1 and np.abs(points[0] - points[-1]).max() < WELD_MM:
        points = points[:-1]  # closed in so many words: common, and no dirt
    if len(points) >= 3:
        moved = np.abs(points - np.roll(points, 1, axis=0)).max(axis=1) >= WELD_MM
        if not moved.all():
            notes[LoopNote.REPEATED_POINTS] += 1
            points = points[moved]
    if len(points) < 3:
        notes[LoopNote.TOO_FEW_POINTS] += 1
        return None
    return points


def _key(points: Points) -> bytes:
    """Equal for loops through the same points, whatever their start and sense."""
    cells = np.round(points / WELD_MM).astype(np.int64)
    order = np.lexsort((cells[:, 1], cells[:, 0]))
    return cells[order].tobytes()


def _shape(points: Points, notes: Counter[LoopNote]) -> shapely.Geometry:
    polygon = Polygon(points)
    if is_valid(polygon):
        return polygon
    return _repaired(points, notes)


def _repaired(points: Points, notes: Counter[LoopNote]) -> shapely.Geometry:
    """The faces that an invalid loop winds around, keyholes opened."""
    welded = _welded(points)
    closed = np.vstack([welded, welded[:1]])
    faces = shapely.get_parts(shapely.polygonize([shapely.node(LineString(closed))]))
    if len(faces) == 0:
        return Polygon()
    windings = np.array([_winding(face.representative_point(), closed) for face in faces])
    bridged = _has_bridge(welded)
    # A hole may be drawn in either sense: behind a bridge, winding twice is leaving out as well.
    inside = windings % 2 == 1 if bridged else windings != 0
    repaired = shapely.union_all(faces[inside])
    has_hole = any(len(part.interiors) for part in shapely.get_parts(repaired))
    notes[LoopNote.KEYHOLE if bridged and has_hole else LoopNote.SELF_CROSSING] += 1
    return repaired


def _welded(points: Points) -> Points:
    """Points that meet an earlier one within the tolerance take its place."""
    cells = np.round(points / WELD_MM).astype(np.int64)
    _, first, inverse = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    welded: Points = points[first[inverse.reshape(-1)]]
    moved = np.any(welded != np.roll(welded, 1, axis=0), axis=1)
    return welded[moved]


def _winding(point: shapely.Point, closed: Points) -> int:
    """How often the closed line goes around the point, counted by crossings of a ray to the right."""
    start, end = closed[:-1], closed[1:]
    up = (start[:, 1] <= point.y) & (end[:, 1] > point.y)
    down = (start[:, 1] > point.y) & (end[:, 1] <= point.y)
    edge, offset = end - start, np.array([point.x, point.y]) - start
    side = edge[:, 0] * offset[:, 1] - edge[:, 1] * offset[:, 0]
    return int(np.count_nonzero(up & (side > 0)) - np.count_nonzero(down & (side < 0)))


def _has_bridge(welded: Points) -> bool:
    """Whether an edge is gone in both directions."""
    following = np.roll(welded, -1, axis=0)
    edges = {(*a, *b) for a, b in zip(welded.tolist(), following.tolist(), strict=True)}
    return any((c, d, a, b) in edges for a, b, c, d in edges)


def _exclusive(shapes: list[shapely.Geometry]) -> shapely.Geometry:
    result = shapes[0]
    for shape in shapes[1:]:
        result = shapely.symmetric_difference(result, shape)
    return result


def _even_odd(shapes: list[shapely.Geometry], notes: Counter[LoopNote]) -> shapely.Geometry:
    """Partly overlapping shapes joined, then holes and islands by nesting depth."""
    shapes = _joined(sorted(shapes, key=lambda s: -s.area), notes)
    result = shapes[0]
    for index, shape in enumerate(shapes[1:], start=1):
        around = [outer for outer in shapes[:index] if _relation(outer, shape) is _Relation.NESTED]
        if len(around) % 2:
            notes[
                LoopNote.THIN_WALL if _wall_mm(around[-1], shape) < THINNEST_WALL_MM else LoopNote.HOLE
            ] += 1
            result = shapely.difference(result, shape)
        else:
            result = shapely.union(result, shape)
    return result


def _joined(shapes: list[shapely.Geometry], notes: Counter[LoopNote]) -> list[shapely.Geometry]:
    """No two of the result coincide or partly overlap; largest first."""
    kept: list[shapely.Geometry] = []
    waiting = list(shapes)
    while waiting:
        shape = waiting.pop(0)
        for index, other in enumerate(kept):
            relation = _relation(other, shape)
            if relation is _Relation.COINCIDENT:
                notes[LoopNote.DUPLICATE] += 1
                break
            if relation is _Relation.OVERLAP:
                notes[LoopNote.OVERLAP] += 1
                # The union may now overlap what was kept before, so all are looked at again.
                waiting = [shapely.union(other, shape), *kept[:index], *kept[index + 1 :], *waiting]
                waiting.sort(key=lambda s: -s.area)
                kept = []
                break
        else:
            kept.append(shape)
    return kept


class _Relation(StrEnum):
    APART = "apart"
    NESTED = "nested"
    OVERLAP = "overlap"
    COINCIDENT = "coincident"


def _relation(large: shapely.Geometry, small: shapely.Geometry) -> _Relation:
    """How the smaller shape lies to the larger one."""
    if not shapely.intersects(large, small):
        return _Relation.APART
    # Where the larger one has holes (a keyhole), what lies in them is not in it.
    common = shapely.intersection(large, small).area
    sticks_out = small.area - common
    between = large.area - common  # a rim all around, if the small one lies inside
    if (between + sticks_out) / large.length <= COINCIDENT_MM:
        return _Relation.COINCIDENT
    if common <= COINCIDENT_MM * np.sqrt(small.area):
        return _Relation.APART  # neighbours that touch
    if not shapely.buffer(large, STICKS_OUT_MM, quad_segs=2).covers(small):
        return _Relation.OVERLAP
    return _Relation.NESTED


def _wall_mm(large: shapely.Geometry, small: shapely.Geometry) -> float:
    """Mean thickness of what is left of the larger shape around a hole."""
    return float((large.area - small.area) / ((large.length + small.length) / 2.0))


def without_specks(contours: Contours) -> tuple[Contours, dict[int, int]]:
    """Contours without parts and holes below 2 mm2, and on which slices how many of them there were."""
    kept, dropped = {}, {}
    for k, section in contours.sections.items():
        notes: Counter[LoopNote] = Counter()
        left = _without_specks(section, notes)
        if not left.is_empty:
            kept[k] = left
        if notes[LoopNote.SPECK]:
            dropped[k] = notes[LoopNote.SPECK]
    return (contours, {}) if not dropped else (Contours(grid=contours.grid, sections=kept), dropped)


def _without_specks(geometry: shapely.Geometry, notes: Counter[LoopNote]) -> MultiPolygon:
    """The parts of 2 mm² and more, without holes below 2 mm²; valid, may be empty."""
    parts = []
    for part in as_multipolygon(geometry).geoms:
        holes = [ring for ring in part.interiors if Polygon(ring).area >= SPECK_MM2]
        dropped = len(part.interiors) - len(holes)
        whole = Polygon(part.exterior, holes) if dropped else part
        if whole.area < SPECK_MM2:
            notes[LoopNote.SPECK] += 1
            continue
        if dropped:
            notes[LoopNote.SPECK] += dropped
        parts.append(whole)
    joined = MultiPolygon(parts)
    return joined if is_valid(joined) else as_multipolygon(shapely.make_valid(joined))
