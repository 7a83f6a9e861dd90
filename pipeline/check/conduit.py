"""What the volumes of an arm share with the organ that was drawn up in place of the gullet."""

from __future__ import annotations

import numpy as np

from pipeline.core.box import shared
from pipeline.core.raster import contours_to_mask
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import TargetSet
from pipeline.core.volume import Mask


def check_conduit(targets: TargetSet, conduit: Mask) -> tuple[Finding, ...]:
    """`SHARED_WITH_CONDUIT` (info): cc of each volume that lie in the conduit, where any does [P]."""
    told = []
    for target in targets.targets:
        mask = contours_to_mask(target.contours)
        box = shared(mask.box, conduit.box)
        both = int(np.count_nonzero(mask.voxels[box] & conduit.voxels[box]))
        if both:
            told.append(f"{target.name} {both * conduit.grid.voxel_volume_mm3 / 1000.0:.1f} cc")
    if not told:
        return ()
    return (
        Finding(
            code="SHARED_WITH_CONDUIT",
            severity=Severity.INFO,
            where=targets.arm,
            message=f"in the conduit lie of {', '.join(told)}",
        ),
    )
