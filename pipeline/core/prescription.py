"""Dose plans of a protocol, and the prescription of a case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.core.ranged import Ranged


class Boost(StrEnum):
    """How the levels of a plan are given: in the same fractions, or one after the other."""

    NONE = "none"
    SIMULTANEOUS = "simultaneous"
    SEQUENTIAL = "sequential"


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRule:
    """A dose level of a plan: whole fractions times dose per fraction, all three within their ranges.

    Attributes:
        target: `PTV` or `PGTV`.
        dose_per_fraction: in Gy.
        fractions: whole numbers.
        total: in Gy.
    """

    target: str
    dose_per_fraction: Ranged
    fractions: Ranged
    total: Ranged


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRule:
    """A dose plan of the protocol.

    Attributes:
        number: of the plan.
        arm: that it belongs to.
        close: whether it is for lesions close to stomach or intestine.
        technique: in the protocol's words.
        boost: how its levels are given.
        levels: in the order of their delivery.
        rule, source: sentence and source key.
    """

    number: int
    arm: str
    close: bool
    technique: str
    boost: Boost
    levels: tuple[LevelRule, ...]
    rule: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganLimit:
    """A limit of the dose to an organ.

    Attributes:
        organ: its name.
        measure: `max`, `mean`, or `V20` (percent of the volume that gets 20 Gy or more).
        limit: figure.
        unit: `Gy` or `%`.
        inclusive: whether the limit itself is allowed.
        rule, source: sentence and source key.
    """

    organ: str
    measure: str
    limit: float
    unit: str
    inclusive: bool
    rule: str
    source: str

    def __str__(self) -> str:
        return f"{self.organ} {self.measure} {'<=' if self.inclusive else '<'} {self.limit:g} {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A rule of follow-up during treatment: sentence, source key, and the arm, empty for both."""

    rule: str
    source: str
    arm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRules:
    """The dose plans of a protocol.

    Attributes:
        plans: by number.
        alpha_beta_gy: of EQD2.
        limits: of organs.
        required_organs: that must be drawn on the planning CT.
        instructions: of follow-up.
    """

    plans: tuple[PlanRule, ...]
    alpha_beta_gy: float
    limits: tuple[OrganLimit, ...]
    required_organs: tuple[str, ...]
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseLevel:
    """What a target gets in a course of fractions.

    Attributes:
        target: `PTV` or `PGTV`.
        dose_per_fraction_gy, fractions, total_gy: of the course.
        eqd2_gy: of the course, with the protocol's alpha/beta.
        cumulative_gy: with the courses before it, which cover this target too.
        cumulative_eqd2_gy: the same as EQD2.
    """

    target: str
    dose_per_fraction_gy: float
    fractions: int
    total_gy: float
    eqd2_gy: float
    cumulative_gy: float
    cumulative_eqd2_gy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prescription:
    """A draft of the prescription of an arm, for a radiation oncologist to decide on.

    Attributes:
        plan: number of the plan.
        arm: `ifi` or `eni`.
        technique, boost: of the plan.
        levels: in the order of delivery.
        alpha_beta_gy: of EQD2.
        limits, required_organs, instructions: that go with it.
        rule, source: of the plan.
    """

    plan: int
    arm: str
    technique: str
    boost: Boost
    levels: tuple[DoseLevel, ...]
    alpha_beta_gy: float
    limits: tuple[OrganLimit, ...]
    required_organs: tuple[str, ...]
    instructions: tuple[Instruction, ...]
    rule: str
    source: str

    def dose_of(self, target: str) -> float | None:
        """The total dose of a target in Gy, earlier courses included; None for one without a level."""
        found = [level.cumulative_gy for level in self.levels if level.target == target]
        return max(found) if found else None
