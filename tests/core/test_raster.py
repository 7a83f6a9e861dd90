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
from skimage.measure import find_contours

from pipeline.core.contour import Contours
from pipeline.core.raster import (
    as_multipolygon,
    contours_to_mask,
    mask_to_contours,
    polygons_above,
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


def _as_drawn(points: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return points


@given(st.integers(0, 10_000))
def test_parts_above_a_level_are_those_of_marching_squares(seed: int) -> None:
    """Against scikit-image, whose rings are put into each other by an oracle; the field is smooth."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:30, :40]
    field = sum(
        np.cos(x / rng.uniform(3, 9) + rng.uniform(0, 6)) * np.sin(y / rng.uniform(3, 9) + rng.uniform(0, 6))
        for _ in range(3)
    )
    image = np.pad(field.astype(np.float32), 1, constant_values=-5.0)
    drawn = polygons_above(image, 0.3, _as_drawn)
    rings = [ring[:, ::-1] for ring in find_contours(image, 0.3, fully_connected="low")]
    oracle = oracles.polygons_from_rings(rings)
    # They may differ in cells with a saddle, of which such a field has few.
    assert drawn.symmetric_difference(oracle).area <= 1.0
    assert drawn.is_valid


def test_rings_in_rings_become_holes_and_islands() -> None:
    y, x = np.mgrid[-15:16, -15:16]
    image = np.cos(np.hypot(x, y)).astype(np.float32)
    image[[0, -1]] = image[:, [0, -1]] = -1.0
    drawn = polygons_above(image, 0.0, _as_drawn)
    middle = min(drawn.geoms, key=lambda part: part.area)
    assert middle.area == pytest.approx(math.pi * (math.pi / 2) ** 2, rel=0.1)
    around = max(drawn.geoms, key=lambda part: part.area)
    assert len(around.interiors) == 1


def test_what_lies_diagonally_in_a_mask_is_apart() -> None:
    image = np.pad(np.eye(3, dtype=np.float32), 1)
    assert len(polygons_above(image, 0.5, _as_drawn).geoms) == 3


def test_nothing_above_a_level_is_nothing() -> None:
    assert polygons_above(np.zeros((4, 5), dtype=np.float32), 0.5, _as_drawn).is_empty


def test_parts_that_touch_after_they_were_placed_are_joined() -> None:
    """A squeeze brings two parts to one line."""
    image = np.pad(np.array([[1.0, 0.0, 1.0]], dtype=np.float32), 1)

    def squeezed(points: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        return np.column_stack(
            [np.clip(points[:, 0], None, 1.4) + np.maximum(points[:, 0] - 2.6, 0), points[:, 1]]
        )

    joined = polygons_above(image, 0.5, squeezed)
    assert joined.is_valid
    assert not joined.is_empty


def test_points_on_the_very_level_make_no_outline_that_meets_itself() -> None:
    image = np.pad(np.array([[0.5, 1.0, 0.0], [1.0, 0.5, 1.0], [1.0, 1.0, 0.5]]), 1)
    drawn, beside = (polygons_above(image, level, _as_drawn) for level in (0.5, 0.5 + 1e-9))
    assert drawn.is_valid
    assert drawn.area == pytest.approx(beside.area, abs=1e-6)


def test_only_the_polygons_of_a_mixture_are_kept() -> None:
    square, pair = shapely.box(0, 0, 1, 1), MultiPolygon([shapely.box(2, 0, 3, 1), shapely.box(4, 0, 5, 1)])
    mixture = GeometryCollection([square, pair, LineString([(0, 0), (1, 1)])])
    assert as_multipolygon(mixture).area == pytest.approx(3.0)
    assert as_multipolygon(LineString([(0, 0), (1, 1)])).is_empty
