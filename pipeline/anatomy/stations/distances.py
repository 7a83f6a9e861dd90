"""Signed fields of hulls and distances, worked out on a window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise

import numpy as np

from pipeline.anatomy.organ_view import Bools, Floats
from pipeline.anatomy.stations.edges import ON_FACE_MM, hull_edges
from pipeline.anatomy.stations.fields import coordinates
from pipeline.anatomy.stations.structures import Crop
from pipeline.core.lattice import Field, Lattice
from pipeline.core.solid import FAR


def hull_field(mask: Bools, crop: Crop, window: Lattice, *, hold: bool) -> Field:
    """The convex hull of a mask in each plane, linear between planes; `hold` carries the lowest one down."""
    w, v, u = coordinates(window)
    planes = np.flatnonzero(mask.any(axis=(1, 2)))
    levels = crop.w[planes]
    step = float(crop.w[1] - crop.w[0]) if len(crop.w) > 1 else 1.0
    sections: dict[int, Field] = {}

    def section(index: int) -> Field:
        if index not in sections:
            edges = hull_edges(mask[planes[index]], crop)
            planes_uv = (
                edges[:, 0, None, None] * u + edges[:, 1, None, None] * v[:, None] + edges[:, 2, None, None]
            )
            sections[index] = np.asarray(-planes_uv.max(axis=0), dtype=np.float32)
        return sections[index]

    field = np.full(window.shape, FAR, dtype=np.float32)
    for plane, level in enumerate(w):
        beyond = max(level - levels[-1], 0.0 if hold else levels[0] - level)
        if beyond > step / 2.0 + ON_FACE_MM:
            continue
        place = float(np.interp(level, levels, np.arange(len(levels))))
        low, share = int(place), np.float32(place - int(place))
        field[plane] = section(low) if share == 0 else (1 - share) * section(low) + share * section(low + 1)
    return field


def near_axially(path: Floats, mm: float, window: Lattice, *, hold: bool) -> Field:
    """Within `mm` of a path in each plane, between its ends, or with `hold` beyond them too."""
    order = np.argsort(path[:, 2])
    levels = path[order, 2]
    w, v, u = coordinates(window)
    middle_u, middle_v = (np.interp(w, levels, path[order, axis]) for axis in (0, 1))
    across = np.square(u[None, None, :] - middle_u[:, None, None]).astype(np.float32)
    along = np.square(v[None, :, None] - middle_v[:, None, None]).astype(np.float32)
    field = np.float32(mm) - np.sqrt(across + along)
    if not hold:
        field = np.minimum(field, np.minimum(w - levels[0], levels[-1] - w)[:, None, None])
    return np.asarray(field, dtype=np.float32)


def near_line(points: Floats, mm: float, window: Lattice) -> Field:
    """Within `mm` of a broken line, or of a point."""
    w, v, u = (axis.astype(np.float32) for axis in coordinates(window))
    places = (u[None, None, :], v[None, :, None], w[:, None, None])
    nearest = np.full(window.shape, np.inf, dtype=np.float32)
    for start, stop in pairwise(points) if len(points) > 1 else ((points[0], points[0]),):
        along = (stop - start).astype(np.float32)
        length = along @ along
        share: Field | float = 0.0
        if length > 0:
            share = np.clip(_total((p - s) * (a / length) for p, s, a in _each(places, start, along)), 0, 1)
        squared = _total(np.square(p - s - share * a) for p, s, a in _each(places, start, along))
        np.minimum(nearest, squared, out=nearest)
    return np.float32(mm) - np.sqrt(nearest)


def _each(
    places: Sequence[Field], start: Floats, along: Field
) -> Iterable[tuple[Field, np.float32, np.float32]]:
    return zip(places, start.astype(np.float32), along, strict=True)


def _total(fields: Iterable[Field]) -> Field:
    return reduce(np.add, fields)


def narrowed(window: Lattice, span: tuple[int, int], *, axis: int) -> Lattice:
    """The window without what lies more than a point beyond a span along an axis (w, v, u)."""
    where = [slice(0, count) for count in window.shape]
    last = window.shape[axis] - 1
    where[axis] = slice(min(max(0, span[0] - 1), last), min(max(span[1], span[0]), last) + 1)
    return window.inner((where[0], where[1], where[2]))
