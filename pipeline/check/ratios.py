"""Volumes that cannot be, or hardly, for what they grew from."""

from __future__ import annotations

import math

import shapely

from pipeline.core.case import Case
from pipeline.core.margin import Margin
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import Target, TargetKind, TargetSet

# What slices of a small volume may lose or gain against the volume that they cut.
TOLERANCE = 0.05
# All lesions together: less is a click, more a wrong scale or an organ taken for a lesion [A].
LEAST_GTV_CC, MOST_GTV_CC = 0.1, 700.0


def check_ratios(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`VOLUME_RATIO` (stop) and `VOLUME_UNUSUAL` (warning).

    A volume grown by a margin is never smaller than the ball of the same volume grown by it (the
    Brunn-Minkowski inequality), whatever its shape. Before barriers, scan end and image edge, and only
    where slices lie no further apart than the margin.
    """
    del case
    gtv_cc = _united_cc(targets)
    found = []
    for target in targets.targets:
        margin = target.requested
        if margin is None or target.uncut_volume_cc is None:
            continue
        if min(margin.superior, margin.inferior) < target.contours.grid.slice_spacing_mm:
            continue  # whether one more slice is met hangs on where slices lie
        base = _base_cc(targets, target, gtv_cc)
        least = grown_at_least_cc(base, margin)
        if targets.ends_at_boundaries(target):
            least = base
        if target.uncut_volume_cc < least * (1.0 - TOLERANCE):
            found.append(
                Finding(
                    code="VOLUME_RATIO",
                    severity=Severity.STOP,
                    where=f"{targets.arm}.{target.name}",
                    message=f"{target.uncut_volume_cc:.1f} cc before cuts, from {base:.1f} cc with "
                    f"{margin}: no shape gives less than {least:.1f} cc; do not use it "
                    "before it is explained",
                )
            )
    if not LEAST_GTV_CC <= gtv_cc <= MOST_GTV_CC:
        found.append(
            Finding(
                code="VOLUME_UNUSUAL",
                severity=Severity.WARNING,
                where=f"{targets.arm}, GTV",
                message=f"the lesions have {gtv_cc:.2f} cc together, usual are {LEAST_GTV_CC:g} to "
                f"{MOST_GTV_CC:g} cc: look whether they are lesions, and whether the scale is right",
            )
        )
    return tuple(found)


def grown_at_least_cc(base_cc: float, margin: Margin) -> float:
    """The least volume that anything of `base_cc` can have after growing by a margin."""
    across = (margin.left + margin.right) / 2.0
    deep = (margin.anterior + margin.posterior) / 2.0
    tall = (margin.superior + margin.inferior) / 2.0
    added = 4.0 / 3.0 * math.pi * across * deep * tall / 1000.0
    return float((base_cc ** (1.0 / 3.0) + added ** (1.0 / 3.0)) ** 3)


def _united_cc(targets: TargetSet) -> float:
    """Of all lesions, what two of them share counted once."""
    drawn = [target.contours for target in targets.of_kind(TargetKind.GTV)]
    if not drawn:
        return 0.0
    slices = {k for contours in drawn for k in contours.sections}
    parts = ([one.sections[k] for one in drawn if k in one.sections] for k in slices)
    area = sum(float(shapely.union_all(sections).area) for sections in parts)
    return area * drawn[0].grid.slice_spacing_mm / 1000.0


def _base_cc(targets: TargetSet, target: Target, gtv_cc: float) -> float:
    """What a volume grew from: the PTV from the CTV that was written, the others from the GTVs."""
    ctv = targets.of_kind(TargetKind.CTV)
    return ctv[0].contours.volume_cc if target.kind is TargetKind.PTV and ctv else gtv_cc
