"""Volumes at the ends of the scan and at the image's edge, and holes that were filled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from pipeline.core.case import Case
from pipeline.core.contour import Contours
from pipeline.core.planes import ScannedPlanes
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import NOISE_CC, TargetKind, TargetSet

# Of the gap to the next slice.
_AT_END = 0.4
_ROUNDING_MM = 0.05
# Of a target's volume, filled holes of more than this are for a person to look at [A].
SHARE_TO_TELL = 0.05


def check_changes(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """What bringing a volume onto the CT's slices took from it, or gave it.

    `CUT_BY_SCAN_END` (warning) where it ran past the ends of the scan, `CUT_BY_IMAGE_EDGE` (warning) where
    it ran past the image's edge, `HOLES_FILLED` (info; warning above 5 % of the volume).
    """
    del case
    found: list[Finding] = []
    for target in targets.targets:
        where = f"{targets.arm}.{target.name}"
        changes = target.changes
        found += [
            Finding(
                code="CUT_BY_SCAN_END",
                severity=Severity.WARNING,
                where=where,
                message=f"{target.name} runs past the {past.end} end of the scan: {past.slices} slices with "
                f"{past.volume_cc:.2f} cc are cut off; scan further or accept the shorter volume",
            )
            for past in changes.past_ends
        ]
        if changes.filled_cc >= NOISE_CC:
            share = changes.filled_cc / max(target.contours.volume_cc, NOISE_CC)
            found.append(
                Finding(
                    code="HOLES_FILLED",
                    severity=Severity.WARNING if share > SHARE_TO_TELL else Severity.INFO,
                    where=where,
                    message=f"holes with {changes.filled_cc:.2f} cc were filled, "
                    f"{100 * share:.0f} % of the volume",
                )
            )
        if changes.outside_image_cc >= NOISE_CC:
            found.append(
                Finding(
                    code="CUT_BY_IMAGE_EDGE",
                    severity=Severity.WARNING,
                    where=where,
                    message=f"{changes.outside_image_cc:.2f} cc lie outside the image and are cut off; "
                    "use a larger field of view",
                )
            )
    return tuple(found)


def check_scan_ends(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`GTV_AT_SCAN_END` (stop) where a GTV is drawn on the first or the last slice: it may go on beyond.

    Of a series that was brought onto another grid the slices that were scanned count, and volumes that run
    past them, into corners of the grid that were not, are `CUT_BY_SCAN_END` (warning).
    """
    if case.scanned is not None:
        return tuple(_past_scanned(case.scanned, targets))
    ends = {0, case.volume.grid.size[2] - 1}
    return tuple(
        _at_end(f"{targets.arm}.{target.name}")
        for target in targets.targets
        if target.kind is TargetKind.GTV and ends & set(target.contours.slices)
    )


def _at_end(where: str) -> Finding:
    return Finding(
        code="GTV_AT_SCAN_END",
        severity=Severity.STOP,
        where=where,
        message="it reaches the end of the scan and may go on beyond it; scan further, or confirm that "
        "it ends there",
    )


def _past_scanned(scanned: ScannedPlanes, targets: TargetSet) -> Iterator[Finding]:
    heights = scanned.heights_mm
    below, above = heights[1] - heights[0], heights[-1] - heights[-2]
    for target in targets.targets:
        if target.contours.is_empty:
            continue
        where = f"{targets.arm}.{target.name}"
        low, high = _heights(target.contours, scanned)
        if target.kind is TargetKind.GTV:
            # What ends on the next slice ends half a gap from the outermost one.
            if low < heights[0] + _AT_END * below or high > heights[-1] - _AT_END * above:
                yield _at_end(where)
            continue
        past = max(heights[0] - below / 2.0 - low, high - heights[-1] - above / 2.0)
        if past > _ROUNDING_MM:
            yield Finding(
                code="CUT_BY_SCAN_END",
                severity=Severity.WARNING,
                where=where,
                message=f"{target.name} runs up to {past:.1f} mm past the end of the scan, where nothing was "
                "scanned, and what it grew from may be cut there; scan further, or look at it closely",
            )


def _heights(contours: Contours, scanned: ScannedPlanes) -> tuple[float, float]:
    """Lowest and highest point of outlines along the normal of the scanned planes, in mm."""
    grid = contours.grid
    points = np.concatenate(
        [
            np.column_stack([corners, np.full(len(corners), grid.plane_positions_mm[k])])
            for k, section in contours.sections.items()
            if len(corners := shapely.get_coordinates(section))
        ]
    )
    heights = scanned.place(grid.frame.to_patient(points))[:, 2]
    return float(heights.min()), float(heights.max())
