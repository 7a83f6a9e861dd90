"""Lung or other air that no barrier kept out of a CTV."""

from __future__ import annotations

import numpy as np

from pipeline.core.anatomy import HOLLOW, Organs
from pipeline.core.case import Case
from pipeline.core.contour import Contours
from pipeline.core.raster import contours_to_mask
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import TargetKind, TargetSet

# Aerated lung and gas are below this: half-way between gas and soft tissue [I].
AIR_BELOW_HU = -500
# What the voxels at a long outline may hold, scattered and in one piece; more is worth a look [A].
MOST_AIR_CC, MOST_AIR_IN_ONE_CC = 1.0, 0.1


def check_air(case: Case, targets: TargetSet, organs: Organs) -> tuple[Finding, ...]:
    """`CTV_HOLDS_AIR` (warning): 1 cc of a CTV outside the GTVs below -500 HU, or 0.1 cc in one piece.

    Gas of gullet, stomach and bowel does not count, as far as they are known.
    A barrier is as good as its mask: a lung drawn with a rim left out leaves that rim to the CTV.
    """
    found = []
    for target in targets.of_kind(TargetKind.CTV):
        air_cc, largest_cc = _air_cc(case, target.contours, organs)
        if air_cc > MOST_AIR_CC or largest_cc > MOST_AIR_IN_ONE_CC:
            found.append(
                Finding(
                    code="CTV_HOLDS_AIR",
                    severity=Severity.WARNING,
                    where=f"{targets.arm}.{target.name}",
                    message=f"{air_cc:.1f} cc of it outside the GTV, {largest_cc:.1f} cc in one piece, are "
                    f"below {AIR_BELOW_HU} HU: lung, or gas outside the gullet, stomach and bowel that are "
                    "known; look at their outlines",
                )
            )
    return tuple(found)


def _air_cc(case: Case, contours: Contours, organs: Organs) -> tuple[float, float]:
    """All of it, and the largest piece that hangs together face to face."""
    mask = contours_to_mask(contours)
    planes, rows, columns = box = mask.box
    air = mask.part & (case.volume.hu[box] < AIR_BELOW_HU)
    for name in HOLLOW:
        if name in organs:
            air &= ~organs[name].voxels[box]
    for lesion in case.lesions:
        air &= ~contours_to_mask(lesion.contours).voxels[planes, rows, columns]
    import cc3d

    pieces = cc3d.connected_components(air, connectivity=6)
    sizes = np.bincount(pieces[air], minlength=1)
    voxel_cc = case.volume.grid.voxel_volume_mm3 / 1000.0
    return int(sizes.sum()) * voxel_cc, int(sizes.max()) * voxel_cc
