"""Distances from a surface that slopes from slice to slice, against closed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipeline.core.grid import Grid
from tests.anatomy.stations.made import (
    GRIDS,
    Bools,
    bounds,
    box,
    centre,
    scene,
    section,
    steps,
    volume,
    where,
)

on_every_grid = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
DEPTH = {"depth": 6.0}


def near(*, sloped: bool) -> dict[str, Any]:
    return {"near": {"of": ["organ"], "mm": "depth"} | ({"sloped": True} if sloped else {})}


def slope(grid: Grid) -> Bools:
    """What lies below a plane that rises by 1 mm on 2 mm to the left."""
    return where(grid, lambda u, v, w: (w < 0.5 * u) & (np.abs(v) < 18.0) & (np.abs(u) < 36.0))


def reach(grid: Grid, *, sloped: bool) -> list[float]:
    """How far to the right of the slope it reaches in mm, on slices and half-way between them."""
    patient = scene(grid, {"organ": slope(grid)}, figures=DEPTH)
    middle = centre(grid)
    found = []
    for w in (-3.0, -1.5, 0.0, 1.5, 4.5):
        right = section(patient, near(sloped=sloped), w).bounds[0]
        found.append(2.0 * w - (right - middle[0]))
    return found


@pytest.mark.slow
@on_every_grid
def test_a_slope_is_met_at_its_true_distance(grid: Grid) -> None:
    across = 6.0 * math.sqrt(1.0 + 0.5**2) / 0.5
    assert reach(grid, sloped=True) == pytest.approx([across] * 5, abs=0.7)
    assert max(reach(grid, sloped=False)) > across + 1.5, "steps of voxels reach further"


@on_every_grid
def test_what_does_not_move_ends_flat_half_way_to_the_next_slice(grid: Grid) -> None:
    block = box(grid, (-10, 14), (-12, 9), (-5, 4))
    patient = scene(grid, {"organ": block}, figures=DEPTH)
    u, v, w = steps(grid)
    ends = [-10 * u - 6, 14 * u + 6, -12 * v - 6, 9 * v + 6, -5 * w - 6, 4 * w + 6]
    assert bounds(patient, near(sloped=True)) == pytest.approx(ends, abs=0.25)


def test_parts_that_do_not_meet_from_slice_to_slice_make_no_bridge() -> None:
    grid = GRIDS["HFS"]
    low, high = box(grid, (-24, -14), (-8, 8), (-4, 0)), box(grid, (14, 24), (-8, 8), (0, 4))
    both = volume(scene(grid, {"organ": low | high}, figures=DEPTH), near(sloped=True))
    alone = [volume(scene(grid, {"organ": one}, figures=DEPTH), near(sloped=True)) for one in (low, high)]
    assert both == pytest.approx(sum(alone), rel=0.01)


def test_nothing_of_it_near_the_window_is_nothing() -> None:
    grid = GRIDS["HFS"]
    patient = scene(
        grid,
        {"organ": box(grid, (-3, 3), (-3, 3), (8, 11)), "other": box(grid, (-20, 20), (-20, 20), (-11, -8))},
        figures=DEPTH,
    )
    assert volume(patient, {"all_of": [{"mask": "other"}, near(sloped=True)]}) == 0.0
