"""Slices are told by where they lie, rising, however the CT is stored."""

from __future__ import annotations

import pytest

from pipeline.check.levels import levels_told, span_told
from tests.cases import POSITIONS, grid_of


@pytest.mark.parametrize("position", POSITIONS)
def test_levels_rise_along_the_patient(position: str) -> None:
    grid = grid_of(position, size=(4, 4, 9), spacing=(1.0, 1.0, 3.0), centre=(0.0, 0.0, 0.0))
    highest = 8 if grid.plane_positions_mm[8] > 0 else 0
    near = abs(highest - 1)
    assert levels_told(grid, [highest, near]) == "9.0, 12.0 mm"
    assert levels_told(grid, range(9)) == "-12.0, -9.0, -6.0, -3.0, 0.0 mm and 4 more"
    assert span_told(grid, highest, near) == span_told(grid, near, highest) == "9.0 to 12.0 mm"
    assert span_told(grid, 4, 4) == "0.0 mm"
