"""Slices are told by where they lie, rising, however the CT is stored."""

from __future__ import annotations

import pytest

from pipeline.core.positions import positions, span_told
from tests.cases import POSITIONS, grid_of


@pytest.mark.parametrize("position", POSITIONS)
def test_spans_rise_along_the_patient(position: str) -> None:
    grid = grid_of(position, size=(4, 4, 9), spacing=(1.0, 1.0, 3.0), centre=(0.0, 0.0, 0.0))
    highest = 8 if grid.plane_positions_mm[8] > 0 else 0
    near = abs(highest - 1)
    assert span_told(grid, highest, near) == span_told(grid, near, highest) == "9.00 to 12.00 mm"
    assert span_told(grid, 4, 4) == "0.00 mm"


def test_the_first_five_are_told() -> None:
    assert positions([9.0, 12.0]) == "9.00, 12.00 mm"
    assert positions([float(n) for n in range(9)]) == "0.00, 1.00, 2.00, 3.00, 4.00 mm and 4 more"
