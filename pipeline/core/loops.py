"""Raw planar loops of a structure set to valid polygons, with notes on the dirt that was met.

What each loop, and each pair of loops on one slice, comes to:

- Repeated points are dropped; a loop of fewer than three distinct points is dropped.
- A loop that crosses itself keeps every part that it winds around, in either direction: the little
  curls of freehand drawing neither vanish nor tear holes.
- A dead end (out and back along one line, to a point) encloses nothing and is cut off.
- A keyhole (out and back along one line, from one ring to another) becomes a hole, whichever way its rings
  run, though its channel be up to 0.1 mm wide. Rings side by side are parts; rings that coincide count once.
- A loop that goes around its area once in each direction keeps it: it does not vanish as a speck.
- Loops that coincide count once: even-odd would erase them.
- A loop inside another is a hole, a loop inside a hole is an island, and so on (even-odd). Holes are told.
- A loop that sticks out of another, by more than a hair's breadth all along, overlaps it: both are joined.
- Loops of type `CLOSEDPLANAR_XOR` cancel where they overlap, among themselves; for the rest the same holds of
  them, and what comes of them is joined with the other loops of the slice.
- A hole that leaves hardly more than a rim is told apart: it may be the same contour drawn again.
- Parts and holes of less than 2 mm² are specks and dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.contour import Contours
from pipeline.core.keyholes import rings_of
from pipeline.core.nesting import COINCIDENT_MM, Meeting, even_odd, united
from pipeline.core.raster import as_multipolygon
from pipeline.core.validity import is_valid
from pipeline.core.windings import WELD_MM, Points, enclosed, without_dead_ends, wound

SPECK_MM2 = 2.0


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

_NOTES = {
    Meeting.DUPLICATE: LoopNote.DUPLICATE,
    Meeting.OVERLAP: LoopNote.OVERLAP,
    Meeting.HOLE: LoopNote.HOLE,
    Meeting.THIN_WALL: LoopNote.THIN_WALL,
}
# The same of rings that one loop is made of.
_NOTES_IN_A_LOOP = _NOTES | {
    Meeting.OVERLAP: LoopNote.SELF_CROSSING,
    Meeting.HOLE: LoopNote.KEYHOLE,
}


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
    usual: list[shapely.Geometry] = []
    exclusive: list[shapely.Geometry] = []
    seen: set[tuple[bool, bytes]] = set()
    for loop in loops:
        points = _distinct(loop.points, notes)
        if points is None:
            continue
        if len(loops) > 1:
            key = (loop.xor, _key(points))
            if key in seen:
                notes[LoopNote.DUPLICATE] += 1
                continue
            seen.add(key)
        shape = _shape(points, notes)
        if shape.area < SPECK_MM2:
            notes[LoopNote.SPECK] += 1
            continue
        (exclusive if loop.xor else usual).append(shape)
    if not usual and not exclusive:
        return MultiPolygon(), dict(notes)
    if not exclusive and len(usual) == 1 and isinstance(usual[0], Polygon) and not usual[0].interiors:
        return MultiPolygon(usual), dict(notes)  # by far the most
    return _without_specks(_together(usual, exclusive, notes), notes), dict(notes)


def _together(
    usual: list[shapely.Geometry], exclusive: list[shapely.Geometry], notes: Counter[LoopNote]
) -> shapely.Geometry:
    """All loops of a slice; those of type `CLOSEDPLANAR_XOR` have nothing to do with the others' holes."""
    met: Counter[Meeting] = Counter()
    groups = [even_odd(group, met, exclusive=group is exclusive) for group in (usual, exclusive) if group]
    joined = groups[0] if len(groups) == 1 else united(groups[0], groups[1], met)
    for meeting, count in met.items():
        if count:
            notes[_NOTES[meeting]] += count
    return joined


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
    """What an invalid loop encloses: the rings that it is made of, one in another a hole."""
    line = without_dead_ends(points)
    rings = [wound(ring) for ring in rings_of(line, SPECK_MM2)] if len(line) > 2 else []
    real = [ring for ring in rings if ring.area >= SPECK_MM2]
    met: Counter[Meeting] = Counter()
    repaired = even_odd(real, met) if real else Polygon()
    if _is_bare_line(repaired):
        # Gone around once in each direction, perhaps: nothing that was enclosed may vanish.
        met.clear()
        repaired = enclosed(points)
    said = {_NOTES_IN_A_LOOP[meeting] for meeting, count in met.items() if count}
    notes.update(said or {LoopNote.SELF_CROSSING})
    return repaired


def _is_bare_line(shape: shapely.Geometry) -> bool:
    """Whether nothing is left but specks, or a band as thin as the distance of loops that coincide."""
    wide = [part for part in shapely.get_parts(shape) if part.area >= SPECK_MM2]
    return not wide or 2.0 * shape.area <= COINCIDENT_MM * shape.length


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
    parts, whole, specks = [], as_multipolygon(geometry), 0
    for part in whole.geoms:
        holes = [ring for ring in part.interiors if Polygon(ring).area >= SPECK_MM2]
        dropped = len(part.interiors) - len(holes)
        left = Polygon(part.exterior, holes) if dropped else part
        if left.area < SPECK_MM2:
            specks += 1
            continue
        specks += dropped
        parts.append(left)
    if not specks:
        return whole
    notes[LoopNote.SPECK] += specks
    joined = MultiPolygon(parts)
    return joined if is_valid(joined) else as_multipolygon(shapely.make_valid(joined))
