"""Left and right: a reference that was stored mirrored must not pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pipeline.core.anatomy import Organs
from pipeline.core.grid import Vector
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Mask
from pipeline.register.coarse import CoarsePatient, vector
from pipeline.register.search import best_shift

FLIPPED = "ATLAS_SIDES_FLIPPED"
_REACH_MM = (24.0, 24.0, 32.0)
_LUNGS = ("lung_right", "lung_left")
_TODO = "Check the orientation of its images and the names."


def side_findings(organs: Mapping[str, Organs], labels: Mapping[str, Mask]) -> Iterator[Finding]:
    """Lungs, and labels of a pair (`1R` and `1L`), that lie the wrong way round.

    Args:
        organs: of the patient and of the reference, by what to call them.
        labels: of the reference.
    """
    for where, one in organs.items():
        if all(lung in one for lung in _LUNGS) and _leftward(one[_LUNGS[0]]) > _leftward(one[_LUNGS[1]]):
            yield _flipped(where, "The right lung lies to the left of the left lung")
    for right in labels:
        left = f"{right[:-1]}L"
        if right.endswith("R") and left in labels and _leftward(labels[right]) > _leftward(labels[left]):
            yield _flipped(f"label {right}", f"{right} lies to the left of {left} in the reference")


def mirrored_gain(patient: CoarsePatient, reference: CoarsePatient, start: Vector) -> float:
    """How much better the mirrored reference fits than the reference itself; below 0 for a sound one.

    Heart, arch, liver and stomach tell the sides of a CT without any contour.

    Args:
        patient, reference: on large voxels.
        start: the shift from the patient to the reference to begin with.
    """
    other = reference.mirrored()
    its_start = vector(np.array(start) + other.centre_mm - reference.centre_mm)
    as_it_is, mirrored = (
        best_shift(patient, one, begin, reach_mm=_REACH_MM).correlation
        for one, begin in ((reference, start), (other, its_start))
    )
    return mirrored - as_it_is


def _leftward(mask: Mask) -> float:
    """Mean position of a mask to the patient's left, in mm."""
    counts = [np.count_nonzero(mask.voxels, axis=axes) for axes in ((0, 1), (0, 2), (1, 2))]
    centre = [float(np.average(np.arange(len(one)), weights=one)) for one in counts]
    return float(mask.grid.to_patient([centre])[0] @ np.array(mask.grid.frame.left))


def _flipped(where: str, what: str) -> Finding:
    return Finding(code=FLIPPED, severity=Severity.STOP, where=where, message=f"{what}. {_TODO}")
