"""The oracles against figures worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from shapely.geometry import Polygon

from tests import oracles


@pytest.mark.slow
def test_volume_of_a_grown_box_is_steiners_formula() -> None:
    a, b, c, r = 30.0, 24.0, 20.0, 5.0
    steiner = (
        a * b * c + 2 * r * (a * b + b * c + a * c) + math.pi * r**2 * (a + b + c) + 4 / 3 * math.pi * r**3
    )
    box = oracles.rectangle(a / 2, b / 2)
    assert oracles.prism_volume(box, c, [oracles.uniform(r)]) == pytest.approx(steiner, rel=1e-4)
    # A ball of 2 and one of 3 make a ball of 5.
    assert oracles.prism_volume(box, c, [oracles.uniform(2.0), oracles.uniform(3.0)]) == pytest.approx(
        steiner, rel=1e-4
    )


def test_section_of_a_grown_box_above_its_end() -> None:
    box = oracles.rectangle(10.0, 6.0)
    section = oracles.prism_section(box, (0.0, 4.0), [oracles.uniform(5.0)], 7.0)  # 3 above: a circle of 4
    assert section.area == pytest.approx(20 * 12 + 4.0 * (2 * 20 + 2 * 12) + math.pi * 16.0, rel=1e-4)
    assert oracles.prism_section(box, (0.0, 4.0), [oracles.uniform(5.0)], 9.1).is_empty


def test_each_octant_has_its_own_axes() -> None:
    margin = (8.0, 2.0, 3.0, 6.0, 15.0, 10.0)
    bounds = oracles.prism_section(oracles.rectangle(1.0, 1.0), (0.0, 1.0), [margin], 0.5).bounds
    assert bounds == pytest.approx((-3.0, -4.0, 9.0, 7.0))
    # 9 mm below with 10 mm inferior: scaled by sqrt(1 - 0.81)
    below = oracles.prism_section(oracles.rectangle(1.0, 1.0), (0.0, 1.0), [margin], -9.0).bounds
    assert below[2] == pytest.approx(1.0 + 8.0 * math.sqrt(0.19))


def test_sum_of_two_ellipsoids_against_a_dense_search() -> None:
    one, other = (7.0, 7.0, 7.0, 7.0, 12.5, 12.5), oracles.uniform(5.0)
    for rise in (1.0, 9.0, 16.0):
        outline = oracles.ellipsoid_sum_section([one, other], rise)
        share = np.linspace(max(0.0, rise - 5.0), min(rise, 12.5), 200001)
        best = (7.0 * np.sqrt(1 - (share / 12.5) ** 2) + 5.0 * np.sqrt(1 - ((rise - share) / 5.0) ** 2)).max()
        assert np.hypot(*outline.T) == pytest.approx(best, abs=1e-4)


@pytest.mark.slow
def test_minkowski_sum_of_a_ring_narrows_its_hole() -> None:
    ring = Polygon(oracles.circle(20.0).exterior.coords, [oracles.circle(12.0).exterior.coords])
    grown = oracles.minkowski(ring, oracles.ellipsoid_section(oracles.uniform(5.0), 0.0))
    assert grown.area == pytest.approx(math.pi * (25.0**2 - 7.0**2), rel=1e-3)
    convex = oracles.minkowski(
        oracles.rectangle(3, 4), np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    )
    assert convex.area == pytest.approx(48.0 + 2 * (6.0 + 8.0) + 2.0)


def test_grown_radius_of_a_cylinder_and_a_cone() -> None:
    planes = np.arange(0.0, 13.0, 3.0)
    z = np.array([6.0, 13.5 + 3.0, 13.5 + 4.9, 13.5 + 5.1])
    found = oracles.grown_radius(planes, np.full(5, 10.0), 3.0, margin=5.0, z=z)
    assert found == pytest.approx([15.0, 14.0, 10.0 + math.sqrt(25 - 4.9**2), 0.0], abs=1e-3)
    # Beside a cone the growth is along its normal.
    cone = oracles.grown_radius(planes, 20.0 - planes, 3.0, margin=5.0, z=np.array([6.0]))
    assert cone == pytest.approx([14.0 + 5.0 * math.sqrt(2.0)], abs=1e-3)


def test_outline_distance_counts_both_ways() -> None:
    assert oracles.outline_distance(oracles.circle(5.0), oracles.circle(5.4)) == pytest.approx(0.4, abs=0.01)
    pair = shapely.union_all([oracles.circle(5.0), oracles.circle(1.0, (30.0, 0.0))])
    assert oracles.outline_distance(oracles.circle(5.0), pair) == pytest.approx(26.0, abs=0.1)
    assert math.isinf(oracles.outline_distance(Polygon(), pair))
