"""The body from Hounsfield units on synthetic slices."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.anatomy.tissue import find_body
from pipeline.core.volume import Volume
from tests.cases import POSITIONS, grid_of

SIZE = (160, 120, 8)
SPACING = (2.0, 2.5, 4.0)


def scene(position: str) -> tuple[Volume, np.ndarray]:
    """An elliptic body with lungs, on a couch shell, in noise; and its true mask."""
    size, spacing = SIZE, SPACING
    if position in ("HFDL", "HFDR"):
        size, spacing = (size[1], size[0], size[2]), (spacing[1], spacing[0], spacing[2])
    grid = grid_of(position, size=size, spacing=spacing, centre=(0, 0, 0))
    k, j, i = np.indices(grid.shape)
    points = grid.to_patient(np.stack([i, j, k], axis=-1).reshape(-1, 3).astype(float))
    x, y, _ = points.T.reshape(3, *grid.shape)
    hu = np.full(grid.shape, -1000.0)
    truth = (x / 120) ** 2 + (y / 80) ** 2 <= 1
    hu[truth] = 30
    hu[((np.abs(x) - 60) / 30) ** 2 + (y / 45) ** 2 <= 1] = -800
    hu[(y > 90) & (y <= 95) & (np.abs(x) < 140)] = 100
    hu += np.random.default_rng(1).normal(0, 15, grid.shape)
    return Volume(grid=grid, hu=hu.astype(np.int16)), truth


@pytest.mark.parametrize("position", POSITIONS)
def test_body_without_couch_and_with_lungs(position: str) -> None:
    volume, truth = scene(position)
    body = find_body(volume).voxels
    both = np.count_nonzero(body & truth)
    assert 2 * both / (np.count_nonzero(body) + np.count_nonzero(truth)) > 0.995


def test_no_body_in_air() -> None:
    grid = grid_of()
    volume = Volume(grid=grid, hu=np.full(grid.shape, -1000, dtype=np.int16))
    assert not find_body(volume).voxels.any()
