"""Protocol files: `configs/protocols/*.yaml` or a user's own, checked and turned into a `Protocol`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from typing import Protocol as Shape

from pydantic import Field

from pipeline.core.errors import UsageError
from pipeline.core.frozen import FrozenMap
from pipeline.core.rules import BARRIERS, Assumption, Barrier, Colour, Ends, InvolvedField, Protocol
from pipeline.read.elective_rules import (
    Elective,
    EniMargins,
    assumption_key,
    elective_rules,
    setting_keys,
    sourced,
)
from pipeline.read.protocol_values import (
    FixedMargin,
    Length,
    Name,
    RangedMargin,
    Rule,
    SourceKey,
    Text,
    Toggle,
    fixed,
    ranged,
)
from pipeline.read.resources import resource_folder
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile, read_yaml, validated

DEFAULT_PROTOCOL = "esophagus-salvage-2020"

Byte = Annotated[int, Field(ge=0, le=255)]
Arm = Literal["ifi", "eni"]
_BOTH_ARMS: tuple[Arm, ...] = ("ifi", "eni")
_SETTINGS = (
    "ifi.horizontal",
    "ifi.craniocaudal",
    "ends",
    "fill_ptv_holes",
)  # barriers.<structure>, eni.<...>


class _InvolvedField(Strict):
    horizontal: RangedMargin
    craniocaudal: RangedMargin


class _Margins(Strict):
    pgtv: FixedMargin
    ptv: FixedMargin
    ifi: _InvolvedField
    eni: EniMargins


class _Ends(Rule):
    value: Literal["flat", "tapered"]


class _Barrier(Rule):
    structure: Name
    overlap: Length
    unit: Literal["mm"]
    enabled: bool  # not `on`, which YAML reads as true


class _Colour(Strict):
    rgb: Annotated[list[Byte], Field(min_length=3, max_length=3)]
    source: SourceKey


class _Colours(Strict):
    gtv_t: Annotated[_Colour, Field(alias="GTV-T")]
    gtv_n: Annotated[_Colour, Field(alias="GTV-N")]
    pgtv: Annotated[_Colour, Field(alias="PGTV")]
    ctv: Annotated[_Colour, Field(alias="CTV")]
    ptv: Annotated[_Colour, Field(alias="PTV")]


class _Assumption(Strict):
    source: Literal["A"]
    rule: Text
    arms: Annotated[list[Arm], Field(min_length=1, max_length=2)]
    unless_set: list[str] = Field(default_factory=list)


class _Document(Strict):
    name: Name
    title: Text
    version: Text
    sources: dict[SourceKey, Text]
    margins: _Margins
    ends: _Ends
    fill_ptv_holes: Toggle
    barriers: list[_Barrier]
    elective: Elective
    colours: _Colours
    assumptions: dict[Name, _Assumption] = Field(default_factory=dict)


class _Sourced(Shape):
    @property
    def source(self) -> SourceKey: ...


def list_protocols() -> tuple[str, ...]:
    """The names of the protocols that come with the package, sorted.

    >>> "esophagus-salvage-2020" in list_protocols()
    True
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def protocol_file(name_or_file: str | Path) -> Path:
    """The file of a protocol: by name from those that come with the package, or a file of the user's own.

    Raises:
        UsageError: neither a known name nor a file.
    """
    if str(name_or_file) in list_protocols():
        return _folder() / f"{name_or_file}.yaml"
    path = Path(name_or_file)
    if path.is_file():
        return path
    raise UsageError(
        "unknown protocol",
        expected=f"a file, or one of {', '.join(list_protocols())}",
        got=str(name_or_file),
        todo="see `rt-targets protocol list`",
    )


