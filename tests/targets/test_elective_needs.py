"""What elective irradiation lacks, by name and with the way to give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pipeline.core.errors import GeometryError
from pipeline.core.regions import Region
from pipeline.core.report import Finding, Severity
from pipeline.core.stations import Stations
from pipeline.targets import PatientMap, build_eni, what_lacks
from tests.targets.elective_patients import (
    GRID,
    LEVELS,
    REGION,
    Drawn,
    Patient,
    boxes_grid,
    landmarks,
)

I, II, III, IV = Region  # noqa: E741 - the protocol's own names
NODE_2R = Drawn(box=((-18, -10), (-4, 4), (18, 30)), regions=(II,))
NODE_20 = Drawn(box=((-4, 4), (3, 9), (-75, -66)), regions=(IV,))
PATIENT = Patient(lesions=(NODE_2R,))


def lacking(patient: Patient, **changes: object) -> tuple[Finding, ...]:
    return what_lacks(patient.rows(), patient.map(**changes))


def stations_without(*names: str, reasons: Mapping[str, str]) -> Stations:
    """The stations of boxes but for some, whose borders are not known."""
    whole = PATIENT.stations()
    left = {name: one for name, one in whole.built.items() if name not in names}
    return replace(
        whole,
        built=left,
        not_built={name: reasons[name] for name in names},
        rooms={name: room for name, room in whole.rooms.items() if name not in names},
    )


def test_a_patient_of_whom_all_is_known_lacks_nothing() -> None:
    assert lacking(PATIENT) == ()
    assert lacking(Patient(lesions=(NODE_2R, NODE_20))) == ()


@pytest.mark.parametrize("name", ["T1_top", "carina"])
def test_a_landmark_of_a_boundary(name: str) -> None:
    levels = {one: w for one, w in LEVELS.items() if one != name}
    (found,) = lacking(PATIENT, landmarks=landmarks(GRID, levels))
    assert (found.code, found.severity) == ("ENI_NEEDS", Severity.STOP)
    assert found.where == f"eni, landmark {name}"
    assert f"it needs the landmark {name}: it was not found" in found.message
    assert "--landmarks (name: [x, y, z] in LPS mm)" in found.message
    assert "--anatomy" in found.message


def test_a_landmark_of_a_row_that_is_not_involved_is_not_asked_for() -> None:
    levels = {name: w for name, w in LEVELS.items() if name != "clavicular_head_top"}
    assert lacking(PATIENT, landmarks=landmarks(GRID, levels)) == ()
    assert lacking(Patient(lesions=(NODE_20,)), landmarks=landmarks(GRID, {})) == ()


def test_the_reason_why_a_landmark_was_not_found_is_passed_on() -> None:
    known = landmarks(GRID, {"carina": 0.0})
    told = replace(known, missing={"T1_top": "the scan begins below it"})
    (found,) = lacking(PATIENT, landmarks=told)
    assert "landmark T1_top: the scan begins below it; state it" in found.message


def test_a_listed_station_without_borders() -> None:
    stations = stations_without("2L", "16", reasons={"2L": "the trachea is not known", "16": "no stomach"})
    (found,) = lacking(PATIENT, stations=stations)
    assert found.where == "eni, station 2L"
    assert (
        "the trachea is not known; give organ masks with --anatomy, landmarks with --landmarks"
        in found.message
    )
    assert "the station itself as an ROI or mask of its name" in found.message
    # 16 is a boundary and listed, and named once.
    (found,) = lacking(Patient(lesions=(NODE_20,)), stations=stations)
    assert found.where == "eni, station 16"


@pytest.mark.slow
def test_an_empty_station_with_borders_is_not_lacking() -> None:
    gone = Patient(lesions=(NODE_2R,), organs={"great_vessels": ((7, 21), (-7, 7), (-90, 90))})
    assert "2L" in gone.stations().not_built
    assert lacking(gone) == ()
    made = gone.built()
    (told,) = [f for f in made.targets.findings if f.code == "STATION_EMPTY"]
    assert (told.severity, told.where) == (Severity.WARNING, "eni, station 2L")
    assert told.message == "it is elective and nothing of it is left: organs take all of it"
    assert made.built.rows[0].stations_cc["2L"] == 0.0


def test_a_region_that_nothing_told() -> None:
    (found,) = lacking(PATIENT, regions={"GTV-N1": ()})
    assert found.where == "eni, region of GTV-N1"
    assert "--facts (regions: {LESION: REGION})" in found.message
    # The others are looked at all the same.
    levels = {name: w for name, w in LEVELS.items() if name != "carina"}
    found = lacking(PATIENT, regions={"A": (), "B": (II,)}, landmarks=landmarks(GRID, levels))
    assert [one.where for one in found] == ["eni, region of A", "eni, landmark carina"]


def test_what_two_rows_need_is_named_once() -> None:
    patient = Patient(lesions=(NODE_2R, replace(NODE_2R, regions=(III,))))
    found = lacking(patient, landmarks=landmarks(GRID, {"T1_top": 60.0}))
    assert [one.where for one in found] == ["eni, landmark carina", "eni, landmark clavicular_head_top"]


class TestInferred:
    INFERRED = landmarks(GRID, LEVELS, inferred=("carina",))

    @pytest.mark.slow
    def test_it_may_be_used(self) -> None:
        assert lacking(PATIENT, landmarks=self.INFERRED) == ()
        made = self._built(PATIENT.map(landmarks=self.INFERRED))
        (row,) = made.built.rows
        assert row.lower.inferred
        assert not row.upper.inferred

    @pytest.mark.slow
    def test_a_boundary_by_a_station_is_as_sure_as_the_levels_of_the_station(self) -> None:
        patient = Patient(lesions=(NODE_20,))
        stations = patient.stations()
        for levels, inferred in (({"16": ("carina",)}, True), ({"16": ("T1_top",)}, False), ({}, False)):
            told = replace(stations, levels=levels)
            (row,) = self._built(patient.map(stations=told, landmarks=self.INFERRED), patient).built.rows
            assert row.upper.term.name == "16"
            assert row.upper.inferred is inferred

    def test_it_may_be_forbidden(self) -> None:
        found = lacking(PATIENT, landmarks=self.INFERRED, allow_inferred=False)
        by_place = {one.where: one.message for one in found}
        assert "eni, landmark carina" in by_place
        assert (
            "only inferred (from the bones beside it), which --no-allow-inferred forbids"
            in (by_place["eni, landmark carina"])
        )
        # Stations of which it is a border go with it, listed ones only.
        listed = {f"eni, station {name}" for name in PATIENT.rows()[0].stations}
        assert set(by_place) == {"eni, landmark carina"} | listed
        assert "its level carina was only inferred" in by_place["eni, station 7"]

    @pytest.mark.slow
    def test_a_station_that_came_out_empty_is_looked_at_too(self) -> None:
        """Its room may set a boundary."""
        patient = Patient(lesions=(NODE_20,))
        stations = patient.stations()
        rest = {name: one for name, one in stations.built.items() if name != "20"}
        empty = patient.stations(built=rest, not_built={**stations.not_built, "20": "organs take all of it"})
        told = lacking(patient, stations=empty, landmarks=self.INFERRED, allow_inferred=False)
        assert "eni, station 20" in {one.where for one in told}
        assert lacking(patient, stations=empty, landmarks=self.INFERRED) == ()

    def test_what_was_found_may_always_be_used(self) -> None:
        assert lacking(PATIENT, allow_inferred=False) == ()

    @staticmethod
    def _built(patient: PatientMap, of: Patient = PATIENT):
        return build_eni(of.case(), plan=of.plan(), patient=patient, organs={})


def test_stations_on_another_grid_and_a_plan_of_another_arm_are_refused() -> None:
    other = replace(PATIENT, position="FFS")
    with pytest.raises(GeometryError, match="stations on the CT's grid"):
        build_eni(PATIENT.case(), plan=PATIENT.plan(), patient=other.map(), organs={})
    with pytest.raises(GeometryError, match="its own plan"):
        build_eni(
            PATIENT.case(), plan=replace(PATIENT.plan(), elective=None), patient=PATIENT.map(), organs={}
        )
    assert boxes_grid("FFS") != GRID
    assert set(REGION) == set(PATIENT.boxes)
