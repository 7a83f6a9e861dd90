"""GTV within PGTV and CTV, CTV within PTV."""

from __future__ import annotations

import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.case import Case
from pipeline.core.positions import span_told
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import Target, TargetKind, TargetSet

# Outlines that should coincide may differ by this much area on a slice.
TOLERANCE_MM2 = 0.5

PAIRS = (
    (TargetKind.GTV, TargetKind.PGTV),
    (TargetKind.GTV, TargetKind.CTV),
    (TargetKind.CTV, TargetKind.PTV),
)


def check_containment(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`NOT_CONTAINED` (stop) for each volume that leaves the one around it."""
    del case
    found = []
    for inner_kind, outer_kind in PAIRS:
        for inner in targets.of_kind(inner_kind):
            for outer in targets.of_kind(outer_kind):
                outside = _slices_outside(inner, outer)
                if outside:
                    found.append(
                        Finding(
                            code="NOT_CONTAINED",
                            severity=Severity.STOP,
                            where=f"{targets.arm}.{inner.name}",
                            message=(
                                f"{inner.name} leaves {outer.name} on {_told(inner, outside)}; do not use "
                                "this arm before it is explained"
                            ),
                        )
                    )
    return tuple(found)


def _told(inner: Target, outside: list[int]) -> str:
    many = "1 slice" if len(outside) == 1 else f"{len(outside)} slices"
    return f"{many}, at {span_told(inner.contours.grid, outside[0], outside[-1])}"


def _slices_outside(inner: Target, outer: Target) -> list[int]:
    outside = []
    for k, section in inner.contours.sections.items():
        around = outer.contours.sections.get(k)
        if around is None or _leaves(section, around):
            outside.append(k)
    return outside


def _leaves(section: MultiPolygon, around: MultiPolygon) -> bool:
    # Of one arm alone: two threads must not prepare a geometry at the same time.
    shapely.prepare(around)
    if shapely.covers(around, section):  # told in a tenth of the time
        return False
    return bool(shapely.difference(section, around).area > TOLERANCE_MM2)
