"""Plain functions that look for faults in finished targets. One function and one line here each."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.check.air import check_air
from pipeline.check.arms import check_arms
from pipeline.check.body import check_inside_body
from pipeline.check.containment import check_containment
from pipeline.check.margins import (
    check_ends_on_slices,
    check_margins_around_outlines,
    check_margins_reached,
    check_thin_margins,
)
from pipeline.check.parts import check_lost_slices, check_scan_ends, check_stray_parts
from pipeline.core.case import Case
from pipeline.core.report import Finding
from pipeline.core.targets import TargetSet

Check = Callable[[Case, TargetSet], tuple[Finding, ...]]

CHECKS: tuple[Check, ...] = (
    check_containment,
    check_margins_reached,
    check_margins_around_outlines,
    check_thin_margins,
    check_ends_on_slices,
    check_scan_ends,
    check_lost_slices,
    check_stray_parts,
    check_air,
)


def check_targets(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """Everything that the checks find, in their order."""
    return tuple(finding for check in CHECKS for finding in check(case, targets))


__all__ = ("CHECKS", "Check", "check_arms", "check_inside_body", "check_targets")
