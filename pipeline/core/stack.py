"""How the parts of a contour stack hang together, and the in-plane distances to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.contour import Contours
from pipeline.core.lattice import Field, Lattice
from pipeline.core.outlines import signed_distance
from pipeline.core.raster import segments_of
from pipeline.core.threads import side_by_side

Parts = tuple[int, ...]
Group = tuple[int, Parts]  # a lattice plane and some of its parts

# Up to two slices without a contour may lie between two planes of one part (every second or third slice
# drawn, or one lost) and are bridged; not over more than this, and always over less than that [I].
MAX_BRIDGED_STEPS, MAX_BRIDGED_MM, ALWAYS_BRIDGED_MM = 3, 16.0, 3.1


def is_bridged(steps: int, slice_spacing_mm: float) -> bool:
    """Whether planes of one part, so many slice steps apart, belong together.

    >>> is_bridged(3, 3.0), is_bridged(4, 3.0), is_bridged(3, 10.0), is_bridged(5, 0.6)
    (True, False, False, True)
    """
    apart = steps * slice_spacing_mm
    return apart <= ALWAYS_BRIDGED_MM or (steps <= MAX_BRIDGED_STEPS and apart <= MAX_BRIDGED_MM)


class Stack:
    """Contours by lattice plane.

    Attributes:
        parts: plane to its polygons.
        linked: groups of parts of neighbouring planes that are counterparts: they overlap in-plane.
        ended: parts without counterpart on one side, and how far they go on to it, in planes (signed).
        distance: signed in-plane distance in mm to each of these groups, shape (v, u).
    """

    def __init__(self, contours: Contours, lattice: Lattice) -> None:
        self.parts: Mapping[int, Sequence[Polygon]] = {
            lattice.plane_of_slice(k): list(section.geoms) for k, section in contours.sections.items()
        }
        planes = sorted(self.parts)
        self.linked: list[tuple[Group, Group]] = [
            pair
            for low, high in pairwise(planes)
            if is_bridged((high - low) // lattice.steps_per_slice, lattice.grid.slice_spacing_mm)
            for pair in self._counterparts(low, high)
        ]
        half = lattice.steps_per_slice // 2
        below = {(plane, part) for (plane, parts), _ in self.linked for part in parts}
        above = {(plane, part) for _, (plane, parts) in self.linked for part in parts}
        self.ended = [
            ((plane, alone), reach)
            for plane in planes
            for reach, met in ((-half, above), (half, below))
            if (alone := tuple(p for p in range(len(self.parts[plane])) if (plane, p) not in met))
        ]
        groups = list(
            dict.fromkeys([*(g for pair in self.linked for g in pair), *(g for g, _ in self.ended)])
        )
        chosen = [MultiPolygon([self.parts[plane][part] for part in parts]) for plane, parts in groups]
        self.distance = dict(zip(groups, plane_distances(chosen, lattice), strict=True))

    def _counterparts(self, low: int, high: int) -> list[tuple[Group, Group]]:
        """Groups of parts of two planes that overlap one another, as (below, above)."""
        groups = counterparts(self.parts[low], self.parts[high])
        return [((low, below), (high, above)) for below, above in groups]


def counterparts(low: Sequence[Polygon], high: Sequence[Polygon]) -> list[tuple[Parts, Parts]]:
    """Groups of polygons of two planes that overlap one another, by their places in the sequences."""
    groups: list[tuple[set[int], set[int]]] = []
    for i, part in enumerate(low):
        touched = {j for j, other in enumerate(high) if _overlap(part, other)}
        if not touched:
            continue
        merged: tuple[set[int], set[int]] = ({i}, touched)
        rest = []
        for group in groups:
            if group[1] & merged[1]:
                merged = (merged[0] | group[0], merged[1] | group[1])
            else:
                rest.append(group)
        groups = [*rest, merged]
    return [(tuple(sorted(below)), tuple(sorted(above))) for below, above in groups]


def _overlap(one: Polygon, other: Polygon) -> bool:
    return bool(shapely.intersects(one, other)) and shapely.intersection(one, other).area > 0


def plane_distances(sections: Sequence[MultiPolygon], lattice: Lattice) -> list[Field]:
    """Signed in-plane distance in mm from a lattice's points to each section, each of shape (v, u)."""
    return side_by_side(lambda section: _plane_distance(section, lattice), sections)


def _plane_distance(section: MultiPolygon, lattice: Lattice) -> Field:
    u0, v0, _ = lattice.origin_mm
    edges = (segments_of(section) - np.array([u0, v0, u0, v0])) / lattice.pitch_mm
    found: Field = signed_distance(edges, lattice.size[1], lattice.size[0])
    return found * np.float32(lattice.pitch_mm)
