"""Unions, cuts and heights of volumes that are held as sections."""

from __future__ import annotations

import pytest
from shapely.geometry import MultiPolygon, box

from pipeline.targets.sections import between, bounds_of, common, extent, height, joined, volume_cc, without
from tests.cases import POSITIONS, grid_of

ONE = MultiPolygon([box(0, 0, 10, 10)])
OTHER = MultiPolygon([box(5, 0, 20, 10)])


def test_union_intersection_and_difference_by_hand() -> None:
    one, other = {1: ONE, 2: ONE}, {2: OTHER, 3: OTHER}
    assert {k: s.area for k, s in joined([one, other]).items()} == {1: 100, 2: 200, 3: 150}
    assert {k: s.area for k, s in common(one, other).items()} == {2: 50}
    assert {k: s.area for k, s in without(one, other).items()} == {1: 100, 2: 50}
    assert joined([]) == {}


def test_what_nothing_is_left_of_is_no_section() -> None:
    away = {2: MultiPolygon([box(50, 50, 60, 60)])}
    assert common({2: ONE}, away) == {}
    assert without({2: ONE}, {2: ONE}) == {}
    assert common({2: ONE}, {2: MultiPolygon([box(10, 0, 20, 10)])}) == {}, "a common edge is no area"


@pytest.mark.parametrize("position", POSITIONS)
def test_heights_go_on_beyond_the_scan_whatever_the_storage(position: str) -> None:
    grid = grid_of(position, size=(20, 20, 11), centre=(0, 0, 100))
    up = 1 if POSITIONS[position][8] > 0 else -1
    assert height(grid, 5) == pytest.approx(100)
    assert height(grid, 5 + 3 * up) == pytest.approx(109)
    assert height(grid, 5 + 20 * up) == pytest.approx(160)
    sections = {5 + n * up: ONE for n in range(-2, 3)}
    assert extent(sections, grid) == pytest.approx((94, 106))
    # Levels on a plane count as inside; a hair off they do not.
    kept = between(sections, grid, 97.0, 103.0)
    assert sorted(height(grid, k) for k in kept) == pytest.approx([97, 100, 103])
    assert len(between(sections, grid, 97.01, 102.99)) == 1
    assert between(sections, grid, 103.0, 97.0) == {}


def test_volume_bounds_and_nothing() -> None:
    grid = grid_of(spacing=(1.0, 1.0, 2.5))
    sections = {1: ONE, 7: OTHER}
    assert volume_cc(sections, grid) == pytest.approx(250 * 2.5 / 1000)
    assert bounds_of(sections) == (0, 0, 20, 10)
    assert volume_cc({}, grid) == 0.0
    assert extent({}, grid) is None
