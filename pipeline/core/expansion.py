"""Expansion, contraction and boolean operations on solids, sub-voxel exact.

An expansion is the Minkowski sum with an ellipsoid whose octants have their own semi-axes [C].
Its distances start from where the field crosses zero on the lattice's edges, not from voxel
centres, so neither half a voxel nor part of a slice is lost.
"""

from __future__ import annotations

import numpy as np

from pipeline.core.kernels import UNREACHED, along_line, spread
from pipeline.core.lattice import Lattice
from pipeline.core.margin import Margin
from pipeline.core.solid import FAR, Field, Solid


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
    # The old field keeps the surface exact where a margin is 0.
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
    return Solid(lattice=outer, field=np.maximum(_embed(one, outer), _embed(other, outer)))


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

    from_u = np.empty_like(field.swapaxes(1, 2), order="C")
    along_line(np.ascontiguousarray(field.swapaxes(1, 2)), *along_u, from_u)
    in_plane = np.full_like(field, UNREACHED)
    spread(np.ascontiguousarray(from_u.swapaxes(1, 2)), *along_v, in_plane)

    from_v = np.empty_like(field)
    along_line(field, *along_v, from_v)
    np.minimum(in_plane, _spread_u(from_v, along_u), out=in_plane)

    total = np.full_like(field, UNREACHED)
    spread(_columns(in_plane), *along_w, _columns(total))

    from_w = from_v
    along_line(_columns(field), *along_w, _columns(from_w))
    in_plane[...] = UNREACHED
    spread(from_w, *along_v, in_plane)
    return np.minimum(total, _spread_u(in_plane, along_u), out=total)


def _spread_u(source: Field, along_u: tuple[float, float]) -> Field:
    turned = np.ascontiguousarray(source.swapaxes(1, 2))
    out = np.full_like(turned, UNREACHED)
    spread(turned, *along_u, out)
    return np.ascontiguousarray(out.swapaxes(1, 2))


def _columns(field: Field) -> Field:
    """A view of shape (1, w, v * u): lines along w, whole planes side by side."""
    return field.reshape(1, field.shape[0], -1)
