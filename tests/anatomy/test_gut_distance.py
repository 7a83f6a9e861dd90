"""How far a lesion lies from stomach and intestine, where the distance is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.anatomy.places.gut import distance_to_gut_mm, gut_masks
from pipeline.core.anatomy import GUT
from pipeline.core.case import Lesion
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.volume import Mask
from tests.anatomy.organs_of import organs
from tests.anatomy.places import Box, ball_contours, box_contours, lesion
from tests.cases import POSITIONS, grid_of
from tests.targets.elective_patients import mask_of

GRID = grid_of(size=(160, 110, 70), spacing=(1.0, 1.0, 3.0), centre=(0.0, 0.0, 0.0))
# Slice planes at -103.5, -100.5, ...: balls about 0 lie between two of them.
BALL = lesion(ball_contours(GRID, (-30.0, 0.0, 0.0), 9.0))


def to_box(box: Box, of: Lesion = BALL, grid: Grid = GRID) -> float | None:
    return distance_to_gut_mm(of, [mask_of(grid, box)])


@pytest.mark.parametrize("gap", [0.5, 3.0, 10.0, 25.0, 39.0])
def test_a_ball_beside_a_box(gap: float) -> None:
    # Voxel centres lie at halves, so that the box begins at a whole number of mm.
    start = math.floor(-21 + gap)
    expected = start + 21
    found = to_box(((start, start + 8), (-10, 10), (-9, 9)))
    assert found == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("gap", [41.0, 55.0, 80.0])
def test_further_than_the_first_look_reaches(gap: float) -> None:
    assert to_box(((-21 + gap, -13 + gap), (-10, 10), (-9, 9))) == pytest.approx(gap, abs=0.3)


def test_a_corner_of_a_box_is_reached_across() -> None:
    found = to_box(((0, 8), (16, 24), (-9, 9)))
    assert found == pytest.approx(math.hypot(30, 16) - 9, abs=0.6)  # a voxel's corner is cut


@pytest.mark.slow
def test_along_the_patient_the_last_slice_goes_on_for_half() -> None:
    box = lesion(box_contours(GRID, ((-10, 10), (-10, 10), (-9, 9))))
    for gap in (3.0, 36.0, 39.0, 42.0, 60.0):
        found = to_box(((-8, 8), (-8, 8), (9 + gap, 15 + gap)), of=box)
        assert found == pytest.approx(gap, abs=0.1), gap


def test_what_lies_just_beyond_the_reach_is_not_hidden_by_what_lies_within() -> None:
    box = lesion(box_contours(GRID, ((-10, 10), (-10, 10), (-9, 9))))
    # The planes of the upper part begin 40.5 mm off, its flat end 39 mm; the part beside it lies 40 mm off.
    both = mask_of(GRID, ((-8, 8), (-8, 8), (48, 57))) | mask_of(GRID, ((50, 58), (-8, 8), (-9, 9)))
    assert distance_to_gut_mm(box, [both]) == pytest.approx(39.0, abs=0.1)


def test_where_they_meet_it_is_nothing() -> None:
    assert to_box(((-25, 0), (-10, 10), (-9, 9))) == 0.0, "overlapping"
    assert to_box(((-45, -15), (-15, 15), (-18, 18))) == 0.0, "the lesion inside"
    assert to_box(((-33, -27), (-3, 3), (-3, 3))) == 0.0, "the other inside the lesion"


def test_the_nearest_of_several_counts() -> None:
    masks = [mask_of(GRID, ((start, start + 8), (-10, 10), (-9, 9))) for start in (30, 0, 10)]
    assert distance_to_gut_mm(BALL, masks) == pytest.approx(21.0, abs=0.3)


def test_nothing_known_is_no_distance() -> None:
    empty = Mask(grid=GRID, voxels=np.zeros(GRID.shape, dtype=bool))
    assert distance_to_gut_mm(BALL, []) is None
    assert distance_to_gut_mm(BALL, [empty]) is None
    box = mask_of(GRID, ((0, 8), (-10, 10), (-9, 9)))
    assert distance_to_gut_mm(BALL, [empty, box]) == pytest.approx(21.0, abs=0.3)


@pytest.mark.parametrize("position", POSITIONS)
def test_the_storage_of_the_slices_changes_nothing(position: str) -> None:
    grid = grid_of(position, size=(110, 110, 40), spacing=(1.0, 1.0, 3.0), centre=(0.0, 0.0, 0.0))
    drawn = lesion(box_contours(grid, ((-40, -30), (-12, 3), (-9, 12))))
    assert to_box(((-15, -5), (-12, 3), (18, 30)), of=drawn, grid=grid) == pytest.approx(
        math.hypot(15, 6), abs=0.3
    )


def test_one_contour_alone_has_a_distance() -> None:
    k = int(np.argmin(np.abs(GRID.plane_positions_mm - 1.5)))
    flat = lesion(Contours(grid=GRID, sections={k: BALL.contours.sections[k]}))
    # From -30 + sqrt(81 - 2.25) to 0.
    assert to_box(((0, 8), (-10, 10), (-9, 9)), of=flat) == pytest.approx(30 - math.sqrt(78.75), abs=0.3)


def test_gut_is_what_is_known_of_it_and_the_conduit() -> None:
    box = mask_of(GRID, ((0, 8), (-10, 10), (-9, 9)))
    known = organs(GRID, {"stomach": box, "colon": box, "esophagus": box, "heart": box})
    assert len(gut_masks(known, None)) == 2
    assert gut_masks(known, BALL_MASK)[-1] is BALL_MASK
    assert gut_masks(organs(GRID, {}), None) == ()
    assert "esophagus" not in GUT


BALL_MASK = mask_of(GRID, ((-40, -20), (-10, 10), (-10, 10)))
