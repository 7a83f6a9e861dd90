"""Expansion, contraction and boolean operations on solids, sub-voxel exact.

An expansion is the Minkowski sum with an ellipsoid whose octants have their own semi-axes [C].
Its distances start from where the field crosses zero on the lattice's edges, not from voxel
centres, so neither half a voxel nor part of a slice is lost.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.core.kernels import UNREACHED, along_line, along_rows, spread, spread_rows
from pipeline.core.lattice import Lattice
from pipeline.core.margin import Margin
from pipeline.core.solid import FAR, Field, Solid

# The most that a flat end may be grown too far: below what a plane position in a file is good for.
MAX_OVERSHOOT_MM = 0.005


def expand(solid: Solid, margin: Margin) -> Solid:
    """The solid grown by a margin; its lattice grows with it."""
    if margin.largest == 0.0 or solid.is_empty:
        return solid
    outer = solid.lattice.padded(margin)
    field = _embed(solid, outer)
    scale = np.float32(min(value for value in margin.as_tuple() if value > 0))
    with np.errstate(over="ignore"):
        grown = scale * (1 - np.sqrt(_squared_gauge(field, outer, margin)))
    np.maximum(grown, FAR, out=grown)
    # Inside, the gauge is 0 all over and says nothing of where the old surface is. The old field
    # does: it keeps a surface that a margin below one pitch, or of 0, moves within its lattice step.
    least = np.float32(min(margin.as_tuple()))
    np.copyto(grown, field + least, where=field > 0)
    return Solid(lattice=outer, field=np.maximum(field, grown, out=grown))


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
    found, other = np.empty_like(field), np.empty_like(field)
    total, in_plane = np.full_like(field, UNREACHED), np.full_like(field, UNREACHED)
    # In-plane distances start on planes that meet the solid only.
    met = np.flatnonzero((field > 0).any(axis=(1, 2)))
    solid = slice(int(met[0]), int(met[-1]) + 1)

    along_rows(_rows(field[solid]), *along_u, _rows(found[solid]))
    spread(found[solid], *along_v, in_plane[solid])
    along_line(field[solid], *along_v, found[solid])
    spread_rows(_rows(found[solid]), *along_u, _rows(in_plane[solid]))
    _tell_depth(in_plane[solid], field[solid], pitch, margin)
    spread(_columns(in_plane), *along_w, _columns(total))

    along_line(_columns(field), *along_w, _columns(found))
    other[...] = UNREACHED
    spread(found, *along_v, other)
    spread_rows(_rows(other), *along_u, _rows(total))
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
    for plane, values in enumerate(field):
        in_plane[plane] -= np.square(np.clip(values, 0.0, cap) / np.float32(widest))


def _rows(field: Field) -> Field:
    """A view of shape (w * v, u): lines along u."""
    return field.reshape(-1, field.shape[2])


def _columns(field: Field) -> Field:
    """A view of shape (1, w, v * u): lines along w, whole planes side by side."""
    return field.reshape(1, field.shape[0], -1)
