"""Diameters against figures known by construction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from shapely.affinity import rotate
from shapely.geometry import MultiPolygon, box

from pipeline.core.errors import GeometryError
from pipeline.targets import lesion_measures
from pipeline.targets.measures import _farthest
from tests.cases import POSITIONS, case_of, disc, grid_of


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("angle", [0, 33])
def test_a_box(position: str, angle: float) -> None:
    bar = rotate(box(0, -40, 30, -30), angle)
    case = case_of(grid_of(position), [{k: MultiPolygon([bar]) for k in range(10, 15)}])
    measures = lesion_measures(case.lesions[0])
    diagonal = math.hypot(30, 10)
    assert measures.axial_diameter_mm == pytest.approx(diagonal)
    # Extent of a rectangle across its own diagonal.
    assert measures.short_axis_mm == pytest.approx(2 * 30 * 10 / diagonal)
    assert measures.diameter_3d_mm == pytest.approx(math.hypot(diagonal, 12))


def test_islands_are_measured_one_by_one() -> None:
    two = MultiPolygon([*disc(0, -35, 5).geoms, *disc(40, -35, 6).geoms])
    measures = lesion_measures(case_of(grid_of(), [{10: two}]).lesions[0])
    assert measures.axial_diameter_mm == pytest.approx(12, rel=1e-3)
    assert measures.diameter_3d_mm == pytest.approx(51, rel=1e-3)


def test_nothing_to_measure() -> None:
    with pytest.raises(GeometryError, match="lesion without contours"):
        lesion_measures(case_of(grid_of(), [{}]).lesions[0])


@pytest.mark.parametrize("seed", range(4))
def test_the_longest_distance_is_that_of_all_pairs(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = random.normal(size=(1200, 3)) * random.uniform(1, 20, 3)
    assert _farthest(points) == pytest.approx(float(cdist(points, points).max()), rel=1e-12)
    assert _farthest(points[:1]) == 0.0
