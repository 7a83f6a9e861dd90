"""Values between lattice points and areas above 0, compiled and not, against SciPy and shapely."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from skimage.measure import find_contours

from pipeline.core import sampling
from tests.oracles import polygons_from_rings


@pytest.mark.parametrize("compiled", [True, False])
def test_values_are_linear_along_each_axis(compiled: bool) -> None:
    rng = np.random.default_rng(7)
    field = rng.normal(size=(4, 6, 5)).astype(np.float32)
    places = rng.uniform(-1.0, 6.0, size=(400, 3))
    places[:4] = [[4.0, 5.0, 3.0], [0.0, 0.0, 0.0], [4.0, 0.0, 1.5], [2.25, 5.0, 0.0]]
    values = sampling.values_between if compiled else sampling.values_between.py_func
    expected = map_coordinates(field.astype(float), places.T[::-1], order=1, mode="constant", cval=-9.0)
    inside = ((places >= 0) & (places <= [4, 5, 3])).all(axis=1)
    found = values(field, places, -9.0)
    assert found[inside] == pytest.approx(expected[inside], abs=1e-5)
    assert (found[~inside] == -9.0).all()
    assert inside.sum() > 20


def test_a_field_of_one_plane_has_values() -> None:
    field = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    assert sampling.values_between(field, np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.1]]), -1.0).tolist() == [
        2,
        -1,
    ]


def outline_area(plane: np.ndarray) -> float:
    rings = [ring[:, ::-1] for ring in find_contours(plane, 0.0)]
    return polygons_from_rings(rings).area


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_areas_are_those_of_the_outlines(compiled: bool, seed: int) -> None:
    plane = np.full((14, 11), -1.0, dtype=np.float32)
    plane[1:-1, 1:-1] = np.random.default_rng(seed).normal(size=(12, 9))
    area = sampling.area_inside if compiled else sampling.area_inside.py_func
    part = sampling._part_of_cell  # met through the plane either way
    assert area(plane) == pytest.approx(outline_area(plane), rel=1e-5)
    if not compiled:
        corners = np.array([1.0, -1.0, 1.0, -3.0])
        assert part.py_func(corners, 2) == pytest.approx(0.5 * (0.5 * 0.25 + 0.25 * 0.5))
        assert part.py_func(np.array([1.0, 1.0, -1.0, -1.0]), 2) == pytest.approx(0.5)
        assert part.py_func(np.array([1.0, 1.0, 1.0, -1.0]), 3) == pytest.approx(1 - 0.125)
        assert part.py_func(np.array([-1.0, 1.0, -1.0, -1.0]), 1) == pytest.approx(0.125)


def test_nothing_and_everything() -> None:
    assert sampling.area_inside(np.full((5, 4), -1.0, dtype=np.float32)) == 0.0
    assert sampling.area_inside(np.full((5, 4), 1.0, dtype=np.float32)) == 12.0
