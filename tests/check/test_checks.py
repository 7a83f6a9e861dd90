"""Each check sees its planted fault, and nothing on a clean case."""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon, box

from pipeline import check
from pipeline.check import CHECKS, ORGAN_CHECKS, check_inside_body, check_targets
from pipeline.check.containment import check_containment
from pipeline.check.margins import check_ends_on_slices, check_margins_around_outlines
from pipeline.check.parts import check_lost_slices
from pipeline.core.case import Case
from pipeline.core.contour import Contours
from pipeline.core.margin import Margin
from pipeline.core.raster import as_multipolygon, contours_to_mask
from pipeline.core.report import Severity
from pipeline.core.targets import Target, TargetSet
from pipeline.core.volume import Mask
from pipeline.targets import build_ifi
from tests.anatomy.organs_of import organs
from tests.cases import case_of, disc, grid_of, plan_of


@pytest.fixture(scope="module")
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


@pytest.mark.parametrize("inner, outer", [("GTV-N1", "PGTV"), ("GTV-N1", "CTV"), ("CTV", "PTV")])
@pytest.mark.parametrize("gone", ["whole slice", "a part", "all round"])
def test_every_pair_is_held_against_each_other(
    clean: tuple[Case, TargetSet], inner: str, outer: str, gone: str
) -> None:
    case, targets = clean
    sections = dict(targets[outer].contours.sections)
    if gone == "whole slice":
        del sections[14]
    elif gone == "all round":  # what should be around lies inside
        sections[14] = as_multipolygon(targets[inner].contours.sections[14].buffer(-2))
    else:
        sections[14] = MultiPolygon([sections[14].geoms[0].difference(disc(20, -35, 2))])
    found = check_containment(case, with_target(targets, with_sections(targets[outer], sections)))
    told = [one for one in found if one.where == f"ifi.{inner}"]
    assert [(one.code, one.severity) for one in told] == [("NOT_CONTAINED", Severity.STOP)]
    level = case.volume.grid.plane_positions_mm[14]
    assert f"{inner} leaves {outer} on 1 slice, at {level:.2f} mm; do not use" in told[0].message


@pytest.mark.parametrize("mm2, told", [(0.4, False), (0.6, True)])
def test_what_outlines_differ_by_is_no_leaving(clean: tuple[Case, TargetSet], mm2: float, told: bool) -> None:
    case, targets = clean
    gtv = targets["GTV-N1"]
    side = mm2**0.5
    west, south, _, _ = targets["CTV"].contours.sections[14].bounds
    out = box(west - 20, south - 20, west - 20 + side, south - 20 + side)
    sections = {**gtv.contours.sections, 14: MultiPolygon([*gtv.contours.sections[14].geoms, out])}
    found = check_containment(case, with_target(targets, with_sections(gtv, sections)))
    assert len(found) == 2 * told  # of PGTV and CTV


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


@pytest.mark.parametrize("mm, told", [(5.25, False), (5.35, True), (7.0, True)])
def test_a_margin_that_is_too_large_is_no_better(
    clean: tuple[Case, TargetSet], mm: float, told: bool
) -> None:
    case, targets = clean
    long = replace(targets["PTV"], measured=replace(Margin.uniform(5), left=mm))
    found = check_targets(case, with_target(targets, long))
    assert [(f.code, f.severity) for f in found] == [("MARGIN_NOT_REACHED", Severity.STOP)] * told
    assert not told or f"left {mm:.2f} of 5 mm;" in found[0].message


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


@pytest.mark.parametrize("mm, told", [(12.5, 1), (12.4, 0), (7.5, 1), (12.0, 0)])
def test_a_margin_that_ends_on_a_slice_plane_is_told(mm: float, told: int) -> None:
    grid = grid_of(spacing=(1.2, 0.9, 5.0))
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 16)}])
    plan = plan_of(pgtv=4.0, ptv=4.0, ctv=Margin.axial(horizontal=7.0, craniocaudal=mm))
    assert len(check_ends_on_slices(case, build_ifi(case, plan=plan, organs={}))) == told


def test_an_outline_that_comes_too_near_is_found() -> None:
    grid = grid_of()
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 16)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    assert check_margins_around_outlines(case, targets) == ()
    pgtv = targets["PGTV"]
    bitten = dict(pgtv.contours.sections)
    bitten[14] = MultiPolygon([bitten[14].geoms[0].difference(disc(36, -35, 4))])
    planted = replace(
        targets,
        targets=tuple(
            replace(t, contours=Contours(grid=grid, sections=bitten), uncut_volume_cc=None)
            if t is pgtv
            else t
            for t in targets.targets
        ),
    )
    (finding,) = check_margins_around_outlines(case, planted)
    assert (finding.code, finding.where) == ("MARGIN_NOT_AROUND", "ifi.PGTV")
    assert "on 1 slices, the first k 14" in finding.message


