"""Outlines with fewer points."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
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
