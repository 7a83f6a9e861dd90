"""Stray parts, and slices missing between the first and the last."""

from __future__ import annotations

from itertools import pairwise

from pipeline.core.case import Case
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import TargetKind, TargetSet

# A part of a grown target is at least as large as its margin; less is debris.
STRAY_MM2 = 10.0


def check_lost_slices(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`SLICE_MISSING` (warning) where a target has a gap that the lesions do not explain.

    Lesions further apart than the margins leave a gap of their own: more gaps than that are told.
    """
    found = []
    lesions = len(case.lesions)
    for target in targets.targets:
        if target.kind is TargetKind.GTV:
            continue
        slices = target.contours.slices
        gaps = [(a, b) for a, b in pairwise(slices) if b - a > 1]
        if len(gaps) >= lesions:
            told = ", ".join(f"{a + 1} to {b - 1}" for a, b in gaps)
            found.append(
                Finding(
                    code="SLICE_MISSING",
                    severity=Severity.WARNING,
                    where=f"{targets.arm}.{target.name}",
                    message=(
                        f"{target.name} has no contour on slices {told} between its first and last: "
                        "look whether the GTV has parts that lie apart"
                    ),
                )
            )
    return tuple(found)


def check_stray_parts(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`STRAY_PART` (warning) for parts of a target below 10 mm2 on a slice."""
    del case
    found = []
    for target in targets.targets:
        if target.kind is TargetKind.GTV:
            continue
        small = [k for k, s in target.contours.sections.items() if min(p.area for p in s.geoms) < STRAY_MM2]
        if small:
            found.append(
                Finding(
                    code="STRAY_PART",
                    severity=Severity.WARNING,
                    where=f"{targets.arm}.{target.name}",
                    message=(
                        f"{target.name} has parts below {STRAY_MM2:g} mm2 on slices "
                        f"{', '.join(map(str, small))}; look whether they belong to it"
                    ),
                )
            )
    return tuple(found)


def check_scan_ends(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`GTV_AT_SCAN_END` (stop) where a GTV is drawn on the first or the last slice: it may go on beyond."""
    ends = {0, case.volume.grid.size[2] - 1}
    return tuple(
        Finding(
            code="GTV_AT_SCAN_END",
            severity=Severity.STOP,
            where=f"{targets.arm}.{target.name}",
            message="it reaches the end of the scan and may go on beyond it; scan further, or confirm that "
            "it ends there",
        )
        for target in targets.targets
        if target.kind is TargetKind.GTV and ends & set(target.contours.slices)
    )
