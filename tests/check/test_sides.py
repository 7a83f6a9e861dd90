"""Lesions and organs on the side that is not theirs, in every patient position."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipeline.check import check_targets
from pipeline.check.sides import check_sides, side_of_name
from pipeline.core.anatomy import Organs
from pipeline.core.case import Case
from pipeline.core.grid import Grid
from pipeline.core.report import Severity
from pipeline.core.targets import TargetSet
from pipeline.targets import build_ifi
from tests.anatomy.organs_of import organs
from tests.cases import POSITIONS, case_of, disc, grid_of, plan_of
from tests.targets.elective_patients import mask_of

# The patient's left is at greater u: the lesion lies 22 mm to the left of the spine.
SPINE = ((-7, 3), (-30, -20), (100, 130))
RIGHT = ((-37, -27), (-50, -30), (100, 120))
LEFT = ((23, 33), (-50, -30), (100, 120))


def made(position: str, roi: str) -> tuple[Case, TargetSet]:
    grid = grid_of(position, size=(110, 140, 30))
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 18)}])
    case = replace(case, lesions=(replace(case.lesions[0], source_roi=roi),))
    return case, build_ifi(case, plan=plan_of(), organs={})


def known(grid: Grid, **boxes: tuple[tuple[int, int], ...]) -> Organs:
    return organs(grid, {name: mask_of(grid, box) for name, box in boxes.items()})


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("roi,wrong", [("GTV-N 4R", True), ("GTV-N 4L", False), ("GTV-N", False)])
def test_a_lesion_is_held_against_the_side_in_its_name(position: str, roi: str, wrong: bool) -> None:
    case, targets = made(position, roi)
    found = check_sides(case, targets, known(case.volume.grid, vertebrae_T4=SPINE))
    assert [one.code for one in found] == (["LESION_ON_OTHER_SIDE"] if wrong else [])
    if wrong:
        assert found[0].severity is Severity.WARNING
        assert "says right, and it lies 22 mm to the left of the spine" in found[0].message


@pytest.mark.parametrize("position", POSITIONS)
def test_organs_as_in_a_mirror(position: str) -> None:
    case, targets = made(position, "GTV-N")
    grid = case.volume.grid
    (told,) = check_sides(case, targets, known(grid, vertebrae_T4=SPINE, liver=LEFT, heart=RIGHT))
    assert told.code == "SIDES_MIRRORED"
    liver, heart = re.findall(r"(\d+) mm to the (?:left|right)", told.message)
    assert (int(liver), int(heart)) == (pytest.approx(30, abs=2), pytest.approx(30, abs=2))
    assert check_sides(case, targets, known(grid, vertebrae_T4=SPINE, liver=RIGHT, heart=LEFT)) == ()


def test_one_organ_alone_may_have_been_moved() -> None:
    case, targets = made("HFS", "GTV-N")
    grid = case.volume.grid
    moved = known(grid, vertebrae_T4=SPINE, liver=RIGHT, heart=RIGHT)
    assert check_sides(case, targets, moved) == ()


@pytest.mark.parametrize("right_ones, told", [(0, True), (1, True), (2, False)])
def test_more_than_half_must_lie_otherwise(right_ones: int, told: bool) -> None:
    """Two organs on the other side, of two, of three, and of four."""
    case, targets = made("HFS", "GTV-N")
    where = {"liver": LEFT, "heart": RIGHT, "spleen": LEFT, "superior_vena_cava": RIGHT}
    names = list(where)[: 2 + right_ones]
    found = check_sides(
        case,
        targets,
        known(case.volume.grid, vertebrae_T4=SPINE, **{name: where[name] for name in names}),
    )
    assert [one.code for one in found] == ["SIDES_MIRRORED"] * told


def test_without_a_middle_nothing_is_said() -> None:
    case, targets = made("HFS", "GTV-N 4R")
    assert check_sides(case, targets, known(case.volume.grid, liver=LEFT, heart=RIGHT)) == ()


def test_the_check_is_among_those_of_every_run() -> None:
    case, targets = made("HFS", "GTV-N 4R")
    organs_known = known(case.volume.grid, vertebrae_T4=SPINE)
    assert "LESION_ON_OTHER_SIDE" in {one.code for one in check_targets(case, targets, organs_known)}


@pytest.mark.parametrize(
    "name,side",
    [
        ("GTVn_L", "left"),
        ("GTV-N4R", "right"),
        ("GTVn4R", "right"),
        ("GTV-N1L", "left"),
        ("GTV_LN2R", "right"),
        ("GTV-NR", "right"),
        ("GTV-N2R1", None),
        ("GTV-N 10R", "right"),
        ("node SCV_L", "left"),
        ("GTV right neck", "right"),
        ("gtv rt", None),  # radiotherapy
        ("GTV post-RT", None),
        ("GTV_rt60", None),
        ("GTV_2R_L", None),  # both
        ("GTV R1", None),  # a residual tumour, or the first recurrence
        ("GTV-N 8Lo", None),
        ("bright node", None),
        ("GTV-N2", None),
    ],
)
def test_sides_in_names(name: str, side: str | None) -> None:
    assert side_of_name(name) == side
