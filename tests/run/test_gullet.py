"""An organ called esophagus that may be the conduit: no lesion is far until somebody says which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.anatomy import Landmark, Landmarks, Organ, Organs, OrganSource
from pipeline.core.decision import Facts, Gullet, Resection
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import ArmChoice, Settings
from pipeline.core.stations import Stations
from pipeline.core.volume import Mask
from pipeline.read.protocols import load_protocol
from pipeline.run.gullet import as_stated, asked_once, gullet_finding, gullet_in_doubt
from pipeline.run.known import FoundMap, Known
from pipeline.run.targets import RunResult, make_targets
from tests.cases import grid_of
from tests.known import known
from tests.made_case import GRID, case

PROTOCOL = load_protocol()
TALL = grid_of("HFS", size=(20, 16, 60))  # 180 mm


def tube(planes: slice) -> Mask:
    voxels = np.zeros(TALL.shape, dtype=bool)
    voxels[planes, 6:9, 8:12] = True
    return Mask(grid=TALL, voxels=voxels)


def of(*, carina: int | None = None, **organs: Mask) -> Known:
    """Known organs, and a carina on a plane."""
    by_name = {name: Organ(name=name, mask=mask, source=OrganSource.MASKS) for name, mask in organs.items()}
    found = None
    if carina is not None:
        point = TALL.to_patient([[8, 6, carina]])[0]
        at = Landmark(name="carina", point_mm=tuple(point), inferred=False, error_mm=3.0, how="seen")
        found = FoundMap(
            landmarks=Landmarks(found={"carina": at}),
            stations=Stations(
                grid=TALL, built={}, regions={}, not_built={}, labels=np.zeros(TALL.shape, dtype=np.uint8)
            ),
            places=(),
        )
    return Known(organs=Organs(grid=TALL, by_name=by_name), barriers={}, map=found)


@pytest.mark.parametrize(
    "planes, carina, doubtful",
    [
        (slice(0, 41), None, False),  # 120 mm between its outermost planes
        (slice(0, 42), None, True),
        (slice(27, 60), 40, False),  # 39 mm below the carina
        (slice(26, 60), 40, True),
    ],
)
def test_what_runs_through_the_chest_is_in_doubt(planes: slice, carina: int | None, doubtful: bool) -> None:
    assert gullet_in_doubt(of(carina=carina, esophagus=tube(planes)), PROTOCOL, None) is doubtful


def test_nothing_is_in_doubt_where_it_is_said_or_a_conduit_is_known() -> None:
    whole = tube(slice(None))
    assert gullet_in_doubt(of(esophagus=whole), PROTOCOL, None)
    assert not gullet_in_doubt(of(esophagus=whole), PROTOCOL, Gullet.IN_PLACE)
    assert not gullet_in_doubt(of(esophagus=whole, gastric_conduit=tube(slice(0, 30))), PROTOCOL, None)
    assert not gullet_in_doubt(of(stomach=whole), PROTOCOL, None)
    assert not gullet_in_doubt(of(esophagus=tube(slice(0, 0))), PROTOCOL, None)


def test_a_protocol_without_operated_patients_asks_nothing() -> None:
    other = load_protocol("escc-neoadjuvant-2024")
    assert not gullet_in_doubt(of(esophagus=tube(slice(None))), other, None)


@pytest.mark.parametrize("builds, severity", [(True, Severity.STOP), (False, Severity.WARNING)])
def test_the_finding_stops_where_stations_hang_on_it(builds: bool, severity: Severity) -> None:
    finding = gullet_finding(of(esophagus=tube(slice(None))), builds_stations=builds)
    assert (finding.code, finding.severity) == ("GULLET_OR_CONDUIT", severity)
    assert "gullet: in_place" in finding.message


# ------------------------------------------------------------------------------------------ in a whole run


def organ(name: str, *planes: slice) -> Organ:
    voxels = np.zeros(GRID.shape, dtype=bool)
    voxels[(*planes, slice(10, 14), slice(40, 44))] = True
    return Organ(name=name, mask=Mask(grid=GRID, voxels=voxels), source=OrganSource.MASKS)


def ran(monkeypatch: pytest.MonkeyPatch, **facts: object) -> RunResult:
    """A stomach below, far from the lesion, and an esophagus through all slices of a short CT."""
    monkeypatch.setattr("pipeline.run.gullet.LONGEST_MM", 10.0)
    given = [organ("stomach", slice(0, 2)), organ("esophagus", slice(None))]
    of_case = known(case(), given=Organs(grid=GRID, by_name={one.name: one for one in given}))
    stated = Facts(resection=Resection.R0, months_to_recurrence=20, **facts)
    return make_targets(case(), of_case, PROTOCOL, Settings(arm=ArmChoice.IFI), facts=stated)


def test_no_lesion_is_far_and_no_dose_plan_comes_out_while_it_is_in_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = ran(monkeypatch)
    assert {"GULLET_OR_CONDUIT", "FACT_MISSING"} <= {one.code for one in result.findings}
    assert result.prescriptions == {}


def test_who_says_that_it_is_in_place_gets_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    result = ran(monkeypatch, gullet=Gullet.IN_PLACE)
    assert "GULLET_OR_CONDUIT" not in {one.code for one in result.findings}
    assert result.prescriptions["ifi"].plan == 3


def test_a_stomach_that_is_known_is_not_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    result = ran(monkeypatch)
    value = next(one.value for one in result.decision.reasons if "esophagus may be" in one.value)
    assert "mm to what is known of stomach and intestine; but the esophagus may be" in value
    (missing,) = [one for one in result.findings if one.where == "fact close_to_stomach"]
    assert "close_to_stomach: true or false, or gullet: resected or in_place" in missing.message


def test_what_the_esophagus_is_is_asked_once() -> None:
    asked = Finding(code="GULLET_TAKEN_AS_IN_PLACE", severity=Severity.WARNING, where="w", message="m")
    other = replace(asked, code="STATION_NOT_BUILT")
    choice = replace(asked, code="GULLET_OR_CONDUIT")
    assert asked_once([asked, other], [], None) == (asked, other)
    assert asked_once([asked, other], [choice], None) == (other,)
    assert asked_once([asked, other], [], Gullet.IN_PLACE) == (other,)
    assert asked_once([asked, other], [], Gullet.RESECTED) == (asked, other)


def test_what_was_resected_is_the_conduit() -> None:
    whole, part = tube(slice(None)), tube(slice(0, 5))
    organs = of(esophagus=whole, heart=part).organs
    named = organs.with_conduit_named()
    assert set(named) == {"gastric_conduit", "heart"}
    assert named["gastric_conduit"] is whole
    assert "called esophagus" in named.by_name["gastric_conduit"].detail
    both = of(esophagus=part, gastric_conduit=whole).organs
    assert both.with_conduit_named() is both
    none = of(heart=part).organs
    assert none.with_conduit_named() is none


@pytest.mark.parametrize("carina", [None, 40])
def test_what_is_left_of_a_gullet_in_the_neck_is_no_conduit(carina: int | None) -> None:
    """Stated as resected, as is true of every operated patient: only what runs through the chest is it."""
    left, through = (
        of(carina=carina, esophagus=tube(slice(45, 60))),
        of(carina=carina, esophagus=tube(slice(5, 60))),
    )
    landmarks = left.map.landmarks if left.map else None
    assert as_stated(left.organs, landmarks, Gullet.RESECTED) is left.organs
    assert set(as_stated(through.organs, landmarks, Gullet.RESECTED)) == {"gastric_conduit"}
    for stated in (None, Gullet.IN_PLACE):
        assert as_stated(through.organs, landmarks, stated) is through.organs
