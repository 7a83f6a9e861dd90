"""What is doubtful about a patient's stations, as findings."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.anatomy import CONDUIT, ESOPHAGUS, MOST_ERROR_MM, Landmarks, Organs
from pipeline.core.report import Finding, Severity
from pipeline.core.stations import NOT_BUILT, Stations

WRONG_SIDE = "ORGAN_ON_WRONG_SIDE"
TAKEN_AS_IN_PLACE = "GULLET_TAKEN_AS_IN_PLACE"
# How a note begins where organs leave hardly anything of a station.
FILLED = "organs fill it"


def doubts_about(
    stations: Stations, landmarks: Landmarks, organs: Organs, lacking: Iterable[str]
) -> tuple[Finding, ...]:
    """Levels too uncertain, stations that could not be built, barriers that were not there.

    Args:
        stations: as built.
        landmarks: that set their levels.
        organs: that they were built from, with the doubts about them.
        lacking: organs that should have been taken out and are not known.
    """
    findings = [*_uncertain(stations, landmarks), *_on_wrong_sides(organs)]
    if stations.not_built:
        told = "; ".join(f"{name}: {reason}" for name, reason in stations.not_built.items())
        findings.append(
            Finding(
                code=NOT_BUILT,
                severity=Severity.WARNING,
                where="stations",
                message=f"{len(stations.not_built)} of {len(stations.regions)} not built: {told}. More organ "
                "masks (--anatomy, or --segment) or landmarks (--landmarks) may let them be built.",
            )
        )
    filled = [
        name for name, one in stations.built.items() if any(note.startswith(FILLED) for note in one.notes)
    ]
    if filled:
        findings.append(
            Finding(
                code="STATION_FILLED",
                severity=Severity.WARNING,
                where="stations",
                message=f"Organs fill almost all of {', '.join(filled)}: what is left is no station.",
            )
        )
    if ESOPHAGUS in organs and stations.conduit is None:
        findings.append(
            Finding(
                code=TAKEN_AS_IN_PLACE,
                severity=Severity.WARNING,
                where=f"organ {ESOPHAGUS}",
                message="No conduit is known, so what is called esophagus was taken for the gullet itself. "
                f"After its resection that may be what was drawn up: name it {CONDUIT} then.",
            )
        )
    names = list(lacking)
    if names:
        findings.append(
            Finding(
                code="BARRIER_ORGANS_NOT_KNOWN",
                severity=Severity.INFO,
                where="stations",
                message=f"Not known, and so not taken out of stations: {', '.join(names)}.",
            )
        )
    return tuple(findings)


def _on_wrong_sides(organs: Organs) -> list[Finding]:
    """Left and right that are told apart wrongly: nothing built on such organs can be used."""
    wrong = [one.where for one in organs.findings if one.code == WRONG_SIDE]
    if not wrong:
        return []
    return [
        Finding(
            code="STATIONS_ON_DOUBTFUL_SIDES",
            severity=Severity.STOP,
            where="stations",
            message=f"They stand on organs that lie on the wrong side ({len(wrong)}, among them {wrong[0]}): "
            "look whether left and right are told apart in the masks and in the image",
        )
    ]


def _uncertain(stations: Stations, landmarks: Landmarks) -> list[Finding]:
    found = []
    for name, landmark in landmarks.found.items():
        set_by_it = [station.name for station in stations.built.values() if name in station.landmarks]
        if set_by_it and landmark.is_uncertain:
            found.append(
                Finding(
                    code="LEVEL_UNCERTAIN",
                    severity=Severity.STOP,
                    where=f"landmark {name}",
                    message=(
                        f"It sets a level of {', '.join(set_by_it)} and was only inferred ({landmark.how}), "
                        f"with an expected error of {landmark.error_mm:.0f} mm, more than {MOST_ERROR_MM:g}: "
                        "look at it, and state it in a file with --landmarks"
                    ),
                )
            )
    return found
