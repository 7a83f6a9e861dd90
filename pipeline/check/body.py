"""Whether the lesions lie in the patient."""

from __future__ import annotations

import numpy as np

from pipeline.core.case import Case
from pipeline.core.raster import contours_to_mask
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Mask

# The skin's pixels and the width of a drawn line.
ALLOWED_OUTSIDE = 0.03


def check_inside_body(case: Case, body: Mask) -> tuple[Finding, ...]:
    """`GTV_OUTSIDE_BODY` (stop) for each lesion of which more than 3 % lies in air outside the body.

    Args:
        case: the lesions.
        body: on the CT's grid, known on all of the lesions' slices.
    """
    found = []
    for lesion in case.lesions:
        drawn = contours_to_mask(lesion.contours)
        count = int(np.count_nonzero(drawn.voxels))
        outside = int(np.count_nonzero(drawn.voxels & ~body.voxels))
        if count and outside > ALLOWED_OUTSIDE * count:
            part = outside / count * lesion.contours.volume_cc
            found.append(
                Finding(
                    code="GTV_OUTSIDE_BODY",
                    severity=Severity.STOP,
                    where=lesion.name,
                    message=(
                        f"{part:.2f} of {lesion.contours.volume_cc:.2f} cc lie outside the body, in air; "
                        "look whether the structure set belongs to this CT"
                    ),
                )
            )
    return tuple(found)
