"""The arms of a patient of boxes: each alone, and the two together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.regions import Region
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import ArmChoice, Settings
from pipeline.core.volume import Mask
from pipeline.read.protocols import load_protocol
from pipeline.run import arms
from pipeline.run.arms import ArmsBuilt, build_arms
from pipeline.run.assumptions import used_assumptions
from pipeline.run.known import FoundMap, Known
from pipeline.strategy import PlannedArm, plan_eni, plan_ifi
from tests.known import barriers, place_in
from tests.targets.elective_patients import GRID, Drawn, Patient, landmarks

LEVELS = {"T1_top": 60.0, "clavicular_head_top": 30.0, "carina": 0.0}
PATIENT = Patient(lesions=(Drawn(box=((-18, -10), (-4, 4), (18, 30)), regions=(Region.II,)),))
IFI = plan_ifi(load_protocol(), Settings(arm=ArmChoice.IFI))
ENI = PlannedArm(plan=PATIENT.plan(), findings=(), assumptions={})


def known_of() -> Known:
    (lesion,) = PATIENT.case().lesions
    place = place_in(lesion.name, Region.II)
    found = FoundMap(landmarks=landmarks(GRID, LEVELS), stations=PATIENT.stations(), places=(place,))
    return Known(organs=Organs(grid=GRID, by_name={}), barriers=barriers(), map=found)


def built(planned: dict[str, PlannedArm], *, beside: PlannedArm | None = None) -> ArmsBuilt:
    return build_arms(PATIENT.case(), known_of(), planned, beside=beside)


@pytest.mark.slow
def test_the_elective_arm_alone_is_held_against_the_involved_field_too() -> None:
    both, alone = built({"ifi": IFI, "eni": ENI}), built({"eni": ENI}, beside=IFI)
    assert [one.arm for one in both.arms] == ["ifi", "eni"]
    assert [one.arm for one in alone.arms] == ["eni"]
    told = [[one.message for one in made.findings if one.code == "ENI_WITHOUT_IFI"] for made in (both, alone)]
    assert told[0] == told[1]
    assert len(told[0]) == 1, "7 mm are more than 6"
    assert not [one for one in alone.findings if one.where.startswith("ifi")]
    assert alone.arms[0]["CTV"].contours.volume_cc == both.arms[1]["CTV"].contours.volume_cc


@pytest.mark.slow
def test_the_involved_field_alone_is_held_against_nothing() -> None:
    made = built({"ifi": IFI})
    assert [one.arm for one in made.arms] == ["ifi"]
    assert "ENI_WITHOUT_IFI" not in {one.code for one in made.findings}


@pytest.mark.slow
def test_assumptions_of_regions_without_a_lesion_are_not_named() -> None:
    planned = {"eni": plan_eni(load_protocol(), Settings(arm=ArmChoice.ENI))}
    every = used_assumptions(planned, None, known_of())
    used = used_assumptions(planned, built({"eni": ENI}).elective, known_of())
    gone = set(every) - set(used)
    assert {"eni.IV.upper.station_16", "eni.IV.lower.station_20"} <= gone
    assert all(name.startswith(("eni.III.", "eni.IV.")) for name in gone)
    assert "places" in used


@pytest.mark.parametrize(
    "vein",
    ["internal_jugular_vein_left", "subclavian_vein_right", "portal_vein_and_splenic_vein"],
)
def test_large_veins_are_barriers_and_small_vessels_are_not(vein: str) -> None:
    vessels = barriers()["great_vessels"].organs
    assert vein in vessels
    assert not {"azygos_vein", "celiac_trunk", "superior_mesenteric_artery"} & set(vessels)


def test_without_stations_that_may_be_used_the_elective_arm_stops() -> None:
    made = build_arms(PATIENT.case(), replace(known_of(), map=None), {"eni": ENI}, beside=IFI)
    assert made.arms == ()
    assert [(one.code, one.severity) for one in made.findings if one.severity is Severity.STOP] == [
        ("STATIONS_NOT_USABLE", Severity.STOP)
    ]


def test_each_arm_is_checked_and_the_body_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(code: str, where: str) -> Finding:
        return Finding(code=code, severity=Severity.WARNING, where=where, message="planted")

    monkeypatch.setattr(arms, "check_targets", lambda _case, made, _organs: (planted("CHECKED", made.arm),))
    monkeypatch.setattr(arms, "check_inside_body", lambda _case, _body: (planted("BODY", "body"),))
    everywhere = Mask(grid=GRID, voxels=np.ones(GRID.shape, dtype=bool))
    body = Organ(name="body", mask=everywhere, source=OrganSource.MASKS)
    known = replace(known_of(), organs=Organs(grid=GRID, by_name={"body": body}))
    made = build_arms(PATIENT.case(), known, {"ifi": IFI, "eni": ENI})
    told = {(one.code, one.where) for one in made.findings}
    assert {("CHECKED", "ifi"), ("CHECKED", "eni"), ("BODY", "body")} <= told


@pytest.mark.parametrize("error, told", [(10.0, False), (10.1, True)])
def test_a_boundary_that_hangs_on_an_uncertain_landmark_stops(error: float, told: bool) -> None:
    seen = landmarks(GRID, LEVELS, inferred=LEVELS)
    unsure = replace(seen, found={name: replace(one, error_mm=error) for name, one in seen.found.items()})
    known = known_of()
    made = build_arms(
        PATIENT.case(), replace(known, map=replace(known.map, landmarks=unsure)), {"eni": ENI}, beside=IFI
    )
    stops = [one for one in made.findings if one.code == "BOUNDARY_UNCERTAIN"]
    assert bool(stops) is told
    assert all(one.severity is Severity.STOP for one in stops)
