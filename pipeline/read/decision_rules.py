"""The section of a protocol file that chooses the arm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.decision import DecisionRules, Question, Step
from pipeline.read.protocol_values import RangedMargin, Rule, ranged
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile

_WITH_THRESHOLD = {Question.LARGE: "mm", Question.LATE: "months"}
CLOSE_KEY = "close_to_stomach"


class _Step(Rule):
    asks: Literal["residual", "large", "distant", "late", "otherwise"]
    arm: Literal["ifi", "eni"]
    threshold: Annotated[float, Field(ge=0, le=1000)] | None = None
    unit: Literal["mm", "months"] | None = None


class Decision(Strict):
    """`decision`."""

    steps: Annotated[list[_Step], Field(min_length=1)]
    close_to_stomach: RangedMargin


def decision_rules(file: YamlFile, section: Decision) -> DecisionRules:
    """The section as values.

    Raises:
        ConfigError: a threshold where none belongs or none where one does, a wrong unit, a question twice,
            steps after `otherwise` or none of it at the end.
    """
    for index, step in enumerate(section.steps):
        _check_step(file, index, step)
    _check_order(file, section)
    return DecisionRules(
        steps=tuple(
            Step(
                question=Question(step.asks),
                arm=step.arm,
                threshold=step.threshold,
                unit=step.unit or "",
                rule=step.rule,
                source=step.source,
            )
            for step in section.steps
        ),
        close_mm=ranged(file, ("decision", CLOSE_KEY), section.close_to_stomach),
        close_rule=section.close_to_stomach.rule,
    )


def sourced(section: Decision) -> Iterator[tuple[KeyPath, Rule]]:
    """Every rule of the section, with its key path."""
    for index, step in enumerate(section.steps):
        yield ("decision", "steps", index), step
    yield ("decision", CLOSE_KEY), section.close_to_stomach


def _check_step(file: YamlFile, index: int, step: _Step) -> None:
    at: KeyPath = ("decision", "steps", index)
    unit = _WITH_THRESHOLD.get(Question(step.asks))
    if unit is None and (step.threshold is not None or step.unit is not None):
        raise file.problem(
            "this question has no threshold", at, expected="neither threshold nor unit", got=step.asks
        )
    if unit is not None and step.threshold is None:
        raise file.problem("no threshold", at, expected=f"threshold in {unit}", got="none")
    if unit is not None and step.unit != unit:
        raise file.problem("wrong unit", (*at, "unit"), expected=unit, got=step.unit)


def _check_order(file: YamlFile, section: Decision) -> None:
    asked = [step.asks for step in section.steps]
    for index, question in enumerate(asked):
        if question in asked[:index]:
            raise file.problem(
                "question stands twice",
                ("decision", "steps", index, "asks"),
                expected="each question once",
                got=question,
            )
    if asked.index("otherwise") != len(asked) - 1 if "otherwise" in asked else True:
        raise file.problem(
            "the last step must decide whatever is left",
            ("decision", "steps"),
            expected="asks: otherwise at the end, and there only",
            got=", ".join(asked),
        )
