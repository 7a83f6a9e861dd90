"""The section of a protocol file on doses: plans, limits of organs, follow-up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.prescription import Boost, DoseRules, Instruction, LevelRule, OrganLimit, PlanRule
from pipeline.core.ranged import Ranged
from pipeline.read.protocol_values import Rule, Text, ranged
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile

Gray = Annotated[float, Field(gt=0, le=100)]
Count = Annotated[int, Field(ge=1, le=100)]
_MEASURE = re.compile(r"^(max|mean|V[1-9][0-9]?)$")


class _DoseRange(Strict):
    default: Gray
    range: Annotated[list[Gray], Field(min_length=2, max_length=2)]
    unit: Literal["Gy"]


class _CountRange(Strict):
    default: Count
    range: Annotated[list[Count], Field(min_length=2, max_length=2)]


class _Total(Strict):
    range: Annotated[list[Gray], Field(min_length=2, max_length=2)]
    unit: Literal["Gy"]


class _Level(Strict):
    target: Literal["PTV", "PGTV"]
    dose_per_fraction: _DoseRange
    fractions: _CountRange
    total: _Total


class _Plan(Rule):
    number: Annotated[int, Field(ge=1, le=99)]
    arm: Literal["ifi", "eni"]
    position: Literal["far", "close"]
    technique: Text
    boost: Literal["none", "simultaneous", "sequential"]
    levels: Annotated[list[_Level], Field(min_length=1, max_length=2)]


class _Limit(Rule):
    organ: Text
    measure: str
    below: Annotated[float, Field(gt=0, le=100)] | None = None
    at_most: Annotated[float, Field(gt=0, le=100)] | None = None
    unit: Literal["Gy", "%"]


class _AlphaBeta(Rule):
    value: Annotated[float, Field(gt=0, le=50)]
    unit: Literal["Gy"]


class _Organs(Rule):
    organs: Annotated[list[str], Field(min_length=1)]


class _FollowUp(Rule):
    arm: Literal["ifi", "eni"] | None = None


class Doses(Strict):
    """`doses`."""

    alpha_beta: _AlphaBeta
    plans: Annotated[list[_Plan], Field(min_length=1)]
    organ_limits: list[_Limit] = Field(default_factory=list)
    required_organs: _Organs | None = None
    follow_up: list[_FollowUp] = Field(default_factory=list)


def dose_rules(file: YamlFile, section: Doses) -> DoseRules:
    """The section as values.

    Raises:
        ConfigError: a plan twice, no plan for an arm and position, ranges that run backwards, defaults whose
            total is outside its range, levels that do not fit the boost, a limit without or with two figures.
    """
    _check_plans(file, section)
    return DoseRules(
        plans=tuple(_plan(file, index, plan) for index, plan in enumerate(section.plans)),
        alpha_beta_gy=section.alpha_beta.value,
        limits=tuple(_limit(file, index, limit) for index, limit in enumerate(section.organ_limits)),
        required_organs=tuple(section.required_organs.organs) if section.required_organs else (),
        instructions=tuple(
            Instruction(rule=one.rule, source=one.source, arm=one.arm or "") for one in section.follow_up
        ),
    )


def sourced(section: Doses) -> Iterator[tuple[KeyPath, Rule]]:
    """Every rule of the section, with its key path."""
    yield ("doses", "alpha_beta"), section.alpha_beta
    for name in ("plans", "organ_limits", "follow_up"):
        for index, rule in enumerate(getattr(section, name)):
            yield ("doses", name, index), rule
    if section.required_organs is not None:
        yield ("doses", "required_organs"), section.required_organs


def _check_plans(file: YamlFile, section: Doses) -> None:
    seen: dict[object, int] = {}
    for index, plan in enumerate(section.plans):
        for key, what in ((plan.number, "number"), ((plan.arm, plan.position), "position")):
            if key in seen:
                raise file.problem(
                    "plan stands twice",
                    ("doses", "plans", index, what),
                    expected="one plan for each number, and for each arm and position",
                    got=f"as plan {seen[key] + 1} of the list",
                )
            seen[key] = index
    for arm in {plan.arm for plan in section.plans}:
        for position in ("far", "close"):
            if (arm, position) not in seen:
                raise file.problem(
                    "no plan", ("doses", "plans"), expected=f"a plan for {arm}, {position}", got="none"
                )


def _plan(file: YamlFile, index: int, plan: _Plan) -> PlanRule:
    at: KeyPath = ("doses", "plans", index)
    targets = [level.target for level in plan.levels]
    wanted = ["PTV"] if plan.boost == "none" else ["PTV", "PGTV"]
    if targets != wanted:
        raise file.problem(
            "levels do not fit the boost",
            (*at, "levels"),
            expected=f"{' then '.join(wanted)} with boost {plan.boost}",
            got=", ".join(targets),
        )
    levels = tuple(_level(file, (*at, "levels", n), level) for n, level in enumerate(plan.levels))
    if plan.boost == "simultaneous" and len({level.fractions for level in levels}) > 1:
        raise file.problem(
            "a simultaneous boost has the fractions of its base",
            (*at, "levels"),
            expected="the same fractions in both levels",
            got="different ones",
        )
    return PlanRule(
        number=plan.number,
        arm=plan.arm,
        close=plan.position == "close",
        technique=plan.technique,
        boost=Boost(plan.boost),
        levels=levels,
        rule=plan.rule,
        source=plan.source,
    )


def _level(file: YamlFile, path: KeyPath, level: _Level) -> LevelRule:
    dose = ranged(file, (*path, "dose_per_fraction"), level.dose_per_fraction, unit="Gy")
    count = ranged(file, (*path, "fractions"), level.fractions, unit="fractions")
    lowest, highest = level.total.range
    total = dose.default * count.default
    if not lowest - 1e-6 <= total <= highest + 1e-6:
        raise file.problem(
            "the defaults give a total outside its range",
            (*path, "total", "range"),
            expected=f"a range that holds {total:g} Gy",
            got=level.total.range,
        )
    return LevelRule(
        target=level.target,
        dose_per_fraction=dose,
        fractions=count,
        total=Ranged(default=total, lowest=lowest, highest=highest, source=""),
    )


def _limit(file: YamlFile, index: int, limit: _Limit) -> OrganLimit:
    at: KeyPath = ("doses", "organ_limits", index)
    if not _MEASURE.match(limit.measure):
        raise file.problem(
            "unknown measure", (*at, "measure"), expected="max, mean or V20 and the like", got=limit.measure
        )
    if limit.unit != ("%" if limit.measure.startswith("V") else "Gy"):
        raise file.problem(
            "wrong unit", (*at, "unit"), expected="% of a volume, Gy of max and mean", got=limit.unit
        )
    given = [figure for figure in (limit.below, limit.at_most) if figure is not None]
    if len(given) != 1:
        raise file.problem(
            "a limit has one figure", at, expected="below or at_most", got=f"{len(given)} of them"
        )
    return OrganLimit(
        organ=limit.organ,
        measure=limit.measure,
        limit=given[0],
        unit=limit.unit,
        inclusive=limit.at_most is not None,
        rule=limit.rule,
        source=limit.source,
    )
