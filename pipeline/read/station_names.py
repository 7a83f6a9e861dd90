"""The names of lymph-node stations: which ROI or mask is which station, by `atlas/station_names.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.read.organ_names import OrganMatch, OrganNames, plain
from pipeline.read.resources import resource_folder
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile, read_yaml, validated

Side = Literal["left", "right"]

_LETTERS: Mapping[Side, str] = {"right": "R", "left": "L"}
_SIDE = "side"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StationNames(OrganNames):
    """The stations of the atlas and their names, in the place of organs: see `atlas/station_names.yaml`.

    Attributes:
        jes: plain form of the names that are numbers of the Japan Esophageal Society.
    """

    jes: frozenset[str]

    def find(self, name: str) -> OrganMatch | None:
        """The station of an ROI or file name; None for a name that is no station's."""
        match = self.synonyms.get(plain(name))
        broken = len(re.findall(r"\d+", name)) > 1  # "2.0" or "1-7": read together they would be a station
        loose = plain(name).isdigit() and name.strip() != plain(name)  # "(20)", "-7"
        return None if broken or loose else match

    def is_jes(self, name: str) -> bool:
        """Whether a station's name is a number of the Japan Esophageal Society."""
        return plain(name) in self.jes

    def means_other_by_jes(self, name: str) -> bool:
        """Whether a name is a bare AJCC number that stands for another station among JES numbers."""
        match = self.find(name)
        return (
            match is not None
            and match.organ.isdigit()
            and plain(name)[-1].isdigit()
            and not self.is_jes(name)
        )

    def by_number_alone(self, name: str) -> bool:
        """Whether digits are all that a name says: `7` may be anything, `LN 7` the seventh node of a list."""
        return re.fullmatch(r"(ln|lns|lymphnode)?\d+", plain(name)) is not None


class _Sides(Strict):
    left: list[str]
    right: list[str]


class _Entry(Strict):
    names: list[str]
    jes: list[str] = Field(default_factory=list)


class _Document(Strict):
    edition: str
    sides: _Sides
    words: dict[str, list[str]]
    stations: dict[str, _Entry]


@dataclass(slots=True, kw_only=True)
class _Gathered:
    """Names as they are met."""

    sides: dict[str, Side] = field(default_factory=dict)
    organs: list[str] = field(default_factory=list)
    synonyms: dict[str, OrganMatch] = field(default_factory=dict)
    jes: set[str] = field(default_factory=set)


def load_station_names(path: Path | None = None) -> StationNames:
    """Read the stations and their names, by default those of `atlas/station_names.yaml`.

    Raises:
        ConfigError: the file does not keep to its form, or gives one name to two stations.
    """
    file = read_yaml(path or resource_folder("atlas") / "station_names.yaml")
    document = validated(_Document, file)
    gathered = _Gathered()
    for name, entry in document.stations.items():
        sides: tuple[Side | None, ...] = ("right", "left") if f"{{{_SIDE}}}" in name else (None,)
        for side in sides:
            _gather(file, document, (name, side), entry, gathered)
    return StationNames(
        organs=tuple(gathered.organs),
        sides=gathered.sides,
        unions={},
        synonyms=gathered.synonyms,
        file=file.name,
        jes=frozenset(gathered.jes),
    )


def _gather(
    file: YamlFile, document: _Document, key: tuple[str, Side | None], entry: _Entry, into: _Gathered
) -> None:
    name, side = key
    station = name if side is None else name.replace(f"{{{_SIDE}}}", _LETTERS[side])
    into.organs.append(station)
    if side is not None:
        into.sides[station] = side
    words = dict(document.words)
    if side is not None:
        words[_SIDE] = document.sides.left if side == "left" else document.sides.right
    into.synonyms[plain(station)] = OrganMatch(organ=station, rank=0)
    for rank, (path, text) in enumerate(_texts(name, entry), start=1):
        for form in _forms(file, path, text, words):
            match = OrganMatch(organ=station, rank=rank)
            known = into.synonyms.setdefault(form, match)
            if known.organ != station:
                expected = f"a name that {known.organ} does not have"
                raise file.problem("one name for two stations", path, expected=expected, got=form)
            if path[2] == "jes":
                into.jes.add(form)


def _texts(name: str, entry: _Entry) -> Iterator[tuple[KeyPath, str]]:
    for group, texts in (("names", entry.names), ("jes", entry.jes)):
        for index, text in enumerate(texts):
            yield ("stations", name, group, index), text


def _forms(file: YamlFile, path: KeyPath, text: str, words: Mapping[str, list[str]]) -> Iterator[str]:
    """A name in plain form, with every choice of words."""
    marks = _PLACEHOLDER.findall(text)
    unknown = [mark for mark in marks if mark not in words]
    lacks_side = _SIDE in words and _SIDE not in marks
    if unknown or lacks_side or not plain(_PLACEHOLDER.sub("", text) + "".join(marks)):
        expected = "a name with {side}" if lacks_side else f"placeholders among {', '.join(words)}"
        raise file.problem("name that cannot be used", path, expected=expected, got=text)
    for chosen in product(*(words[mark] for mark in marks)):
        filled = text
        for mark, word in zip(marks, chosen, strict=True):
            filled = filled.replace(f"{{{mark}}}", word, 1)
        yield plain(filled)
