"""`stations.json`: everything that is known of the stations of a patient, for people and scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.anatomy import Organs
from pipeline.core.regions import spread
from pipeline.core.report import Finding, LandmarkReport, Provenance, StationReport
from pipeline.core.stations import LesionPlace, LesionPlaces, Station, Stations
from pipeline.write.atomic import whole_file
from pipeline.write.record import (
    DRAFT,
    PROGRAM,
    finding_record,
    landmark_record,
    provenance_record,
)
from pipeline.write.values import Json, cc, json_text, mm

STATIONS_SCHEMA_VERSION = "1.0"
STATIONS_FILE = "stations.json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StationsOut:
    """What `stations.json` tells.

    Attributes:
        stations: of the patient.
        reports: figures of each station of the atlas.
        landmarks: those found.
        missing: why each of the others was not.
        organs: all that are known.
        places: where the lesions lie.
        findings: every doubt.
        provenance: what made the result.
    """

    stations: Stations
    reports: Mapping[str, StationReport]
    landmarks: Mapping[str, LandmarkReport]
    missing: Mapping[str, str]
    organs: Organs
    places: Sequence[LesionPlace]
    findings: Sequence[Finding]
    provenance: Provenance


def write_stations_record(path: Path, out: StationsOut) -> None:
    """Write the record, whole or not at all.

    Raises:
        OutputError: a figure that is not finite, or the file system refused.
    """
    text = json_text(stations_record(out), where=STATIONS_FILE)
    with whole_file(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


def stations_record(out: StationsOut) -> dict[str, Json]:
    """The record as nested JSON values, keys in the order of the file."""
    stations = out.stations
    involved = LesionPlaces(places=tuple(out.places)).regions
    return {
        "schema_version": STATIONS_SCHEMA_VERSION,
        "program": PROGRAM,
        "draft": DRAFT,
        "labels": dict(stations.label_of),
        "options": dict(stations.options),
        "stations": {name: _station(name, out) for name in stations.regions},
        "landmarks": {name: landmark_record(one) for name, one in out.landmarks.items()},
        "landmarks_not_found": dict(out.missing),
        "organs": {
            name: {"source": organ.source.value, "detail": organ.detail}
            for name, organ in sorted(out.organs.by_name.items())
        },
        "lesions": [_place(place) for place in out.places],
        "involved": {"regions": [region.value for region in involved], "spread": spread(involved).value},
        "findings": [finding_record(finding) for finding in out.findings],
        "provenance": provenance_record(out.provenance),
    }


def _station(name: str, out: StationsOut) -> Json:
    region = out.stations.regions[name].value
    if name not in out.stations.built:
        return {"built": False, "region": region, "reason": out.stations.not_built[name]}
    station = out.stations.built[name]
    return {
        "built": True,
        "region": region,
        "volume_cc": cc(out.reports[name].volume_cc),
        "volume_with_conduit_cc": _with_conduit_cc(station),
        "origin": station.origin.value,
        "landmarks": list(station.landmarks),
        "notes": list(station.notes),
    }


def _with_conduit_cc(station: Station) -> Json:
    if station.with_conduit is None:
        return None
    return cc(station.with_conduit.volume_cc)


def _place(place: LesionPlace) -> Json:
    return {
        "roi": place.roi,
        "level": None if place.level is None else place.level.value,
        "regions": [region.value for region in place.regions],
        "region_shares": [
            {"region": share.region.value, "fraction": round(float(share.fraction), 4)}
            for share in place.region_shares
        ],
        "in_conduit": round(float(place.in_conduit), 4),
        "stations": [
            {"station": share.station, "fraction": round(float(share.fraction), 4)} for share in place.shares
        ],
        "nearest": _near(place.nearest, place.nearest_mm),
        "second_nearest": _near(place.second, place.second_mm),
        "notes": list(place.notes),
    }


def _near(station: str | None, distance_mm: float | None) -> Json:
    if station is None:
        return None
    return {"station": station, "distance_mm": None if distance_mm is None else mm(distance_mm)}
