"""Plain functions that look for faults in finished targets: one function and one line in a table here each.

Four look at something else than one arm's volumes, and are called where that is at hand: `check_inside_body`
(the lesions, once the body is known), `check_conduit` (once it is told from the stomach), `check_arms` (both
arms), `check_names` (what is about to be written).
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.check.air import MOST_AIR_CC, MOST_AIR_IN_ONE_CC, check_air
from pipeline.check.arms import check_arms
from pipeline.check.body import check_inside_body
from pipeline.check.conduit import check_conduit
from pipeline.check.containment import check_containment
from pipeline.check.ends import SHARE_TO_TELL, check_changes, check_scan_ends
from pipeline.check.lesions import LEAST_PART_CC, check_stray_lesion_parts
from pipeline.check.margins import (
    check_ends_on_slices,
    check_margins_around_outlines,
    check_margins_reached,
    check_thin_margins,
)
from pipeline.check.names import check_names
from pipeline.check.organs import NEAR_CORD_MM, check_organs
from pipeline.check.parts import STRAY_MM2, check_lost_slices, check_stray_parts
from pipeline.check.ratios import LEAST_GTV_CC, MOST_GTV_CC, check_ratios
from pipeline.check.sides import TOLERANCE_MM, check_sides
from pipeline.core.anatomy import Organs
from pipeline.core.case import Case
from pipeline.core.report import Finding
from pipeline.core.targets import TargetSet

Check = Callable[[Case, TargetSet], tuple[Finding, ...]]
OrganCheck = Callable[[Case, TargetSet, Organs], tuple[Finding, ...]]

CHECKS: tuple[Check, ...] = (
    check_containment,
    check_margins_reached,
    check_margins_around_outlines,
    check_thin_margins,
    check_ends_on_slices,
    check_changes,
    check_scan_ends,
    check_lost_slices,
    check_stray_parts,
    check_stray_lesion_parts,
    check_ratios,
)
# Those that look at organs too.
ORGAN_CHECKS: tuple[OrganCheck, ...] = (check_air, check_organs, check_sides)


def check_limits() -> str:
    """The limits of the checks that no source gives, in a sentence for the report [A]."""
    return (
        f"Told are parts below {STRAY_MM2:g} mm2, more than {MOST_AIR_CC:g} cc of air in a CTV or "
        f"{MOST_AIR_IN_ONE_CC:g} cc in one piece, parts of a lesion below {LEAST_PART_CC:g} cc, filled holes "
        f"of more than {100.0 * SHARE_TO_TELL:g} % of a volume, lesions outside {LEAST_GTV_CC:g} to "
        f"{MOST_GTV_CC:g} cc, a spinal cord nearer than {NEAR_CORD_MM:g} mm to a PTV, and a lesion more than "
        f"{TOLERANCE_MM:g} mm across the middle from the side in its name."
    )


def check_targets(case: Case, targets: TargetSet, organs: Organs | None = None) -> tuple[Finding, ...]:
    """Everything that the checks find, in their order; without organs as if none were known."""
    known = organs if organs is not None else Organs(grid=case.volume.grid, by_name={})
    alone = [finding for check in CHECKS for finding in check(case, targets)]
    return (*alone, *(finding for check in ORGAN_CHECKS for finding in check(case, targets, known)))


__all__ = (
    "CHECKS",
    "ORGAN_CHECKS",
    "Check",
    "OrganCheck",
    "check_arms",
    "check_conduit",
    "check_inside_body",
    "check_limits",
    "check_names",
    "check_targets",
)
