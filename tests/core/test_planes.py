"""Structures drawn on uneven planes, on the planes of a grid: by hand."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon, box

from pipeline.core.grid import Grid
from pipeline.core.planes import ScannedPlanes, resliced

# Heights 0, 3, 5, 9, 12, ...: gaps of 3, 2 and 4.
HEIGHTS = np.array([0.0, 3.0, 5.0, 9.0, 12.0, 15.0, 18.0, 21.0, 24.0, 27.0])
PLANES = ScannedPlanes(
    origins_mm=np.column_stack([np.full(10, -40.0), np.full(10, 10.0), HEIGHTS]),
    row=np.array([1.0, 0.0, 0.0]),
    column=np.array([0.0, 1.0, 0.0]),
)
GRID = Grid(
    size=(60, 50, 28),
    spacing_mm=(1.0, 1.2, 1.0),
    origin_mm=(-40.0, 10.0, 0.0),
    direction=(1, 0, 0, 0, 1, 0, 0, 0, 1),
)


def square(width: float, at: float = 30.0) -> MultiPolygon:
    """About (at, 25) in the plane: u = at - 40, v = 35."""
    half = width / 2
    return MultiPolygon([box(at - half, 25 - half, at + half, 25 + half)])


def widths(sections: dict[int, MultiPolygon]) -> dict[int, float]:
    return {k: round(section.area**0.5, 1) for k, section in sections.items()}


def test_between_planes_the_outline_moves_evenly() -> None:
    """20 mm wide at height 5, 12 at 9: 2 mm less for every mm; flat ends of 1 and 1.5 mm."""
    found = resliced({2: square(20), 3: square(12)}, PLANES, GRID)
    assert widths(found) == pytest.approx({4: 20, 5: 20, 6: 18, 7: 16, 8: 14, 9: 12, 10: 12}, abs=0.15)
    # As drawn where a plane is one of the grid's: corner for corner.
    assert shapely.equals(found[5], shapely.transform(square(20), lambda p: p + np.array([-40, 10])))


def test_parts_without_counterpart_go_on_for_half_of_the_way() -> None:
    found = resliced({3: square(12, at=20), 4: square(12, at=40)}, PLANES, GRID)
    middles = {k: round(section.centroid.x) for k, section in found.items()}
    assert middles == {7: -20, 8: -20, 9: -20, 10: -20, 11: 0, 12: 0, 13: 0}


def test_planes_too_far_apart_are_not_bridged() -> None:
    found = resliced({1: square(10), 7: square(10)}, PLANES, GRID)
    assert set(found) == {2, 3, 4, 20, 21, 22}


def test_a_lost_plane_is_bridged() -> None:
    found = resliced({4: square(10), 6: square(10)}, PLANES, GRID)
    assert {13, 14, 16, 17} <= set(found)
    assert 15 not in found, "a plane of the series on which nothing was drawn stays as it was drawn"


def test_nothing_drawn_is_nothing() -> None:
    assert resliced({}, PLANES, GRID) == {}


def test_places_turn_back_to_the_patient() -> None:
    points = np.array([[-37.0, 12.0, 3.0], [5.0, 40.0, 7.0], [0.0, 30.0, 27.0]])
    placed = PLANES.place(points)
    assert placed[:, 2] == pytest.approx(points[:, 2])
    assert PLANES.to_patient(1, placed[:1, :2]) == pytest.approx(points[:1])
