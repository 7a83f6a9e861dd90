"""A protocol carried out on a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pipeline.core.case import Case
from pipeline.core.decision import Facts
from pipeline.core.elective import ElectiveBuilt
from pipeline.core.prescription import Prescription
from pipeline.core.report import Decision, Finding
from pipeline.core.rules import ENI, IFI, Protocol, Settings
from pipeline.core.targets import TargetSet
from pipeline.run.ahead import Ahead, ahead_of
from pipeline.run.arms import build_arms
from pipeline.run.assumptions import used_assumptions
from pipeline.run.choice import STATED, chosen_arms
from pipeline.run.known import Known
from pipeline.run.measured import MeasuredLesion, measured_lesions
from pipeline.strategy import PlannedArm, check_settings, plan_eni, plan_ifi, roi_names

__all__ = ("OnArm", "OnStage", "RunResult", "begin", "make_targets", "roi_names", "settle")

OnStage = Callable[[str], None]
OnArm = Callable[[TargetSet, Prescription | None], None]

_PLANNERS = {IFI: plan_ifi, ENI: plan_eni}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run made of a case.

    Attributes:
        decision: the arm carried out, and why.
        arms: the volumes of each arm that could be built.
        lesions: figures of each lesion of the case, in its order.
        assumptions: name to sentence of each rule with source A that was used.
        elective: how the CTV of the ENI arm came about; None where that arm was not built.
        prescriptions: arm that was built to its dose plan, where one is known.
        findings: every doubt, from reading the case to its volumes.
    """

    decision: Decision
    arms: tuple[TargetSet, ...]
    lesions: tuple[MeasuredLesion, ...]
    assumptions: Mapping[str, str]
    elective: ElectiveBuilt | None = None
    prescriptions: Mapping[str, Prescription] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def settle(protocol: Protocol, settings: Settings) -> dict[str, PlannedArm]:
    """What the user asked for, as plans that can be carried out: known before any file is opened.

    Returns:
        Each arm that may be built to its plan; with `auto` that is every one that the protocol has.

    Raises:
        UsageError: settings outside the protocol, or that it does not have.
    """
    check_settings(protocol, settings)
    asked = STATED.get(settings.arm) or ((IFI,) if protocol.eni is None else (IFI, ENI))
    return {arm: _PLANNERS[arm](protocol, settings) for arm in asked}


def begin(case: Case, known: Known, protocol: Protocol, settings: Settings) -> Ahead:
    """Begin what of `make_targets` needs organs alone, for who does not know the stations yet.

    Raises:
        UsageError: as `settle`.
    """
    planned = settle(protocol, settings)
    # Which arms to build is known before the lesions are measured where the user states it.
    return ahead_of(case, known, {arm: planned[arm] for arm in STATED.get(settings.arm, ())})


def make_targets(
    case: Case,
    known: Known,
    protocol: Protocol,
    settings: Settings,
    *,
    facts: Facts | None = None,
    ahead: Ahead | None = None,
    on_stage: OnStage = lambda _: None,
    on_arm: OnArm = lambda _arm, _doses: None,
) -> RunResult:
    """Carry the protocol out on a case.

    Args:
        case: as read.
        known: organs, and stations where they are needed.
        protocol: its rules.
        settings: the user's choices.
        facts: what the user states of the patient.
        ahead: of `begin` for the same case, where it was called already.
        on_stage: told the name of each stage as it begins.
        on_arm: given the volumes of each arm, with its dose plan, as soon as they are made; by any thread.

    Raises:
        UsageError: as `settle`.
        GeometryError: a volume that cannot be built.
    """
    known.check(case)
    planned = settle(protocol, settings)
    on_stage("decision")
    ahead = ahead or begin(case, known, protocol, settings)
    lesions = measured_lesions(case, known, ahead.measured.result())
    choice = chosen_arms(protocol, settings, lesions, facts or Facts(), known)
    materials = ahead.materials.result() if ahead.materials else None
    wanted = {arm: planned[arm] for arm in choice.arms}
    on_stage("targets")
    beside = None
    if ENI in wanted and IFI not in wanted:  # what is elective must hold the involved field, asked for or not
        beside = planned.get(IFI) or plan_ifi(protocol, settings)
    built = build_arms(
        case,
        known,
        wanted,
        materials=materials,
        beside=beside,
        on_made=lambda made: on_arm(made, choice.prescriptions.get(made.arm)),
        allow_inferred=settings.allow_inferred,
    )
    done = [arm.arm for arm in built.arms]
    return RunResult(
        decision=choice.decision,
        arms=built.arms,
        lesions=lesions,
        assumptions={**choice.assumptions, **used_assumptions(wanted, built.elective, known)},
        elective=built.elective,
        prescriptions={arm: choice.prescriptions[arm] for arm in done if arm in choice.prescriptions},
        findings=(*case.findings, *choice.findings, *built.findings),
    )
