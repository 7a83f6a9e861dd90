"""Whether a protocol speaks of stations, landmarks and organs that the atlas has."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.read.landmark_rules import load_landmark_rules
from pipeline.read.organ_names import load_organ_names
from pipeline.read.protocol_document import Document
from pipeline.read.station_rules import load_station_atlas
from pipeline.read.yaml_file import KeyPath, YamlFile


def check_names(file: YamlFile, document: Document) -> None:
    """Look every name up.

    Raises:
        ConfigError: a name that the atlas does not have; says file, line, key and the names that there are.
    """
    atlas = load_station_atlas()
    known = {
        "station": tuple(atlas.stations),
        "landmark": tuple(rule.name for rule in (*load_landmark_rules(), *atlas.levels)),
        "organ": load_organ_names().organs,
    }
    for what, path, name in _named(document):
        if name not in known[what]:
            raise file.problem(f"unknown {what}", path, expected=f"one of {', '.join(known[what])}", got=name)


def _named(document: Document) -> Iterator[tuple[str, KeyPath, str]]:
    """Every name with what it is of and its key path."""
    for index, row in enumerate(document.elective.rows if document.elective else ()):
        at: KeyPath = ("elective", "rows", index)
        for place, name in enumerate(row.stations):
            yield "station", (*at, "stations", place), name
        for end, terms in (("upper", row.upper), ("lower", row.lower)):
            for place, term in enumerate(terms):
                if term.landmark:
                    yield "landmark", (*at, end, place, "landmark"), term.landmark
                if term.station:
                    yield "station", (*at, end, place, "station"), term.station
    organs = document.doses.required_organs if document.doses else None
    for place, name in enumerate(organs.organs if organs else ()):
        yield "organ", ("doses", "required_organs", "organs", place), name
