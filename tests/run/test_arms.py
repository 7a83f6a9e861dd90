"""The arms of a patient of boxes: each alone, and the two together."""

from __future__ import annotations

import pytest

from pipeline.core.anatomy import Organs
from pipeline.core.regions import Region
from pipeline.core.rules import ArmChoice, Settings
from pipeline.core.stations import LesionPlace
from pipeline.read.protocols import load_protocol
from pipeline.run.arms import ArmsBuilt, build_arms
from pipeline.run.known import FoundMap, Known
from pipeline.strategy import PlannedArm, plan_ifi
from tests.known import barriers
from tests.targets.elective_patients import GRID, Drawn, Patient, landmarks

LEVELS = {"T1_top": 60.0, "clavicular_head_top": 30.0, "carina": 0.0}
PATIENT = Patient(lesions=(Drawn(box=((-18, -10), (-4, 4), (18, 30)), regions=(Region.II,)),))
IFI = plan_ifi(load_protocol(), Settings(arm=ArmChoice.IFI))
ENI = PlannedArm(plan=PATIENT.plan(), findings=(), assumptions={})


def built(planned: dict[str, PlannedArm], *, beside: PlannedArm | None = None) -> ArmsBuilt:
    (lesion,) = PATIENT.case().lesions
    place = LesionPlace(
        roi=lesion.name,
        level=None,
        shares=(),
        nearest=None,
        nearest_mm=None,
        second=None,
        second_mm=None,
        regions=(Region.II,),
    )
    found = FoundMap(landmarks=landmarks(GRID, LEVELS), stations=PATIENT.stations(), places=(place,))
    of = Known(organs=Organs(grid=GRID, by_name={}), barriers=barriers(), map=found)
    return build_arms(PATIENT.case(), of, planned, beside=beside)


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
