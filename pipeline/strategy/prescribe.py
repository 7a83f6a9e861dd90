"""Arm, and close or far, to a prescription: PROTOCOL section 4."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.errors import UsageError
from pipeline.core.prescription import Boost, DoseLevel, DoseRules, LevelRule, PlanRule, Prescription
from pipeline.core.report import Finding, Severity

# Rounding of a product of two decimal figures.
_GY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Prescribed:
    """A prescription, and what has to be said about it."""

    prescription: Prescription
    findings: tuple[Finding, ...]


def eqd2_gy(total_gy: float, dose_per_fraction_gy: float, alpha_beta_gy: float) -> float:
    """Equivalent dose in fractions of 2 Gy.

    >>> round(eqd2_gy(59.92, 2.14, 10.0), 2)
    60.62
    """
    return total_gy * (dose_per_fraction_gy + alpha_beta_gy) / (2.0 + alpha_beta_gy)


def dose_keys(rules: DoseRules) -> tuple[str, ...]:
    """The setting keys of all plans: `plan1.PGTV.fractions`."""
    return tuple(key for plan in rules.plans for level in plan.levels for key in _keys(plan, level))


def check_doses(rules: DoseRules, figures: Mapping[str, float], *, off_protocol: bool) -> None:
    """Refuse figures outside their ranges, whichever plan comes out.

    Raises:
        UsageError: as `prescribe`.
    """
    for plan in rules.plans:
        prescribe(rules, plan, figures, off_protocol=off_protocol)


def plan_of(rules: DoseRules, arm: str, *, close: bool) -> PlanRule | None:
    """The plan of an arm for close or far lesions; None where the protocol has no plan for the arm."""
    return next((plan for plan in rules.plans if plan.arm == arm and plan.close is close), None)


def prescribe(
    rules: DoseRules, plan: PlanRule, figures: Mapping[str, float], *, off_protocol: bool
) -> Prescribed:
    """A plan with the user's figures.

    Args:
        rules: of the protocol.
        plan: one of them.
        figures: setting key to value, `plan1.PGTV.dose_per_fraction` in Gy, `plan1.PGTV.fractions`.
        off_protocol: figures outside the ranges are taken, with a finding.

    Raises:
        UsageError: a figure, or the total that the figures give, outside its range; fractions that are not
            whole, or differ between the levels of a simultaneous boost.
    """
    findings: list[Finding] = []
    levels: list[DoseLevel] = []
    before = before_eqd2 = 0.0
    for level in plan.levels:
        dose, count = _chosen(plan, level, figures)
        findings += _checked(plan, level, (dose, count), off_protocol=off_protocol)
        total = dose * count
        equivalent = eqd2_gy(total, dose, rules.alpha_beta_gy)
        sequential = plan.boost.value == "sequential"
        levels.append(
            DoseLevel(
                target=level.target,
                dose_per_fraction_gy=dose,
                fractions=count,
                total_gy=total,
                eqd2_gy=equivalent,
                cumulative_gy=before + total,
                cumulative_eqd2_gy=before_eqd2 + equivalent,
            )
        )
        before, before_eqd2 = (before + total, before_eqd2 + equivalent) if sequential else (0.0, 0.0)
    _check_simultaneous(plan, levels)
    prescription = Prescription(
        plan=plan.number,
        arm=plan.arm,
        technique=plan.technique,
        boost=plan.boost,
        levels=tuple(levels),
        alpha_beta_gy=rules.alpha_beta_gy,
        limits=rules.limits,
        required_organs=rules.required_organs,
        instructions=tuple(one for one in rules.instructions if one.arm in {"", plan.arm}),
        rule=plan.rule,
        source=plan.source,
    )
    return Prescribed(prescription=prescription, findings=tuple(findings))


def _keys(plan: PlanRule, level: LevelRule) -> tuple[str, str]:
    base = f"plan{plan.number}.{level.target}"
    return f"{base}.dose_per_fraction", f"{base}.fractions"


def _chosen(plan: PlanRule, level: LevelRule, figures: Mapping[str, float]) -> tuple[float, int]:
    dose_key, count_key = _keys(plan, level)
    dose = figures.get(dose_key, level.dose_per_fraction.default)
    count = figures.get(count_key, level.fractions.default)
    if not math.isfinite(count) or count != int(count) or count < 1:
        raise UsageError(
            "fractions are whole", where=f"setting {count_key}", expected="1, 2, ...", got=f"{count:g}"
        )
    if not 0 < dose < _MOST_GY:
        raise UsageError(
            "dose cannot be used",
            where=f"setting {dose_key}",
            expected=f"above 0, below {_MOST_GY:g} Gy",
            got=f"{dose:g} Gy",
        )
    return dose, int(count)


_MOST_GY = 25.0  # a fraction


def _check_simultaneous(plan: PlanRule, levels: Sequence[DoseLevel]) -> None:
    """Both levels are given in the same sessions, off protocol too."""
    counts = {level.target: level.fractions for level in levels}
    if plan.boost is Boost.SIMULTANEOUS and len(set(counts.values())) > 1:
        raise UsageError(
            "a simultaneous boost has the fractions of its base",
            where=f"settings plan{plan.number}.TARGET.fractions",
            expected="one number of fractions",
            got=", ".join(f"{target} {count}" for target, count in counts.items()),
            todo="state the same number for every target of the plan",
        )


def _checked(
    plan: PlanRule, level: LevelRule, chosen: tuple[float, int], *, off_protocol: bool
) -> Iterator[Finding]:
    dose, count = chosen
    dose_key, count_key = _keys(plan, level)
    told = (
        (dose_key, "dose per fraction", dose, level.dose_per_fraction, "Gy"),
        (count_key, "number of fractions", count, level.fractions, ""),
        (f"plan{plan.number}.{level.target}", "total dose", dose * count, level.total, "Gy"),
    )
    for key, what, value, allowed, unit in told:
        if allowed.lowest - _GY <= value <= allowed.highest + _GY:
            continue
        span = f"{allowed.lowest:g} to {allowed.highest:g} {unit}".strip()
        if not off_protocol:
            raise UsageError(
                f"{what} outside the protocol's range",
                where=f"setting {key}",
                expected=f"{span}; what fits: {_fitting(level)}",
                got=f"{value:g} {unit}".strip(),
                todo="choose figures that fit, or say --off-protocol; the report will then say so",
            )
        yield Finding(
            code="DOSE_OFF_PROTOCOL",
            severity=Severity.WARNING,
            where=f"plan {plan.number}, {level.target}",
            message=f"The {what} of {value:g} {unit} is outside the protocol's range of {span}; it was taken "
            "because the user declared the case off protocol.",
        )


def _fitting(level: LevelRule) -> str:
    """Whole fractions with the doses per fraction that keep all three ranges."""
    found = []
    for count in range(int(level.fractions.lowest), int(level.fractions.highest) + 1):
        low = max(level.dose_per_fraction.lowest, level.total.lowest / count)
        high = min(level.dose_per_fraction.highest, level.total.highest / count)
        if low <= high + 1e-9:
            doses = f"{low:.4g}" if high - low < 1e-6 else f"{low:.4g} to {high:.4g}"
            found.append(f"{count} x {doses} Gy")
    return ", ".join(found)
