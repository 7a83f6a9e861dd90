"""The compiled loops over outlines, against shapely, and against themselves uncompiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core import outlines
from tests import oracles

Array = npt.NDArray[np.float64]

SHAPE = shapely.affinity.translate(
    MultiPolygon(
        [
            Polygon([(0, 0), (9, 1), (11, 8), (4, 5), (1, 9)], [[(3, 2), (5, 2), (4, 4)]]),
            oracles.circle(1.7, (10.0, 2.2), vertices=20).difference(oracles.rectangle(9.1, 1.2)),
        ]
    ).buffer(0),
    2.3,
    1.6,
)


def _segments(shape: shapely.Geometry) -> Array:
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(shape))]
    return np.vstack([np.hstack([ring[:-1], ring[1:]]) for ring in rings])


def _points(rows: int, columns: int) -> npt.NDArray[np.object_]:
    y, x = np.mgrid[:rows, :columns]
    return np.asarray(shapely.points(x, y))


@pytest.mark.parametrize("compiled", [True, False])
def test_filling_is_point_in_polygon(compiled: bool) -> None:
    fill = outlines.fill_even_odd if compiled else outlines.fill_even_odd.py_func
    assert np.array_equal(fill(_segments(SHAPE), 14, 16), shapely.contains(SHAPE, _points(14, 16)))


def test_filling_on_lattice_lines_counts_each_edge_once() -> None:
    square = _segments(shapely.box(2, 3, 6, 5))
    assert outlines.fill_even_odd(square, 9, 9).sum() == 4 * 2
    beyond = _segments(shapely.box(-5, -5, 20, 20))
    assert outlines.fill_even_odd(beyond, 9, 9).all()


@pytest.mark.parametrize("compiled", [True, False])
def test_filling_many_slices_within_their_boxes(compiled: bool) -> None:
    fill = outlines.fill_slices if compiled else outlines.fill_slices.py_func
    first, second = _segments(shapely.box(2, 3, 6, 5)), _segments(shapely.box(-5, 1, 3, 4))
    out = np.zeros((4, 9, 8), dtype=bool)
    boxes = np.array([[2, 3, 7, 6], [0, 1, 4, 5]])
    fill(np.vstack([first, second]), np.array([0, 4, 8]), np.array([3, 1]), boxes, out)
    assert np.array_equal(out[3], outlines.fill_even_odd(first, 9, 8))
    assert np.array_equal(out[1], outlines.fill_even_odd(second, 9, 8))
    assert not out[[0, 2]].any()


@pytest.mark.parametrize("compiled", [True, False])
def test_signed_distance_is_exact(compiled: bool) -> None:
    compute = outlines.signed_distance if compiled else outlines.signed_distance.py_func
    found = compute(_segments(SHAPE), 14, 16)
    points = _points(14, 16)
    distance = shapely.distance(SHAPE.boundary, points)
    assert found == pytest.approx(np.where(shapely.contains(SHAPE, points), distance, -distance), abs=1e-5)


def test_signed_distance_over_several_squares() -> None:
    shape = shapely.affinity.scale(SHAPE, 5.0, 3.5, origin=(0, 0))
    points = _points(61, 83)
    distance = shapely.distance(shape.boundary, points)
    expected = np.where(shapely.contains(shape, points), distance, -distance)
    assert outlines.signed_distance(_segments(shape), 61, 83) == pytest.approx(expected, abs=1e-5)


def test_signed_distance_far_from_an_outline_in_a_corner() -> None:
    found = outlines.signed_distance(_segments(oracles.rectangle(1, 1, (2.5, 2.5))), 40, 50)
    assert found[2, 2] == pytest.approx(0.5)
    assert found[39, 49] == pytest.approx(-np.hypot(49 - 3.5, 39 - 3.5))


@pytest.mark.parametrize("compiled", [True, False])
def test_segments_that_may_be_the_nearest(compiled: bool) -> None:
    lines_of, nearest = (one if compiled else one.py_func for one in (outlines._lines, outlines._nearest))
    # Upright lines two steps apart; the square's middle is at 3.5, and its diagonal 9.9 long.
    segments = np.array([[x, 0.0, x, 9.0] for x in np.arange(4.0, 40.0, 2.0)])
    found = np.empty((5, len(segments)))
    count = nearest(lines_of(segments), (0, 0), 8, np.empty(len(segments)), found)
    assert found[0, :count].tolist() == [4.0, 6.0, 8.0, 10.0, 12.0]
    assert found[2:, 0].tolist() == [0.0, 9.0, 1.0 / 81.0]


@pytest.mark.parametrize("compiled", [True, False])
def test_distance_to_a_segment(compiled: bool) -> None:
    lines_of, to_point = (one if compiled else one.py_func for one in (outlines._lines, outlines._to_point))
    lines = lines_of(np.array([[1.0, 1.0, 5.0, 1.0], [2.0, 2.0, 2.0, 2.0]]))
    found = np.empty(2)
    for (x, y), squared in {(3, 4): (9, 5), (8, 5): (25, 45), (-2, 1): (9, 17), (5, 6): (25, 25)}.items():
        to_point(lines, float(x), float(y), found)
        assert found.tolist() == list(squared)


@pytest.mark.parametrize("compiled", [True, False])
def test_least_distance_of_points(compiled: bool) -> None:
    lines_of, least = (one if compiled else one.py_func for one in (outlines._lines, outlines._least_squares))
    lines = lines_of(np.array([[0.0, 0.0, 4.0, 0.0], [0.0, 6.0, 4.0, 6.0]]))
    found = np.empty(3)
    least(lines, np.array([2.0, 2.0, 7.0]), np.array([1.0, 5.0, 2.0]), found)
    assert found.tolist() == [1.0, 1.0, 13.0]
