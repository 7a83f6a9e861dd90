from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, box

from pipeline.review.planes import Cut, axial, coronal, in_patient_order, sagittal
from tests.cases import POSITIONS, disc
from tests.review.scenes import CENTRE, RED, overlay, patient_grid, sections, stack, volume_of

U, V, W = CENTRE
# A ball off the middle towards each side, LPS.
BALLS = {
    "R": (U - 40, V, W),
    "L": (U + 40, V, W),
    "A": (U, V - 25, W),
    "P": (U, V + 25, W),
    "S": (U, V, W + 42),
    "I": (U, V, W - 42),
}


def brightest_at(cut: Cut) -> tuple[float, float]:
    """Screen mm of the middle of what is bright."""
    rows, columns = np.nonzero(cut.hu > 0)
    return (
        cut.first_mm[0] + columns.mean() * cut.step_mm[0],
        cut.first_mm[1] + rows.mean() * cut.step_mm[1],
    )


@pytest.mark.parametrize("position", POSITIONS)
class TestLaterality:
    @pytest.mark.parametrize("side", "RLAP")
    def test_axial_is_seen_from_the_feet(self, position, side):
        grid, _ = patient_grid(position)
        scan = in_patient_order(volume_of(grid, [BALLS[side]]))
        k = int(np.abs(grid.plane_positions_mm - W).argmin())
        cut = axial(scan, [], k)
        x, y = brightest_at(cut)
        middle = np.array(cut.hu.shape) / 2
        rows, columns = np.nonzero(cut.hu > 0)
        seen = {
            "R": columns.max() < middle[1],
            "L": columns.min() > middle[1],
            "A": rows.max() < middle[0],
            "P": rows.min() > middle[0],
        }
        assert seen[side]
        assert (x, y) == pytest.approx(BALLS[side][:2], abs=0.6)
        assert cut.edges == "RLAP"
        assert cut.hu.shape == (80, 96)

    @pytest.mark.parametrize("side", "RLSI")
    def test_coronal_is_seen_from_the_front(self, position, side):
        grid, _ = patient_grid(position)
        cut = coronal(in_patient_order(volume_of(grid, [BALLS[side]])), [], V)
        x, y = brightest_at(cut)
        middle = np.array(cut.hu.shape) / 2
        rows, columns = np.nonzero(cut.hu > 0)
        seen = {
            "R": columns.max() < middle[1],
            "L": columns.min() > middle[1],
            "S": rows.max() < middle[0],
            "I": rows.min() > middle[0],
        }
        assert seen[side]
        assert (x, -y) == pytest.approx((BALLS[side][0], BALLS[side][2]), abs=1.5)
        assert cut.edges == "RLSI"
        assert cut.hu.shape == (40, 96)

    @pytest.mark.parametrize("side", "APSI")
    def test_sagittal_is_seen_from_the_left(self, position, side):
        grid, _ = patient_grid(position)
        cut = sagittal(in_patient_order(volume_of(grid, [BALLS[side]])), [], U)
        x, y = brightest_at(cut)
        middle = np.array(cut.hu.shape) / 2
        rows, columns = np.nonzero(cut.hu > 0)
        seen = {
            "A": columns.max() < middle[1],
            "P": columns.min() > middle[1],
            "S": rows.max() < middle[0],
            "I": rows.min() > middle[0],
        }
        assert seen[side]
        assert (x, -y) == pytest.approx((BALLS[side][1], BALLS[side][2]), abs=1.5)
        assert cut.edges == "APSI"
        assert cut.hu.shape == (40, 80)

    def test_levels_agree_with_the_grid(self, position):
        grid, low = patient_grid(position)
        scan = in_patient_order(volume_of(grid, []))
        assert [scan.level_mm(k) for k in range(grid.size[2])] == pytest.approx(grid.plane_positions_mm)
        assert scan.first_mm == pytest.approx(low)
        assert scan.step_mm == (1.2, 0.9, 3.0)

    def test_contours_of_a_slice_go_with_its_pixels(self, position):
        grid, _ = patient_grid(position)
        ball = (U + 20, V - 15, W + 30)
        k = int(np.abs(grid.plane_positions_mm - ball[2]).argmin())
        contours = sections(grid, {k: disc(ball[0], ball[1], 6)})
        scan = in_patient_order(volume_of(grid, [ball]))
        cut = axial(scan, [overlay("GTV-T", contours, RED)], k)
        centre = cut.outlines[0].centroid
        assert brightest_at(cut) == pytest.approx((centre.x, centre.y), abs=0.6)
        assert axial(scan, [overlay("GTV-T", contours, RED)], k - 1).outlines[0].is_empty


def test_turning_copies_no_voxel():
    grid, _ = patient_grid("FFP")
    volume = volume_of(grid, [])
    assert np.shares_memory(in_patient_order(volume).hu, volume.hu)


