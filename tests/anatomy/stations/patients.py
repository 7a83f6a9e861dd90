"""Stations of the synthetic patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pipeline.anatomy.landmarks import find_landmarks
from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.build import build_stations
from pipeline.anatomy.stations.fields import PITCH_MM
from pipeline.core.anatomy import Organs
from pipeline.core.atlas import StationAtlas
from pipeline.core.grid import Vector
from pipeline.core.stations import Stations
from pipeline.phantom import Phantom, Reconstruction
from pipeline.read.landmark_rules import load_landmark_rules
from pipeline.read.station_rules import load_station_atlas
from tests.anatomy.organs_of import organs_of

ATLAS = load_station_atlas()
NAMES = tuple(ATLAS.stations)
RULES = (*load_landmark_rules(), *ATLAS.levels)
ROUTES = tuple(Reconstruction)
COARSE_PITCH = 2 * PITCH_MM  # within 7 % of the volumes, in a fifth of the time
LARGE_CC = 5.0


def built(
    patient: Phantom | Organs,
    *,
    pitch_mm: float = COARSE_PITCH,
    stated: Mapping[str, Vector] | None = None,
    atlas: StationAtlas = ATLAS,
) -> Stations:
    """Stations of a patient; landmarks from the masks but for the stated ones."""
    organs = organs_of(patient) if isinstance(patient, Phantom) else patient
    landmarks = find_landmarks(OrganView(organs), RULES, stated or {})
    return build_stations(organs, landmarks, atlas, pitch_mm=pitch_mm)


def volumes(stations: Stations) -> dict[str, float]:
    """Of every station of the atlas, in cc; 0 where it was not built."""
    return {name: stations.built[name].solid.volume_cc if name in stations.built else 0.0 for name in NAMES}


def changes(one: Mapping[str, float], other: Mapping[str, float]) -> list[str]:
    """Stations whose volume changes by more than is allowed: 3 % from 5 cc on, 8 % below."""

    def most(name: str) -> float:
        return (0.03 if one[name] >= LARGE_CC else 0.08) * one[name]

    return [
        f"{name}: {one[name]:.2f} cc, then {other[name]:.2f}"
        for name in one
        if abs(other[name] - one[name]) > most(name)
    ]


def members(names: tuple[str, ...]) -> Iterator[str]:
    """Organs that names of organs and groups of the atlas stand for."""
    for name in names:
        if name in ATLAS.groups:
            yield from members(ATLAS.groups[name])
        else:
            yield name


def voxels_of(stations: Stations, name: str) -> np.ndarray:
    return np.asarray(stations.labels == stations.label_of[name])


def codes(stations: Stations) -> list[str]:
    return [finding.code for finding in stations.findings]
