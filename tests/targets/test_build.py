"""The involved-field volumes against hand-computed areas, barriers and the scan's ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from shapely.geometry import MultiPolygon, box

from pipeline.check import check_targets
from pipeline.core.errors import GeometryError
from pipeline.core.expansion import expand
from pipeline.core.margin import Margin
from pipeline.core.raster import as_multipolygon
from pipeline.core.report import Severity
from pipeline.core.rules import Barrier
from pipeline.core.solid import solid_from_contours
from pipeline.core.targets import Changes
from pipeline.core.volume import Mask
from pipeline.targets import build_ifi
from pipeline.targets.barriers import cut_at
from tests.cases import BODY_BARRIER, POSITIONS, case_of, disc, grid_of, plan_of
from tests.oracles import outline_distance


def test_volumes_of_a_cylinder_by_hand() -> None:
    grid = grid_of()
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 18)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    middle = grid.plane_positions_mm[14:15][0]
    assert middle == pytest.approx(112.0 - 1.5)
    for name, radius in (("PGTV", 15), ("CTV", 17), ("PTV", 22)):
        area = targets[name].contours.sections[14].area
        assert area == pytest.approx(math.pi * radius**2, rel=0.005)
    # 6 slices of 3 mm are 18 mm with flat ends; 5 mm more holds two slice planes (1.5 and 4.5 mm beyond).
    assert targets["PGTV"].contours.slices == tuple(range(10, 20))
    # 12.5 mm beyond the end: planes at 1.5, 4.5, 7.5, 10.5.
    assert targets["CTV"].contours.slices == tuple(range(8, 22))
    # 17.5 mm: 13.5 and 16.5 too.
    assert targets["PTV"].contours.slices == tuple(range(6, 24))


@pytest.mark.parametrize("position", POSITIONS)
def test_unequal_margins_go_to_the_patients_sides(position: str) -> None:
    margin = Margin(left=8, right=2, anterior=6, posterior=1, superior=15, inferior=4)
    grid = grid_of(position)
    centre_k = int(np.argmin(np.abs(grid.plane_positions_mm - 112.0)))
    case = case_of(grid, [{centre_k: MultiPolygon([box(10, -50, 20, -42)])}])
    targets = build_ifi(case, plan=plan_of(ctv=margin), organs={})
    ctv = targets["CTV"]
    u0, v0, u1, v1 = ctv.contours.sections[centre_k].bounds
    assert (u0, u1) == pytest.approx((10 - 2, 20 + 8), abs=0.1)
    assert (v0, v1) == pytest.approx((-50 - 6, -42 + 1), abs=0.1)
    heights = grid.plane_positions_mm[list(ctv.contours.slices)] - grid.plane_positions_mm[centre_k]
    # Slices within 1.5 + 15 mm above and 1.5 + 4 mm below.
    assert sorted(np.round(heights, 6)) == [-3.0, 0.0, 3.0, 6.0, 9.0, 12.0, 15.0]
    assert ctv.measured is not None
    assert ctv.measured.as_tuple() == pytest.approx(margin.as_tuple(), abs=0.1)


def test_body_barrier_keeps_the_ctv_out_of_air_but_not_the_ptv() -> None:
    grid = grid_of()
    voxels = np.zeros(grid.shape, dtype=bool)
    columns = grid.to_patient(np.array([[i, 0, 0] for i in range(grid.size[0])]))[:, 0]
    voxels[:, :, columns < 33.0] = True
    edge = columns[columns < 33.0].max() + grid.spacing_mm[0] / 2
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 18)}])
    targets = build_ifi(
        case, plan=plan_of(barriers=(BODY_BARRIER,)), organs={"body": Mask(grid=grid, voxels=voxels)}
    )
    assert targets["CTV"].contours.sections[14].bounds[2] == pytest.approx(edge, abs=0.05)
    assert targets["PTV"].contours.sections[14].bounds[2] == pytest.approx(edge + 5, abs=0.1)
    assert targets["PGTV"].contours.sections[14].bounds[2] == pytest.approx(35, abs=0.05)
    assert [f.code for f in targets.findings] == ["CTV_CUT_BY_BARRIER"]
    ctv = targets["CTV"]
    assert ctv.uncut_volume_cc is not None
    assert ctv.uncut_volume_cc > ctv.contours.volume_cc + 1.0
    assert ctv.measured is not None
    assert ctv.measured.left == pytest.approx(7.0, abs=0.1)


@pytest.mark.slow
def test_an_organ_barrier_takes_its_part_but_never_the_gtv() -> None:
    grid = grid_of()
    voxels = np.zeros(grid.shape, dtype=bool)
    columns = grid.to_patient(np.array([[i, 0, 0] for i in range(grid.size[0])]))[:, 0]
    voxels[:, :, columns > 25.0] = True
    edge = columns[columns > 25.0].min() - grid.spacing_mm[0] / 2
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 18)}])
    for overlap in (0.0, 2.0):
        lung = Barrier(structure="lung", overlap_mm=overlap, on=True, source="C")
        targets = build_ifi(
            case, plan=plan_of(barriers=(lung,)), organs={"lung": Mask(grid=grid, voxels=voxels)}
        )
        section = targets["CTV"].contours.sections[14]
        drawn = case.lesions[0].contours.sections[14]
        assert drawn.difference(section).area < 0.01
        assert section.bounds[2] == pytest.approx(30.0, abs=0.1)
        # Beyond the GTV's own height the barrier's edge, moved by the overlap, is the limit.
        above_gtv = targets["CTV"].contours.sections[20]
        assert above_gtv.bounds[2] == pytest.approx(edge + overlap, abs=0.15)


def test_a_barrier_without_its_structure_is_told() -> None:
    case = case_of(grid_of(), [{14: disc(20, -35, 10)}])
    targets = build_ifi(case, plan=plan_of(barriers=(BODY_BARRIER,)), organs={})
    assert [f.code for f in targets.findings] == ["BARRIER_NOT_APPLIED"]
    assert "body" in targets.findings[0].message


@pytest.mark.parametrize("position, end", [("HFS", "upper"), ("FFS", "lower")])
def test_what_the_scans_end_cuts_stands_in_the_target(position: str, end: str) -> None:
    grid = grid_of(position)
    last = grid.size[2] - 1
    case = case_of(grid, [{last - 1: disc(20, -35, 10), last: disc(20, -35, 10)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    # 5, 12.5 and 17.5 mm past half a slice of 1.5 mm hold 2, 4 and 6 planes of 3 mm.
    for name, slices in (("PGTV", 2), ("CTV", 4), ("PTV", 6)):
        (past,) = targets[name].changes.past_ends
        assert (past.end, past.slices) == (end, slices)
        contours = targets[name].contours
        assert past.volume_cc == pytest.approx(targets[name].uncut_volume_cc - contours.volume_cc, rel=1e-6)
    pgtv = targets["PGTV"]
    assert pgtv.contours.slices[-1] == last
    assert pgtv.uncut_volume_cc is not None
    # Both ends are alike: what is cut above equals what stands below the lesion.
    kept_below = sum(s.area for k, s in pgtv.contours.sections.items() if k < last - 1)
    lost = pgtv.uncut_volume_cc - pgtv.contours.volume_cc
    assert lost == pytest.approx(kept_below * 3.0 / 1000, rel=1e-3)


def test_what_the_image_edge_cuts_stands_in_the_target() -> None:
    grid = grid_of(centre=(20.0, -35.0, 112.0))
    edge = 20.0 + 40 * 1.2
    case = case_of(grid, [{14: disc(edge - 12, -35, 10)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    assert targets["PTV"].contours.sections[14].bounds[2] == pytest.approx(edge, abs=1e-6)
    outside = {name: targets[name].changes.outside_image_cc for name in ("PGTV", "CTV", "PTV")}
    for name, cc in outside.items():
        assert cc == pytest.approx(targets[name].uncut_volume_cc - targets[name].contours.volume_cc)
    assert 0.1 < outside["PGTV"] < outside["CTV"] < outside["PTV"]
    inside = build_ifi(case_of(grid, [{14: disc(20, -35, 10)}]), plan=plan_of(), organs={})
    assert {inside[name].changes for name in outside} == {Changes()}


def test_several_lesions_become_one_roi_and_holes_between_are_filled() -> None:
    grid = grid_of()
    ring = disc(20, -35, 20).difference(disc(20, -35, 14))
    halves = [
        MultiPolygon([ring.intersection(box(-20, -80, 20, 0))]),
        MultiPolygon([ring.intersection(box(20, -80, 60, 0))]),
    ]
    case = case_of(grid, [{14: halves[0]}, {14: halves[1]}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    for name in ("PGTV", "CTV", "PTV"):
        section = targets[name].contours.sections[14]
        assert len(section.geoms) == 1
        assert not section.geoms[0].interiors
    # On the slice itself the inner radius of 14 mm leaves 9, 7 and 2 mm; beside it more is left open.
    holes = {name: targets[name].changes.filled_cc for name in ("PGTV", "CTV", "PTV")}
    least = {"PGTV": 9.0, "CTV": 7.0, "PTV": 2.0}
    assert all(holes[name] > math.pi * radius**2 * 3.0 / 1000 for name, radius in least.items())
    # Filled holes are no cut; the image's edge takes some of the PTV.
    for name in ("PGTV", "CTV"):
        assert targets[name].uncut_volume_cc == pytest.approx(targets[name].contours.volume_cc, rel=1e-6)


def test_a_ptv_holds_its_ctv_with_the_holes_that_were_filled_there() -> None:
    grid = grid_of()
    ring = disc(20, -35, 24).difference(disc(20, -35, 18))
    case = case_of(grid, [dict.fromkeys(range(10, 20), as_multipolygon(ring))])
    targets = build_ifi(case, plan=plan_of(fill_ptv_holes=False), organs={})
    for k, section in targets["CTV"].contours.sections.items():
        assert targets["PTV"].contours.sections[k].covers(section)
    filled = {f.where: f.severity for f in check_targets(case, targets) if f.code == "HOLES_FILLED"}
    assert filled == {"ifi.PGTV": Severity.WARNING, "ifi.CTV": Severity.WARNING}


# A spur thinner than the lattice of a large lesion: grown from the lattice alone it would have no margin.
@pytest.mark.slow
@pytest.mark.parametrize("width", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("shift", [0.0, 0.37])
def test_a_thin_spur_gets_its_margin(width: float, shift: float) -> None:
    grid = grid_of(size=(160, 120, 30))
    spur = box(20, -35 + shift, 20 + 41 + 14, -35 + shift + width)
    drawn = as_multipolygon(disc(20, -35, 41).union(spur))
    case = case_of(grid, [dict.fromkeys(range(13, 17), drawn)])
    targets = build_ifi(case, plan=plan_of(), organs={})
    for name, mm in (("PGTV", 5.0), ("CTV", 7.0)):
        section = targets[name].contours.sections[15]
        truth = drawn.buffer(mm, quad_segs=32)
        assert section.buffer(0.3).covers(truth), "never too narrow"
        assert outline_distance(section, truth) < 0.8
        assert section.area == pytest.approx(truth.area, rel=0.005)
    assert check_targets(case, targets) == ()


@pytest.mark.slow
def test_the_sum_over_lesions_and_the_least_of_their_margins() -> None:
    grid = grid_of()
    voxels = np.zeros(grid.shape, dtype=bool)
    columns = grid.to_patient(np.array([[i, 0, 0] for i in range(grid.size[0])]))[:, 0]
    voxels[:, :, columns < 33.0] = True
    near, far = {k: disc(24, -35, 8) for k in range(12, 18)}, {k: disc(-10, -35, 5) for k in range(12, 15)}
    body = {"body": Mask(grid=grid, voxels=voxels)}
    plan = plan_of(barriers=(BODY_BARRIER,))
    alone = build_ifi(case_of(grid, [near]), plan=plan, organs=body)
    both = build_ifi(case_of(grid, [near, near, far]), plan=plan, organs=body)
    (one,), (three,) = (
        [f.message for f in targets.findings if f.code == "CTV_CUT_BY_BARRIER"] for targets in (alone, both)
    )
    taken = [float(message.split("took ")[1].split(" cc")[0]) for message in (one, three)]
    assert taken[1] == pytest.approx(2 * taken[0], abs=0.02)
    assert both["CTV"].measured is not None
    assert both["CTV"].measured.as_tuple() == pytest.approx(plan.ctv.as_tuple(), abs=0.05)


@pytest.mark.slow
def test_what_a_barrier_takes_is_told_the_louder_the_more_it_is() -> None:
    grid = grid_of()
    columns = grid.to_patient(np.array([[i, 0, 0] for i in range(grid.size[0])]))[:, 0]
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 18)}])
    found = []
    for edge in (34.0, 30.0, 15.0):
        voxels = np.zeros(grid.shape, dtype=bool)
        voxels[:, :, columns < edge] = True
        body = {"body": Mask(grid=grid, voxels=voxels)}
        targets = build_ifi(case, plan=plan_of(barriers=(BODY_BARRIER,)), organs=body)
        found += [f.severity for f in targets.findings if f.code == "CTV_CUT_BY_BARRIER"]
    assert found == [Severity.INFO, Severity.WARNING, Severity.STOP]


def test_the_ptv_grows_from_a_ctv_that_holds_the_gtv_in_a_barrier() -> None:
    grid = grid_of()
    nothing = {"body": Mask(grid=grid, voxels=np.zeros(grid.shape, dtype=bool))}
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 18)}])
    targets = build_ifi(case, plan=plan_of(barriers=(BODY_BARRIER,)), organs=nothing)
    # All is barrier: the CTV is the GTV, and the PTV the GTV and 5 mm.
    assert targets["CTV"].contours.sections[14].area == pytest.approx(math.pi * 100, rel=0.01)
    assert targets["PTV"].contours.sections[14].area == pytest.approx(math.pi * 225, rel=0.01)


def test_a_barrier_between_slices_is_half_way_between_their_outlines() -> None:
    grid = grid_of()
    columns = grid.to_patient(np.array([[i, 0, 0] for i in range(grid.size[0])]))[:, 0]
    voxels = np.zeros(grid.shape, dtype=bool)
    voxels[:, :, columns < 30.0] = True
    voxels[15:, :, columns < 24.0] = True
    voxels[15:, :, columns >= 24.0] = False
    gtv = solid_from_contours(case_of(grid, [{k: disc(20, -35, 3) for k in (14, 15)}]).lesions[0].contours)
    ctv = expand(gtv, Margin.uniform(15.0))
    cut = cut_at(ctv, gtv, BODY_BARRIER, Mask(grid=grid, voxels=voxels))
    steps = ctv.lattice.steps_per_slice
    low, high = (ctv.lattice.plane_of_slice(k) for k in (14, 15))
    edges = [cut.section(plane).bounds[2] for plane in (low, (low + high) // 2, high)]
    assert steps >= 2
    assert edges[1] == pytest.approx((edges[0] + edges[2]) / 2, abs=0.3)


def test_a_barrier_on_another_grid_is_refused() -> None:
    grid, other = grid_of(), grid_of(centre=(0, 0, 30))
    gtv = solid_from_contours(case_of(grid, [{14: disc(20, -35, 10)}]).lesions[0].contours)
    mask = Mask(grid=other, voxels=np.ones(other.shape, dtype=bool))
    with pytest.raises(GeometryError, match="barrier lies on another grid"):
        cut_at(gtv, gtv, BODY_BARRIER, mask)


@pytest.mark.slow
def test_a_hole_that_a_barrier_makes_stays() -> None:
    grid = grid_of()
    voxels = np.zeros(grid.shape, dtype=bool)
    voxels[:, 30:34, 38:42] = True
    case = case_of(
        grid, [{k: disc(20, -50, 10) for k in range(14, 16)}, {k: disc(20, -20, 10) for k in range(14, 16)}]
    )
    airway = Barrier(structure="airway", overlap_mm=0.0, on=True, source="C")
    plan = plan_of(ctv=Margin.uniform(12.0), barriers=(airway,))
    targets = build_ifi(case, plan=plan, organs={"airway": Mask(grid=grid, voxels=voxels)})
    (part,) = targets["CTV"].contours.sections[14].geoms
    assert len(part.interiors) == 1
