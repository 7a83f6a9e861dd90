"""The station atlas: `atlas/stations.yaml`, or a file of that form, checked on loading.

Names of primitives and of structures are checked where the rules are carried out; here it is the form: terms,
figures with sources, and that what a name points to is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.core.atlas import (
    COMBINATIONS,
    Figure,
    Option,
    StationAtlas,
    StationRule,
    Term,
    Value,
)
from pipeline.core.regions import Region
from pipeline.read.landmark_rules import LandmarkModel, load_landmark_rules, rules_of
from pipeline.read.resources import resource_folder
from pipeline.read.station_checks import Checks, checks_of
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile, read_yaml, validated

_EVIDENCE = ("V: ", "M: ", "I: ")


class _Option(Strict):
    meaning: str
    default: str
    choices: dict[str, str]
    source: str


class _Figure(Strict):
    mm: float | int = Field(ge=0)
    source: str


class _Station(Strict):
    region: str
    all_of: list[Any] | None = None
    any_of: list[Any] | None = None
    minus: list[str] = Field(default_factory=list)
    needs: list[str] = Field(default_factory=list)
    inset: str = ""
    borders: dict[str, str] = Field(min_length=1)


class _Finish(Strict):
    least_cc: float | int = Field(ge=0)


class _Document(Strict):
    version: str
    sources: dict[str, str]
    options: dict[str, _Option] = Field(default_factory=dict)
    figures: dict[str, _Figure] = Field(default_factory=dict)
    groups: dict[str, list[str]] = Field(default_factory=dict)
    levels: dict[str, LandmarkModel] = Field(default_factory=dict)
    points: dict[str, list[Any]] = Field(default_factory=dict)
    paths: dict[str, list[Any]] = Field(default_factory=dict)
    spaces: dict[str, Any] = Field(default_factory=dict)
    priority: list[str]
    stations: dict[str, _Station] = Field(min_length=1)
    finish: _Finish
    checks: Checks | None = None


def load_station_atlas(path: Path | None = None) -> StationAtlas:
    """Read a station atlas, by default that of `atlas/stations.yaml`.

    Raises:
        ConfigError: the file does not keep to its form, has a figure without a source, names a source,
            figure, option or region that there is not, a group holds itself, or its priority does not list
            each station once.
    """
    file = read_yaml(path or resource_folder("atlas") / "stations.yaml")
    document = validated(_Document, file)
    _check_sources(file, document)
    _check_options(file, document)
    _check_groups(file, document)
    _check_priority(file, document)
    _check_borders(file, document)
    return StationAtlas(
        version=document.version,
        sha256=file.sha256,
        options={
            name: Option(meaning=one.meaning, choices=one.choices, default=one.default, source=one.source)
            for name, one in document.options.items()
        },
        figures={name: Figure(mm=float(one.mm), source=one.source) for name, one in document.figures.items()},
        groups={name: tuple(members) for name, members in document.groups.items()},
        levels=rules_of(
            file,
            "levels",
            document.levels,
            document.sources,
            before=[rule.name for rule in load_landmark_rules()],
        ),
        points=_ways(file, "points", document.points),
        paths=_ways(file, "paths", document.paths),
        spaces={name: _term(file, ("spaces", name), one) for name, one in document.spaces.items()},
        stations={name: _station(file, document, name) for name in document.stations},
        priority=tuple(document.priority),
        least_cc=float(document.finish.least_cc),
        sources=document.sources,
        checks=checks_of(file, document.checks, stations=document.stations, sources=document.sources),
    )


def _station(file: YamlFile, document: _Document, name: str) -> StationRule:
    one, at = document.stations[name], ("stations", name)
    if one.region not in list(Region):
        raise file.problem(
            "unknown region", (*at, "region"), expected=f"one of {', '.join(Region)}", got=one.region
        )
    said = [key for key in ("all_of", "any_of") if getattr(one, key) is not None]
    if len(said) != 1:
        raise file.problem(
            "station without one rule", at, expected="all_of or any_of", got=" and ".join(said) or "neither"
        )
    return StationRule(
        name=name,
        region=Region(one.region),
        space=_term(file, at, {said[0]: getattr(one, said[0])}),
        minus=tuple(one.minus),
        needs=tuple(one.needs),
        inset_mm=_figure(file, document, (*at, "inset"), one.inset) if one.inset else 0.0,
        borders=one.borders,
    )


def _ways(file: YamlFile, key: str, listed: Mapping[str, list[Any]]) -> dict[str, tuple[Term, ...]]:
    """Points and paths: name to the ways to make it; one way may have keys of its own beside its first."""
    found = {}
    for name, ways in listed.items():
        terms = []
        for number, way in enumerate(ways):
            at = (key, name, number)
            if not isinstance(way, dict) or not way:
                raise file.problem("way without keys", at, expected="a mapping", got=way)
            if len(way) == 1 and isinstance(next(iter(way.values())), dict):
                terms.append(_term(file, at, way))
            else:  # `knots: [...]`, with keys beside it
                keys = {str(name): _value(file, (*at, str(name)), value) for name, value in way.items()}
                terms.append(Term(primitive=next(iter(keys)), place=file.place(at), keys=keys))
        found[name] = tuple(terms)
    return found


def _term(file: YamlFile, at: KeyPath, raw: object) -> Term:
    """A term from a mapping with one key."""
    if not isinstance(raw, dict) or len(raw) != 1:
        got = ", ".join(map(str, raw)) if isinstance(raw, dict) else raw
        raise file.problem("term that is none", at, expected="a mapping with one key, the primitive", got=got)
    ((name, content),) = raw.items()
    inner = (*at, str(name))
    if name == "not":
        return Term(primitive=name, place=file.place(inner), terms=(_term(file, inner, content),))
    if name in COMBINATIONS:
        if not isinstance(content, list) or not content:
            raise file.problem("combination of nothing", inner, expected="a list of terms", got=content)
        terms = tuple(_term(file, (*inner, number), one) for number, one in enumerate(content))
        return Term(primitive=str(name), place=file.place(inner), terms=terms)
    if isinstance(content, str):  # `space: bed` for `space: {name: bed}`
        return Term(primitive=str(name), place=file.place(inner), keys={"name": content})
    if not isinstance(content, dict) or not content:
        raise file.problem("term without keys", inner, expected="a mapping of keys", got=content)
    keys = {str(key): _value(file, (*inner, str(key)), value) for key, value in content.items()}
    return Term(primitive=str(name), place=file.place(inner), keys=keys)


def _value(file: YamlFile, at: KeyPath, raw: object) -> Value:
    if isinstance(raw, str | bool):
        return raw
    if isinstance(raw, list):
        return tuple(_value(file, (*at, number), one) for number, one in enumerate(raw))
    if isinstance(raw, dict):
        return {str(key): _value(file, (*at, str(key)), value) for key, value in raw.items()}
    raise file.problem(
        "figure without a source", at, expected="the name of a figure that stands in `figures`", got=raw
    )


# ------------------------------------------------------------------------------------------------ checks


def _figure(file: YamlFile, document: _Document, at: KeyPath, name: str) -> float:
    if name not in document.figures:
        raise file.problem("unknown figure", at, expected="the name of one of `figures`", got=name)
    return float(document.figures[name].mm)


def _check_sources(file: YamlFile, document: _Document) -> None:
    for key, text in document.sources.items():
        if not text.startswith(_EVIDENCE):
            raise file.problem(
                "source without evidence tag", ("sources", key), expected="V:, M: or I: ahead of it", got=text
            )
    named = [
        *((("figures", name, "source"), one.source) for name, one in document.figures.items()),
        *((("options", name, "source"), one.source) for name, one in document.options.items()),
    ]
    for at, source in named:
        if source not in document.sources:
            raise file.problem(
                "unknown source", at, expected=f"one of {', '.join(document.sources)}", got=source
            )


def _check_options(file: YamlFile, document: _Document) -> None:
    for name, option in document.options.items():
        _check_listed(file, ("options", name, "default"), option.default, option.choices)
        levels = [*(rule.name for rule in load_landmark_rules()), *document.levels]
        for choice, landmark in option.choices.items():
            _check_listed(file, ("options", name, "choices", choice), landmark, levels)


def _check_listed(file: YamlFile, at: KeyPath, name: str, listed: Iterable[str]) -> None:
    names = list(listed)
    if name not in names:
        raise file.problem("unknown name", at, expected=f"one of {', '.join(names)}", got=name)


def _check_groups(file: YamlFile, document: _Document) -> None:
    for name in document.groups:
        inner, met = [name], {name}
        while inner:
            for member in document.groups.get(inner.pop(), ()):
                if member == name:
                    raise file.problem(
                        "group holds itself", ("groups", name), expected="no circle of groups", got=name
                    )
                if member not in met:
                    met.add(member)
                    inner.append(member)


def _check_priority(file: YamlFile, document: _Document) -> None:
    names: Sequence[str] = list(document.stations)
    if sorted(document.priority) != sorted(names):
        lacking = [name for name in names if name not in document.priority]
        beyond = [name for name in document.priority if name not in names]
        raise file.problem(
            "priority does not list each station once",
            ("priority",),
            expected=f"each of {', '.join(names)}",
            got=f"without {', '.join(lacking) or 'none'}, with {', '.join(beyond) or 'doubles'} besides",
        )


def _check_borders(file: YamlFile, document: _Document) -> None:
    for name, station in document.stations.items():
        for border, text in station.borders.items():
            for source in re.findall(r"[A-Z][A-Z0-9]*", " ".join(re.findall(r"\[([^]]*)\]", text))):
                if source not in document.sources:
                    raise file.problem(
                        "unknown source",
                        ("stations", name, "borders", border),
                        expected=f"one of {', '.join(document.sources)}",
                        got=source,
                    )
