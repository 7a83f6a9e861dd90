"""Edges of structures that end: the tip does not tell where the border goes on."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.edges import TIP_MM, edge_curve
from pipeline.anatomy.stations.structures import Structures
from pipeline.core.volume import Mask
from tests.anatomy.organs_of import organs
from tests.cases import grid_of


def held(slice_mm: float, shift_mm: float) -> float:
    """The left edge below the rounded end of an upright muscle of 8 mm radius, about its middle."""
    grid = grid_of(size=(60, 60, round(90 / slice_mm)), spacing=(1.0, 1.0, slice_mm))
    k, j, i = np.indices(grid.shape)
    u, v = i - 29.5, j - 29.5
    w = grid.plane_positions_mm[k] - grid.plane_positions_mm[0] - 30.0 - shift_mm
    inside = u**2 + v**2 + np.minimum(w, 0) ** 2 < 8.0**2
    of = Structures(OrganView(organs(grid, {"trachea": Mask(grid=grid, voxels=inside)})), {}, {}, {})
    curve = edge_curve(of.mask("trachea"), of.crop, "left")
    middle = float(of.crop.u[np.any(of.mask("trachea"), axis=(0, 1))].mean())
    assert curve.w[0] - (of.crop.w[0] + 30.0 + shift_mm - 8.0) < TIP_MM
    return float(curve.at(np.array([of.crop.w[0]]))[0]) - middle


@pytest.mark.parametrize("slice_mm", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("shift_mm", [0.0, 0.4, 0.9, 1.6, 2.3])
def test_the_edge_that_holds_is_that_of_a_whole_section(slice_mm: float, shift_mm: float) -> None:
    # Half of the section is 0.7 of the radius, 5.7 mm; the tip itself would be anything from 1 mm on.
    assert 5.0 <= held(slice_mm, shift_mm) <= 6.5
