"""Volumes and masks carry their grid and refuse another one."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.errors import GeometryError
from pipeline.core.volume import Mask, Volume
from tests.closed_forms import make_grid

GRID = make_grid(size=(4, 3, 2), spacing_mm=(2.0, 1.0, 5.0))


def _mask(*points: tuple[int, int, int]) -> Mask:
    voxels = np.zeros(GRID.shape, dtype=bool)
    for point in points:
        voxels[point] = True
    return Mask(grid=GRID, voxels=voxels)


def test_volume_is_voxels_times_size() -> None:
    assert _mask((0, 0, 0), (1, 2, 3)).volume_cc == pytest.approx(2 * 10.0 / 1000.0)
    assert _mask().volume_cc == 0.0


def test_set_operations() -> None:
    one, other = _mask((0, 0, 0), (0, 0, 1)), _mask((0, 0, 1), (1, 0, 0))
    assert np.argwhere((one | other).voxels).tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 0]]
    assert np.argwhere((one & other).voxels).tolist() == [[0, 0, 1]]
    assert np.argwhere((one - other).voxels).tolist() == [[0, 0, 0]]


def test_another_grid_is_refused() -> None:
    moved = make_grid(size=(4, 3, 2), spacing_mm=(2.0, 1.0, 5.0), centre_mm=(0.0, 0.0, 0.1))
    other = Mask(grid=moved, voxels=np.zeros(moved.shape, dtype=bool))
    with pytest.raises(GeometryError, match="different grids"):
        _ = _mask() | other


def test_arrays_must_fit_and_become_read_only() -> None:
    array = np.zeros(GRID.shape, dtype=np.int16)
    volume = Volume(grid=GRID, hu=array)
    with pytest.raises(ValueError, match="read-only"):
        volume.hu[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0, 0] = 1  # nor through the caller's own array
    with pytest.raises(GeometryError, match=r"does not fit.*\(2, 3, 4\).*\(4, 3, 2\)"):
        Volume(grid=GRID, hu=np.zeros((4, 3, 2)))
