"""Organs at risk that a PTV overlaps or comes near to."""

from __future__ import annotations

import math

import numpy as np
import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.anatomy import Organs
from pipeline.core.box import shared
from pipeline.core.case import Case
from pipeline.core.contour import Contours
from pipeline.core.raster import contours_to_mask, mask_sections
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import TargetKind, TargetSet
from pipeline.core.volume import Mask

# Organs with a dose limit in the trial [P], and the other that the plan hangs on.
AT_RISK = ("spinal_cord", "heart", "lung_left", "lung_right", "gastric_conduit", "stomach")
# What stands for them where they are not known themselves: the canal holds the cord, lungs may be one ROI.
IN_PLACE = {"spinal_canal": ("spinal_cord",), "lungs": ("lung_left", "lung_right")}
CORDS = ("spinal_cord", "spinal_canal")
# The cord may get less than a PTV does: nearer than a steep dose gradient needs is worth a look [A].
NEAR_CORD_MM = 5.0
# Further off than this, a distance is of no use to anybody.
LOOK_MM = 30.0


def check_organs(case: Case, targets: TargetSet, organs: Organs) -> tuple[Finding, ...]:
    """`PTV_AND_ORGANS` (info): overlap in cc and percent of the organ, or the least distance.

    `PTV_NEAR_CORD` (warning) where the PTV comes within 5 mm of the spinal cord, or of the spinal canal where
    only that is known. Distances are between outlines, those of an organ half-way between voxels.
    """
    del case
    findings: list[Finding] = []
    for target in targets.of_kind(TargetKind.PTV):
        where = f"{targets.arm}.{target.name}"
        ptv = contours_to_mask(target.contours)
        known = [name for name in _at_risk(organs) if not organs[name].is_empty]
        shares = {name: _overlap_cc(ptv, organs[name]) for name in known}
        apart = {name: 0.0 if shares[name] else _least_mm(target.contours, organs[name]) for name in known}
        findings += [
            _near_cord(where, name, mm)
            for name in CORDS
            if (mm := apart.get(name)) is not None and mm < NEAR_CORD_MM
        ]
        told = [_told(name, organs[name], shares[name], apart[name]) for name in known]
        if text := "; ".join(one for one in told if one):
            findings.append(Finding(code="PTV_AND_ORGANS", severity=Severity.INFO, where=where, message=text))
    return tuple(findings)


def _told(name: str, organ: Mask, shared_cc: float, apart_mm: float | None) -> str:
    if shared_cc:
        return f"{name} overlaps by {shared_cc:.1f} cc ({100.0 * shared_cc / organ.volume_cc:.0f} % of it)"
    return "" if apart_mm is None else f"{name} {apart_mm:.0f} mm off"


def _at_risk(organs: Organs) -> list[str]:
    others = [name for name, all_of in IN_PLACE.items() if not all(one in organs for one in all_of)]
    return [name for name in (*AT_RISK, *others) if name in organs]


def _near_cord(where: str, name: str, mm: float) -> Finding:
    how = "overlaps" if mm == 0 else f"comes within {mm:.1f} mm of"
    return Finding(
        code="PTV_NEAR_CORD",
        severity=Severity.WARNING,
        where=where,
        message=f"it {how} the {name.replace('_', ' ')}: look whether the cord's dose limit can be kept",
    )


def _overlap_cc(ptv: Mask, organ: Mask) -> float:
    box = shared(ptv.box, organ.box)
    both = np.count_nonzero(ptv.voxels[box] & organ.voxels[box])
    return int(both) * organ.grid.voxel_volume_mm3 / 1000.0


def _least_mm(ptv: Contours, organ: Mask) -> float | None:
    """Least distance of an organ beside the PTV, surface to surface; None beyond 30 mm.

    On a slice between outlines; from slice to slice both end half a slice beyond their planes.
    """
    spacing = ptv.grid.slice_spacing_mm
    bounds = np.array([section.bounds for section in ptv.sections.values()])
    near = (*(bounds[:, :2].min(axis=0) - LOOK_MM), *(bounds[:, 2:].max(axis=0) + LOOK_MM))
    steps = int(LOOK_MM // spacing) + 1
    slices = range(min(ptv.sections) - steps, max(ptv.sections) + steps + 1)
    drawn = mask_sections(organ, slices, near)
    least = LOOK_MM
    for step in range(steps + 1):  # the nearest slices first: those further off can only be nearer in-plane
        apart = max(0, step - 1) * spacing
        if apart >= least:
            break
        for k, section in ptv.sections.items():
            for other in {k - step, k + step} & drawn.keys():
                if _boxes_mm(section, drawn[other]) < math.sqrt(least**2 - apart**2):
                    least = min(least, math.hypot(apart, shapely.distance(section, drawn[other])))
    return least if least < LOOK_MM else None


def _boxes_mm(one: MultiPolygon, other: MultiPolygon) -> float:
    """Distance between the boxes of two sections: they are at least as far apart."""
    a, b = one.bounds, other.bounds
    return math.hypot(max(0.0, a[0] - b[2], b[0] - a[2]), max(0.0, a[1] - b[3], b[1] - a[3]))