def test_a_ptv_is_held_against_its_ctv() -> None:
    grid = grid_of()
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 16)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    # 8 mm and more about the GTV, but 1 mm only about the CTV.
    shrunk = {k: section.buffer(1.0) for k, section in targets["CTV"].contours.sections.items()}
    ptv = replace(with_sections(targets["PTV"], {**targets["PTV"].contours.sections, **_multi(shrunk)}))
    planted = with_target(targets, replace(ptv, uncut_volume_cc=None))
    (finding,) = check_margins_around_outlines(case, planted)
    assert (finding.code, finding.where) == ("MARGIN_NOT_AROUND", "ifi.PTV")
    assert f"on {len(shrunk)} slices" in finding.message


def _multi(sections: dict[int, Polygon]) -> dict[int, MultiPolygon]:
    return {k: as_multipolygon(section) for k, section in sections.items()}


def test_an_elective_ctv_ends_at_boundaries_and_not_at_its_margin() -> None:
    grid = grid_of(spacing=(1.2, 0.9, 5.0))
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 16)}])
    plan = plan_of(pgtv=4.0, ptv=4.0, ctv=Margin.axial(horizontal=7.0, craniocaudal=12.5))
    field = build_ifi(case, plan=plan, organs={})
    elective = replace(field, arm="eni")
    assert [one.where for one in check_ends_on_slices(case, field)] == ["ifi.CTV"]
    assert check_ends_on_slices(case, elective) == ()


def test_a_gtv_in_air_is_found() -> None:
    grid = grid_of()
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 16)}])
    columns = grid.to_patient(np.array([[i, 0, 0] for i in range(grid.size[0])]))[:, 0]
    for edge, told in ((31.0, 0), (29.6, 0), (20.0, 1), (0.0, 1)):
        voxels = np.zeros(grid.shape, dtype=bool)
        voxels[:, :, columns < edge] = True
        found = check_inside_body(case, Mask(grid=grid, voxels=voxels))
        assert len(found) == told, edge
        assert all(f.severity is Severity.STOP and "lie outside the body" in f.message for f in found)


def test_air_in_the_ctv_outside_the_gtv(clean: tuple[Case, TargetSet]) -> None:
    case, targets = clean
    grid = case.volume.grid
    hu = np.zeros(grid.shape, dtype=case.volume.hu.dtype)
    u = grid.to_patient(np.array([(i, 0, 0) for i in range(grid.size[0])]))[:, 0]
    hu[:, :, u > 20] = -800  # the lesion's own half stays out of it
    half = replace(case, volume=replace(case.volume, hu=hu))
    found = [f for f in check_targets(half, targets) if f.code == "CTV_HOLDS_AIR"]
    assert [f.where for f in found] == ["ifi.CTV"]
    ctv, gtv = targets["CTV"].contours.volume_cc, targets["GTV-N1"].contours.volume_cc
    told = float(found[0].message.split(" cc")[0])
    assert told == pytest.approx((ctv - gtv) / 2, rel=0.06)


@pytest.mark.parametrize("hu, cc, told", [(-501, 0.95, False), (-501, 1.05, True), (-500, 1.05, False)])
def test_a_little_air_is_no_lung(clean: tuple[Case, TargetSet], hu: int, cc: float, told: bool) -> None:
    case, targets = clean
    grid = case.volume.grid
    ctv = contours_to_mask(targets["CTV"].contours).voxels
    beside = np.flatnonzero(ctv & ~contours_to_mask(case.lesions[0].contours).voxels)
    voxels = np.zeros(ctv.size, dtype=case.volume.hu.dtype)
    # Every other voxel of every other row: no two of them touch.
    apart = beside[np.all(np.array(np.unravel_index(beside, ctv.shape))[1:] % 2 == 0, axis=0)]
    voxels[apart[: round(1000 * cc / grid.voxel_volume_mm3)]] = hu
    aired = replace(case, volume=replace(case.volume, hu=voxels.reshape(grid.shape)))
    assert codes(aired, targets) == ["CTV_HOLDS_AIR"] * told


@pytest.mark.parametrize("rows, told", [(8, False), (9, True)])
def test_a_piece_of_air_is_told_sooner(clean: tuple[Case, TargetSet], rows: int, told: bool) -> None:
    """Four columns of 3.24 mm3 on one slice: 0.1 cc lie between 7 and 8 rows of them."""
    case, targets = clean
    grid = case.volume.grid
    ctv = (
        contours_to_mask(targets["CTV"].contours).voxels & ~contours_to_mask(case.lesions[0].contours).voxels
    )
    k = 10  # beyond the GTV's last slice, where all of the section is CTV
    j, i = (int(np.median(index)) for index in np.nonzero(ctv[k]))
    hu = np.zeros(grid.shape, dtype=case.volume.hu.dtype)
    hu[k, j : j + rows - 1, i : i + 4] = -800
    assert ctv[k, j : j + rows, i : i + 4].all()
    assert codes(replace(case, volume=replace(case.volume, hu=hu)), targets) == ["CTV_HOLDS_AIR"] * told


