"""What the stations of any patient must keep to: none in another, each on its side, neighbours face to face.

Findings only: nothing is changed. What is looked for stands in the atlas, at `checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from pipeline.anatomy.organ_view import Floats
from pipeline.anatomy.stations.contact import nearer_than, points_of, shared_cc, touch
from pipeline.core.atlas import StationChecks
from pipeline.core.report import Finding, Severity
from pipeline.core.solid import Solid
from pipeline.core.stations import StationOrigin, Stations

# Levels in mm along the patient to the midline's place across it.
Midline = Callable[[Floats], Floats]
_WHERE = "stations"


def check_stations(
    stations: Stations, checks: StationChecks, midline: Midline | None = None
) -> tuple[Finding, ...]:
    """Every doubt about how a patient's stations lie.

    Args:
        stations: as built.
        checks: of the atlas.
        midline: where the patient's middle is; without it no side is checked.
    """
    solids = {name: station.solid for name, station in stations.built.items()}
    volumes = {name: solid.volume_cc for name, solid in solids.items()}
    return (
        *_overlaps(stations),
        *(() if midline is None else _sides(solids, checks, midline)),
        *_unlike(volumes, checks),
        *_not_touching(solids, checks),
        *_too_near(solids, checks),
        *_unusual(volumes, checks),
    )


def _overlaps(stations: Stations) -> Iterator[Finding]:
    """No lattice point lies in two stations; of two that the user gave, reading them has told."""
    for one, other in combinations(stations.built, 2):
        both = stations.built[one], stations.built[other]
        if all(station.origin is StationOrigin.PATIENT for station in both):
            continue
        shared = shared_cc(both[0].solid, both[1].solid)
        if shared > 0:
            yield _finding(
                "STATIONS_OVERLAP",
                Severity.WARNING,
                f"{one} and {other} share {shared:.2f} cc; a place belongs to one station only: look at both",
            )


def _sides(solids: dict[str, Solid], checks: StationChecks, midline: Midline) -> Iterator[Finding]:
    """The middle of a station of one side lies on that side of the patient's."""
    for side, sense, names in (("right", -1.0, checks.right), ("left", 1.0, checks.left)):
        for name in names:
            if name not in solids:
                continue
            places = points_of(solids[name])
            away = sense * float((places[:, 0] - midline(places[:, 2])).mean())
            if away <= 0:
                yield _finding(
                    "STATION_ON_WRONG_SIDE",
                    Severity.STOP,
                    f"The middle of {name} is {-away:.0f} mm beyond the midline, and should be {side} of it: "
                    "look whether left and right are told apart in the organs and in the image",
                )


def _unlike(volumes: dict[str, float], checks: StationChecks) -> Iterator[Finding]:
    """A right station is about as large as its left one."""
    low, high = checks.ratio
    for right, left in zip(checks.right, checks.left, strict=True):
        if right not in checks.alike or right not in volumes or left not in volumes:
            continue
        ratio = volumes[right] / max(volumes[left], 1e-6)
        if not low <= ratio <= high:
            yield _finding(
                "STATIONS_UNLIKE",
                Severity.WARNING,
                f"{right} has {ratio:.2f} times the volume of {left} ({volumes[right]:.1f} and "
                f"{volumes[left]:.1f} cc), outside {low:g} to {high:g}: look at both",
            )


def _not_touching(solids: dict[str, Solid], checks: StationChecks) -> Iterator[Finding]:
    for one, other in checks.touching:
        if one in solids and other in solids and not touch(solids[one], solids[other]):
            yield _finding(
                "STATIONS_DO_NOT_MEET",
                Severity.WARNING,
                f"{one} and {other} should lie face to face and do not: look at what lies between them",
            )


def _too_near(solids: dict[str, Solid], checks: StationChecks) -> Iterator[Finding]:
    for rule in checks.apart:
        one, other = rule.pair
        if one not in solids or other not in solids:
            continue
        near = (
            nearer_than(solids[one], solids[other], rule.mm) if rule.mm else touch(solids[one], solids[other])
        )
        if near:
            how = f"lie nearer than {rule.mm:g} mm to each other" if rule.mm else "touch"
            yield _finding(
                "STATIONS_TOO_NEAR",
                Severity.WARNING,
                f"{one} and {other} {how} and should not: look at the levels that set them",
            )


def _unusual(volumes: dict[str, float], checks: StationChecks) -> Iterator[Finding]:
    """Provisional gates: a remark, no more."""
    unusual = [
        f"{name} {volume:.1f} cc ({low:g} to {high:g})"
        for name, volume in volumes.items()
        for low, high in (checks.volumes_cc.get(name, (0.0, np.inf)),)
        if not low <= volume <= high
    ]
    if unusual:
        yield _finding(
            "STATION_VOLUME_UNUSUAL",
            Severity.INFO,
            f"Outside the usual volumes, which are provisional: {', '.join(unusual)}.",
        )


def _finding(code: str, severity: Severity, message: str) -> Finding:
    return Finding(code=code, severity=severity, where=_WHERE, message=message)
