"""Organs, landmarks and stations of a patient, and where the lesions lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pipeline.anatomy import organs_of_image
from pipeline.anatomy.landmarks import find_landmarks
from pipeline.anatomy.level_checks import check_levels, check_stated
from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.places.place import PlaceOptions, place_lesions
from pipeline.anatomy.stations.build import build_stations
from pipeline.core.anatomy import LandmarkRule, Landmarks, Organs
from pipeline.core.atlas import StationAtlas
from pipeline.core.case import Lesion
from pipeline.core.grid import Vector
from pipeline.core.regions import Region
from pipeline.core.stations import LesionPlaces, OwnStations, Stations
from pipeline.core.volume import Mask, Volume


def find_anatomy(
    volume: Volume, given: Organs, rules: Sequence[LandmarkRule], stated: Mapping[str, Vector]
) -> tuple[Organs, Landmarks]:
    """Organs and landmarks of a patient.

    Args:
        volume: the CT; what plain image processing finds on it fills in what nobody gave.
        given: organs that the user has.
        rules: landmarks of the atlas.
        stated: LPS points in mm that the user gave.
    """
    organs = known_organs(volume, given)
    view = OrganView(organs)
    landmarks = find_landmarks(view, rules, stated)
    own = find_landmarks(view, rules, {}) if stated else landmarks
    findings = (*check_levels(view, landmarks), *check_stated(view, stated, own))
    return organs, replace(landmarks, findings=findings)


def known_organs(volume: Volume, given: Organs) -> Organs:
    """The given organs, and those that plain image processing adds."""
    seen = organs_of_image(volume, given)
    return Organs(
        grid=given.grid, by_name={**seen.by_name, **given.by_name}, findings=(*seen.findings, *given.findings)
    )


def find_stations(
    organs: Organs,
    landmarks: Landmarks,
    atlas: StationAtlas,
    *,
    options: Mapping[str, str] | None = None,
    own: OwnStations | None = None,
    labels: Mapping[str, Mask] | None = None,
    on_built: Callable[[Stations], None] = lambda _: None,
) -> Stations:
    """The stations of a patient.

    Args:
        organs, landmarks: as `find_anatomy` gives them, the atlas's levels among the landmarks.
        atlas: the rules.
        options: choices other than the atlas's defaults.
        own: stations that the user gives; they take the place of the built ones.
        labels: a reference patient's stations brought to this one; in place of the rules.
        on_built: given the stations before they are checked.

    Raises:
        ConfigError: an option that the atlas does not have, or a rule that cannot be carried out.
    """
    return build_stations(
        organs, landmarks, atlas, options=options, own=own, labels=labels, on_built=on_built
    )


def tell_places(
    lesions: Sequence[Lesion],
    stations: Stations,
    landmarks: Landmarks,
    *,
    stated: Mapping[str, Region] | None = None,
) -> LesionPlaces:
    """In which stations and regions the lesions lie; nothing where there is no lesion.

    Args:
        lesions: of the case.
        stations, landmarks: of the patient.
        stated: lesion to the region that the user states for it.

    Raises:
        GeometryError, UsageError: as `pipeline.anatomy.places.place.place_lesions`.
    """
    if not lesions:
        return LesionPlaces(places=())
    options = PlaceOptions(conduit=stations.conduit, stated=stated or {})
    return place_lesions(lesions, stations, landmarks, options)
