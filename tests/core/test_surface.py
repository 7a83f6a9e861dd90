"""Surfaces of solids, and how far they are apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from shapely.geometry import MultiPolygon

from pipeline.core import surface
from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.solid import FAR, Solid, solid_from_contours
from pipeline.core.surface import (
    box_distance_mm,
    surface_distance_mm,
    surface_of,
    values_at,
)
from tests import oracles
from tests.closed_forms import IMAGE_AXES, make_grid

GRID = make_grid(size=(90, 70, 41), spacing_mm=(1.1, 0.9, 3.0), centre_mm=(3.0, -7.0, 11.0))


def box(
    low: tuple[float, float],
    high: tuple[float, float],
    slices: range,
    *,
    grid=GRID,
    pitch: float | None = None,
) -> Solid:
    half = ((high[0] - low[0]) / 2, (high[1] - low[1]) / 2)
    outline = oracles.rectangle(*half, (low[0] + half[0], low[1] + half[1]))
    sections = dict.fromkeys(slices, MultiPolygon([outline]))
    return solid_from_contours(Contours(grid=grid, sections=sections), pitch_mm=pitch)


def ball(centre: tuple[float, float, float], radius: float, *, grid, pitch: float) -> Solid:
    """Round sections, exact on every slice plane."""
    sections = {}
    for k, w in enumerate(grid.plane_positions_mm):
        rest = radius**2 - (w - centre[2]) ** 2
        if rest > 0.04:
            sections[k] = MultiPolygon([oracles.circle(math.sqrt(rest), centre[:2])])
    return solid_from_contours(Contours(grid=grid, sections=sections), pitch_mm=pitch)


@pytest.mark.parametrize("position", IMAGE_AXES)
@pytest.mark.parametrize("flip_k", [False, True])
@pytest.mark.parametrize("pitch", [0.4, 0.7])
def test_boxes_face_to_face(position: str, flip_k: bool, pitch: float) -> None:
    grid = make_grid(
        size=(70, 90, 21),
        spacing_mm=(0.9, 1.1, 3.0),
        centre_mm=(3.0, -7.0, 11.0),
        position=position,
        flip_k=flip_k,
    )
    left = box((-5.13, -9.0), (4.87, 3.0), range(8, 12), grid=grid)
    right = box((8.19, -4.0), (14.0, 9.0), range(6, 11), grid=grid, pitch=pitch)
    one, beside = surface_of(left), surface_of(right)
    assert surface_distance_mm(one, beside) == pytest.approx(8.19 - 4.87, abs=0.01)
    assert surface_distance_mm(beside, one) == surface_distance_mm(one, beside)
    # The lattices reach up to three steps beyond their solids.
    assert 0.0 <= 8.19 - 4.87 - box_distance_mm(left, right) < 6 * 0.8


def test_boxes_one_above_the_other_end_half_a_slice_beyond_their_contours() -> None:
    low, high = box((-5, -9), (5, 3), range(5, 9)), box((-2, -8), (3, 3), range(13, 15), pitch=0.7)
    assert surface_distance_mm(surface_of(low), surface_of(high)) == pytest.approx(4 * 3.0, abs=0.01)


def test_boxes_corner_to_corner() -> None:
    one, other = box((-9, -9), (0, 0), range(5, 9)), box((4, 3), (9, 9), range(13, 17), pitch=0.4)
    got = surface_distance_mm(surface_of(one), surface_of(other))
    # Corners between lattice lines are cut, at 45 degrees by less than a pitch each.
    assert got == pytest.approx(math.sqrt(4**2 + 3**2 + 12**2), abs=0.3)
    assert got >= box_distance_mm(one, other)


@pytest.mark.parametrize("gap", [0.0, 0.05, 0.5, 3.0, 25.0])
def test_balls(gap: float) -> None:
    grid = make_grid(size=(90, 70, 60), spacing_mm=(1.0, 1.0, 0.5), centre_mm=(0.3, 0.4, 0.2))
    w = float(grid.plane_positions_mm[30])
    one = surface_of(ball((-20.0, 1.0, w), 6.0, grid=grid, pitch=0.4))
    other = surface_of(ball((-20.0 + 6.0 + gap + 7.0, 1.0, w), 7.0, grid=grid, pitch=0.6))
    assert surface_distance_mm(one, other) == pytest.approx(gap, abs=0.03)


def test_against_brute_force() -> None:
    one, other = box((-9, -9), (0, 0), range(5, 9)), box((6, -3), (9, 19), range(12, 17))
    a, b = surface_of(one), surface_of(other)
    between_corners = np.linalg.norm(a.vertices[:, None] - b.vertices[None, ::7], axis=2).min()
    assert surface_distance_mm(a, b) <= between_corners
    assert surface_distance_mm(a, b) == pytest.approx(math.hypot(6.0, 9.0), abs=0.25)


def test_the_field_at_points() -> None:
    solid = box((-5.0, -9.0), (5.0, 3.0), range(5, 9), pitch=0.5)
    w = float(GRID.plane_positions_mm[6])
    end = float(GRID.plane_positions_mm[8]) + 1.5
    points = np.array(
        [[0, 0, w], [4.8, 0, w], [5.2, 0, w], [0, 0, end - 0.01], [0, 0, end + 0.01], [60, 0, w]]
    )
    got = values_at(solid, points)
    assert got[:3] == pytest.approx([3.0, 0.2, -0.2], abs=1e-3)
    assert list(got > 0) == [True, True, False, True, False, False]
    assert got[5] == FAR


def test_nothing_has_no_surface() -> None:
    solid = box((-5.0, -9.0), (5.0, 3.0), range(5, 9))
    with pytest.raises(GeometryError, match="no surface"):
        surface_of(Solid(lattice=solid.lattice, field=np.full_like(solid.field, -1.0)))


@pytest.mark.parametrize(
    "most, at_once", [(0, 1), (10**9, 7_000), (10**9, 10**9)], ids=["tree", "parts", "all"]
)
@pytest.mark.parametrize("count", [1, 5])
def test_the_nearest_whichever_way_they_are_found(monkeypatch, most: int, at_once: int, count: int) -> None:
    monkeypatch.setattr(surface, "_MOST_PAIRS", most)
    monkeypatch.setattr(surface, "_PAIRS_AT_ONCE", at_once)
    rng = np.random.default_rng(7)
    points, centres = rng.normal(0, 9, (150, 3)), rng.normal(0, 9, (200, 3))
    apart = np.linalg.norm(points[:, None] - centres[None], axis=2)
    away, near = surface._nearest(points, centres, count)
    assert away == pytest.approx(apart.min(axis=1))
    assert [set(row) for row in near.tolist()] == [set(row[:count]) for row in apart.argsort(axis=1).tolist()]
