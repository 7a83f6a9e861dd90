"""A protocol carried out on a case."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.anatomy.tissue import find_body, outside_like_lung
from pipeline.check import check_inside_body, check_targets
from pipeline.core.case import Case, Lesion
from pipeline.core.errors import UsageError
from pipeline.core.report import Decision, Finding, Reason, Severity
from pipeline.core.rules import BODY, ArmChoice, ArmPlan, Protocol, Settings
from pipeline.core.targets import TargetSet
from pipeline.core.volume import Mask
from pipeline.strategy import PlannedArm, plan_ifi
from pipeline.targets import LesionMeasures, build_ifi, lesion_measures

OnStage = Callable[[str], None]

# More than this share of lung-like density outside the body: clothes and cushions do not explain it.
MOST_LUNG_OUTSIDE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run made of a case.

    Attributes:
        decision: the arm carried out, and why.
        arms: the volumes of each arm.
        measures: one for each lesion of the case, in its order.
        assumptions: name to sentence of each rule with source A that was used.
        findings: every doubt, from reading the case to its volumes.
    """

    decision: Decision
    arms: tuple[TargetSet, ...]
    measures: tuple[LesionMeasures, ...]
    assumptions: Mapping[str, str]
    findings: tuple[Finding, ...]


def settle(protocol: Protocol, settings: Settings) -> PlannedArm:
    """What the user asked for, as a plan that can be carried out: known before any file is opened.

    Raises:
        UsageError: an arm that this version does not build, or settings outside the protocol.
    """
    if settings.arm is not ArmChoice.IFI:
        raise UsageError(
            f"arm {settings.arm} is not available in this version: elective nodal irradiation and the "
            "choice of arm are not built yet",
            where="--arm",
            expected="ifi",
            got=str(settings.arm),
            todo="state the involved-field arm with --arm ifi",
        )
    return plan_ifi(protocol, settings)


def make_targets(
    case: Case, protocol: Protocol, settings: Settings, *, on_stage: OnStage = lambda _: None
) -> RunResult:
    """Carry the protocol out on a case.

    Args:
        case: as read.
        protocol: its rules.
        settings: the user's choices.
        on_stage: told the name of each stage as it begins.

    Raises:
        UsageError: as `settle`.
        GeometryError: a volume that cannot be built.
    """
    planned = settle(protocol, settings)
    on_stage("anatomy")
    organs, doubts = _organs(case, planned.plan)
    on_stage("targets")
    targets = build_ifi(case, plan=planned.plan, organs=organs)
    measures = tuple(lesion_measures(lesion) for lesion in case.lesions)
    on_stage("checks")
    checked = check_targets(case, targets)
    return RunResult(
        decision=_stated_arm(),
        arms=(targets,),
        measures=measures,
        assumptions=planned.assumptions,
        findings=(*case.findings, *planned.findings, *doubts, *targets.findings, *checked),
    )


def _organs(case: Case, plan: ArmPlan) -> tuple[Mapping[str, Mask], tuple[Finding, ...]]:
    """The barrier structures that can be had from the CT alone, and the doubts about them."""
    if not any(barrier.structure == BODY for barrier in plan.barriers):
        return {}, ()
    slices = _slices_within_reach(case, plan)
    body = find_body(case.volume, slices=slices)
    if not body.voxels.any():
        return {}, ()
    share = max(
        outside_like_lung(case.volume, body, _box_around(lesion, case, plan, slices))
        for lesion in case.lesions
    )
    if share > MOST_LUNG_OUTSIDE:
        return {}, (_body_doubtful(share),)
    return {BODY: body}, check_inside_body(case, body)


def _body_doubtful(share: float) -> Finding:
    return Finding(
        code="BODY_OUTLINE_DOUBTFUL",
        severity=Severity.WARNING,
        where="ifi.CTV",
        message=(
            f"{100 * share:.0f} % of what seems to lie outside the body near a lesion is as dense as lung: "
            "the image shows a part of the patient only. The body's outline is not known there and was not "
            "used; look whether the CTV leaves the skin, or give a CT with the whole cross-section"
        ),
    )


def _box_around(lesion: Lesion, case: Case, plan: ArmPlan, slices: range) -> tuple[slice, slice, slice]:
    """Slices, rows and columns that a lesion's CTV can reach."""
    grid = case.volume.grid
    bounds = np.array([section.bounds for section in lesion.contours.sections.values()])
    reach = max(plan.ctv.as_tuple()[:4])
    u0, v0 = bounds[:, :2].min(axis=0) - reach
    u1, v1 = bounds[:, 2:].max(axis=0) + reach
    w = float(grid.plane_positions_mm[0])
    corners = grid.frame.to_patient(np.array([(u, v, w) for u in (u0, u1) for v in (v0, v1)]))
    index = np.rint(grid.to_index(corners)[:, :2]).astype(int)
    (i0, j0), (i1, j1) = np.maximum(index.min(axis=0), 0), np.maximum(index.max(axis=0) + 1, 0)
    return (slice(slices.start, slices.stop), slice(int(j0), int(j1)), slice(int(i0), int(i1)))


def _slices_within_reach(case: Case, plan: ArmPlan) -> range:
    """The slices that a CTV can meet, and two more on either side."""
    grid = case.volume.grid
    drawn = [k for lesion in case.lesions for k in lesion.contours.slices]
    reach = math.ceil(max(plan.ctv.superior, plan.ctv.inferior) / grid.slice_spacing_mm) + 2
    return range(max(0, min(drawn) - reach), min(grid.size[2], max(drawn) + reach + 1))


def _stated_arm() -> Decision:
    return Decision(
        arm="ifi",
        plan=None,
        reasons=(
            Reason(rule="arm stated by the user", value="ifi", source="user"),
            Reason(rule="the protocol's rules for the choice of arm", value="not evaluated yet", source="R"),
        ),
    )
