"""Organs beside and inside the PTV, with the figures of boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.check import check_targets
from pipeline.check.organs import check_organs
from pipeline.core.case import Case
from pipeline.core.grid import Grid
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import TargetSet
from pipeline.core.volume import Mask
from pipeline.targets import build_ifi
from tests.anatomy.organs_of import organs
from tests.cases import POSITIONS, case_of, disc, grid_of, plan_of
from tests.targets.elective_patients import mask_of

# The lesion: radius 10 mm about (20, -35), slices at 104.5 to 119.5; its PTV 12 mm on in the axial slice.
PTV_RADIUS = 10 + 7 + 5


def made(position: str = "HFS") -> tuple[Case, TargetSet]:
    grid = grid_of(position, size=(90, 74, 30) if POSITIONS[position][0] else (74, 90, 30))
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 18)}])
    return case, build_ifi(case, plan=plan_of(), organs={})


def told(case: Case, targets: TargetSet, name: str, mask: Mask) -> dict[str, Finding]:
    found = check_organs(case, targets, organs(case.volume.grid, {name: mask}))
    return {one.code: one for one in found}


def beside(grid: Grid, gap: float) -> Mask:
    """A box that begins `gap` mm to the left of the PTV."""
    start = 20 + PTV_RADIUS + gap
    return mask_of(grid, ((start, start + 6), (-41, -29), (100, 125)))


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("gap", [2.0, 6.0])
def test_a_cord_beside_the_ptv(position: str, gap: float) -> None:
    case, targets = made(position)
    found = told(case, targets, "spinal_cord", beside(case.volume.grid, gap))
    assert ("PTV_NEAR_CORD" in found) is (gap < 5)
    mm = float(found["PTV_AND_ORGANS"].message.split()[1])
    assert mm == pytest.approx(gap, abs=1.2)  # half a voxel, and rounding to a mm


def test_a_cord_inside_the_ptv() -> None:
    case, targets = made()
    cord = mask_of(case.volume.grid, ((30, 36), (-38, -32), (104, 118)))
    found = told(case, targets, "spinal_cord", cord)
    assert "it overlaps the spinal cord" in found["PTV_NEAR_CORD"].message
    assert found["PTV_NEAR_CORD"].severity is Severity.WARNING
    assert found["PTV_AND_ORGANS"].message == f"spinal_cord overlaps by {cord.volume_cc:.1f} cc (100 % of it)"


def test_a_half_that_overlaps_is_told_in_cc_and_percent() -> None:
    case, targets = made()
    heart = mask_of(case.volume.grid, ((20, 20 + 2 * PTV_RADIUS), (-36, -34), (104, 118)))
    message = told(case, targets, "heart", heart)["PTV_AND_ORGANS"].message
    assert float(message.split()[3]) == pytest.approx(heart.volume_cc / 2, abs=0.06)
    assert int(message.split("(")[1].split()[0]) == pytest.approx(50, abs=3)


def test_what_lies_far_off_or_is_empty_is_not_told() -> None:
    case, targets = made()
    grid = case.volume.grid
    none = Mask(grid=grid, voxels=np.zeros(grid.shape, dtype=bool))
    assert told(case, targets, "spinal_cord", none) == {}
    gone = replace(targets, targets=tuple(t for t in targets.targets if t.name != "PTV"))
    assert told(case, gone, "spinal_cord", beside(grid, 2.0)) == {}
    assert "PTV_AND_ORGANS" not in {one.code for one in check_targets(case, targets)}
    wide = grid_of(size=(140, 64, 30))
    case = case_of(wide, [{k: disc(-40, -35, 10) for k in range(12, 18)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    assert told(case, targets, "heart", mask_of(wide, ((20, 30), (-41, -29), (100, 125)))) == {}


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("half", [6.0, 25.0, 50.0])
@pytest.mark.parametrize("below", [True, False])
def test_an_organ_above_or_below_is_as_far_as_its_surface_whatever_its_size(
    position: str, half: float, below: bool
) -> None:
    case, targets = made(position)
    w = sorted(float(case.volume.grid.plane_positions_mm[k]) for k in targets["PTV"].contours.slices)
    # Surfaces lie half a slice beyond the outermost planes; the organ's nearest plane is three slices off.
    slab = (w[0] - 22.0, w[0] - 8.9) if below else (w[-1] + 8.9, w[-1] + 22.0)
    organ = mask_of(case.volume.grid, ((20 - half, 20 + half), (-35 - half, -35 + half), slab))
    message = told(case, targets, "stomach", organ)["PTV_AND_ORGANS"].message
    assert message == "stomach 6 mm off"


def test_a_canal_stands_for_the_cord_and_one_lung_for_two() -> None:
    case, targets = made()
    grid = case.volume.grid
    assert (
        "the spinal canal" in told(case, targets, "spinal_canal", beside(grid, 2.0))["PTV_NEAR_CORD"].message
    )
    found = told(case, targets, "lungs", beside(grid, 2.0))
    assert found["PTV_AND_ORGANS"].message.startswith("lungs ")
    both = organs(grid, {"spinal_canal": beside(grid, 2.0), "spinal_cord": beside(grid, 4.0)})
    near = [one.message for one in check_organs(case, targets, both) if one.code == "PTV_NEAR_CORD"]
    assert len(near) == 1, "the canal only where the cord is not known"
