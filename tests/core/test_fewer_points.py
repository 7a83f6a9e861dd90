"""Outlines with fewer points."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.fewer_points import simplified
from tests import oracles


def test_points_on_a_line_go() -> None:
    square = shapely.box(0, 0, 4, 4).segmentize(0.5)
    assert len(square.exterior.coords) == 33
    thin = simplified(square, 0.01)
    assert thin.equals(square)
    assert len(thin.exterior.coords) == 5


def test_where_a_ring_begins_makes_no_difference() -> None:
    corners = [(5, 0), (10, 0), (10, 10), (0, 10), (0, 0)]
    assert len(simplified(Polygon(corners), 0.01).exterior.coords) == 5


def test_one_and_many() -> None:
    shapes = np.array([oracles.circle(9.0), MultiPolygon([shapely.box(0, 0, 3, 3), shapely.box(5, 0, 8, 3)])])
    many = simplified(shapes, 0.05)
    assert many[0].equals(simplified(shapes[0], 0.05))
    assert [one.geom_type for one in many] == ["Polygon", "MultiPolygon"]


@pytest.mark.parametrize(
    "shape",
    [
        Polygon(oracles.circle(9.0).exterior, [oracles.circle(0.04, (2.0, 1.0), vertices=12).exterior]),
        MultiPolygon([oracles.circle(9.0), oracles.circle(0.04, (20.0, 0.0), vertices=12)]),
    ],
    ids=["hole", "part"],
)
def test_what_is_smaller_than_the_tolerance_stays(shape: shapely.Geometry) -> None:
    rings = len(shapely.get_rings(shapely.get_parts(shape)))
    assert len(shapely.get_rings(shapely.get_parts(simplified(shape, 0.1)))) == rings


def test_an_outline_that_would_cross_itself_keeps_its_parts() -> None:
    # The lower edge, made straight, would cut through the tooth that reaches down beside it.
    outline = [(0, 0), (5, -0.9), (10, 0), (10, 6), (5.2, 6), (5.2, -0.7), (4.8, -0.7), (4.8, 6), (0, 6)]
    shape = Polygon(outline)
    thin = simplified(shape, 1.0)
    assert thin.is_valid
    assert thin.geom_type == "Polygon"
    assert shapely.distance(shapely.points(outline), thin.exterior).max() <= 1.0


def test_a_hole_that_touches_the_outline_where_a_point_goes_is_thinned_all_the_same() -> None:
    turn = np.linspace(0.0, 2.0 * np.pi, 2000, endpoint=False)
    points = np.column_stack([20.0 * np.cos(turn), 20.0 * np.sin(turn)])
    corner = points[333]
    shape = Polygon(points, [np.array([corner, 0.8 * corner + [1, 0], 0.8 * corner - [0, 1]])])
    others = np.array([shape, oracles.circle(9.0)])
    thin = simplified(others, 0.05)[0]
    assert thin.is_valid
    assert len(thin.interiors) == 1
    assert shapely.get_num_coordinates(thin) < 200
    assert shapely.distance(shapely.points(points), thin.exterior).max() <= 0.05


def test_a_ring_too_small_to_thin_holds_up_no_other() -> None:
    sliver = Polygon([(30, 0), (40, 0), (40, 0.01)])
    thin = simplified(MultiPolygon([oracles.circle(9.0), sliver]), 0.05)
    assert thin.geoms[1].equals(sliver)
    assert len(thin.geoms[0].exterior.coords) < len(oracles.circle(9.0).exterior.coords) / 2


@given(st.integers(0, 2**31), st.sampled_from([0.05, 1.0, 3.0]))
def test_parts_and_holes_of_all_kinds_stay_within_the_tolerance(seed: int, tolerance: float) -> None:
    shape = _blots(np.random.default_rng(seed))
    thin = simplified(shape, tolerance)
    assert thin.is_valid
    assert thin.geom_type == shape.geom_type
    rings = [shapely.get_rings(shapely.get_parts(one)) for one in (shape, thin)]
    assert len(rings[0]) == len(rings[1])
    points = shapely.points(shapely.get_coordinates(shape))
    assert shapely.distance(points, thin.boundary).max() <= tolerance + 1e-9


def _blots(rng: np.random.Generator) -> MultiPolygon:
    """Random stars on a lattice, some with a hole of the same form, united."""
    stars = []
    for _ in range(rng.integers(1, 5)):
        turn = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(5, 40)))
        radius = rng.uniform(4, 20, len(turn)) * rng.choice([0.1, 1.0])
        points = np.column_stack([radius * np.cos(turn), radius * np.sin(turn)])
        star = shapely.make_valid(Polygon(np.round(points + rng.uniform(-40, 40, 2))))
        hole = shapely.affinity.scale(star, 0.5, 0.5) if rng.random() < 0.5 else Polygon()
        stars.append(star.difference(hole))
    parts = [part for part in shapely.get_parts(shapely.union_all(stars)) if part.area > 0]
    shape = MultiPolygon(parts)
    return shape if parts and shape.is_valid else MultiPolygon([shapely.box(0, 0, 7, 7)])


@given(st.integers(5, 60), st.floats(0.001, 0.5), st.integers(0, 2**31), st.integers(0, 59))
def test_no_outline_moves_further_than_the_tolerance(corners: int, tol: float, seed: int, first: int) -> None:
    rng = np.random.default_rng(seed)
    turn = np.linspace(0.0, 2.0 * np.pi, corners, endpoint=False)
    radius = 10.0 + rng.normal(0.0, 0.2, corners)
    points = np.roll(np.column_stack([radius * np.cos(turn), radius * np.sin(turn)]), first, axis=0)
    shape = Polygon(points)
    thin = simplified(shape, tol)
    assert thin.is_valid
    assert shapely.distance(shapely.points(points), thin.exterior).max() <= tol + 1e-9


def test_the_place_where_a_ring_begins_moves_no_further_either() -> None:
    # GEOS takes the corner at which the ring begins out after the rest: 1.13 tolerances from what is left.
    points = np.array([(0.0, 0.0), (0.9, 5.0), (0.0, 10.0), (20.0, 10.0), (20.0, -10.0), (-0.7, -5.0)])
    shape = Polygon(points)
    thin = simplified(shape, 1.0)
    assert shapely.distance(shapely.points(points), thin.exterior).max() <= 1.0


def test_nothing_at_all() -> None:
    assert len(simplified(np.array([], dtype=object), 0.1)) == 0
