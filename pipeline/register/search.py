"""The best shift of a whole patient against another: every shift is tried, so that none is missed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from pipeline.core.grid import Grid, Vector
from pipeline.register.coarse import HU_RANGE, CoarsePatient, vector
from pipeline.register.images import moved, sitk

Steps = tuple[int, int, int]

_EVERY = 2  # large voxels along each axis: one in eight will do
_SIZES = (0.88, 1.0, 1.14)  # of the reference's millimetres in the patient's
# Of the smaller body, that must meet the other: less of it fits well in too many places.
LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A shift from the patient's points to the reference's in mm, and the correlation of HU there."""

    shift_mm: Vector
    correlation: float


def best_shift(patient: CoarsePatient, reference: CoarsePatient, start: Vector, *, reach_mm: Vector) -> Found:
    """The shift with the best correlation of Hounsfield units in both bodies, at the best of some sizes.

    Args:
        patient, reference: on large voxels.
        start: the shift in the middle of those tried.
        reach_mm: how far they go from there, along the patient's columns, rows and slices.

    Returns:
        The start, with correlation 0, where the bodies hardly meet.
    """
    steps = vector(_EVERY * np.array(patient.grid.spacing_mm))
    i, j, k = (int(np.ceil(reach / step)) for reach, step in zip(reach_mm, steps, strict=True))
    found = [_best_of_size(patient, reference, start, (i, j, k), size) for size in _SIZES]
    return max(found, key=lambda one: one.correlation)


def _best_of_size(
    patient: CoarsePatient, reference: CoarsePatient, start: Vector, reach: Steps, size: float
) -> Found:
    our_hu = patient.hu[::_EVERY, ::_EVERY, ::_EVERY]
    our_body = patient.body[::_EVERY, ::_EVERY, ::_EVERY]
    wide = _widened(patient.grid, reach)
    begin = sitk.AffineTransform(3)
    begin.SetCenter(vector(patient.centre_mm))
    begin.SetTranslation(start)
    begin.Scale(size)
    hu = moved(reference.hu, reference.grid, wide, begin, outside=HU_RANGE[0])
    body = moved(reference.body, reference.grid, wide, begin) > 0.5
    least = LEAST_SHARE * min(np.count_nonzero(our_body), np.count_nonzero(body))
    best, best_off = 0.0, reach
    for off, window in _windows(our_hu.shape, reach):
        where = our_body & body[window]
        if np.count_nonzero(where) >= least:
            value = correlation(our_hu[where], hu[window][where])
            if value > best:
                best, best_off = value, off
    along = (np.array(best_off) - reach) * np.array(wide.spacing_mm)
    return Found(shift_mm=vector(np.array(start) + size * patient.grid.axes @ along), correlation=best)


def correlation(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Pearson's; 0 where either is the same everywhere, or empty."""
    if not one.size:
        return 0.0
    first, second = one - one.mean(), other - other.mean()
    spread = float(first @ first) * float(second @ second)
    return float(first @ second) / math.sqrt(spread) if spread else 0.0


def _windows(shape: tuple[int, ...], reach: Steps) -> Iterator[tuple[Steps, tuple[slice, ...]]]:
    """Each shift in steps from the outermost, along i, j, k, and the part of the wide grid it looks at."""
    for i, j, k in product(*(range(2 * most + 1) for most in reach)):
        yield (i, j, k), tuple(slice(off, off + n) for off, n in zip((k, j, i), shape, strict=True))


def _widened(grid: Grid, reach: Steps) -> Grid:
    i, j, k = (-(-count // _EVERY) + 2 * most for count, most in zip(grid.size, reach, strict=True))
    return replace(
        grid,
        size=(i, j, k),
        spacing_mm=vector(_EVERY * np.array(grid.spacing_mm)),
        origin_mm=vector(grid.to_patient([[-_EVERY * most for most in reach]])[0]),
    )
