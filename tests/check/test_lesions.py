"""Parts of a lesion that are a slip: planted in the GTV, as they come, and nothing on a clean case."""

from __future__ import annotations

import pytest
from shapely.geometry import MultiPolygon

from pipeline.check import check_targets
from pipeline.check.lesions import check_stray_lesion_parts
from pipeline.core.case import Case
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import TargetSet
from pipeline.targets import build_ifi
from tests.cases import POSITIONS, case_of, disc, grid_of, plan_of

NODE = {k: disc(20, -35, 10) for k in range(12, 18)}
NO_TARGETS = TargetSet(arm="ifi", targets=())


def with_parts(**parts: MultiPolygon) -> dict[int, MultiPolygon]:
    """The node, and further parts by slice (`k14`)."""
    sections = dict(NODE)
    for slice_, part in parts.items():
        k = int(slice_[1:])
        own = sections[k].geoms if k in sections else ()
        sections[k] = MultiPolygon([*own, *part.geoms])
    return sections


def found(sections: dict[int, MultiPolygon], position: str = "HFS") -> tuple[Finding, ...]:
    return check_stray_lesion_parts(case_of(grid_of(position), [sections]), NO_TARGETS)


def test_nothing_on_a_clean_case() -> None:
    assert found(NODE) == ()


@pytest.mark.parametrize("position", POSITIONS)
def test_a_click_far_off_is_a_stop_and_says_where(position: str) -> None:
    """3.1 mm2 on one slice, 19 mm beside the lesion: 31 mm from middle to middle, less 10 and 1."""
    grid = grid_of(position)
    (told,) = found(with_parts(k14=disc(51, -35, 1)), position)
    assert (told.code, told.severity, told.where) == ("GTV_STRAY_PART", Severity.STOP, "ROI node 1")
    x, y, z = grid.frame.to_patient([[51, -35, grid.plane_positions_mm[14]]])[0]
    assert f"on slice 14 (x {x:.0f}, y {y:.0f}, z {z:.0f} mm), 1 slices" in told.message
    assert "A part of 0.009 cc" in told.message
    assert "lies 20 mm from the rest" in told.message


def test_a_click_within_the_margins_is_a_warning() -> None:
    (told,) = found(with_parts(k14=disc(36, -35, 1)))
    assert told.severity is Severity.WARNING
    assert "lies 5 mm from the rest" in told.message


def test_a_click_beyond_the_last_slice_is_measured_along_the_patient() -> None:
    # Slices 17 and 22 are 15 mm apart, four of them of 3 mm in between.
    (told,) = found(with_parts(k22=disc(20, -35, 1)))
    assert (told.severity, "lies 12 mm from" in told.message) == (Severity.STOP, True)


def test_clicks_on_every_slice_are_told_each() -> None:
    clicks = {f"k{k}": disc(45 + 10 * (k - 12), -60, 1) for k in range(12, 15)}
    assert [one.message.split(" on slice ")[1][:2] for one in found(with_parts(**clicks))] == [
        "12",
        "13",
        "14",
    ]


def test_a_thread_through_several_slices_is_one_part() -> None:
    (told,) = found(with_parts(k13=disc(51, -35, 1), k14=disc(51, -35, 1), k15=disc(51, -35, 1)))
    assert "3 slices in all" in told.message


def test_nodes_in_one_roi_are_no_slips() -> None:
    # A node of 6 mm, and one that a missing slice parts in two.
    node = {f"k{k}": disc(51, -35, 3.3) for k in (13, 14, 16)}
    assert found(with_parts(**node)) == ()
    small = {14: disc(20, -35, 2)}
    assert found(small) == ()


def test_a_part_that_branches_off_belongs_to_the_lesion() -> None:
    fork = {12: MultiPolygon([*disc(8, -35, 2).geoms, *disc(32, -35, 2).geoms]), 13: disc(20, -35, 16)}
    assert found(fork) == ()


def test_it_is_among_the_checks_of_every_run() -> None:
    case: Case = case_of(grid_of(), [with_parts(k14=disc(51, -35, 1))])
    targets = build_ifi(case, plan=plan_of(), organs={})
    assert "GTV_STRAY_PART" in {one.code for one in check_targets(case, targets)}
