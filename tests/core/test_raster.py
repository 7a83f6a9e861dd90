"""Between masks and contours."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from shapely.geometry import GeometryCollection, LineString, MultiPolygon, Polygon

from pipeline.core.contour import Contours
from pipeline.core.raster import (
    as_multipolygon,
    contours_to_mask,
    mask_to_contours,
    polygons_from_rings,
    segments_of,
)
from pipeline.core.volume import Mask
from tests import oracles
from tests.closed_forms import IMAGE_AXES, make_grid

RING = Polygon(
    oracles.circle(9.0, (1.3, -2.2)).exterior.coords, [oracles.circle(4.0, (2.3, -1.2)).exterior.coords]
)
SHAPE = MultiPolygon([RING, oracles.rectangle(2.1, 3.4, (14.2, 3.1))])


@pytest.mark.parametrize("position", IMAGE_AXES)
@pytest.mark.parametrize("flip_k", [False, True])
@pytest.mark.parametrize("yaw_deg", [0.0, 12.0])
def test_voxels_whose_centres_lie_inside(position: str, flip_k: bool, yaw_deg: float) -> None:
    grid = make_grid(
        size=(52, 37, 3),
        spacing_mm=(0.9, 1.1, 3.0),
        centre_mm=(2.17, 0.71, -9.0),
        position=position,
        flip_k=flip_k,
        yaw_deg=yaw_deg,
    )
    mask = contours_to_mask(Contours(grid=grid, sections={1: SHAPE}))
    k, j, i = np.indices(grid.shape)
    centres = grid.frame.from_patient(grid.to_patient(np.c_[i.ravel(), j.ravel(), k.ravel()]))
    expected = shapely.contains_xy(SHAPE, centres[:, 0], centres[:, 1]).reshape(grid.shape)
    expected[[0, 2]] = False
    assert expected[1].any()
    assert np.array_equal(mask.voxels, expected)


def test_the_part_outside_the_image_is_left_out() -> None:
    grid = make_grid(size=(8, 6, 1))
    whole = contours_to_mask(Contours(grid=grid, sections={0: MultiPolygon([oracles.circle(50.0)])}))
    assert whole.voxels.all()


@pytest.mark.parametrize("position", ["HFS", "FFP", "HFDL"])
def test_contours_of_a_disc_mask_have_its_area(position: str) -> None:
    grid = make_grid(
        size=(64, 50, 2), spacing_mm=(0.8, 0.8, 3.0), centre_mm=(5.0, 6.0, 7.0), position=position
    )
    disc = oracles.circle(14.0, (5.5, 6.6))
    back = mask_to_contours(contours_to_mask(Contours(grid=grid, sections={0: MultiPolygon([disc])})))
    assert back.slices == (0,)
    assert back.sections[0].area == pytest.approx(disc.area, rel=0.005)
    assert oracles.outline_distance(back.sections[0], disc) < 0.6


def test_one_voxel_keeps_its_area() -> None:
    grid = make_grid(size=(5, 4, 1), spacing_mm=(1.0, 2.0, 3.0))
    voxels = np.zeros(grid.shape, dtype=bool)
    voxels[0, 0, 0] = True
    assert mask_to_contours(Mask(grid=grid, voxels=voxels)).sections[0].area == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize("side", [2, 3, 5, 12])
def test_small_masks_keep_their_area(side: int) -> None:
    grid = make_grid(size=(20, 20, 1), spacing_mm=(1.0, 1.0, 3.0))
    voxels = np.zeros(grid.shape, dtype=bool)
    voxels[0, 3 : 3 + side, 4 : 4 + side] = True
    area = mask_to_contours(Mask(grid=grid, voxels=voxels)).sections[0].area
    assert area == pytest.approx(side * side, rel=0.005)


@given(arrays.arrays(bool, (2, 7, 9)))
def test_a_mask_comes_back_from_its_contours(voxels: np.ndarray) -> None:  # type: ignore[type-arg]
    grid = make_grid(
        size=(9, 7, 2), spacing_mm=(0.9, 1.3, 3.0), position="HFDR", flip_k=True, centre_mm=(0.3, 0.2, 0)
    )
    mask = Mask(grid=grid, voxels=voxels)
    assert np.array_equal(contours_to_mask(mask_to_contours(mask)).voxels, voxels)


def test_edges_of_all_rings() -> None:
    assert len(segments_of(SHAPE)) == 360 + 360 + 4
    lengths = np.hypot(*(segments_of(SHAPE)[:, 2:] - segments_of(SHAPE)[:, :2]).T)
    assert lengths.sum() == pytest.approx(SHAPE.length)


def _ring(polygon: Polygon) -> np.ndarray:  # type: ignore[type-arg]
    return np.array(polygon.exterior.coords)


@given(st.permutations(range(4)))
def test_nested_rings_become_holes_and_islands(order: list[int]) -> None:
    rings = [_ring(oracles.circle(r)) for r in (10.0, 8.0, 5.0, 2.0)]
    joined = polygons_from_rings(rings[index] for index in order)
    assert len(joined.geoms) == 2
    expected = sum(sign * oracles.circle(r).area for sign, r in ((1, 10.0), (-1, 8.0), (1, 5.0), (-1, 2.0)))
    assert joined.area == pytest.approx(expected)
    assert expected == pytest.approx(math.pi * (100 - 64 + 25 - 4), rel=1e-3)


def test_rings_without_area_are_dropped() -> None:
    flat = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    assert polygons_from_rings([flat, flat[:2]]).is_empty


def test_rings_that_touch_along_an_edge_are_joined() -> None:
    joined = polygons_from_rings([_ring(shapely.box(0, 0, 2, 2)), _ring(shapely.box(2, 0, 4, 1))])
    assert joined.is_valid
    assert joined.area == pytest.approx(6.0)


def test_only_the_polygons_of_a_mixture_are_kept() -> None:
    square, pair = shapely.box(0, 0, 1, 1), MultiPolygon([shapely.box(2, 0, 3, 1), shapely.box(4, 0, 5, 1)])
    mixture = GeometryCollection([square, pair, LineString([(0, 0), (1, 1)])])
    assert as_multipolygon(mixture).area == pytest.approx(3.0)
    assert as_multipolygon(LineString([(0, 0), (1, 1)])).is_empty
