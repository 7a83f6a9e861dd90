"""A gullet that may be the organ which was drawn up in its place."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pipeline.anatomy.stations.doubts import TAKEN_AS_IN_PLACE
from pipeline.core.anatomy import CONDUIT, ESOPHAGUS, Landmarks, Organs
from pipeline.core.decision import Gullet
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import Protocol
from pipeline.run.known import Known
from pipeline.run.measured import conduit_of

GULLET_OR_CONDUIT = "GULLET_OR_CONDUIT"
# What is left of a gullet ends above or near the carina; one this much longer runs through the chest [A].
BELOW_CARINA_MM = 40.0
# Where the carina is not known: from the cricoid to the carina a gullet is some 100 mm long [A].
LONGEST_MM = 120.0


def gullet_in_doubt(known: Known, protocol: Protocol, stated: Gullet | None) -> bool:
    """Whether what is called esophagus may be the conduit: stomachs, and colon, are often taken for a gullet.

    So where the protocol wants a conduit drawn (its patients have been operated on), none is known, an
    esophagus runs through the chest, and nobody has said that it is in its place.
    """
    operated = protocol.doses is not None and CONDUIT in protocol.doses.required_organs
    if not operated or stated is Gullet.IN_PLACE or ESOPHAGUS not in known.organs:
        return False
    if CONDUIT in known.organs or conduit_of(known) is not None:
        return False
    return _runs_through_chest(known.organs, None if known.map is None else known.map.landmarks)


def as_stated(organs: Organs, landmarks: Landmarks | None, stated: Gullet | None) -> Organs:
    """The organs, with what is called esophagus named conduit where the user says that the gullet is gone.

    Only where it runs through the chest: what is left of a gullet in the neck is none.
    """
    if stated is not Gullet.RESECTED or ESOPHAGUS not in organs or not _runs_through_chest(organs, landmarks):
        return organs
    return organs.with_conduit_named()


def asked_once(
    findings: Iterable[Finding], others: Iterable[Finding], stated: Gullet | None
) -> tuple[Finding, ...]:
    """Findings without that of the stations that asks what the esophagus is, where others ask or it is said.

    Args:
        findings: of organs, stations and places.
        others: of the choice of arm.
        stated: what the user says of the gullet.
    """
    settled = stated is Gullet.IN_PLACE or any(one.code == GULLET_OR_CONDUIT for one in others)
    return tuple(one for one in findings if not (settled and one.code == TAKEN_AS_IN_PLACE))


def _runs_through_chest(organs: Organs, landmarks: Landmarks | None) -> bool:
    mask = organs[ESOPHAGUS]
    if mask.is_empty:
        return False
    grid = organs.grid
    levels = grid.plane_positions_mm[np.flatnonzero(mask.voxels.any(axis=(1, 2)))]
    carina = None if landmarks is None else landmarks.found.get("carina")
    if carina is None:
        return bool(np.ptp(levels) > LONGEST_MM)
    level = float(grid.frame.from_patient([carina.point_mm])[0, 2])
    return bool(levels.min() < level - BELOW_CARINA_MM)


def gullet_finding(known: Known, *, builds_stations: bool) -> Finding:
    """`GULLET_OR_CONDUIT`: a stop where stations are built on it, else a warning."""
    organ = known.organs.by_name[ESOPHAGUS]
    return Finding(
        code=GULLET_OR_CONDUIT,
        severity=Severity.STOP if builds_stations else Severity.WARNING,
        where=f"organ {ESOPHAGUS}",
        message=f"{organ.source} ({organ.detail}) shows an esophagus through the chest, and no conduit is "
        "known. After the operation it may be what was drawn up, which masks often call so: stations 8U to "
        "8Lo and the distance to the stomach hang on it, and no lesion counts as far from the stomach. "
        f"State it in the file of --facts (gullet: resected takes it for the {CONDUIT}; gullet: in_place), "
        f"or name it {CONDUIT}",
    )
