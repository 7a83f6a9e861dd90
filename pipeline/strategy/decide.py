"""Facts to arm, and to close or far: PROTOCOL section 4. The first step that is answered yes decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pipeline.core.decision import Chosen, DecisionRules, Facts, Measured, Question, Resection, Step
from pipeline.core.regions import Region, Spread, spread
from pipeline.core.report import Reason

# Names of facts, as the file of --facts and findings have them.
RESECTION, MONTHS, REGIONS, CLOSE = "resection", "months_to_recurrence", "regions", "close_to_stomach"
NOT_ASKED = "not asked"
_RESULT = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """Yes, no or not known, the value that was met, and the facts that are lacking."""

    yes: bool | None
    value: str
    missing: tuple[str, ...] = ()


def decide(rules: DecisionRules, measured: Measured, facts: Facts, *, close_mm: float) -> Chosen:
    """Which arm the rules give, and whether a lesion is close to stomach or intestine.

    A stated fact goes before a measured one. A missing one is never guessed: no arm comes out, and every fact
    that the case still needs is named.

    Args:
        rules: of the protocol.
        measured: on the contours and the anatomy.
        facts: that the user states.
        close_mm: largest distance that counts as close.
    """
    reasons: list[Reason] = []
    missing: list[str] = []
    arm, answered = None, False
    for step in rules.steps:
        answer = _ANSWERS[step.question](step, measured, facts)
        if answered:
            reasons.append(_not_asked(step, answer))
            continue
        if step.question is Question.OTHERWISE and missing:
            answer = _Answer(yes=None, value=f"steps before it are open: {', '.join(missing)}")
        reasons.append(_reason(step, answer, decides=not missing))
        missing += [name for name in answer.missing if name not in missing]
        if answer.yes:  # whatever follows is not needed: this step decides unless an earlier one does
            answered = True
            arm = None if missing else step.arm
    close, told = _close(rules, measured, facts, close_mm)
    reasons.append(told)
    if close is None:
        missing.append(CLOSE)
    return Chosen(arm=arm, close=close, reasons=tuple(reasons), missing=tuple(missing))


def _reason(step: Step, answer: _Answer, *, decides: bool) -> Reason:
    """What a step gave; a yes after an open question only tells what it would have given."""
    threshold = "" if step.threshold is None else f"{step.threshold:g} {step.unit}"
    return Reason(
        rule=step.rule,
        value=answer.value,
        source=step.source,
        threshold=threshold,
        result=_RESULT[answer.yes] + (f": {'' if decides else 'would be '}{step.arm}" if answer.yes else ""),
    )


def _not_asked(step: Step, answer: _Answer) -> Reason:
    """A step after one that is answered yes: told for completeness' sake, and nothing hangs on it."""
    reason = _reason(step, answer, decides=False)
    value = "a step before is answered yes" if step.question is Question.OTHERWISE else answer.value
    return replace(reason, value=value, result=NOT_ASKED)


def _beside(value: float, limit: float) -> str:
    """A figure with one decimal, or as many as tell it from the limit that it is held against.

    >>> _beside(42.0, 50.0), _beside(50.0, 50.0), _beside(50.04, 50.0), _beside(16.0000001, 16.0)
    ('42.0', '50.0', '50.04', '16.0000001')
    """
    for decimals in range(1, 10):
        told = f"{value:.{decimals}f}"
        if value == limit or float(told) != limit:
            return told
    return repr(value)


def _residual(step: Step, measured: Measured, facts: Facts) -> _Answer:
    del step, measured
    if facts.resection is None:
        return _Answer(yes=None, value="resection not stated", missing=(RESECTION,))
    return _Answer(yes=facts.resection is not Resection.R0, value=f"{facts.resection}, stated")


def _large(step: Step, measured: Measured, facts: Facts) -> _Answer:
    stated = facts.largest_diameter_mm
    mm = measured.largest_diameter_mm if stated is None else stated
    how = "measured on the contours" if stated is None else "stated"
    return _Answer(yes=mm > (step.threshold or 0.0), value=f"{_beside(mm, step.threshold or 0.0)} mm, {how}")


def _distant(step: Step, measured: Measured, facts: Facts) -> _Answer:
    del step
    regions, how, complete = _regions(measured, facts)
    told = "+".join(regions) or "none"
    yes = spread(regions) is Spread.DISTANT
    if not complete and not yes:  # a lesion more can make regions distant, never close
        return _Answer(yes=None, value=f"region {told} known, not of every lesion", missing=(REGIONS,))
    return _Answer(yes=yes, value=f"region {told}, {how}")


def _regions(measured: Measured, facts: Facts) -> tuple[tuple[Region, ...], str, bool]:
    """Involved regions, how they were told, and whether they are all."""
    if facts.regions:
        return facts.regions, "stated", True
    how = "told by the stations" + (", some stated" if facts.region_by_lesion else "")
    return measured.regions, how, measured.every_lesion_placed


def _late(step: Step, measured: Measured, facts: Facts) -> _Answer:
    del measured
    months = facts.months_to_recurrence
    if months is None:
        return _Answer(yes=None, value="time to recurrence not stated", missing=(MONTHS,))
    return _Answer(
        yes=months > (step.threshold or 0.0), value=f"{_beside(months, step.threshold or 0.0)} months, stated"
    )


def _otherwise(step: Step, measured: Measured, facts: Facts) -> _Answer:
    del step, measured, facts
    return _Answer(yes=True, value="none of the steps before")


_ANSWERS: Mapping[Question, Callable[[Step, Measured, Facts], _Answer]] = {
    Question.RESIDUAL: _residual,
    Question.LARGE: _large,
    Question.DISTANT: _distant,
    Question.LATE: _late,
    Question.OTHERWISE: _otherwise,
}


def _close(
    rules: DecisionRules, measured: Measured, facts: Facts, close_mm: float
) -> tuple[bool | None, Reason]:
    close, value = facts.close_to_stomach, "stated"
    if close is None:
        close, value = _close_measured(measured, close_mm)
    reason = Reason(
        rule=rules.close_rule,
        value=value,
        source=rules.close_mm.source,
        threshold=f"{close_mm:g} mm",
        result={True: "close", False: "far", None: "unknown"}[close],
    )
    return close, reason


def _close_measured(measured: Measured, close_mm: float) -> tuple[bool | None, str]:
    """Any part of the gut can be close; far from it is only what is far from the stomach too."""
    if measured.gut_mm is None:
        return None, "neither thoracic stomach nor intestine is known"
    close = measured.gut_mm <= close_mm
    if close or (measured.stomach_known and not measured.gullet_in_doubt):
        return close, f"{_beside(measured.gut_mm, close_mm)} mm, measured"
    if measured.gullet_in_doubt:
        known = "what is known of stomach and intestine"
        if not measured.stomach_known:
            known = "the intestine, no stomach is known"
        return None, f"{measured.gut_mm:.1f} mm to {known}; but the esophagus may be the thoracic stomach"
    return None, f"{measured.gut_mm:.1f} mm to the intestine; neither thoracic stomach nor stomach is known"
