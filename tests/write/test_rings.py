"""Polygons to rings: nothing moves further, and nothing is lost or left, than is told."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from pipeline.core.contour import Contours
from pipeline.write.rings import nested_rings, thinned, tidied
from tests.write.samples import disc, make_grid, ring

GRID = make_grid()


def on(sections: dict[int, object]) -> Contours:
    return Contours(grid=GRID, sections=sections)


def tidy_one(polygon: Polygon) -> MultiPolygon:
    (section,) = tidied(on({4: polygon})).contours.sections.values()
    return section


def test_collinear_points_go_and_corners_stay_wherever_the_ring_begins():
    corners = [(0, 0), (10, 0), (10, 10), (0, 10)]
    midway = [(5, 0), (7, 0), (10, 0), (10, 5), (10, 10), (5, 10), (0, 10), (0, 5), (0, 0), (2, 0)]
    (found,) = nested_rings(tidied(on({4: Polygon(midway)})).contours)
    assert sorted(map(tuple, found.points.tolist())) == sorted(corners)


def test_a_ring_does_not_repeat_its_first_point():
    (found,) = nested_rings(on({4: box(0, 0, 10, 10)}))
    assert len(found.points) == 4
    assert len(np.unique(found.points, axis=0)) == 4


def test_outer_rings_run_one_way_and_holes_the_other_outer_first():
    rings = [found for found in nested_rings(ring(GRID)) if found.k == 3]
    signed = [Polygon(found.points).exterior.is_ccw for found in rings]
    areas = [round(Polygon(found.points).area) for found in rings]
    assert sorted(zip(areas, signed, strict=True)) == [(113, True), (707, False), (1809, True)]
    assert areas.index(1809) + 1 == areas.index(707)


@given(
    radius=st.floats(1.0, 80.0),
    waves=st.integers(0, 9),
    depth=st.floats(0.0, 0.2),
    points=st.integers(12, 700),
)
def test_thinning_stays_inside_its_bounds(radius, waves, depth, points):
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    r = radius * (1 + depth * np.sin(waves * angle))
    before = Polygon(np.column_stack([r * np.cos(angle), r * np.sin(angle)]))
    (after,) = thinned(np.array([before]))
    assert after.is_valid
    assert abs(after.area - before.area) <= 0.0005 * before.area + 0.0005 * before.length
    assert shapely.hausdorff_distance(before.exterior, after.exterior, densify=0.05) <= 0.05 + 1e-6
    assert shapely.get_num_coordinates(after) <= shapely.get_num_coordinates(before)


def test_a_smooth_outline_loses_most_of_its_points():
    before = disc(0, 0, 30)
    after = tidy_one(before)
    assert shapely.get_num_coordinates(after) < 0.7 * shapely.get_num_coordinates(before)


def test_coordinates_are_whole_micrometres():
    points = shapely.get_coordinates(tidy_one(disc(0.12345, -7.65432, 11.1)))
    assert np.abs(points * 1000 - np.round(points * 1000)).max() < 1e-6


@pytest.mark.parametrize("side, is_kept", [(1.4, False), (1.45, True)])
def test_a_speck_beside_a_part_is_dropped_and_told(side, is_kept):
    section = MultiPolygon([box(0, 0, 20, 20), box(30, 0, 30 + side, side)])
    found = tidied(on({3: section, 4: box(0, 0, 20, 20)}))
    assert len(found.contours.sections[3].geoms) == (2 if is_kept else 1)
    assert found.dropped_slices == (() if is_kept else (3,))
    assert found.dropped_mm2 == pytest.approx(0 if is_kept else side**2, abs=0.01)


def test_a_speck_that_bridges_a_gap_stays_and_one_at_the_end_goes():
    speck, block = box(0, 0, 1, 1), box(0, 0, 20, 20)
    found = tidied(on({3: speck, 4: block, 5: speck, 6: block}))
    assert found.contours.slices == (4, 5, 6)
    assert found.dropped_slices == (3,)


def test_an_outline_that_rounding_makes_cross_itself_is_written_valid():
    # A neck of 0.0004 mm: both its sides round to one line.
    neck = Polygon(
        [
            *[(0, 0), (10, 0), (10, 4.9998), (20, 4.9998), (20, 0), (30, 0), (30, 10), (20, 10)],
            *[(20, 5.0002), (10, 5.0002), (10, 10), (0, 10)],
        ]
    )
    section = tidy_one(neck)
    assert section.is_valid
    assert section.area == pytest.approx(neck.area, abs=0.02)


def test_an_empty_structure_stays_empty():
    assert tidied(on({})).contours.is_empty


@pytest.mark.parametrize("gap", [0.02, 0.006, 0.002])
def test_parts_that_run_along_each_other_stay_a_valid_section(gap):
    # Thinned and rounded one by one, such outlines cross.
    whole = disc(10, 10, 30)
    section = MultiPolygon([whole.difference(disc(10, 10, 20)), disc(10, 10, 20 - gap)])
    found = tidied(on({4: section})).contours.sections[4]
    assert found.is_valid
    assert found.area == pytest.approx(section.area, rel=0.001)
