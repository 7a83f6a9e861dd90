"""Organs at risk that a PTV overlaps or comes near to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from pipeline.core.anatomy import Organs
from pipeline.core.box import shared
from pipeline.core.case import Case
from pipeline.core.contour import Contours
from pipeline.core.raster import contours_to_mask
from pipeline.core.report import Finding, Severity
from pipeline.core.surface import points_distance_mm
from pipeline.core.targets import TargetSet
from pipeline.core.volume import Mask

# Organs with a dose limit in the trial [P], and the other that the plan hangs on.
AT_RISK = ("spinal_cord", "heart", "lung_left", "lung_right", "gastric_conduit", "stomach")
CORD = "spinal_cord"
# The cord may get less than a PTV does: nearer than a steep dose gradient needs is worth a look [A].
NEAR_CORD_MM = 5.0
# Further off than this, a distance is of no use to anybody.
LOOK_MM = 30.0

Points = npt.NDArray[np.float64]


def check_organs(case: Case, targets: TargetSet, organs: Organs) -> tuple[Finding, ...]:
    """`PTV_AND_ORGANS` (info): overlap in cc and percent of the organ, or the least distance.

    `PTV_NEAR_CORD` (warning) where the PTV comes within 5 mm of the spinal cord. Distances are those of voxel
    centres of the organ to the PTV's outlines, good to half a voxel.
    """
    del case
    findings: list[Finding] = []
    for target in targets.targets:
        if target.name != "PTV":
            continue
        where = f"{targets.arm}.{target.name}"
        ptv = contours_to_mask(target.contours)
        known = [name for name in AT_RISK if name in organs and not organs[name].is_empty]
        shares = {name: _overlap_cc(ptv, organs[name]) for name in known}
        apart = {name: 0.0 if shares[name] else _least_mm(target.contours, organs[name]) for name in known}
        cord = apart.get(CORD)
        if cord is not None and cord < NEAR_CORD_MM:
            findings.append(_near_cord(where, cord))
        told = [_told(name, organs[name], shares[name], apart[name]) for name in known]
        if text := "; ".join(one for one in told if one):
            findings.append(Finding(code="PTV_AND_ORGANS", severity=Severity.INFO, where=where, message=text))
    return tuple(findings)


def _told(name: str, organ: Mask, shared_cc: float, apart_mm: float | None) -> str:
    if shared_cc:
        return f"{name} overlaps by {shared_cc:.1f} cc ({100.0 * shared_cc / organ.volume_cc:.0f} % of it)"
    return "" if apart_mm is None else f"{name} {apart_mm:.0f} mm off"


def _near_cord(where: str, mm: float) -> Finding:
    how = "overlaps" if mm == 0 else f"comes within {mm:.1f} mm of"
    return Finding(
        code="PTV_NEAR_CORD",
        severity=Severity.WARNING,
        where=where,
        message=f"it {how} the spinal cord: look whether the limit of its dose can be kept",
    )


def _overlap_cc(ptv: Mask, organ: Mask) -> float:
    box = shared(ptv.box, organ.box)
    both = np.count_nonzero(ptv.voxels[box] & organ.voxels[box])
    return int(both) * organ.grid.voxel_volume_mm3 / 1000.0


def _least_mm(ptv: Contours, organ: Mask) -> float | None:
    """Least distance of an organ beside the PTV, None beyond 30 mm."""
    levels = ptv.grid.plane_positions_mm
    corners = [
        np.column_stack([points, np.full(len(points), levels[k])])
        for k, section in ptv.sections.items()
        if len(points := shapely.get_coordinates(shapely.segmentize(section, 2.0)))
    ]
    if not corners:
        return None
    outline = np.concatenate(corners)
    near = _centres(organ, outline.min(axis=0) - LOOK_MM, outline.max(axis=0) + LOOK_MM)
    if not len(near):
        return None
    mm = points_distance_mm(outline, near)
    return mm if mm <= LOOK_MM else None


def _centres(organ: Mask, low: Points, high: Points) -> Points:
    """Centres of an organ's in-plane rim voxels within a box, as (u, v, w) in mm, shape (n, 3)."""
    part = organ.part
    inner = part.copy()
    inner[:, 0] = inner[:, -1] = inner[:, :, 0] = inner[:, :, -1] = False
    for axis in (1, 2):
        for step in (1, -1):
            inner &= np.roll(part, step, axis=axis)
    found = np.argwhere(part & ~inner) + [one.start for one in organ.box]
    grid = organ.grid
    centres = grid.frame.from_patient(grid.to_patient(found[:, ::-1]))
    return centres[((centres >= low) & (centres <= high)).all(axis=1)]
