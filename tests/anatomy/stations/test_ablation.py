"""Each organ of a patient left out in turn: nothing breaks, and what a rule misses is told."""

from __future__ import annotations

from functools import lru_cache

import pytest

from pipeline.core.anatomy import Organs
from pipeline.core.stations import Stations
from pipeline.phantom import Reconstruction
from tests.anatomy.organs_of import PARTS, organs_of
from tests.anatomy.stations.patients import ATLAS, built, members
from tests.phantoms import coarse

pytestmark = pytest.mark.slow

QUICK = ("aorta", "trachea", "sternum", "lung_lower_lobe_left", "celiac_trunk", "thoracic_cavity")
PITCH = 2.4


@lru_cache(maxsize=1)
def patient() -> Organs:
    return organs_of(coarse(reconstruction=Reconstruction.POSTERIOR, lesions=()), parts=(*PARTS, "body"))


@lru_cache(maxsize=1)
def whole() -> Stations:
    return built(patient(), pitch_mm=PITCH)


def told(stations: Stations) -> tuple[object, ...]:
    """All that a reader learns besides the stations themselves."""
    return (
        dict(stations.not_built),
        {name: one.notes for name, one in stations.built.items()},
        {(finding.code, finding.message) for finding in stations.findings if "UNUSUAL" not in finding.code},
    )


BARRIERS = {organ for rule in ATLAS.stations.values() for organ in members(rule.minus)}
# Each stands in for another one of these: alone, it may be missing and nothing is inferred.
SPARE = {"vertebrae_body", "spinal_cord"}
USED = BARRIERS | {"thoracic_cavity", "abdominal_cavity", "main_bronchi"} | {
    f"{muscle}_{side}"
    for muscle in ("sternocleidomastoid", "anterior_scalene", "middle_scalene")
    for side in ("left", "right")
}  # fmt: skip


@pytest.mark.parametrize(
    "organ", [pytest.param(o, marks=() if o in QUICK else pytest.mark.slow) for o in sorted(patient())]
)
def test_an_organ_left_out_is_told(organ: str) -> None:
    rest = Organs(grid=patient().grid, by_name={k: v for k, v in patient().by_name.items() if k != organ})
    stations = built(rest, pitch_mm=PITCH)
    if organ in USED - SPARE:
        assert told(stations) != told(whole())


def test_without_any_organ_no_station_is_built_and_each_says_why() -> None:
    stations = built(Organs(grid=patient().grid, by_name={"body": patient().by_name["body"]}))
    assert set(stations.not_built) == set(ATLAS.stations)
    assert all(stations.not_built.values())
