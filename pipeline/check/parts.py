"""Stray parts, and slices missing between the first and the last."""

from __future__ import annotations

from itertools import pairwise

from pipeline.core.case import Case
from pipeline.core.positions import positions, span_told
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import Target, TargetKind, TargetSet

# A part of a grown target is at least as large as its margin; less is debris.
STRAY_MM2 = 10.0


def check_lost_slices(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`SLICE_MISSING` (warning) where a target has a gap that the lesions do not explain.

    Lesions that lie apart along the patient may leave one gap between them, out of reach of both margins
    where nothing was cut; any other gap is told.
    """
    found = []
    spans = _spans(case)
    for target in targets.targets:
        if target.kind is TargetKind.GTV:
            continue
        slices = target.contours.slices
        gaps = _unexplained(
            [(a, b) for a, b in pairwise(slices) if b - a > 1], spans, _reach(targets, target)
        )
        if gaps:
            told = ", ".join(span_told(target.contours.grid, a + 1, b - 1) for a, b in gaps)
            found.append(
                Finding(
                    code="SLICE_MISSING",
                    severity=Severity.WARNING,
                    where=f"{targets.arm}.{target.name}",
                    message=(
                        f"{target.name} has no contour on the slices at {told} between its first and last: "
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


def _reach(targets: TargetSet, target: Target) -> tuple[int, int]:
    """How many slices beyond a lesion are certain to be met, towards higher and towards lower ones.

    No slice is where barriers or boundaries end a volume.
    """
    grown = [target, *(targets.of_kind(TargetKind.CTV) if target.kind is TargetKind.PTV else ())]
    if any(one.changes.barred or targets.ends_at_boundaries(one) for one in grown):
        return 0, 0
    superior = sum(one.requested.superior for one in grown if one.requested)
    inferior = sum(one.requested.inferior for one in grown if one.requested)
    grid = target.contours.grid
    up, down = (superior, inferior) if grid.axes[2, 2] > 0 else (inferior, superior)
    return int(up // grid.slice_spacing_mm), int(down // grid.slice_spacing_mm)


def _unexplained(
    gaps: list[tuple[int, int]], spans: list[tuple[int, int]], reach: tuple[int, int]
) -> list[tuple[int, int]]:
    """Gaps but for one in each space between lesions, which it must not leave."""
    up, down = reach
    spaces = [(low[1] + up, high[0] - down) for low, high in pairwise(spans)]
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
            levels = sorted(target.contours.grid.plane_positions_mm[small].tolist())
            found.append(
                Finding(
                    code="STRAY_PART",
                    severity=Severity.WARNING,
                    where=f"{targets.arm}.{target.name}",
                    message=(
                        f"{target.name} has parts below {STRAY_MM2:g} mm2 on the slices at "
                        f"{positions(levels)}; look whether they belong to it"
                    ),
                )
            )
    return tuple(found)
