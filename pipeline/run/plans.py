"""The dose plans of the arms, and what has to be said about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.decision import Chosen
from pipeline.core.prescription import DoseRules, Prescription
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import Protocol, Settings
from pipeline.run.known import Known
from pipeline.run.measured import conduit_of
from pipeline.strategy import dose_keys, plan_of, prescribe

_CONDUIT = "gastric_conduit"


@dataclass(frozen=True, slots=True, kw_only=True)
class DosePlans:
    """Arm to its prescription, where it can be told, and doubts about the doses."""

    by_arm: Mapping[str, Prescription]
    findings: tuple[Finding, ...]


def dose_plans(
    protocol: Protocol, settings: Settings, chosen: Chosen | None, arms: Sequence[str]
) -> DosePlans:
    """The plan of each arm, with the user's figures: none before it is known whether a lesion lies close."""
    if protocol.doses is None:
        return DosePlans(by_arm={}, findings=())
    by_arm: dict[str, Prescription] = {}
    findings: list[Finding] = []
    close = chosen.close if chosen is not None else None
    for arm in arms if close is not None else ():
        plan = plan_of(protocol.doses, arm, close=bool(close))
        if plan is not None:
            made = prescribe(protocol.doses, plan, settings.figures, off_protocol=settings.off_protocol)
            by_arm[arm] = made.prescription
            findings += made.findings
    findings += _unused(protocol.doses, settings, by_arm.values())
    return DosePlans(by_arm=by_arm, findings=tuple(findings))


def _unused(doses: DoseRules, settings: Settings, made: Iterable[Prescription]) -> Iterator[Finding]:
    """`DOSE_SETTING_UNUSED`: figures that the user stated for a plan that did not come out."""
    numbers = [one.plan for one in made]
    used = {f"plan{number}" for number in numbers}
    for key in dose_keys(doses):
        if key in settings.figures and key.partition(".")[0] not in used:
            came = " and ".join(f"plan {number}" for number in numbers) or "no plan"
            yield Finding(
                code="DOSE_SETTING_UNUSED",
                severity=Severity.WARNING,
                where=f"setting {key}",
                message=f"it has no effect: {came} came out of this case",
            )


def organs_required(made: Iterable[Prescription], known: Known) -> Iterator[Finding]:
    """`ORGANS_REQUIRED`: organs that a plan wants drawn and that are not known here."""
    wanted = dict.fromkeys(name for one in made for name in one.required_organs)
    lacking = [name for name in wanted if name not in known.organs]
    if conduit_of(known) is not None:
        lacking = [name for name in lacking if name != _CONDUIT]
    if lacking:
        yield Finding(
            code="ORGANS_REQUIRED",
            severity=Severity.WARNING,
            where="prescription",
            message=f"the protocol wants these organs drawn on the planning CT, and they are not known here: "
            f"{', '.join(lacking)}; their dose limits cannot be judged without them",
        )
