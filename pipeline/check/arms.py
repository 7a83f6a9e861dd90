"""The two arms of one case beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import shapely

from pipeline.core.positions import span_told
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import ENI, IFI
from pipeline.core.targets import TargetKind, TargetSet

# Of the IFI CTV, outside the ENI CTV: more than outlines differ by.
TOLERANCE_CC = 0.05


def check_arms(arms: Sequence[TargetSet]) -> tuple[Finding, ...]:
    """`ENI_WITHOUT_IFI` (warning) where the CTV of the ENI arm does not contain that of the IFI arm."""
    by_name = {arm.arm: arm for arm in arms}
    if not {IFI, ENI} <= set(by_name):
        return ()
    inner, outer = (by_name[arm].of_kind(TargetKind.CTV)[0].contours for arm in (IFI, ENI))
    outside = 0.0
    slices = []
    for k, section in inner.sections.items():
        around = outer.sections.get(k)
        area = section.area if around is None else shapely.difference(section, around).area
        outside += area
        slices += [k] if area > 1.0 else []
    outside *= inner.grid.slice_spacing_mm / 1000.0
    if outside <= TOLERANCE_CC:
        return ()
    return (
        Finding(
            code="ENI_WITHOUT_IFI",
            severity=Severity.WARNING,
            where=f"{ENI}.CTV",
            message=f"{outside:.2f} cc of the IFI arm's CTV lie outside it, on {len(slices)} slices"
            + (f", at {span_told(inner.grid, slices[0], slices[-1])}" if slices else "")
            + ": the IFI arm may have the larger horizontal margin, and boundaries, regions and smoothing "
            "cut the ENI arm; look whether that is wanted",
        ),
    )
