"""Variants of the map change the stations that they are about, and no others: on one coarse phantom."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.anatomy.landmarks import find_landmarks
from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.build import build_stations
from pipeline.core.stations import Stations
from pipeline.phantom import Reconstruction
from pipeline.read.landmark_rules import load_landmark_rules
from pipeline.read.station_rules import load_station_atlas
from tests.anatomy.organs_of import PARTS, organs_of
from tests.phantoms import coarse

ATLAS = load_station_atlas()
# Stations that lie next to others ahead of them and get what those leave.
GIVE_WAY = {"1R": {"SCV_R"}, "1L": {"SCV_L"}, "4R": {"8U"}}
PITCH = 2.5  # coarse: what changes is asked, not by how much


@pytest.fixture(scope="module")
def build():
    phantom = coarse(reconstruction=Reconstruction.NATIVE, lesions=())
    organs = organs_of(phantom, parts=(*PARTS, "azygos_vein"))
    found = find_landmarks(OrganView(organs), [*load_landmark_rules(), *ATLAS.levels], {})

    def of(**options: str) -> Stations:
        return build_stations(organs, found, ATLAS, options=options, pitch_mm=PITCH)

    return of


@pytest.fixture(scope="module")
def usual(build) -> Stations:
    return build()


@pytest.mark.parametrize(
    "option, choice, stations, level",
    [
        ("boundary_1_2", "apex", {"1R", "1L", "2R", "2L", "8U"}, "lung_apex"),
        ("landmarks_2_4", "iaslc", {"2R", "4R"}, "left_brachiocephalic_vein_trachea"),
        ("caudal_4R", "azygos_low", {"4R"}, "azygos_vein_low"),
        ("caudal_4L", "lpa_top", {"4L"}, "left_pulmonary_artery_top"),
    ],
)
def test_an_option_changes_the_stations_it_is_about(build, usual, option, choice, stations, level) -> None:
    other = build(**{option: choice})
    assert usual.built.keys() == other.built.keys()
    by_level = {name for name, one in other.built.items() if level in one.landmarks}
    assert by_level == stations
    changed = {
        name
        for name, one in usual.built.items()
        if one.solid.field.shape != other.built[name].solid.field.shape
        or not np.array_equal(one.solid.field > 0, other.built[name].solid.field > 0)
    }
    assert changed <= stations | {other for name in stations for other in GIVE_WAY.get(name, ())}
    assert changed >= stations - {"4L"}, "the artery may end where the carina lies"
    assert dict(other.options) == dict(usual.options) | {option: choice}


def test_every_default_is_built_and_none_overlaps(usual) -> None:
    assert not usual.not_built
    counts = np.bincount(usual.labels.ravel(), minlength=len(ATLAS.stations) + 1)
    assert (counts[1:] > 0).all()
