"""Each check sees its planted fault, and nothing on a clean case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from shapely.affinity import translate
from shapely.geometry import MultiPolygon

from pipeline.check import check_targets
from pipeline.core.case import Case
from pipeline.core.contour import Contours
from pipeline.core.margin import Margin
from pipeline.core.targets import Target, TargetSet
from pipeline.targets import build_ifi
from tests.cases import case_of, disc, grid_of, plan_of


@pytest.fixture
def clean() -> tuple[Case, TargetSet]:
    case = case_of(grid_of(), [{k: disc(20, -35, 10) for k in range(12, 18)}])
    return case, build_ifi(case, plan=plan_of(), organs={})


def with_target(targets: TargetSet, changed: Target) -> TargetSet:
    return replace(targets, targets=tuple(changed if t.name == changed.name else t for t in targets.targets))


def with_sections(target: Target, sections: dict[int, MultiPolygon]) -> Target:
    return replace(target, contours=Contours(grid=target.contours.grid, sections=sections))


def codes(case: Case, targets: TargetSet) -> list[str]:
    return [finding.code for finding in check_targets(case, targets)]


def test_clean(clean: tuple[Case, TargetSet]) -> None:
    assert codes(*clean) == []


def test_ctv_outside_ptv(clean: tuple[Case, TargetSet]) -> None:
    case, targets = clean
    ctv = targets["CTV"]
    moved = {k: translate(s, 12, 0) for k, s in ctv.contours.sections.items()}
    assert "NOT_CONTAINED" in codes(case, with_target(targets, with_sections(ctv, moved)))


def test_gtv_slice_without_pgtv(clean: tuple[Case, TargetSet]) -> None:
    case, targets = clean
    pgtv = targets["PGTV"]
    lost = {k: s for k, s in pgtv.contours.sections.items() if k != 14}
    found = codes(case, with_target(targets, with_sections(pgtv, lost)))
    assert found == ["NOT_CONTAINED", "SLICE_MISSING"]


def test_margin_not_reached(clean: tuple[Case, TargetSet]) -> None:
    case, targets = clean
    short = replace(targets["PTV"], measured=Margin.axial(horizontal=5, craniocaudal=4.5))
    findings = check_targets(case, with_target(targets, short))
    assert [f.code for f in findings] == ["MARGIN_NOT_REACHED"]
    assert "superior 4.50 of 5 mm, inferior 4.50 of 5 mm" in findings[0].message


def test_margin_below_slice_spacing() -> None:
    grid = grid_of(spacing=(1.2, 0.9, 6.0))
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 18)}])
    assert codes(case, build_ifi(case, plan=plan_of(), organs={})) == ["MARGIN_BELOW_SLICE"] * 2


def test_stray_part(clean: tuple[Case, TargetSet]) -> None:
    case, targets = clean
    ptv = targets["PTV"]
    sections = dict(ptv.contours.sections)
    sections[14] = MultiPolygon([*sections[14].geoms, *disc(60, -35, 1.5).geoms])
    assert codes(case, with_target(targets, with_sections(ptv, sections))) == ["STRAY_PART"]


def test_lesions_apart_are_no_lost_slice() -> None:
    grid = grid_of(size=(80, 64, 60))
    case = case_of(grid, [{k: disc(20, -35, 10) for k in (8, 9)}, {k: disc(20, -35, 10) for k in (48, 49)}])
    assert codes(case, build_ifi(case, plan=plan_of(), organs={})) == []
