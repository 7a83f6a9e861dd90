"""Grids and frames: patient positions, oblique and tilted axes, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.errors import GeometryError
from pipeline.core.grid import Grid
from tests.closed_forms import IMAGE_AXES, make_grid

EVERY_STORAGE = [(position, flip) for position in IMAGE_AXES for flip in (False, True)]


@pytest.mark.parametrize("position, flip_k", EVERY_STORAGE)
def test_frame_of_an_axial_grid_is_the_patients(position: str, flip_k: bool) -> None:
    frame = make_grid(position=position, flip_k=flip_k).frame
    assert frame.left == (1.0, 0.0, 0.0)
    assert frame.posterior == (0.0, 1.0, 0.0)
    assert frame.superior == (0.0, 0.0, 1.0)
    assert frame.obliquity_deg == 0.0


@pytest.mark.parametrize("position, flip_k", EVERY_STORAGE)
def test_index_and_patient_points_come_back(position: str, flip_k: bool) -> None:
    grid = make_grid(
        position=position,
        flip_k=flip_k,
        spacing_mm=(0.8, 1.1, 2.5),
        centre_mm=(-33.3, 12.1, 640.7),
        yaw_deg=7.0,
    )
    points = np.array([[0.0, 0.0, 0.0], [95.0, 79.0, 29.0], [3.25, 7.5, 11.75]])
    assert grid.to_index(grid.to_patient(points)) == pytest.approx(points, abs=1e-9)
    patient = grid.to_patient(points)
    assert grid.frame.to_patient(grid.frame.from_patient(patient)) == pytest.approx(patient, abs=1e-9)


def test_hand_worked_feet_first_grid() -> None:
    # FFS: columns run to the right, slices to the feet.
    grid = Grid(
        size=(4, 3, 2),
        spacing_mm=(2.0, 1.0, 5.0),
        origin_mm=(10.0, 20.0, 30.0),
        direction=(-1, 0, 0, 0, 1, 0, 0, 0, -1),
    )
    assert grid.to_patient([[3, 2, 1]]).tolist() == [[4.0, 22.0, 25.0]]
    assert grid.plane_positions_mm.tolist() == [30.0, 25.0]
    assert grid.shape == (2, 3, 4)
    assert grid.voxel_volume_mm3 == 10.0
    assert grid.slice_spacing_mm == 5.0


def test_planes_rise_or_fall_with_the_stored_order() -> None:
    up, down = make_grid(), make_grid(flip_k=True)
    assert np.all(np.diff(up.plane_positions_mm) == pytest.approx(3.0))
    assert up.plane_positions_mm == pytest.approx(down.plane_positions_mm[::-1])


def test_an_oblique_grid_takes_the_nearest_axes_and_tells_the_angle() -> None:
    frame = make_grid(yaw_deg=10.0).frame
    assert frame.obliquity_deg == pytest.approx(10.0)
    assert frame.left == pytest.approx((np.cos(np.radians(10)), np.sin(np.radians(10)), 0.0))
    decubitus = make_grid(position="HFDL", yaw_deg=-10.0).frame
    assert decubitus.obliquity_deg == pytest.approx(10.0)
    assert decubitus.left[0] > 0.9


def test_the_frame_is_right_handed_however_the_grid_is_stored() -> None:
    for position, flip_k in EVERY_STORAGE:
        frame = make_grid(position=position, flip_k=flip_k, yaw_deg=20.0).frame
        assert np.cross(frame.left, frame.posterior) == pytest.approx(frame.superior)


def _tilted(degrees: float) -> Grid:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return Grid(
        size=(4, 4, 4), spacing_mm=(1, 1, 1), origin_mm=(0, 0, 0), direction=(1, 0, 0, 0, c, -s, 0, s, c)
    )


def test_a_series_far_from_axial_is_refused() -> None:
    assert _tilted(29.0).frame.obliquity_deg == pytest.approx(29.0)
    with pytest.raises(
        GeometryError, match=r"not axial; expected: .* 30 degrees .*; got: 45 degrees; what to do"
    ):
        _tilted(45.0)


def test_broken_grids_are_refused() -> None:
    identity = (1, 0, 0, 0, 1, 0, 0, 0, 1)
    with pytest.raises(GeometryError, match=r"without extent.*size \(0, 4, 4\)"):
        Grid(size=(0, 4, 4), spacing_mm=(1, 1, 1), origin_mm=(0, 0, 0), direction=identity)
    with pytest.raises(GeometryError, match=r"without extent.*spacing \(1, 0, 1\)"):
        Grid(size=(4, 4, 4), spacing_mm=(1, 0, 1), origin_mm=(0, 0, 0), direction=identity)
    with pytest.raises(GeometryError, match="not orthonormal"):
        Grid(
            size=(4, 4, 4), spacing_mm=(1, 1, 1), origin_mm=(0, 0, 0), direction=(1, 0.1, 0, 0, 1, 0, 0, 0, 1)
        )
