"""The form of a protocol file, and what must fit together in it beyond the form of each section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from typing import Protocol as Shape

from pydantic import Field

from pipeline.core.rules import BARRIERS, Assumption
from pipeline.read import decision_rules, dose_rules, elective_rules
from pipeline.read.decision_rules import CLOSE_KEY, Decision
from pipeline.read.dose_rules import Doses
from pipeline.read.elective_rules import Elective, EniMargins, assumption_key, setting_keys
from pipeline.read.protocol_values import (
    FixedMargin,
    Length,
    Name,
    RangedMargin,
    Rule,
    SourceKey,
    Text,
    Toggle,
)
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile

Byte = Annotated[int, Field(ge=0, le=255)]
Arm = Literal["ifi", "eni"]
_BOTH_ARMS: tuple[Arm, ...] = ("ifi", "eni")
# What every protocol lets a user set; besides `barriers.STRUCTURE`, and what its sections have.
_SETTINGS = ("ifi.horizontal", "ifi.craniocaudal", "ends", "fill_ptv_holes")


class _InvolvedField(Strict):
    horizontal: RangedMargin
    craniocaudal: RangedMargin


class _Margins(Strict):
    pgtv: FixedMargin | None = None
    ptv: FixedMargin
    ifi: _InvolvedField
    eni: EniMargins | None = None


class _Ends(Rule):
    value: Literal["flat", "tapered"]


class _Barrier(Rule):
    structure: Name
    overlap: Length
    unit: Literal["mm"]
    enabled: bool  # not `on`, which YAML reads as true


class ColourRule(Strict):
    """A colour with the key of its source."""

    rgb: Annotated[list[Byte], Field(min_length=3, max_length=3)]
    source: SourceKey


class _Colours(Strict):
    gtv_t: Annotated[ColourRule, Field(alias="GTV-T")]
    gtv_n: Annotated[ColourRule, Field(alias="GTV-N")]
    pgtv: Annotated[ColourRule, Field(alias="PGTV")]
    ctv: Annotated[ColourRule, Field(alias="CTV")]
    ptv: Annotated[ColourRule, Field(alias="PTV")]


class _Assumption(Strict):
    source: Literal["A"]
    rule: Text
    arms: Annotated[list[Arm], Field(max_length=2)]
    unless_set: list[str] = Field(default_factory=list)


class Document(Strict):
    """A protocol file."""

    name: Name
    title: Text
    version: Text
    sources: dict[SourceKey, Text]
    margins: _Margins
    ends: _Ends
    fill_ptv_holes: Toggle
    barriers: list[_Barrier]
    elective: Elective | None = None
    decision: Decision | None = None
    doses: Doses | None = None
    colours: _Colours
    assumptions: dict[Name, _Assumption] = Field(default_factory=dict)


class _Sourced(Shape):
    @property
    def source(self) -> SourceKey: ...


def _rules(document: Document) -> Iterator[tuple[KeyPath, _Sourced]]:
    """Every rule of the file that has a source, with its key path."""
    margins = document.margins
    if margins.pgtv:
        yield ("margins", "pgtv"), margins.pgtv
    yield ("margins", "ptv"), margins.ptv
    yield ("margins", "ifi", "horizontal"), margins.ifi.horizontal
    yield ("margins", "ifi", "craniocaudal"), margins.ifi.craniocaudal
    yield ("ends",), document.ends
    yield ("fill_ptv_holes",), document.fill_ptv_holes
    for index, barrier in enumerate(document.barriers):
        yield ("barriers", index), barrier
    if margins.eni and document.elective:
        yield from elective_rules.sourced(margins.eni, document.elective)
    if document.decision:
        yield from decision_rules.sourced(document.decision)
    if document.doses:
        yield from dose_rules.sourced(document.doses)
    for name, field in type(document.colours).model_fields.items():
        yield ("colours", str(field.alias)), getattr(document.colours, name)
    for key, assumption in document.assumptions.items():
        yield ("assumptions", key), assumption


def check_sections(file: YamlFile, document: Document) -> None:
    """Elective rules have margins, and the reverse; the choice of arm names only arms that there are.

    Raises:
        ConfigError: one without the other.
    """
    if (document.margins.eni is None) != (document.elective is None):
        lacking = "margins.eni" if document.margins.eni is None else "elective"
        raise file.problem(
            "half of the ENI arm",
            ("margins",),
            expected="margins.eni and elective, or neither",
            got=f"no {lacking}",
        )
    if document.elective is not None:
        return
    steps = document.decision.steps if document.decision else []
    plans = document.doses.plans if document.doses else []
    for name, arms in (("decision", [one.arm for one in steps]), ("doses", [one.arm for one in plans])):
        if "eni" in arms:
            raise file.problem(
                "arm that the protocol does not have",
                (name,),
                expected="ifi only, or elective rules",
                got="eni",
            )


def check_sources(file: YamlFile, document: Document) -> None:
    """Every source key is declared.

    Raises:
        ConfigError: one is not.
    """
    for path, rule in _rules(document):
        if rule.source not in document.sources:
            raise file.problem(
                "source key that the file does not declare",
                (*path, "source"),
                expected=f"one of {', '.join(document.sources)}",
                got=rule.source,
                todo="say in `sources` what the key stands for, or use another",
            )


def check_barriers(file: YamlFile, document: Document) -> None:
    """Every barrier is known, and stands once.

    Raises:
        ConfigError: one is not, or stands twice.
    """
    seen: set[str] = set()
    for index, barrier in enumerate(document.barriers):
        if barrier.structure not in BARRIERS:
            raise file.problem(
                "unknown barrier",
                ("barriers", index, "structure"),
                expected=f"one of {', '.join(BARRIERS)}",
                got=barrier.structure,
            )
        if barrier.structure in seen:
            raise file.problem(
                "barrier stands twice",
                ("barriers", index, "structure"),
                expected="each structure once",
                got=barrier.structure,
            )
        seen.add(barrier.structure)


def check_assumptions(file: YamlFile, document: Document) -> None:
    """Every setting that replaces an assumption is there.

    Raises:
        ConfigError: one is not.
    """
    barriers = (f"barriers.{barrier.structure}" for barrier in document.barriers)
    known = [*_settable(document), *barriers]
    for name, assumption in document.assumptions.items():
        for index, key in enumerate(assumption.unless_set):
            if key not in known:
                raise file.problem(
                    "unknown setting",
                    ("assumptions", name, "unless_set", index),
                    expected=f"one of {', '.join(known)}",
                    got=key,
                )


def assumptions(document: Document) -> dict[str, Assumption]:
    """The rules with source A by name, those of single figures first."""
    found: dict[str, Assumption] = {}
    settable = _settable(document)
    for path, rule in _rules(document):
        if rule.source != "A" or not isinstance(rule, Rule):
            continue
        name, arms = _named(document, path, rule)
        key = name.removeprefix("margins.")
        unless = (key,) if key in settable or isinstance(rule, _Barrier) else ()
        found[name] = Assumption(sentence=rule.rule, arms=arms, unless_set=unless)
    for name, entry in document.assumptions.items():
        found[name] = Assumption(
            sentence=entry.rule, arms=tuple(entry.arms), unless_set=tuple(entry.unless_set)
        )
    return found


def _settable(document: Document) -> tuple[str, ...]:
    """What a user may set, but for barriers and doses."""
    keys = setting_keys(document.elective) if document.elective else ()
    return (*_SETTINGS, *keys, *([CLOSE_KEY] if document.decision else []))


def _named(document: Document, path: KeyPath, rule: Rule) -> tuple[str, tuple[Arm, ...]]:
    """The name of a rule among the assumptions, and the arms that use it."""
    if isinstance(rule, _Barrier):
        return f"barriers.{rule.structure}", _BOTH_ARMS
    if path[0] == "elective" and document.elective:
        return assumption_key(document.elective, path), ("eni",)
    if path[0] in {"decision", "doses"}:
        name = ".".join(map(str, path))
        return (CLOSE_KEY if path == ("decision", CLOSE_KEY) else name), ()
    if path[:2] == ("margins", "eni"):
        return ".".join(map(str, path)), ("eni",)
    return ".".join(map(str, path)), ("ifi",) if path[:2] == ("margins", "ifi") else _BOTH_ARMS
