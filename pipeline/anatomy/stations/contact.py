"""How two solids of one lattice lie to each other: what they share, whether they touch, how near."""

from __future__ import annotations

import math

import numpy as np

from pipeline.anatomy.organ_view import Bools, Floats
from pipeline.anatomy.stations.fields import coordinates
from pipeline.core.expansion import expand
from pipeline.core.margin import Margin
from pipeline.core.solid import Solid


def points_of(solid: Solid) -> Floats:
    """Lattice points inside a solid, shape (n, 3), frame coordinates u, v, w in mm."""
    w, v, u = coordinates(solid.lattice)
    planes, rows, columns = np.nonzero(solid.field > 0)
    return np.column_stack([u[columns], v[rows], w[planes]])


def shared_cc(one: Solid, other: Solid) -> float:
    """The volume of the lattice cells whose points lie in both."""
    mine, theirs = _in_common_box(one, other, reach=0)
    return float(np.count_nonzero(mine & theirs) * np.prod(one.lattice.pitches_mm) / 1000.0)


def touch(one: Solid, other: Solid) -> bool:
    """Whether two solids lie face to face: a border right on a lattice point leaves that point to neither."""
    mine, theirs = (_fattened(inside) for inside in _in_common_box(one, other, reach=2))
    return bool((mine & theirs).any())


def nearer_than(one: Solid, other: Solid, mm: float) -> bool:
    """Whether two solids have points less than `mm` apart."""
    if one.is_empty or other.is_empty:
        return False
    steps = [math.ceil(mm / pitch) for pitch in one.lattice.pitches_mm]
    apart = [
        max(a, b) - min(a + n, b + m) + 1
        for a, n, b, m in zip(
            one.lattice.start, one.lattice.size, other.lattice.start, other.lattice.size, strict=True
        )
    ]
    if any(gap > reach for gap, reach in zip(apart, steps, strict=True)):
        return False
    mine, theirs = _in_common_box(expand(one, Margin.uniform(mm)), other, reach=0)
    return bool((mine & theirs).any())


def _in_common_box(one: Solid, other: Solid, *, reach: int) -> tuple[Bools, Bools]:
    """Inside of both on the box where their lattices, grown by `reach` steps, meet; shape (w, v, u)."""
    starts = [np.array(solid.lattice.start[::-1]) - reach for solid in (one, other)]
    stops = [
        start + np.array(solid.lattice.shape) + 2 * reach
        for start, solid in zip(starts, (one, other), strict=True)
    ]
    low, high = np.maximum(*starts), np.minimum(*stops)
    size = tuple(np.maximum(high - low, 0).tolist())
    return _in_box(one, low, size), _in_box(other, low, size)


def _in_box(solid: Solid, low: np.ndarray[tuple[int], np.dtype[np.int_]], size: tuple[int, ...]) -> Bools:
    box = np.zeros(size, dtype=bool)
    if not box.size:
        return box
    to, source = [], []
    for start, first, count, length in zip(
        solid.lattice.start[::-1], low.tolist(), size, solid.lattice.shape, strict=True
    ):
        begin, end = max(start, first), min(start + length, first + count)
        to.append(slice(begin - first, max(begin, end) - first))
        source.append(slice(begin - start, max(begin, end) - start))
    box[tuple(to)] = solid.field[tuple(source)] > 0
    return box


def _fattened(inside: Bools) -> Bools:
    """One step larger along each axis."""
    larger = inside.copy()
    for axis in range(inside.ndim):
        lines, old = np.moveaxis(larger, axis, 0), np.moveaxis(inside, axis, 0)
        lines[1:] |= old[:-1]
        lines[:-1] |= old[1:]
    return larger
