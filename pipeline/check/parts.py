"""Stray parts, and slices missing between the first and the last."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import shapely

from pipeline.core.case import Case
from pipeline.core.contour import Contours
from pipeline.core.planes import ScannedPlanes
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import TargetKind, TargetSet

# A part of a grown target is at least as large as its margin; less is debris.
STRAY_MM2 = 10.0
# Of the gap to the next slice.
_AT_END = 0.4
_ROUNDING_MM = 0.05


def check_lost_slices(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`SLICE_MISSING` (warning) where a target has a gap that the lesions do not explain.

    Lesions that lie apart along the patient may leave a gap between them; any other gap is told.
    """
    found = []
    spans = _spans(case)
    for target in targets.targets:
        if target.kind is TargetKind.GTV:
            continue
        slices = target.contours.slices
        gaps = _unexplained([(a, b) for a, b in pairwise(slices) if b - a > 1], spans)
        if gaps:
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


def _spans(case: Case) -> list[tuple[int, int]]:
    """First and last slices of the lesions, those that overlap or touch as one, rising."""
    spans: list[tuple[int, int]] = []
    for first, last in sorted((min(one.contours.slices), max(one.contours.slices)) for one in case.lesions):
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        else:
            spans.append((first, last))
    return spans


def _unexplained(gaps: list[tuple[int, int]], spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Gaps but for one in each space between lesions, which it must not leave."""
    spaces = [(low[1], high[0]) for low, high in pairwise(spans)]
    told = []
    for start, stop in gaps:
        space = next(((a, b) for a, b in spaces if a <= start and stop <= b), None)
        if space is None:
            told.append((start, stop))
        else:
            spaces.remove(space)
    return told


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
