"""The way of data as one sentence: case, anatomy, strategy, targets. No files are known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.anatomy.tissue import find_body
from pipeline.core.case import Case
from pipeline.core.errors import UsageError
from pipeline.core.report import Decision, Finding, Reason
from pipeline.core.rules import ArmChoice, IfiPlan, Protocol, Settings
from pipeline.core.targets import TargetSet
from pipeline.core.volume import Mask
from pipeline.strategy import PlannedIfi, plan_ifi
from pipeline.targets import LesionMeasures, build_ifi, lesion_measures

OnStage = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run made of a case.

    Attributes:
        decision: the arm carried out, and why.
        arms: the volumes of each arm.
        measures: one for each lesion of the case, in its order.
        assumptions: `name: sentence` of each rule with source A that was used.
        findings: every doubt, from reading the case to its volumes.
    """

    decision: Decision
    arms: tuple[TargetSet, ...]
    measures: tuple[LesionMeasures, ...]
    assumptions: tuple[str, ...]
    findings: tuple[Finding, ...]


def settle(protocol: Protocol, settings: Settings) -> PlannedIfi:
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
    organs = _organs(case, planned.plan)
    on_stage("targets")
    targets = build_ifi(case, plan=planned.plan, organs=organs)
    measures = tuple(lesion_measures(lesion) for lesion in case.lesions)
    return RunResult(
        decision=_stated_arm(),
        arms=(targets,),
        measures=measures,
        assumptions=planned.assumptions,
        findings=(*case.findings, *planned.findings, *targets.findings),
    )


def _organs(case: Case, plan: IfiPlan) -> Mapping[str, Mask]:
    """The barrier structures that can be had from the CT alone."""
    if not any(barrier.structure == "body" for barrier in plan.barriers):
        return {}
    body = find_body(case.volume)
    return {"body": body} if body.voxels.any() else {}


def _stated_arm() -> Decision:
    return Decision(
        arm="ifi",
        plan=None,
        reasons=(
            Reason(rule="arm stated by the user", value="ifi", source="user"),
            Reason(rule="the protocol's rules for the choice of arm", value="not evaluated yet", source="R"),
        ),
    )