def load_protocol(name_or_file: str | Path = DEFAULT_PROTOCOL) -> Protocol:
    """Read and check a protocol.

    Args:
        name_or_file: a name of `list_protocols`, or a YAML file.

    Raises:
        UsageError: no such protocol or file.
        ConfigError: the file does not keep to its form: unknown or missing key, wrong type or unit, a
            default outside its range, a source key that is not declared. Names file, line and key.
    """
    file = read_yaml(protocol_file(name_or_file))
    document = validated(_Document, file)
    _check_sources(file, document)
    _check_barriers(file, document)
    _check_assumptions(file, document)
    margins, colours = document.margins, document.colours
    return Protocol(
        name=document.name,
        title=document.title,
        version=document.version,
        file=file.name,
        sha256=file.sha256,
        pgtv=fixed(margins.pgtv),
        ptv=fixed(margins.ptv),
        ifi=InvolvedField(
            horizontal=ranged(file, ("margins", "ifi", "horizontal"), margins.ifi.horizontal),
            craniocaudal=ranged(file, ("margins", "ifi", "craniocaudal"), margins.ifi.craniocaudal),
        ),
        eni=elective_rules(file, margins.eni, document.elective),
        ends=Ends(document.ends.value),
        barriers=tuple(
            Barrier(structure=b.structure, overlap_mm=b.overlap, on=b.enabled, source=b.source)
            for b in document.barriers
        ),
        fill_ptv_holes=document.fill_ptv_holes.value,
        colours=FrozenMap(
            {
                "GTV-T": _rgb(colours.gtv_t),
                "GTV-N": _rgb(colours.gtv_n),
                "PGTV": _rgb(colours.pgtv),
                "CTV": _rgb(colours.ctv),
                "PTV": _rgb(colours.ptv),
            }
        ),
        sources=FrozenMap({str(key): text for key, text in document.sources.items()}),
        assumptions=FrozenMap(_assumptions(document)),
    )


def _folder() -> Path:
    return resource_folder("configs") / "protocols"


def _rgb(colour: _Colour) -> Colour:
    red, green, blue = colour.rgb
    return (red, green, blue)


def _rules(document: _Document) -> Iterator[tuple[KeyPath, _Sourced]]:
    """Every rule of the file that has a source, with its key path."""
    margins = document.margins
    yield ("margins", "pgtv"), margins.pgtv
    yield ("margins", "ptv"), margins.ptv
    yield ("margins", "ifi", "horizontal"), margins.ifi.horizontal
    yield ("margins", "ifi", "craniocaudal"), margins.ifi.craniocaudal
    yield ("ends",), document.ends
    yield ("fill_ptv_holes",), document.fill_ptv_holes
    for index, barrier in enumerate(document.barriers):
        yield ("barriers", index), barrier
    yield from sourced(margins.eni, document.elective)
    for name, field in type(document.colours).model_fields.items():
        yield ("colours", str(field.alias)), getattr(document.colours, name)
    for key, assumption in document.assumptions.items():
        yield ("assumptions", key), assumption


def _check_sources(file: YamlFile, document: _Document) -> None:
    for path, rule in _rules(document):
        if rule.source not in document.sources:
            raise file.problem(
                "source key that the file does not declare",
                (*path, "source"),
                expected=f"one of {', '.join(document.sources)}",
                got=rule.source,
                todo="say in `sources` what the key stands for, or use another",
            )


def _check_barriers(file: YamlFile, document: _Document) -> None:
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


def _check_assumptions(file: YamlFile, document: _Document) -> None:
    barriers = (f"barriers.{barrier.structure}" for barrier in document.barriers)
    known = [*_SETTINGS, *setting_keys(document.elective), *barriers]
    for name, assumption in document.assumptions.items():
        for index, key in enumerate(assumption.unless_set):
            if key not in known:
                raise file.problem(
                    "unknown setting",
                    ("assumptions", name, "unless_set", index),
                    expected=f"one of {', '.join(known)}",
                    got=key,
                )


def _assumptions(document: _Document) -> dict[str, Assumption]:
    """The rules with source A by name, those of single figures first."""
    found: dict[str, Assumption] = {}
    settable = (*_SETTINGS, *setting_keys(document.elective))
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


def _named(document: _Document, path: KeyPath, rule: Rule) -> tuple[str, tuple[Arm, ...]]:
    """The name of a rule among the assumptions, and the arms that use it."""
    if isinstance(rule, _Barrier):
        return f"barriers.{rule.structure}", _BOTH_ARMS
    if path[0] == "elective":
        return assumption_key(document.elective, path), ("eni",)
    if path[:2] == ("margins", "eni"):
        return ".".join(map(str, path)), ("eni",)
    return ".".join(map(str, path)), ("ifi",) if path[:2] == ("margins", "ifi") else _BOTH_ARMS
