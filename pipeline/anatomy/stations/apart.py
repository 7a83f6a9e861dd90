"""Solids told apart from each other, and rid of specks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipeline.anatomy.stations.fields import box_inside
from pipeline.core.expansion import difference
from pipeline.core.lattice import Field, Lattice
from pipeline.core.margin import Margin
from pipeline.core.solid import FAR, Solid


def bordered(field: Field, window: Lattice) -> Solid:
    """A solid with a border of points outside."""
    outer = window.padded(Margin.uniform(0.0))
    whole = np.full(outer.shape, FAR, dtype=np.float32)
    whole[window.offset_in(outer)] = field
    box = box_inside(whole)
    if box is None:
        return Solid(lattice=outer, field=whole)
    return Solid(lattice=outer.inner(box), field=whole[box])


def without(solid: Solid, others: Iterable[Solid]) -> Solid:
    """What of a solid lies in none of the others."""
    for other in others:
        if not other.is_empty and _meet(solid.lattice, other.lattice):
            lattice = solid.lattice
            field = difference(solid, other)
            solid = Solid(lattice=lattice, field=field.field[lattice.offset_in(field.lattice)])
    return solid


def _meet(one: Lattice, other: Lattice) -> bool:
    return all(
        a < b + m and b < a + n
        for a, n, b, m in zip(one.start, one.size, other.start, other.size, strict=True)
    )


def without_specks(solid: Solid, least_cc: float) -> Solid:
    """Without the parts below a volume."""
    import cc3d

    inside = solid.field > 0
    if not inside.any():
        return solid
    labels, count = cc3d.connected_components(inside, connectivity=26, return_N=True)
    u, v, w = solid.lattice.pitches_mm
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * u * v * w / 1000.0
    small = sizes < least_cc
    small[0] = False
    if not small.any():
        return solid
    return bordered(np.where(small[labels], np.float32(-1.0), solid.field), solid.lattice)
