"""Dose plans of the arms, and what is said about them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.decision import Facts, Resection
from pipeline.core.rules import ArmChoice, Settings
from pipeline.core.volume import Mask
from pipeline.read.protocols import load_protocol
from pipeline.run.known import Known
from pipeline.run.targets import RunResult, make_targets
from tests.known import known
from tests.made_case import GRID, case

PROTOCOL = load_protocol()
FACTS = Facts(resection=Resection.R0, months_to_recurrence=20, close_to_stomach=False)


def with_organs(*names: str) -> Known:
    voxels = np.zeros(GRID.shape, dtype=bool)
    voxels[2:4, 10:14, 40:50] = True
    mask = Mask(grid=GRID, voxels=voxels)
    given = {name: Organ(name=name, mask=mask, source=OrganSource.MASKS) for name in names}
    return known(case(), given=Organs(grid=GRID, by_name=given))


def ran(of: Known, facts: Facts = FACTS, **settings: object) -> RunResult:
    return make_targets(case(), of, PROTOCOL, Settings(arm=ArmChoice.IFI, **settings), facts=facts)


def messages(result: RunResult, code: str) -> list[str]:
    return [f"{one.where}: {one.message}" for one in result.findings if one.code == code]


def test_far_needs_a_stomach_and_the_bowel_alone_is_not_enough() -> None:
    unstated = Facts(resection=Resection.R0, months_to_recurrence=20)
    bowel, stomach = with_organs("colon"), with_organs("stomach")
    assert ran(bowel, unstated).prescriptions == {}
    assert any("fact close_to_stomach" in one for one in messages(ran(bowel, unstated), "FACT_MISSING"))
    assert ran(stomach, unstated).prescriptions["ifi"].plan == 3
    assert ran(stomach, unstated).lesions[0].gut_mm == ran(bowel, unstated).lesions[0].gut_mm


def test_organs_that_the_plan_wants_drawn_are_named() -> None:
    (told,) = messages(ran(with_organs("heart", "spinal_cord")), "ORGANS_REQUIRED")
    assert "lung_left, lung_right, gastric_conduit;" in told
    every = ("lung_left", "lung_right", "heart", "spinal_cord", "gastric_conduit")
    assert messages(ran(with_organs(*every)), "ORGANS_REQUIRED") == []


def test_a_figure_of_a_plan_that_does_not_come_out_is_told() -> None:
    figures = {"plan4.PTV.fractions": 34.0, "plan3.PTV.fractions": 30.0}
    (told,) = messages(ran(with_organs("heart"), figures=figures), "DOSE_SETTING_UNUSED")
    assert told == "setting plan4.PTV.fractions: it has no effect: plan 3 came out of this case"
    unknown = Facts(resection=Resection.R0, months_to_recurrence=20)
    told_all = messages(ran(with_organs("heart"), unknown, figures=figures), "DOSE_SETTING_UNUSED")
    assert len(told_all) == 2
    assert "no plan came out" in told_all[0]


@pytest.mark.parametrize("arm", [ArmChoice.ENI, ArmChoice.BOTH])
def test_an_arm_that_is_not_built_has_no_prescription(arm: ArmChoice) -> None:
    result = make_targets(case(), known(case()), PROTOCOL, Settings(arm=arm), facts=FACTS)
    assert set(result.prescriptions) == {one.arm for one in result.arms}
    assert "eni" not in result.prescriptions
    assert "1" in str(result.decision.plan)  # what the rules give is told all the same


def test_the_program_s_own_assumptions_are_named() -> None:
    used = ran(with_organs("heart")).assumptions
    assert "heart: heart" in used["barriers.organs"]
    assert "bone: none known" in used["barriers.organs"]
    assert "parts below 10 mm2" in used["checks"]
    assert "spinal cord nearer than 5 mm" in used["checks"]
    assert "places" not in used