def test_captions_tell_the_position():
    grid, low = patient_grid()
    scan = in_patient_order(volume_of(grid, []))
    assert axial(scan, [], 2).caption == f"axial  z {low[2] + 6:.1f} mm"
    assert coronal(scan, [], -12.34).caption == "coronal  y -12.3 mm"
    assert sagittal(scan, [], 7.0).caption == "sagittal  x 7.0 mm"


def test_ct_is_linear_between_the_rows():
    grid, low = patient_grid()
    volume = volume_of(grid, [])
    hu = volume.hu.copy()
    hu[:, 10], hu[:, 11] = 0, 100
    scan = in_patient_order(type(volume)(grid=grid, hu=hu))
    assert coronal(scan, [], low[1] + 10.25 * 0.9).hu == pytest.approx(25, abs=1e-3)
    assert (coronal(scan, [], low[1] - 500).hu == -1000).all(), "beyond the scan: its end plane"


@pytest.mark.parametrize("position", ["HFS", "FFP", "HFDL"])
class TestSlabs:
    def test_a_box_is_a_rectangle_with_half_a_slice_beyond_its_ends(self, position):
        grid, low = patient_grid(position)
        bottom, top = low[2] + 15, low[2] + 30
        contours = stack(grid, MultiPolygon([box(0, -50, 30, -20)]), low=bottom - 1, high=top + 1)
        scan = in_patient_order(volume_of(grid, []))
        front = coronal(scan, [overlay("CTV", contours, RED)], -35.0).outlines[0]
        side = sagittal(scan, [overlay("CTV", contours, RED)], 10.0).outlines[0]
        assert front.equals(box(0, -top - 1.5, 30, -bottom + 1.5)) or front.hausdorff_distance(
            box(0, -top - 1.5, 30, -bottom + 1.5)
        ) == pytest.approx(0, abs=1e-9)
        assert side.hausdorff_distance(box(-50, -top - 1.5, -20, -bottom + 1.5)) < 1e-9
        assert front.geom_type == "Polygon", "slabs of neighbouring slices leave no seam"
        assert not front.interiors

    def test_a_missing_slice_is_a_gap(self, position):
        grid, _ = patient_grid(position)
        contours = sections(grid, {k: disc(U, V, 10) for k in (10, 11, 13)})
        scan = in_patient_order(volume_of(grid, []))
        cut = coronal(scan, [overlay("GTV-T", contours, RED)], V)
        assert len(shapely.get_parts(cut.outlines[0])) == 2

    def test_holes_and_parts_are_cut(self, position):
        grid, _ = patient_grid(position)
        ring = Point(U, V).buffer(20).difference(Point(U, V).buffer(8))
        contours = sections(grid, {12: MultiPolygon([ring, box(U + 25, V - 5, U + 30, V + 5)])})
        scan = in_patient_order(volume_of(grid, []))
        parts = shapely.get_parts(coronal(scan, [overlay("PTV", contours, RED)], V).outlines[0])
        spans = sorted((part.bounds[0] - U, part.bounds[2] - U) for part in parts)
        assert np.array(spans) == pytest.approx(np.array([(-20, -8), (8, 20), (25, 30)]))

    def test_a_plane_beside_cuts_nothing_but_the_shadow_stays(self, position):
        grid, _ = patient_grid(position)
        contours = sections(grid, {12: disc(U, V, 10)})
        scan = in_patient_order(volume_of(grid, []))
        drawn = [overlay("PTV", contours, RED), overlay("CTV", sections(grid, {}), RED)]
        beside = coronal(scan, drawn, V + 15).outlines
        touching = coronal(scan, drawn, V + 10).outlines
        assert all(outline.is_empty for outline in (*beside, *touching))
        shadow = coronal(scan, drawn, V + 15, projected=True).outlines[0]
        assert shadow.bounds[0::2] == pytest.approx((U - 10, U + 10))


@given(
    st.lists(st.tuples(st.integers(8, 20), st.floats(-15, 15), st.floats(2, 12)), min_size=1, max_size=6),
    st.floats(-14, 14),
)
def test_area_of_the_cut_is_chords_times_spacing(discs, offset):
    grid, _ = patient_grid("FFS")
    merged: dict[int, MultiPolygon] = {}
    for k, shift, radius in discs:
        union = shapely.union(merged.get(k, MultiPolygon()), disc(U + shift, V, radius))
        merged[k] = MultiPolygon(shapely.get_parts(union).tolist())
    line = shapely.linestrings([(U - 200, V + offset), (U + 200, V + offset)])
    chords = sum(section.intersection(line).length for section in merged.values())
    scan = in_patient_order(volume_of(grid, []))
    cut = coronal(scan, [overlay("CTV", sections(grid, merged), RED)], V + offset)
    assert cut.outlines[0].area == pytest.approx(3.0 * chords, abs=1e-6)
