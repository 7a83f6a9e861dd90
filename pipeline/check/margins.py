"""Whether margins were reached, and whether slices are fine enough for them."""

from __future__ import annotations

from dataclasses import fields

from pipeline.core.case import Case
from pipeline.core.margin import Margin
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import TargetSet

TOLERANCE_MM = 0.3


def check_margins_reached(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`MARGIN_NOT_REACHED` (stop) where a measured margin differs from the one asked for.

    Measured on the uncut expansion: what barriers took is another finding.
    """
    del case
    found = []
    for target in targets.targets:
        if target.requested is None or target.measured is None:
            continue
        off = [
            f"{name} {got:.2f} of {wanted:g} mm"
            for name, wanted, got in _directions(target.requested, target.measured)
            if abs(got - wanted) > TOLERANCE_MM
        ]
        if off:
            found.append(
                Finding(
                    code="MARGIN_NOT_REACHED",
                    severity=Severity.STOP,
                    where=f"{targets.arm}.{target.name}",
                    message=f"{target.name} measures {', '.join(off)}; do not use it before it is explained",
                )
            )
    return tuple(found)


def check_thin_margins(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`MARGIN_BELOW_SLICE` (info) where a craniocaudal margin is less than the slice spacing.

    The volume is right on every slice; but whether one more slice carries a contour then hangs on
    where the slices lie.
    """
    spacing = case.volume.grid.slice_spacing_mm
    found = []
    for target in targets.targets:
        margin = target.requested
        if margin is not None and 0 < min(margin.superior, margin.inferior) < spacing:
            found.append(
                Finding(
                    code="MARGIN_BELOW_SLICE",
                    severity=Severity.INFO,
                    where=f"{targets.arm}.{target.name}",
                    message=(
                        f"craniocaudal margin of {min(margin.superior, margin.inferior):g} mm is less than "
                        f"the slice spacing of {spacing:g} mm: the end slices depend on where slices lie"
                    ),
                )
            )
    return tuple(found)


def _directions(wanted: Margin, got: Margin) -> list[tuple[str, float, float]]:
    return [(f.name, float(getattr(wanted, f.name)), float(getattr(got, f.name))) for f in fields(Margin)]
