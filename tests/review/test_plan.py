from __future__ import annotations

import pytest
from shapely.geometry import MultiPolygon, Point, box

from pipeline.core.errors import GeometryError
from pipeline.review.plan import SURROUND_MM, WIDEST_MM, part_around, plan_view
from pipeline.review.planes import in_patient_order
from tests.cases import disc
from tests.review.scenes import CENTRE, GREEN, RED, lesion, overlay, patient_grid, sections, volume_of

U, V, W = CENTRE


@pytest.fixture(params=["HFS", "FFS"])
def grid(request):
    return patient_grid(request.param)[0]


def scan_of(grid):
    return in_patient_order(volume_of(grid, []))


def test_levels_are_the_ends_of_lesion_and_outermost_target(grid):
    scan = scan_of(grid)
    gtv = sections(grid, {k: disc(U, V, r) for k, r in ((14, 5), (15, 9), (16, 8), (17, 5))})
    ctv = sections(grid, {k: disc(U, V, 15) for k in range(11, 22)})
    ptv = sections(grid, {k: disc(U, V, 20) for k in range(9, 24)})
    drawn = [overlay("GTV-T", gtv, RED), overlay("CTV", ctv, RED), overlay("PTV", ptv, GREEN)]
    view = plan_view(scan, lesion(gtv), drawn, tiles=4)
    assert (view.middle.k, view.middle.why) == (15, "largest section of GTV-T")
    head_first = {True: (23, 17, 14, 9), False: (9, 14, 17, 23)}[scan.feet_first]
    assert tuple(level.k for level in view.levels) == head_first
    assert [level.why for level in view.levels] == [
        "top of PTV",
        "top of GTV-T",
        "bottom of GTV-T",
        "bottom of PTV",
    ]


def test_one_slice_lesion_fills_the_tiles_with_slices_between(grid):
    gtv = sections(grid, {15: disc(U, V, 5)})
    ptv = sections(grid, {k: disc(U, V, 12) for k in range(11, 20)})
    view = plan_view(scan_of(grid), lesion(gtv), [overlay("PTV", ptv, GREEN)], tiles=4)
    assert view.middle.k == 15
    assert sorted(level.k for level in view.levels) == [11, 13, 17, 19]
    assert {level.why for level in view.levels} == {"top of PTV", "between", "bottom of PTV"}


def test_one_slice_lesion_alone_has_its_one_slice(grid):
    gtv = sections(grid, {15: disc(U, V, 5)})
    view = plan_view(scan_of(grid), lesion(gtv), [], tiles=4)
    assert view.levels == ()
    assert view.centre_mm == pytest.approx((U, V, grid.plane_positions_mm[15]))


def test_region_is_the_targets_of_this_lesion_and_their_surroundings(grid):
    gtv = sections(grid, {15: disc(U, V, 5)})
    # The PTV has a second part that belongs to another lesion.
    ptv = sections(
        grid,
        {
            15: MultiPolygon([*disc(U, V, 10).geoms, *disc(U - 45, V, 8).geoms]),
            16: disc(U - 45, V, 8),
        },
    )
    view = plan_view(scan_of(grid), lesion(gtv), [overlay("PTV", ptv, GREEN)], tiles=4)
    assert view.low_mm[:2] == pytest.approx((U - 10 - SURROUND_MM, V - 10 - SURROUND_MM))
    assert view.high_mm[:2] == pytest.approx((U + 10 + SURROUND_MM, V + 10 + SURROUND_MM))
    level = grid.plane_positions_mm[15]
    assert (view.low_mm[2], view.high_mm[2]) == pytest.approx((level - SURROUND_MM, level + SURROUND_MM))


def test_region_stays_near_the_lesion_when_a_target_is_very_wide(grid):
    gtv = sections(grid, {15: disc(U, V, 5)})
    wide = sections(grid, {15: MultiPolygon([box(U - 400, V - 10, U + 100, V + 10)])})
    view = plan_view(scan_of(grid), lesion(gtv), [overlay("CTV", wide, GREEN)], tiles=4)
    assert (view.low_mm[0], view.high_mm[0]) == pytest.approx((U - WIDEST_MM / 2, U + WIDEST_MM / 2))


def test_of_sections_as_large_the_middle_one_is_shown(grid):
    scan = scan_of(grid)
    gtv = sections(grid, {k: disc(U, V, 6) for k in range(10, 16)})
    assert scan.layer(plan_view(scan, lesion(gtv), [], tiles=4).middle.k) == max(map(scan.layer, (12, 13)))


def test_planes_go_through_the_centre_of_mass(grid):
    gtv = sections(grid, {15: disc(U, V, 10), 16: disc(U + 6, V, 5)})
    view = plan_view(scan_of(grid), lesion(gtv), [], tiles=4)
    spacing = grid.plane_positions_mm[16] - grid.plane_positions_mm[15]
    expected = (U + 6 / 5, V, grid.plane_positions_mm[15] + spacing / 5)
    assert view.centre_mm == pytest.approx(expected)


def test_planes_go_through_a_hollow_lesion_not_its_hole(grid):
    ring = Point(U, V).buffer(20).difference(Point(U, V).buffer(15))
    view = plan_view(scan_of(grid), lesion(sections(grid, {15: MultiPolygon([ring])})), [], tiles=4)
    assert ring.contains(Point(view.centre_mm[:2]))


def test_a_lesion_without_contours_is_refused(grid):
    with pytest.raises(GeometryError, match="lesion without contours cannot be pictured; where: GTV-T"):
        plan_view(scan_of(grid), lesion(sections(grid, {})), [], tiles=4)


def test_a_part_is_followed_from_slice_to_slice(grid):
    seed = sections(grid, {10: disc(U, V, 3)})
    drift = {k: disc(U + 4 * (k - 10), V, 5) for k in range(8, 14)}
    drift[15] = disc(U + 20, V, 5)  # after a gap: no longer the same part
    part = part_around(sections(grid, drift), seed)
    assert sorted(part) == [8, 9, 10, 11, 12, 13]
    assert part_around(sections(grid, {10: disc(U + 60, V, 3)}), seed) == {}
    assert part_around(sections(grid, {}), seed) == {}
