"""Signed fields on a lattice: from masks, and back to the voxels of the CT.

A mask's surface lies where half of a lattice point's cell is filled, half-way between slices too, so that
neither the CT's spacing nor where its slices lie moves it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.organ_view import Bools, Floats
from pipeline.anatomy.stations.structures import Crop
from pipeline.core.expansion import grown_within
from pipeline.core.grid import Grid
from pipeline.core.lattice import Field, Lattice, even_steps
from pipeline.core.margin import Margin
from pipeline.core.solid import FAR, Solid

# Pitch in the axial plane. Halving it changes no station of 5 cc or more by more than 3 %.
PITCH_MM = 0.8
# Planes lie at most this many pitches apart.
PLANES_PER_PITCH = 2.0
# Fields of masks are cut off at this many pixels, so that a level or edge beside them decides alone.
_SATURATION = 4.0
EVERYWHERE = np.float32(1e6)


def station_lattice(grid: Grid, crop: Crop, pitch_mm: float = PITCH_MM) -> Lattice:
    """The lattice on which a patient's stations are made: the crop, and all that the scan holds along it."""
    steps = even_steps(grid.slice_spacing_mm, PLANES_PER_PITCH * pitch_mm)
    unit = Lattice(grid=grid, pitch_mm=pitch_mm, steps_per_slice=steps, start=(0, 0, 0), size=(1, 1, 1))
    planes = [unit.plane_of_slice(k) for k in (0, grid.size[2] - 1)]
    start = [int(np.floor(axis[0] / pitch_mm)) for axis in (crop.u, crop.v)]
    stop = [int(np.ceil(axis[-1] / pitch_mm)) + 1 for axis in (crop.u, crop.v)]
    return Lattice(
        grid=grid,
        pitch_mm=pitch_mm,
        steps_per_slice=steps,
        start=(start[0], start[1], min(planes) - steps // 2),
        size=(stop[0] - start[0], stop[1] - start[1], max(planes) - min(planes) + steps + 1),
    )


def coordinates(window: Lattice) -> tuple[Floats, Floats, Floats]:
    """Frame coordinates of a lattice's points along w, v, u in mm."""
    w, v, u = (
        np.asarray(start + np.arange(count) * pitch, dtype=float)
        for start, count, pitch in zip(
            window.origin_mm[::-1], window.shape, window.pitches_mm[::-1], strict=True
        )
    )
    return w, v, u


def span_of(crop: Crop, window: Lattice) -> tuple[slice, slice, slice]:
    """The (w, v, u) slices of the crop that reach into the cells of a window's points."""
    spans = [
        _weights(centres, points)[0]
        for centres, points in zip((crop.w, crop.v, crop.u), coordinates(window), strict=True)
    ]
    return (spans[0], spans[1], spans[2])


def field_of_mask(mask: Bools, crop: Crop, window: Lattice) -> Field:
    """A mask of the crop as a field on a window, in mm near its surface."""
    return field_of_part(mask[span_of(crop, window)], crop, window)


def field_of_part(part: Bools, crop: Crop, window: Lattice) -> Field:
    """The same from the part of the mask that `span_of` tells."""
    if not part.any():
        return np.full(window.shape, -EVERYWHERE, dtype=np.float32)
    weights = [
        _weights(centres, points)[1]
        for centres, points in zip((crop.w, crop.v, crop.u), coordinates(window), strict=True)
    ]
    filled = _in_plane(part, weights[1], weights[2])
    filled = (weights[0] @ filled.reshape(len(filled), -1)).reshape(window.shape)
    scale = _SATURATION * max(step_of(crop.v), step_of(crop.u), window.pitch_mm)
    return np.asarray((filled - np.float32(0.5)) * np.float32(scale))


def filled_in_plane(mask: Bools, crop: Crop, window: Lattice) -> Field:
    """How much of a window's cells each slice of a mask (rows and columns of the crop) fills, in-plane."""
    _, v, u = coordinates(window)
    (rows, down), (columns, across) = _weights(crop.v, v), _weights(crop.u, u)
    return _in_plane(mask[:, rows, columns], down, across)


def _in_plane(part: Bools, down: Field, across: Field) -> Field:
    rows = np.ascontiguousarray(part, dtype=np.float32).reshape(-1, part.shape[2])
    return np.asarray(down @ (rows @ across.T).reshape(*part.shape[:2], -1))


def step_of(centres: Floats) -> float:
    """Distance of neighbouring voxels in mm; 1 for a single one."""
    return float(centres[1] - centres[0]) if len(centres) > 1 else 1.0


def _weights(centres: Floats, points: Floats) -> tuple[slice, npt.NDArray[np.float32]]:
    """Which voxels lie in the cells of lattice points, and how much of each: (points, voxels)."""
    step = step_of(centres)
    width = max(step, float(points[1] - points[0]) if len(points) > 1 else step)
    reach = (width + step) / 2.0
    first = int(np.searchsorted(centres, points[0] - reach))
    last = int(np.searchsorted(centres, points[-1] + reach))
    near = centres[first:last]
    apart = np.abs(points[:, None] - near[None, :])
    overlap = np.clip(reach - apart, 0.0, min(width, step))
    return slice(first, last), (overlap / width).astype(np.float32)


def voxels_inside(solid: Solid, crop: Crop) -> tuple[tuple[slice, slice, slice], Bools]:
    """The voxels of the crop whose centres lie inside a solid: where in the crop, and which."""
    spans, weights = [], []
    for centres, points in zip((crop.w, crop.v, crop.u), coordinates(solid.lattice), strict=True):
        first, last = (int(np.searchsorted(centres, edge)) for edge in (points[0], points[-1]))
        step = float(points[1] - points[0])
        apart = np.abs(centres[first:last, None] - points[None, :]) / step
        spans.append(slice(first, last))
        weights.append(np.clip(1.0 - apart, 0.0, 1.0).astype(np.float32))
    field = np.maximum(solid.field, -10.0 * solid.lattice.pitch_mm)
    sampled = np.tensordot(weights[0], field, axes=1)
    sampled = weights[1] @ sampled @ weights[2].T
    return (spans[0], spans[1], spans[2]), np.asarray(sampled > 0)


def grown(field: Field, lattice: Lattice, margin: Margin, window: Lattice) -> Field:
    """A field grown by a margin, on a window of its lattice; nothing where the field has nothing.

    The lattice is at least what `around` the window gives.
    """
    if not (field > 0).any():
        return np.full(window.shape, FAR, dtype=np.float32)
    larger = grown_within(field, lattice, margin) if margin.largest else field
    return larger[window.offset_in(lattice)]


def around(window: Lattice, margin: Margin) -> Lattice:
    """The lattice that holds all that lies within a margin of a window."""
    return window.padded(margin.mirrored())


def embedded(field: Field, inner: Lattice, outer: Lattice) -> Field:
    """A field on a larger lattice, nothing outside."""
    whole = np.full(outer.shape, FAR, dtype=np.float32)
    whole[inner.offset_in(outer)] = field
    return whole


def box_inside(field: Field) -> tuple[slice, slice, slice] | None:
    """The (w, v, u) slices that hold what is inside and one more point on every side; None for nothing."""
    inside = field > 0
    spans = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        found = np.flatnonzero(inside.any(axis=others))
        if not len(found):
            return None
        spans.append(slice(max(0, int(found[0]) - 1), min(field.shape[axis], int(found[-1]) + 2)))
    return (spans[0], spans[1], spans[2])
