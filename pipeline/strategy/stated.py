"""Stated facts that the contours or the anatomy contradict: what is stated counts, and is told."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.core.decision import DecisionRules, Facts, Measured, Question
from pipeline.core.report import Finding, Severity

# A diameter may be taken in another plane or on another scan: more than this is worth a look [A].
DIAMETER_SHARE, DIAMETER_MM = 0.2, 5.0


def stated_otherwise(
    rules: DecisionRules, measured: Measured, facts: Facts, *, close_mm: float
) -> tuple[Finding, ...]:
    """`REGIONS_`, `DIAMETER_` and `DISTANCE_STATED_OTHERWISE` (warnings).

    Args:
        rules: of the protocol.
        measured: on contours and anatomy.
        facts: as stated; where they and the measured ones differ, the stated ones choose arm and plan.
        close_mm: largest distance that counts as close.
    """
    return (
        *_regions(measured, facts),
        *_diameter(rules, measured, facts),
        *_distance(measured, facts, close_mm),
    )


def _regions(measured: Measured, facts: Facts) -> Iterator[Finding]:
    told = measured.regions
    if told and facts.regions and set(told) != set(facts.regions):
        yield _finding(
            "REGIONS",
            "regions",
            f"{'+'.join(facts.regions)} were stated and choose the arm; levels and stations give "
            f"{'+'.join(told)}, by which elective volumes are built: state them lesion by lesion, "
            "regions: {LESION: REGION}",
        )


def _diameter(rules: DecisionRules, measured: Measured, facts: Facts) -> Iterator[Finding]:
    stated, own = facts.largest_diameter_mm, measured.largest_diameter_mm
    if stated is None:
        return
    limits = [step.threshold for step in rules.steps if step.question is Question.LARGE]
    turns = any(limit is not None and (stated > limit) != (own > limit) for limit in limits)
    if turns or abs(stated - own) > max(DIAMETER_MM, DIAMETER_SHARE * own):
        yield _finding(
            "DIAMETER",
            "largest_diameter_mm",
            f"{stated:g} mm were stated and used; the contours' largest axial diameter is {own:.1f} mm"
            + (", on the other side of the rule's limit" if turns else "")
            + ": look whether the GTV is complete",
        )


def _distance(measured: Measured, facts: Facts, close_mm: float) -> Iterator[Finding]:
    stated, gut = facts.close_to_stomach, measured.gut_mm
    if stated is None or gut is None or stated == (gut <= close_mm):
        return
    yield _finding(
        "DISTANCE",
        "close_to_stomach",
        f"{str(stated).lower()} was stated and used; a lesion lies {gut:.1f} mm from the thoracic stomach or "
        f"intestine, and up to {close_mm:g} mm is close: the dose plan hangs on it",
    )


def _finding(what: str, fact: str, message: str) -> Finding:
    return Finding(
        code=f"{what}_STATED_OTHERWISE", severity=Severity.WARNING, where=f"fact {fact}", message=message
    )
