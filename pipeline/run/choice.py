"""Which arms to build, why, and the dose plan of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.decision import Chosen, Facts, Measured
from pipeline.core.prescription import Prescription
from pipeline.core.regions import Region
from pipeline.core.report import Decision, Finding, Reason, Severity
from pipeline.core.rules import ENI, IFI, ArmChoice, Protocol, Settings
from pipeline.run.gullet import gullet_finding, gullet_in_doubt
from pipeline.run.known import Known
from pipeline.run.measured import MeasuredLesion, is_stomach_known
from pipeline.run.plans import dose_plans, organs_required
from pipeline.strategy import CLOSE, close_distance, decide, stated_otherwise

# The arms that a user may state; `auto` leaves them to the rules.
STATED = {ArmChoice.IFI: (IFI,), ArmChoice.ENI: (ENI,), ArmChoice.BOTH: (IFI, ENI)}
_HOW = {
    "resection": "resection: R0, R1 or R2",
    "months_to_recurrence": "months_to_recurrence: months from operation to the first recurrence",
    "regions": "regions: those of the lesions, [II] or {GTV-N1: II}",
    "close_to_stomach": "close_to_stomach: true or false",
}
_GULLET = "gullet: resected or in_place, by which it is measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmChoiceMade:
    """What is to be built.

    Attributes:
        arms: to be built; none where the rules could not decide.
        decision: arm, plan and reasons, for the report.
        prescriptions: arm to its dose plan, where it is known.
        assumptions: rules with source A that the choice used.
        findings: facts that are missing or contradicted, doses off protocol.
    """

    arms: tuple[str, ...]
    decision: Decision
    prescriptions: Mapping[str, Prescription]
    assumptions: Mapping[str, str]
    findings: tuple[Finding, ...]


def chosen_arms(
    protocol: Protocol, settings: Settings, lesions: Sequence[MeasuredLesion], facts: Facts, known: Known
) -> ArmChoiceMade:
    """The arms that the user states, or that the protocol's rules give, and their dose plans."""
    close_mm, doubt = close_distance(protocol, settings)
    doubtful = gullet_in_doubt(known, protocol, facts.gullet)
    measured = _measured(lesions, stomach_known=is_stomach_known(known), gullet_in_doubt=doubtful)
    rules = protocol.decision
    chosen = None if rules is None else decide(rules, measured, facts, close_mm=close_mm)
    stated = settings.arm is not ArmChoice.AUTO
    arms = STATED[settings.arm] if stated else tuple(arm for arm in (chosen and chosen.arm,) if arm)
    plans = dose_plans(protocol, settings, chosen, arms)
    prescriptions, findings = plans.by_arm, list(plans.findings)
    findings += organs_required(prescriptions.values(), known)
    findings += [] if doubt is None else [doubt]
    findings += [gullet_finding(known, builds_stations=ENI in arms)] if doubtful else []
    findings += [] if rules is None else stated_otherwise(rules, measured, facts, close_mm=close_mm)
    if chosen is not None:
        findings += _missing(chosen, stated=stated, gullet_tells=doubtful and measured.stomach_known)
    numbers = [f"{prescriptions[arm].plan}" for arm in arms if arm in prescriptions]
    decision = Decision(
        arm=settings.arm.value if stated else (arms[0] if arms else "undecided"),
        plan=" and ".join(numbers) or None,
        reasons=_reasons(settings, chosen, stated=stated),
    )
    return ArmChoiceMade(
        arms=arms,
        decision=decision,
        prescriptions=prescriptions,
        assumptions=_assumptions(protocol, settings) if chosen is not None else {},
        findings=tuple(findings),
    )


def _measured(lesions: Sequence[MeasuredLesion], *, stomach_known: bool, gullet_in_doubt: bool) -> Measured:
    gut = [one.gut_mm for one in lesions if one.gut_mm is not None]
    return Measured(
        largest_diameter_mm=max(one.measures.axial_diameter_mm for one in lesions),
        regions=_involved(lesions),
        every_lesion_placed=all(one.place.regions if one.place else () for one in lesions),
        gut_mm=min(gut, default=None),
        stomach_known=stomach_known,
        gullet_in_doubt=gullet_in_doubt,
    )


def _involved(lesions: Sequence[MeasuredLesion]) -> tuple[Region, ...]:
    """Every region that a lesion is told to be in, from I to IV."""
    found = {region for one in lesions if one.place for region in one.place.regions}
    return tuple(region for region in Region if region in found)


def _reasons(settings: Settings, chosen: Chosen | None, *, stated: bool) -> tuple[Reason, ...]:
    """Every step that was looked at; of a stated arm, what the rules would have said."""
    if chosen is None:
        return (_by_user(settings, "the protocol has no rules for the choice of arm"),)
    if not stated:
        return chosen.reasons
    of_arm = [name for name in chosen.missing if name != CLOSE]
    said = chosen.arm or f"nothing without {', '.join(of_arm)}"
    return (_by_user(settings, f"the protocol's rules would have said: {said}"), *chosen.reasons)


def _by_user(settings: Settings, result: str) -> Reason:
    return Reason(rule="Arm stated by the user.", value=settings.arm.value, source="user", result=result)


def _missing(chosen: Chosen, *, stated: bool, gullet_tells: bool) -> list[Finding]:
    """`FACT_MISSING`: a stop, but a warning where the user states the arm."""
    found = []
    for name in chosen.missing:
        of_plan = name == CLOSE
        if of_plan and chosen.arm is None and not stated:
            what = "neither arm nor dose plan can be told"
        elif of_plan:
            what = "the dose plan cannot be told; the volumes do not hang on it"
        elif stated:
            what = "the protocol's rules cannot say whether the stated arm is theirs"
        else:
            what = "the protocol's rules cannot choose the arm, and none was built"
        how = _HOW[name] + (f", or {_GULLET}" if of_plan and gullet_tells else "")
        found.append(
            Finding(
                code="FACT_MISSING",
                severity=Severity.WARNING if stated else Severity.STOP,
                where=f"fact {name}",
                message=f"{what}; state it in the file of --facts ({how})"
                + ("" if of_plan or stated else ", or state the arm with --arm"),
            )
        )
    return found


def _assumptions(protocol: Protocol, settings: Settings) -> dict[str, str]:
    """Assumptions of the choice itself, beside those of the arms."""
    stated = set(settings.figures)
    return {
        name: one.sentence
        for name, one in protocol.assumptions.items()
        if not one.arms and not (one.unless_set and stated.issuperset(one.unless_set))
    }
