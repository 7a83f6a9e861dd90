"""Volumes against what they grew from."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.check.ratios import check_ratios, grown_at_least_cc
from pipeline.core.margin import Margin
from pipeline.core.targets import TargetSet
from pipeline.targets import build_ifi
from tests.cases import case_of, disc, grid_of, plan_of


def ball_cc(radius: float) -> float:
    return 4 / 3 * math.pi * radius**3 / 1000


def test_a_ball_that_grows_is_the_least() -> None:
    assert grown_at_least_cc(ball_cc(10), Margin.uniform(5)) == pytest.approx(ball_cc(15))
    assert grown_at_least_cc(7.0, Margin.uniform(0)) == pytest.approx(7.0)


@given(st.floats(1, 60), st.floats(1, 60), st.floats(1, 60), st.floats(0, 30))
def test_a_box_is_never_below_it(a: float, b: float, c: float, r: float) -> None:
    """Steiner's formula for a box grown by a ball."""
    grown = (
        a * b * c + 2 * r * (a * b + b * c + a * c) + math.pi * r * r * (a + b + c) + 4 / 3 * math.pi * r**3
    )
    assert grown / 1000 >= grown_at_least_cc(a * b * c / 1000, Margin.uniform(r)) * (1 - 1e-9)


def test_unequal_margins_count_by_their_middles() -> None:
    margin = Margin(left=2, right=6, anterior=3, posterior=5, superior=20, inferior=10)
    octants = sum(x * y * z for x in (2, 6) for y in (3, 5) for z in (20, 10)) * 4 / 3 * math.pi / 8 / 1000
    assert grown_at_least_cc(0.0, margin) == pytest.approx(octants)


def found(targets: TargetSet, case) -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in check_ratios(case, targets)]


def test_a_volume_that_lost_a_third_is_found_and_nothing_on_a_clean_case() -> None:
    case = case_of(grid_of(), [{k: disc(20, -35, 10) for k in range(12, 18)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    assert found(targets, case) == []
    for name in ("PGTV", "CTV", "PTV"):
        planted = tuple(
            replace(t, uncut_volume_cc=0.67 * t.uncut_volume_cc) if t.name == name else t
            for t in targets.targets
        )
        assert found(replace(targets, targets=planted), case) == [("VOLUME_RATIO", f"ifi.{name}")]


def test_an_elective_ctv_is_only_held_against_the_lesions_themselves() -> None:
    case = case_of(grid_of(), [{k: disc(20, -35, 10) for k in range(12, 18)}])
    field = build_ifi(case, plan=plan_of(), organs={})
    gtv_cc = field["GTV-N1"].contours.volume_cc
    for share, arm, told in ((1.01, "ifi", True), (1.01, "eni", False), (0.9, "eni", True)):
        short = replace(field["CTV"], uncut_volume_cc=share * gtv_cc)
        targets = tuple(short if t.name == "CTV" else t for t in field.targets)
        wanted = [("VOLUME_RATIO", f"{arm}.CTV")] * told
        assert found(replace(field, arm=arm, targets=targets), case) == wanted


def test_a_ptv_is_held_against_its_ctv() -> None:
    case = case_of(grid_of(), [{k: disc(20, -35, 10) for k in range(12, 18)}])
    field = build_ifi(case, plan=plan_of(), organs={})
    # More than the GTV with 5 mm, less than the CTV with 5 mm.
    ctv_cc = field["CTV"].contours.volume_cc
    short = replace(field["PTV"], uncut_volume_cc=1.05 * ctv_cc)
    targets = tuple(short if t.name == "PTV" else t for t in field.targets)
    assert found(replace(field, targets=targets), case) == [("VOLUME_RATIO", "ifi.PTV")]


@pytest.mark.parametrize("radius, slices, unusual", [(1.5, 3, True), (3, 3, False), (70, 26, True)])
def test_a_click_and_a_whole_lung_are_unusual(radius: float, slices: int, unusual: bool) -> None:
    grid = grid_of(size=(200, 180, 30), centre=(0, 0, 0))
    case = case_of(grid, [{k: disc(0, 0, radius) for k in range(2, 2 + slices)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    assert [code for code, _ in found(targets, case)] == ["VOLUME_UNUSUAL"] * unusual


def test_lesions_that_overlap_count_once_and_thick_slices_are_left_alone() -> None:
    grid = grid_of()
    lesion = {k: disc(20, -35, 10) for k in range(12, 18)}
    twice = case_of(grid, [lesion, lesion])
    assert found(build_ifi(twice, plan=plan_of(), organs={}), twice) == []
    thick = grid_of(size=(80, 64, 9), spacing=(1.2, 0.9, 11.0))
    case = case_of(thick, [{4: disc(20, -35, 3)}])
    assert found(build_ifi(case, plan=plan_of(), organs={}), case) == []


@pytest.mark.parametrize("spacing", [1.0, 3.0, 4.0, 5.0])
@pytest.mark.parametrize("radius", [2.0, 5.0, 10.0])
def test_small_lesions_wherever_the_slices_lie_keep_to_it(spacing: float, radius: float) -> None:
    """Balls, and a single slice: what slicing does to them stays inside the tolerance."""
    grid = grid_of(size=(80, 76, round(70 / spacing)), spacing=(1, 1, spacing), centre=(0, 0, 0))
    ball = {
        k: disc(0.3, 0.2, math.sqrt(square))
        for k, w in enumerate(grid.plane_positions_mm)
        if (square := radius**2 - (w - 0.3 * spacing) ** 2) > 0.7
    }
    for drawn in (ball, {len(grid.plane_positions_mm) // 2: disc(0.3, 0.2, radius)}):
        case = case_of(grid, [drawn])
        told = [one.code for one in check_ratios(case, build_ifi(case, plan=plan_of(), organs={}))]
        assert "VOLUME_RATIO" not in told