@pytest.mark.parametrize("share, told", [(0.02, False), (0.04, True)])
def test_a_rim_of_a_gtv_may_lie_outside_the_body(
    clean: tuple[Case, TargetSet], share: float, told: bool
) -> None:
    case, _ = clean
    drawn = np.flatnonzero(contours_to_mask(case.lesions[0].contours).voxels)
    voxels = np.ones(case.volume.grid.shape, dtype=bool)
    outside = round(share * len(drawn))
    voxels.flat[drawn[:outside]] = False
    found = check_inside_body(case, Mask(grid=case.volume.grid, voxels=voxels))
    assert [(one.code, one.where) for one in found] == [("GTV_OUTSIDE_BODY", "GTV-N1")] * told
    whole = case.lesions[0].contours.volume_cc
    assert not told or f"{outside / len(drawn) * whole:.2f} of {whole:.2f} cc" in found[0].message


def test_gas_of_a_stomach_that_is_known_is_no_lung(clean: tuple[Case, TargetSet]) -> None:
    case, targets = clean
    grid = case.volume.grid
    ctv = contours_to_mask(targets["CTV"].contours)
    gas = Mask(grid=grid, voxels=ctv.voxels & ~contours_to_mask(case.lesions[0].contours).voxels)
    hu = np.where(gas.voxels, -900, 0).astype(case.volume.hu.dtype)
    full = replace(case, volume=replace(case.volume, hu=hu))
    assert "CTV_HOLDS_AIR" in codes(full, targets)
    for name, told in (("stomach", False), ("gastric_conduit", False), ("lung_left", True)):
        found = {f.code for f in check_targets(full, targets, organs(grid, {name: gas}))}
        assert ("CTV_HOLDS_AIR" in found) is told, name


def test_a_gtv_of_air_is_no_air_in_the_ctv(clean: tuple[Case, TargetSet]) -> None:
    case, targets = clean
    hu = np.zeros(case.volume.grid.shape, dtype=case.volume.hu.dtype)
    for k in case.lesions[0].contours.sections:
        hu[k][contours_to_mask(case.lesions[0].contours).voxels[k]] = -1000
    gas = replace(case, volume=replace(case.volume, hu=hu))
    assert codes(gas, targets) == []


@pytest.mark.parametrize("beside", [1, 2, 3])
def test_a_lost_slice_is_told_however_many_lesions_lie_side_by_side(beside: int) -> None:
    grid = grid_of(size=(80, 64, 40))
    drawn = [{k: disc(20 - 9 * n, -35, 8) for k in range(14 + n, 20)} for n in range(beside)]
    case = case_of(grid, drawn)
    targets = build_ifi(case, plan=plan_of(), organs={})
    assert codes(case, targets) == []
    ctv = targets["CTV"]
    lost = {k: s for k, s in ctv.contours.sections.items() if k != 11}
    assert "SLICE_MISSING" in codes(case, with_target(targets, with_sections(ctv, lost)))


def test_between_lesions_apart_one_gap_is_left_and_no_second() -> None:
    grid = grid_of(size=(80, 64, 60))
    case = case_of(grid, [{k: disc(20, -35, 10) for k in (8, 9)}, {k: disc(20, -35, 10) for k in (48, 49)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    ctv = targets["CTV"]
    lost = {k: s for k, s in ctv.contours.sections.items() if k != ctv.contours.slices[4]}
    assert "SLICE_MISSING" in codes(case, with_target(targets, with_sections(ctv, lost)))


ROOM = [import_module(f"{check.__name__}.{one.name}") for one in pkgutil.iter_modules(check.__path__)]


@pytest.mark.parametrize(
    "position, between, lost",
    [
        # 13 mm to the head and 4 mm to the feet of lesions on slices 8 to 15 and 28 to 31, 3 mm apart.
        ("HFS", (20, 27), (17, 19)),
        ("FFS", (17, 24), (25, 26)),
    ],
)
def test_what_is_within_reach_of_a_lesion_is_no_space_between(
    position: str, between: tuple[int, int], lost: tuple[int, int]
) -> None:
    grid = grid_of(position, size=(80, 64, 60))
    case = case_of(grid, [{k: disc(20, -35, 10) for k in rows} for rows in (range(8, 16), range(28, 32))])
    margin = Margin(left=7, right=7, anterior=7, posterior=7, superior=13, inferior=4)
    targets = build_ifi(case, plan=plan_of(ctv=margin), organs={})
    ctv = targets["CTV"]
    first, last = ctv.contours.slices[0], ctv.contours.slices[-1]
    assert set(range(first, last + 1)) - set(ctv.contours.slices) == set(range(*between))
    assert check_lost_slices(case, targets) == ()
    for gone in lost:  # in the middle of what is drawn, and beside the space between
        sections = {k: section for k, section in ctv.contours.sections.items() if k != gone}
        (told,) = check_lost_slices(case, with_target(targets, with_sections(ctv, sections)))
        assert (told.code, told.where) == ("SLICE_MISSING", "ifi.CTV")


def test_every_check_of_the_room_is_carried_out() -> None:
    room = {
        name: one
        for module in ROOM
        for name, one in vars(module).items()
        if name.startswith("check_") and one.__module__ == module.__name__
    }
    by_hand = {"check_arms", "check_conduit", "check_inside_body", "check_names"}
    assert by_hand <= room.keys()
    assert {one for name, one in room.items() if name not in by_hand} == {*CHECKS, *ORGAN_CHECKS}
