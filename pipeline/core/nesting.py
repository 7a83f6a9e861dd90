"""Shapes of one slice made one: those that coincide, overlap, or lie in one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import shapely

# Shapes whose outlines run less than this apart, on average, are one shape drawn twice.
COINCIDENT_MM = 0.1
# A shape that sticks out of another by no more than this anywhere still lies inside it: rounded coordinates.
STICKS_OUT_MM = 0.1
# What leaves a wall thinner than this, on average, may be the contour drawn again [I].
THINNEST_WALL_MM = 2.0


class Meeting(StrEnum):
    """What was done about a shape that meets others."""

    DUPLICATE = "counted once"
    OVERLAP = "joined"
    HOLE = "taken as a hole"
    THIN_WALL = "taken away, which leaves a thin wall"


def even_odd(
    shapes: Sequence[shapely.Geometry], met: Counter[Meeting], *, exclusive: bool = False
) -> shapely.Geometry:
    """Holes and islands by nesting depth.

    Args:
        shapes: at least one.
        met: is added to.
        exclusive: shapes that partly overlap cancel there, instead of being joined first.
    """
    ordered = _apart(sorted(shapes, key=lambda s: -s.area), met, exclusive=exclusive)
    result = ordered[0]
    for index, shape in enumerate(ordered[1:], start=1):
        relations = [(outer, _relation(outer, shape)) for outer in ordered[:index]]
        around = [outer for outer, relation in relations if relation is _Relation.NESTED]
        crossed = [outer for outer, relation in relations if relation is _Relation.OVERLAP]
        if crossed:
            met[Meeting.THIN_WALL] += any(_erases(outer, shape) for outer in crossed)
            result = shapely.symmetric_difference(result, shape)
        elif len(around) % 2:
            thin = _wall_mm(around[-1], shape) < THINNEST_WALL_MM
            met[Meeting.THIN_WALL if thin else Meeting.HOLE] += 1
            result = shapely.difference(result, shape)
        else:
            result = shapely.union(result, shape)
    return result


def united(one: shapely.Geometry, other: shapely.Geometry, met: Counter[Meeting]) -> shapely.Geometry:
    """Both, joined where they overlap."""
    small, large = sorted((one, other), key=lambda s: s.area)
    relation = _relation(large, small)
    if relation is _Relation.COINCIDENT:
        met[Meeting.DUPLICATE] += 1
    elif relation is not _Relation.APART:
        met[Meeting.OVERLAP] += 1
    return shapely.union(large, small)


def _apart(
    shapes: list[shapely.Geometry], met: Counter[Meeting], *, exclusive: bool
) -> list[shapely.Geometry]:
    """No two of the result coincide or, unless exclusive, partly overlap; largest first."""
    kept: list[shapely.Geometry] = []
    waiting = list(shapes)
    while waiting:
        shape = waiting.pop(0)
        for index, other in enumerate(kept):
            relation = _relation(other, shape)
            if relation is _Relation.COINCIDENT:
                met[Meeting.DUPLICATE] += 1
                break
            if relation is _Relation.OVERLAP and not exclusive:
                met[Meeting.OVERLAP] += 1
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


def _erases(large: shapely.Geometry, small: shapely.Geometry) -> bool:
    """Whether shapes that cancel leave hardly more than a rim: the contour drawn again, a bit beside."""
    common = float(shapely.intersection(large, small).area)
    left_mm = (large.area + small.area - 2.0 * common) / ((large.length + small.length) / 2.0)
    return bool(common > small.area / 2.0 and left_mm < THINNEST_WALL_MM)
