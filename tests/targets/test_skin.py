"""A PTV kept off the skin: by hand, in every patient position, in both arms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.errors import UsageError
from pipeline.core.regions import Region
from pipeline.core.report import Severity
from pipeline.core.rules import ArmChoice, Settings
from pipeline.core.targets import TargetSet
from pipeline.core.volume import Mask
from pipeline.read.protocols import load_protocol
from pipeline.strategy import plan_eni, plan_ifi
from pipeline.strategy.settings import check_settings
from pipeline.targets import build_eni, build_ifi
from tests.cases import BODY_BARRIER, POSITIONS, case_of, disc, grid_of, plan_of
from tests.targets.elective_patients import Drawn, Patient

PROTOCOL = load_protocol()
NODE_2R = Drawn(box=((-18, -10), (-4, 4), (18, 30)), regions=(Region.II,))


def made(position: str, rim: float | None, *, edge: float = 45.0) -> TargetSet:
    """A node of 10 mm around u = 20, in a body that ends at u = `edge`; the PTV reaches to u = 42."""
    grid = grid_of(position)
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 18)}])
    indices = np.argwhere(np.ones(grid.shape, dtype=bool))[:, ::-1]
    u = grid.frame.from_patient(grid.to_patient(indices))[:, 0].reshape(grid.shape)
    body = Mask(grid=grid, voxels=u < edge)
    plan = replace(plan_of(barriers=(BODY_BARRIER,)), skin_rim_mm=rim)
    return build_ifi(case, plan=plan, organs={"body": body})


def reach(targets: TargetSet, name: str) -> float:
    return max(section.bounds[2] for section in targets[name].contours.sections.values())


@pytest.mark.parametrize("position", POSITIONS)
def test_it_ends_under_the_skin(position: str) -> None:
    free = made(position, None)
    assert reach(free, "PTV") == pytest.approx(42.0, abs=0.15)
    # The skin lies half-way between voxels: 0.6 mm at most from u = 45.
    kept = made(position, 5.0)
    assert reach(kept, "PTV") == pytest.approx(40.0, abs=0.7)
    (told,) = (one for one in kept.findings if one.code == "PTV_CUT_AT_SKIN")
    assert (told.where, told.severity) == ("ifi.PTV", Severity.INFO)
    lost = free["PTV"].contours.volume_cc - kept["PTV"].contours.volume_cc
    assert float(told.message.split(" cc")[0]) == pytest.approx(lost, abs=0.06)
    for name in ("PGTV", "CTV"):
        assert kept[name].contours.volume_cc == free[name].contours.volume_cc


def test_what_the_ctv_holds_stays() -> None:
    kept = made("HFS", 15.0)  # 30 mm: within the CTV, which reaches to 37
    assert reach(kept, "PTV") == pytest.approx(reach(kept, "CTV"))
    for k, section in kept["CTV"].contours.sections.items():
        assert section.difference(kept["PTV"].contours.sections[k]).area < 0.01


def test_without_a_body_it_is_told_and_nothing_is_cut() -> None:
    case = case_of(grid_of(), [{14: disc(20, -35, 10)}])
    plan = replace(plan_of(), skin_rim_mm=3.0)
    targets = build_ifi(case, plan=plan, organs={})
    assert [(one.code, one.severity) for one in targets.findings] == [
        ("SKIN_RIM_NOT_APPLIED", Severity.WARNING)
    ]
    free = build_ifi(case, plan=plan_of(), organs={})
    assert targets["PTV"].contours.volume_cc == free["PTV"].contours.volume_cc


def test_the_elective_arm_keeps_off_it_too() -> None:
    patient = Patient(lesions=(NODE_2R,))
    case, plan = patient.case(), patient.plan()
    grid = case.volume.grid
    voxels = np.ones(grid.shape, dtype=bool)
    free = build_eni(case, plan=plan, patient=patient.map(), organs={}).targets
    west = min(section.bounds[0] for section in free["PTV"].contours.sections.values())
    indices = np.argwhere(voxels)[:, ::-1]
    u = grid.frame.from_patient(grid.to_patient(indices))[:, 0].reshape(grid.shape)
    body = Mask(grid=grid, voxels=u > west - 1.0)
    kept = build_eni(
        case, plan=replace(plan, skin_rim_mm=4.0), patient=patient.map(), organs={"body": body}
    ).targets
    assert "PTV_CUT_AT_SKIN" in {one.code for one in kept.findings}
    now = min(section.bounds[0] for section in kept["PTV"].contours.sections.values())
    assert now == pytest.approx(west + 3.0, abs=1.0)


def test_the_user_asks_for_it() -> None:
    asked = Settings(arm=ArmChoice.BOTH, figures={"ptv_skin_rim": 3.0})
    check_settings(PROTOCOL, asked)
    for planned in (plan_ifi(PROTOCOL, asked), plan_eni(PROTOCOL, asked)):
        assert planned.plan.skin_rim_mm == 3.0
        assert any("ptv_skin_rim is 3 mm" in one.message for one in planned.findings)
    assert plan_ifi(PROTOCOL, Settings()).plan.skin_rim_mm is None


@pytest.mark.parametrize("rim", [-0.1, 20.1])
def test_a_rim_out_of_range_is_refused(rim: float) -> None:
    with pytest.raises(UsageError, match="rim under the skin out of range"):
        check_settings(PROTOCOL, Settings(figures={"ptv_skin_rim": rim}))
