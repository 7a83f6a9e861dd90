"""The shift to begin with: where the reference lies against the patient before anything is turned or bent.

Shifts lead from the patient's points to the reference's (LPS mm), as the transforms do.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pipeline.core.grid import Grid, Vector
from pipeline.register.channel import CommonOrgans, inside
from pipeline.register.coarse import CoarsePatient, Floats, points_of, vector
from pipeline.register.search import LEAST_SHARE, best_shift

# The tip of an organ: so much of its length at either end.
_TIP_MM = 12.0
_ACROSS_MM = 16.0  # that a body's centre may be off by arms, or by the part that each scan shows

Array = npt.NDArray[np.float64]


def start_from_organs(
    common: CommonOrgans, patient: CoarsePatient, reference: CoarsePatient
) -> Vector | None:
    """The median shift between organs' centroids; between tips of those that either scan cuts.

    None where no organ has a place that both scans show whole.
    """
    shifts = [
        shift
        for name in common.patient
        if name != "body"  # its centroid is the scan's, not the patient's
        for shift in _shifts(common.patient[name], patient.grid, common.reference[name], reference.grid)
    ]
    return vector(np.median(shifts, axis=0)) if shifts else None


def start_from_bodies(patient: CoarsePatient, reference: CoarsePatient) -> Vector:
    """The shift between the bodies: from centre to centre, then the one of all around that fits best.

    The middles of two scans may lie far apart in the body, so that along it every shift is tried.
    """
    begin = vector(reference.centre_mm - patient.centre_mm)
    lengths = [one.grid.size[2] * one.grid.slice_spacing_mm for one in (patient, reference)]
    along = max(lengths) / 2 + (0.5 - LEAST_SHARE) * min(lengths)
    return best_shift(patient, reference, begin, reach_mm=(_ACROSS_MM, _ACROSS_MM, along)).shift_mm


def _shifts(ours: Floats, our_grid: Grid, theirs: Floats, their_grid: Grid) -> Iterator[Array]:
    one, other = points_of(inside(ours), our_grid), points_of(inside(theirs), their_grid)
    cuts = [_cut(points, grid) for points, grid in ((one, our_grid), (other, their_grid))]
    low, high = any(cut[0] for cut in cuts), any(cut[1] for cut in cuts)
    if not (low or high):
        yield other.mean(axis=0) - one.mean(axis=0)
    elif not low:
        yield _lowest(other) - _lowest(one)
    elif not high:
        yield _lowest(other, sense=-1.0) - _lowest(one, sense=-1.0)


def _lowest(points: Array, sense: float = 1.0) -> Array:
    height = sense * points[:, 2]
    return np.asarray(points[height < height.min() + _TIP_MM].mean(axis=0))


def _cut(points: Array, grid: Grid) -> tuple[bool, bool]:
    """Whether an organ meets the lowest and the highest slice of the scan."""
    reach = 1.5 * grid.slice_spacing_mm
    ends = grid.to_patient([[grid.size[0] / 2, grid.size[1] / 2, k] for k in (0, grid.size[2] - 1)])[:, 2]
    return bool(points[:, 2].min() < ends.min() + reach), bool(points[:, 2].max() > ends.max() - reach)
