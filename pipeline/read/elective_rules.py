"""The sections on elective nodal irradiation of a protocol file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.elective import BoundaryTerm, ElectiveRow, ElectiveRules, End, Sense, Switch
from pipeline.core.ranged import Ranged
from pipeline.core.regions import Region
from pipeline.read.protocol_values import (
    Fixed,
    FixedMargin,
    Length,
    RangedMargin,
    Rule,
    Toggle,
    ranged,
)
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile

Place = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$", max_length=64)]
RowName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=32)]
_NOWHERE = Ranged(default=0.0, lowest=0.0, highest=0.0, source="")


class EniMargins(Strict):
    """`margins.eni`."""

    horizontal: RangedMargin
    craniocaudal: RangedMargin


class _Core(Strict):
    horizontal: FixedMargin
    craniocaudal: FixedMargin


class _Outward(Strict):
    default: Length
    range: Annotated[list[Length], Field(min_length=2, max_length=2)]
    unit: Literal["mm"]


class _Term(Rule):
    landmark: Place | None = None
    station: Place | None = None
    lesions: bool = False
    outward: _Outward | None = None


class _Row(Rule):
    name: RowName
    regions: Annotated[list[str], Field(min_length=1)]
    upper: Annotated[list[_Term], Field(min_length=1)]
    lower: Annotated[list[_Term], Field(min_length=1)]
    stations: Annotated[list[Place], Field(min_length=1)]


class _Speck(Fixed):
    unit: Literal["cc"]


class _Fleck(Fixed):
    unit: Literal["mm2"]


class _Finish(Strict):
    gap: FixedMargin
    sliver: FixedMargin
    fleck: _Fleck
    speck: _Speck


class Elective(Strict):
    """`elective`."""

    core: _Core
    rows: Annotated[list[_Row], Field(min_length=1)]
    envelope_gap: FixedMargin
    expansion_beyond_boundaries: Toggle
    conduit_in_stations: Toggle
    conduit_in_tumour_expansion: Toggle
    finish: _Finish


def elective_rules(file: YamlFile, margins: EniMargins, section: Elective) -> ElectiveRules:
    """The sections as values.

    Raises:
        ConfigError: an unknown region, a region or row twice, a region in no row, a term that goes by nothing
            or by two things, a range that runs backwards or does not hold its default.
    """
    _check_rows(file, section)
    return ElectiveRules(
        horizontal=ranged(file, ("margins", "eni", "horizontal"), margins.horizontal),
        craniocaudal=ranged(file, ("margins", "eni", "craniocaudal"), margins.craniocaudal),
        core_horizontal_mm=section.core.horizontal.value,
        core_craniocaudal_mm=section.core.craniocaudal.value,
        rows=tuple(_row(file, index, row) for index, row in enumerate(section.rows)),
        envelope_gap_mm=section.envelope_gap.value,
        expansion_beyond_boundaries=_switch(section.expansion_beyond_boundaries),
        conduit_in_stations=_switch(section.conduit_in_stations),
        conduit_in_tumour_expansion=_switch(section.conduit_in_tumour_expansion),
        gap_mm=section.finish.gap.value,
        sliver_mm=section.finish.sliver.value,
        fleck_mm2=section.finish.fleck.value,
        speck_cc=section.finish.speck.value,
    )


def sourced(margins: EniMargins, section: Elective) -> Iterator[tuple[KeyPath, Rule]]:
    """Every rule of the sections, with its key path."""
    yield ("margins", "eni", "horizontal"), margins.horizontal
    yield ("margins", "eni", "craniocaudal"), margins.craniocaudal
    top: KeyPath = ("elective",)
    yield (*top, "core", "horizontal"), section.core.horizontal
    yield (*top, "core", "craniocaudal"), section.core.craniocaudal
    for index, row in enumerate(section.rows):
        yield (*top, "rows", index), row
        for end, terms in ((End.UPPER, row.upper), (End.LOWER, row.lower)):
            for place, term in enumerate(terms):
                yield (*top, "rows", index, end.value, place), term
    for name in (
        "envelope_gap",
        "expansion_beyond_boundaries",
        "conduit_in_stations",
        "conduit_in_tumour_expansion",
    ):
        yield (*top, name), getattr(section, name)
    yield (*top, "finish", "gap"), section.finish.gap
    yield (*top, "finish", "sliver"), section.finish.sliver
    yield (*top, "finish", "fleck"), section.finish.fleck
    yield (*top, "finish", "speck"), section.finish.speck


def setting_keys(section: Elective) -> tuple[str, ...]:
    """What a user may set of the sections."""
    terms = [
        _key(row, end, term)
        for row in section.rows
        for end, listed in ((End.UPPER, row.upper), (End.LOWER, row.lower))
        for term in listed
    ]
    switches = ("expansion_beyond_boundaries", "conduit_in_stations", "conduit_in_tumour_expansion")
    return ("eni.horizontal", "eni.craniocaudal", *(f"eni.{name}" for name in switches), *terms)


def assumption_key(section: Elective, path: KeyPath) -> str:
    """The name of a rule of these sections among the assumptions: its setting key where it has one."""
    if path[:2] == ("elective", "rows") and len(path) == 5:
        row, end, place = section.rows[int(path[2])], End(str(path[3])), int(path[4])
        return _key(row, end, (row.upper if end is End.UPPER else row.lower)[place])
    if path[:2] == ("elective", "rows"):
        return f"eni.{section.rows[int(path[2])].name}"
    return "eni." + ".".join(map(str, path[1:]))


def _check_rows(file: YamlFile, section: Elective) -> None:
    names: set[str] = set()
    seen: set[str] = set()
    known = [region.value for region in Region]
    for index, row in enumerate(section.rows):
        at: KeyPath = ("elective", "rows", index)
        if row.name in names:
            raise file.problem("row stands twice", (*at, "name"), expected="each row once", got=row.name)
        names.add(row.name)
        for place, region in enumerate(row.regions):
            path = (*at, "regions", place)
            if region not in known:
                raise file.problem("unknown region", path, expected=f"one of {', '.join(known)}", got=region)
            if region in seen:
                raise file.problem("region stands twice", path, expected="each region once", got=region)
            seen.add(region)
        if len(set(row.stations)) < len(row.stations):
            raise file.problem(
                "station stands twice", (*at, "stations"), expected="each station once", got=row.stations
            )
    lacking = [region for region in known if region not in seen]
    if lacking:
        raise file.problem(
            "no row for a region",
            ("elective", "rows"),
            expected=f"a row for {', '.join(lacking)}",
            got="none",
        )


def _row(file: YamlFile, index: int, row: _Row) -> ElectiveRow:
    def terms(end: End, listed: list[_Term]) -> tuple[BoundaryTerm, ...]:
        at: KeyPath = ("elective", "rows", index, end.value)
        return tuple(
            _term(file, (*at, place), term, _key(row, end, term)) for place, term in enumerate(listed)
        )

    return ElectiveRow(
        name=row.name,
        regions=tuple(Region(region) for region in row.regions),
        upper=terms(End.UPPER, row.upper),
        lower=terms(End.LOWER, row.lower),
        stations=tuple(row.stations),
        rule=row.rule,
        source=row.source,
    )


def _term(file: YamlFile, path: KeyPath, term: _Term, key: str) -> BoundaryTerm:
    given = [name for name in ("landmark", "station", "lesions") if getattr(term, name)]
    if len(given) != 1:
        raise file.problem(
            "a boundary goes by one thing",
            path,
            expected="one of landmark, station or lesions: true",
            got=" and ".join(given) or "none",
        )
    outward = _NOWHERE
    if term.outward is not None:
        outward = ranged(file, (*path, "outward"), term.outward, source=term.source)
    return BoundaryTerm(
        sense=Sense(given[0]),
        name=term.landmark or term.station or "",
        outward=outward,
        key=key,
        rule=term.rule,
        source=term.source,
    )


def _key(row: _Row, end: End, term: _Term) -> str:
    named = term.landmark or (f"station_{term.station}" if term.station else "lesions")
    return f"eni.{row.name}.{end.value}.{named}"


def _switch(section: Toggle) -> Switch:
    return Switch(value=section.value, source=section.source)


__all__ = ("Elective", "EniMargins", "assumption_key", "elective_rules", "setting_keys", "sourced")
