"""Loops cut where they go out and back along one line: the bridges that draw a hole with a single loop.

Both ways of a bridge run against one another, at most a hair's breadth apart, and on either side of it the
loop closes a ring that encloses something. A dead end encloses nothing, a curl of the pen has no bridge, and
a sharp corner opens at once: none of them is cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from pipeline.core.windings import CHANNEL_MM, ON_LINE_MM, WELD_MM, Points, without_dead_ends

Indices = npt.NDArray[np.int64]

# The widest channel that is a bridge; coordinates are rounded.
_NEAR_MM = CHANNEL_MM + WELD_MM
# The shortest bridge: below that the rings touch.
SHORTEST_MM = 0.1
# A bridge is this many times as long as its channel is wide: lines that cross do not stay near so long.
LENGTH_TO_WIDTH = 20.0
# Edges run against one another from this cosine on: 120 degrees.
_AGAINST = 0.5
# Cuts may lay bare further bridges; no drawing needs this many rounds.
_ROUNDS = 10


def rings_of(points: Points, smallest_mm2: float) -> list[Points]:
    """The closed rings that bridges join; the loop itself, if there are none.

    Args:
        points: of a closed loop, shape (n, 2), n at least 3, without dead ends.
        smallest_mm2: what a ring must enclose to be one.
    """
    rings: list[Points] = []
    waiting = [points]
    for _ in range(_ROUNDS):
        following = []
        for ring in waiting:
            bridges = _bridges(ring, smallest_mm2)
            if bridges:
                following += _cut(ring, bridges)
            else:
                rings.append(ring)
        waiting = following
    return rings + waiting


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stretches:
    """Where pairs of edges run against one another, hardly apart.

    Attributes:
        edges: the pairs, lower one first, shape (m, 2).
        length_mm: of each stretch, shape (m,).
        gap_mm: its width at the wider end, shape (m,).
        ends: start and end on the first edge, then on the second, shape (m, 4, 2).
        at: where they lie along the loop, in edges, shape (m, 4).
    """

    edges: Indices
    length_mm: Points
    gap_mm: Points
    ends: Points
    at: Points

    def nested_or_apart(self, one: int, other: int) -> bool:
        """Whether two cuts leave one another alone."""
        a, b, c, d = self.at[one]
        e, f, g, h = self.at[other]
        return bool((e >= b and h <= c) or (a >= f and d <= g) or h <= a or e >= d)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Bridge:
    """One cut: the loop goes from `at[0]` to `at[3]`, the ring between closes from `at[2]` to `at[1]`."""

    at: Points
    ends: Points


def _bridges(points: Points, smallest_mm2: float) -> list[_Bridge]:
    """Cuts that leave one another alone, in the narrowest and longest stretches of their bridges."""
    found = _stretches(points)
    chosen = sorted(
        _longest_of_runs(found, len(points)), key=lambda m: (found.gap_mm[m], -found.length_mm[m])
    )
    taken: list[int] = []
    for m in chosen:
        both = _areas_mm2(points, found, m)
        if min(both) >= smallest_mm2 and all(found.nested_or_apart(m, other) for other in taken):
            taken.append(m)
    return [_Bridge(at=found.at[m], ends=found.ends[m]) for m in taken]


def _stretches(points: Points) -> _Stretches:
    following = np.roll(points, -1, axis=0)
    edges = shapely.linestrings(np.stack([points, following], axis=1))
    pairs = shapely.STRtree(edges).query(edges, predicate="dwithin", distance=_NEAR_MM).T
    along = following - points
    lengths = np.hypot(*along.T)
    i, j = pairs[pairs[:, 0] < pairs[:, 1]].T
    against = (along[i] * along[j]).sum(axis=1) < -_AGAINST * lengths[i] * lengths[j]
    i, j = i[against], j[against]
    length = lengths[i]
    unit = along[i] / length[:, None]
    # Both ends of the second edge on the axis of the first: it comes from farther along.
    comes, goes = (((one - points[i]) * unit).sum(axis=1) for one in (points[j], following[j]))
    start, end = np.maximum(goes, 0.0), np.minimum(comes, length)
    reach = -(along[j] * unit).sum(axis=1)
    beside_start, beside_end = (np.clip((comes - s) / reach, 0.0, 1.0) for s in (start, end))
    ends = np.stack(
        [
            points[i] + start[:, None] * unit,
            points[i] + end[:, None] * unit,
            points[j] + beside_end[:, None] * along[j],
            points[j] + beside_start[:, None] * along[j],
        ],
        axis=1,
    )
    gap = np.maximum(
        np.hypot(*(ends[:, 0] - ends[:, 3]).T),
        np.hypot(*(ends[:, 1] - ends[:, 2]).T),
    )
    near = (end > start) & (gap <= _NEAR_MM)
    at = np.stack([i + start / length, i + end / length, j + beside_end, j + beside_start], axis=1)
    pairs = np.stack([i, j], axis=1)
    return _Stretches(
        edges=pairs[near], length_mm=(end - start)[near], gap_mm=gap[near], ends=ends[near], at=at[near]
    )


def _longest_of_runs(found: _Stretches, n: int) -> Iterator[int]:
    """The longest stretch of each run of them that is long enough for its width."""
    count = len(found.edges)
    if count == 0:
        return
    run = _runs(found.edges, n)
    order = np.lexsort((found.gap_mm, run))
    starts = np.flatnonzero(np.diff(run[order], prepend=-1))
    for members in np.split(order, starts[1:]):
        # The run as far as it is narrow: at its ends it may open into the rings.
        wanted = np.maximum(LENGTH_TO_WIDTH * found.gap_mm[members], SHORTEST_MM)
        enough = np.flatnonzero(np.cumsum(found.length_mm[members]) >= wanted)
        if len(enough):
            narrow = members[: enough[-1] + 1]
            yield int(narrow[np.argmax(found.length_mm[narrow])])


def _runs(edges: Indices, n: int) -> Indices:
    """The run of each pair of edges: (i, j) goes on in (i + 1, j), (i, j - 1) or (i + 1, j - 1)."""
    keys = edges[:, 0] * n + edges[:, 1]
    order = np.argsort(keys)
    first = np.arange(len(keys)).tolist()

    def root(one: int) -> int:
        while first[one] != one:
            first[one] = first[first[one]]
            one = first[one]
        return one

    for step in ((1, 0), (0, -1), (1, -1)):
        low, high = np.sort((edges + step) % n, axis=1).T
        place = np.minimum(np.searchsorted(keys[order], low * n + high), len(keys) - 1)
        is_there = np.flatnonzero(keys[order][place] == low * n + high)
        for one, other in zip(is_there.tolist(), order[place[is_there]].tolist(), strict=True):
            first[root(one)] = root(other)
    return np.array([root(one) for one in range(len(keys))], dtype=np.intp)


def _areas_mm2(points: Points, found: _Stretches, m: int) -> tuple[float, float]:
    """What the two rings of a cut enclose."""
    i, j = found.edges[m]
    p0, p1, q1, q0 = found.ends[m]
    inner = np.vstack([p1, points[i + 1 : j + 1], q1])
    outer = np.vstack([q0, points[j + 1 :], points[: i + 1], p0])
    return _area_mm2(inner), _area_mm2(outer)


def _area_mm2(ring: Points) -> float:
    u, v = (ring - ring[0]).T
    return float(abs(np.dot(u, np.roll(v, -1)) - np.dot(v, np.roll(u, -1)))) / 2.0


def _cut(points: Points, bridges: list[_Bridge]) -> list[Points]:
    """The rings that are left between bridges."""
    ends = np.concatenate([bridge.ends for bridge in bridges])
    at = np.concatenate([np.arange(len(points)), *(bridge.at for bridge in bridges)])
    order = np.argsort(at, kind="stable")
    at, line = at[order], np.concatenate([points, ends])[order]
    left = np.ones(len(at), dtype=bool)
    rings = []
    # Innermost first, so that what is between the ends of a cut has lost its own rings already.
    for bridge in sorted(bridges, key=lambda one: float(one.at[2] - one.at[1])):
        a, b, c, d = bridge.at
        rings.append(line[left & (at >= b) & (at <= c)])
        left &= (at <= a) | (at >= d)
    # Ends of a cut at a corner are the corner but for rounding.
    apart = [
        ring[np.abs(ring - np.roll(ring, 1, axis=0)).max(axis=1) > ON_LINE_MM]
        for ring in [*rings, line[left]]
    ]
    cleaned = [without_dead_ends(ring) for ring in apart]
    return [ring for ring in cleaned if len(ring) > 2]
