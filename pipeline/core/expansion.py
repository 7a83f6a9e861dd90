"""Expansion, contraction and boolean operations on solids, sub-voxel exact.

An expansion is the Minkowski sum with an ellipsoid whose octants have their own semi-axes [C].
Its distances start from where the field crosses zero on the lattice's edges, not from voxel
centres, so neither half a voxel nor part of a slice is lost.
"""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pipeline.core.kernels import UNREACHED, along_line, along_rows, spread, spread_rows
from pipeline.core.lattice import Field, Lattice
from pipeline.core.margin import Margin
from pipeline.core.solid import FAR, Solid
from pipeline.core.threads import workers

# The most that a flat end may be grown too far: below what a plane position in a file is good for.
MAX_OVERSHOOT_MM = 0.005


def expand(solid: Solid, margin: Margin) -> Solid:
    """The solid grown by a margin; its lattice grows with it."""
    if margin.largest == 0.0 or solid.is_empty:
        return solid
    outer = solid.lattice.padded(margin)
    return Solid(lattice=outer, field=grown_within(_embed(solid, outer), outer, margin))


def grown_within(field: Field, lattice: Lattice, margin: Margin) -> Field:
    """A field grown by a margin, which is more than 0, on its own lattice.

    It is right wherever everything within the margin lies on the lattice as well.
    """
    scale = np.float32(min(value for value in margin.as_tuple() if value > 0))
    # In place: a lattice of a large lesion is tens of megabytes, and fresh memory costs more than the sums.
    grown = _squared_gauge(field, lattice, margin)
    np.sqrt(grown, out=grown)
    np.subtract(1, grown, out=grown)
    np.multiply(grown, scale, out=grown)
    np.maximum(grown, FAR, out=grown)
    # Inside, the gauge is 0 all over and says nothing of where the old surface is. The old field
    # does: it keeps a surface that a margin below one pitch, or of 0, moves within its lattice step.
    np.add(field, np.float32(min(margin.as_tuple())), out=grown, where=field > 0)
    return np.maximum(field, grown, out=grown)


def contract(solid: Solid, margin: Margin) -> Solid:
    """The solid made smaller by a margin: what the margin's ellipsoid fits into.

    May come out empty.
    """
    if margin.largest == 0.0 or solid.is_empty:
        return solid
    rest = solid.lattice.padded(Margin.uniform(0.0))
    outside = Solid(lattice=rest, field=-_embed(solid, rest))
    grown = expand(outside, margin.mirrored())
    return Solid(lattice=rest, field=-grown.field[rest.offset_in(grown.lattice)])


def union(one: Solid, other: Solid) -> Solid:
    """Points in either solid.

    Raises:
        GeometryError: the lattices have different grids or pitches.
    """
    outer = one.lattice.joined(other.lattice)
    fields = _embed(one, outer), _embed(other, outer)
    joined = np.maximum(*fields)
    for field in fields:
        # Past a flat end of one the field of the other would pull that end past its plane.
        inside, void = field > 0, field <= FAR / 2
        past = np.zeros_like(void)
        past[1:] = void[1:] & inside[:-1]
        past[:-1] |= void[:-1] & inside[1:]
        joined[past & (joined < -outer.pitch_mm)] = FAR
    return Solid(lattice=outer, field=joined)


def intersection(one: Solid, other: Solid) -> Solid:
    """Points in both solids; raises as `union` does."""
    outer = one.lattice.joined(other.lattice)
    return Solid(lattice=outer, field=np.minimum(_embed(one, outer), _embed(other, outer)))


def difference(one: Solid, other: Solid) -> Solid:
    """Points in the first solid and not in the second; raises as `union` does."""
    outer = one.lattice.joined(other.lattice)
    return Solid(lattice=outer, field=np.minimum(_embed(one, outer), -_embed(other, outer)))


def _embed(solid: Solid, outer: Lattice) -> Field:
    field = np.full(outer.shape, FAR, dtype=np.float32)
    field[solid.lattice.offset_in(outer)] = solid.field
    return field


def _squared_gauge(field: Field, lattice: Lattice, margin: Margin) -> Field:
    """Least squared gauge distance to the solid from every lattice point; 0 inside."""
    pitch, step = lattice.pitch_mm, lattice.plane_pitch_mm
    along_u = (margin.left / pitch, margin.right / pitch)
    along_v = (margin.posterior / pitch, margin.anterior / pitch)
    along_w = (margin.superior / step, margin.inferior / step)
    work, total = np.full_like(field, UNREACHED), np.full_like(field, UNREACHED)

    def from_own_outline(plane: int) -> None:
        inside, in_plane = field[plane : plane + 1], work[plane : plane + 1]
        own = np.empty_like(inside)
        along_rows(inside[0], *along_u, own[0])
        spread(own, *along_v, in_plane)
        along_line(inside, *along_v, own)
        spread_rows(own[0], *along_u, in_plane[0])
        _tell_depth(in_plane, inside, pitch, margin)

    def from_above_and_below(plane: int) -> None:
        carried = np.full_like(work[:1], UNREACHED)
        spread(work[plane : plane + 1], *along_v, carried)
        spread_rows(carried[0], *along_u, total[plane])

    with ThreadPoolExecutor(max_workers=workers()) as pool:  # the kernels hold no lock
        # In-plane distances start on planes that meet the solid only.
        met = np.flatnonzero((field > 0).any(axis=(1, 2))).tolist()
        deque(pool.map(from_own_outline, met), maxlen=0)
        spread(_columns(work), *along_w, _columns(total))
        along_line(_columns(field), *along_w, _columns(work))
        deque(pool.map(from_above_and_below, range(len(field))), maxlen=0)
    return np.maximum(total, 0, out=total)


def _tell_depth(in_plane: Field, field: Field, pitch: float, margin: Margin) -> None:
    """Lower the squared gauge inside the solid by that of the depth, for at most one pitch.

    Every point straight above a flat end is equally far from it, so that a slice that just meets
    the tip would be cut back to the last lattice line inside. The depth tells where between two
    lines the rim lies. It moves nothing else: a way that starts deeper inside is longer by more
    than the depth, except straight away from a flat end, where its cap keeps the excess to 0.005 mm.
    """
    widest = max(margin.as_tuple()[:4])
    tallest = max(margin.superior, margin.inferior)
    if widest == 0.0 or tallest == 0.0:
        return
    cap = min(pitch, widest * math.sqrt(2.0 * MAX_OVERSHOOT_MM / tallest))
    in_plane -= np.square(np.clip(field, 0.0, cap) / np.float32(widest))


def _columns(field: Field) -> Field:
    """A view of shape (1, w, v * u): lines along w, whole planes side by side."""
    return field.reshape(1, field.shape[0], -1)
