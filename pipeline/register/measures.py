"""How well the reference lies on the patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.reference import OrganFit
from pipeline.register.channel import CommonOrgans, inside, signed_distance
from pipeline.register.coarse import HU_RANGE, Bools, CoarsePatient
from pipeline.register.images import longer, moved, reached
from pipeline.register.search import correlation

_FARTHEST_MM = 50.0  # where a surface is farther off, this counts
_MI_BINS = 32

Floats = npt.NDArray[Any]


def organ_fits(
    common: CommonOrgans, patient: CoarsePatient, reference: CoarsePatient, transform: Any, region: Bools
) -> Mapping[str, OrganFit]:
    """Overlap and distance of each group in a region of the patient; the body is no organ here."""
    there = reached(reference.grid, patient.grid, transform) & region
    fits = {}
    for name, share in common.patient.items():
        values, grid = longer(common.reference[name], reference.grid, 2 * _FARTHEST_MM)
        its = moved(values, grid, patient.grid, transform)
        if name != "body" and (inside(share) & there).any():
            fits[name] = _fit(share, its, there, patient)
    return fits


def hu_figures(
    patient: CoarsePatient, reference: CoarsePatient, transform: Any, region: Bools
) -> dict[str, float]:
    """The figures of `RegistrationQuality` that come from Hounsfield units."""
    there = reached(reference.grid, patient.grid, transform)
    its_body = moved(reference.body, reference.grid, patient.grid, transform) > 0.5
    ours, theirs = _paired_hu(patient, reference, transform, region)
    of_body = int(np.count_nonzero(patient.body))
    return {
        "body_dice": _dice(patient.body & there, its_body & there),
        "correlation": correlation(ours, theirs),
        "mutual_information": _mutual_information(ours, theirs),
        "overlap": int(np.count_nonzero(patient.body & there)) / of_body if of_body else 0.0,
    }


def _fit(ours: Floats, theirs: Floats, there: Bools, patient: CoarsePatient) -> OrganFit:
    one, other = inside(ours), inside(theirs)
    distances = [signed_distance(share, patient.grid, clip_mm=_FARTHEST_MM) for share in (ours, theirs)]
    # Where one surface passes, the distance to the other is the difference of the distances to both:
    # the half voxel between a surface and the centres beside it cancels.
    step = max(patient.grid.spacing_mm)
    rim = there & ((np.abs(distances[0]) < step) | (np.abs(distances[1]) < step))
    apart = np.abs(distances[0] - distances[1])[rim]
    return OrganFit(
        dice=_dice(one & there, other & there),
        distance_mm=float(apart.mean()) if apart.size else _FARTHEST_MM,
    )


def _paired_hu(
    patient: CoarsePatient, reference: CoarsePatient, transform: Any, region: Bools
) -> tuple[Floats, Floats]:
    where = patient.body & region & reached(reference.grid, patient.grid, transform)
    hu = moved(reference.hu, reference.grid, patient.grid, transform, outside=HU_RANGE[0])
    return patient.hu[where], hu[where]


def _dice(one: Bools, other: Bools) -> float:
    total = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * int(np.count_nonzero(one & other)) / total if total else 0.0


def _mutual_information(one: Floats, other: Floats) -> float:
    if not one.size:
        return 0.0
    counts, _, _ = np.histogram2d(one, other, bins=_MI_BINS, range=(HU_RANGE, HU_RANGE))
    joint = counts / counts.sum()
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    return float(np.sum(joint[seen] * np.log(joint[seen] / apart[seen])))
